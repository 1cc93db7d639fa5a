export { openSearchJars, startOpenSearch, type TestOpenSearch } from "./opensearch.js";
export { postgresPrograms, startPostgres, type TestPostgres } from "./postgres.js";
