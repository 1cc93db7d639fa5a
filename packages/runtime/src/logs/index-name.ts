import { QueryError } from "@heliograph/core/query";

/** @throws QueryError `invalid_index_name_exception` for a name that Elasticsearch would not take */
export function checkIndexName(name: string): void {
  const refuse = (reason: string): never => {
    throw new QueryError("invalid_index_name_exception", `Invalid index name [${name.slice(0, 100)}], ${reason}`, {
      more: { index: name.slice(0, 255) },
    });
  };
  if (name === "" || name === "." || name === "..") refuse("must not be '.' or '..' or empty");
  if (name !== name.toLowerCase()) refuse("must be lowercase");
  if (/[\\/*?"<>| ,#:]/.test(name)) refuse(`must not contain the following characters ['\\','/','*','?','"','<','>','|',' ',',','#',':']`);
  if (/^[_\-+]/.test(name)) refuse("must not start with '_', '-', or '+'");
  if (Buffer.byteLength(name) > 255) refuse(`index name is too long, (${Buffer.byteLength(name)} > 255)`);
}

export const noSuchIndex = (name: string): QueryError =>
  new QueryError("index_not_found_exception", `no such index [${name.slice(0, 255)}]`, {
    status: 404,
    more: { "resource.type": "index_or_alias", "resource.id": name.slice(0, 255), index_uuid: "_na_", index: name.slice(0, 255) },
  });
