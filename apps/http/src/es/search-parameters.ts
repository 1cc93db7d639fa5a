import { type ExactValue, parseExact, QueryError, writeJson } from "@heliograph/core/query";

/** Parameters of a search in the address, each a text. */
export type UrlParameters = Readonly<Record<string, string | string[] | undefined>>;

const ACCEPTED = new Set(
  (
    "q df default_operator analyzer analyze_wildcard lenient sort from size _source _source_includes _source_excludes _source_include _source_exclude track_total_hits track_scores " +
    "rest_total_hits_as_int scroll ignore_unavailable allow_no_indices expand_wildcards search_type timeout explain version seq_no_primary_term docvalue_fields stored_fields " +
    "preference routing request_cache batched_reduce_size ccs_minimize_roundtrips max_concurrent_shard_requests pre_filter_shard_size ignore_throttled terminate_after " +
    "allow_partial_search_results typed_keys filter_path pretty human error_trace format include_type_name source source_content_type min_compatible_shard_node scroll_id keep_alive " +
    "min_score max_concurrent_searches phase_took cancel_after_time_interval"
  ).split(" "),
);

export const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(",") : value);

/** Whether a parameter is set: there, and not `false`. */
export function isSet(parameters: UrlParameters, name: string): boolean {
  const value = one(parameters[name]);
  return value !== undefined && value !== "false";
}

const refuse = (reason: string): QueryError => new QueryError("illegal_argument_exception", reason);

/** @throws QueryError for a parameter that a search does not have */
export function checkParameters(path: string, parameters: UrlParameters, more: readonly string[] = []): void {
  for (const name of Object.keys(parameters)) {
    if (!ACCEPTED.has(name) && !more.includes(name))
      throw refuse(`request [${path.slice(0, 200)}] contains unrecognized parameter: [${name.slice(0, 100)}]`);
  }
}

function whole(name: string, text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw refuse(`Failed to parse int parameter [${name}] with value [${text.slice(0, 40)}]`);
  return Number(text);
}

const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
const truth = (text: string): boolean | string => (text === "" || text === "true" ? true : text === "false" ? false : text);

/** The body of a search as JSON, with what the address adds to it. */
export function searchBody(text: string, parameters: UrlParameters): string {
  const reduce = one(parameters["batched_reduce_size"]);
  if (reduce !== undefined && whole("batched_reduce_size", reduce) < 2) throw refuse("batchedReduceSize must be >= 2");
  const given: ExactValue = text.trim() === "" ? {} : parseExact(text);
  const get = (name: string): string | undefined => one(parameters[name]);
  const additions: Record<string, unknown> = {};
  const q = get("q");
  if (q !== undefined) {
    additions["query"] = {
      query_string: {
        query: q,
        ...(get("df") !== undefined && { default_field: get("df") }),
        ...(get("default_operator") !== undefined && { default_operator: get("default_operator") }),
        ...(get("analyzer") !== undefined && { analyzer: get("analyzer") }),
        ...(get("lenient") !== undefined && { lenient: isSet(parameters, "lenient") }),
        ...(get("analyze_wildcard") !== undefined && { analyze_wildcard: isSet(parameters, "analyze_wildcard") }),
      },
    };
  }
  for (const name of ["from", "size", "terminate_after"]) {
    const value = get(name);
    if (value !== undefined) additions[name] = whole(name, value);
  }
  const minScore = get("min_score");
  if (minScore !== undefined) additions["min_score"] = minScore;
  for (const name of ["explain", "version", "seq_no_primary_term", "track_scores"])
    if (parameters[name] !== undefined) additions[name] = isSet(parameters, name);
  for (const name of ["docvalue_fields", "stored_fields"]) {
    const value = get(name);
    if (value !== undefined) additions[name] = list(value);
  }
  const sort = get("sort");
  if (sort !== undefined) {
    additions["sort"] = list(sort).map((part) => {
      const colon = part.lastIndexOf(":");
      return colon === -1 ? part : { [part.slice(0, colon)]: part.slice(colon + 1) };
    });
  }
  const total = get("track_total_hits");
  if (total !== undefined) additions["track_total_hits"] = truth(total);
  const source = sourceFilter(parameters);
  if (source !== undefined) additions["_source"] = source;
  if (Object.keys(additions).length === 0) return text.trim() === "" ? "{}" : text;
  if (typeof given !== "object" || given === null || Array.isArray(given)) return text;
  return writeJson({ ...(given as Record<string, ExactValue>), ...additions });
}

/** `_source`, `_source_includes` and `_source_excludes` of the address as a body has them. */
export function sourceFilter(parameters: UrlParameters): unknown {
  const source = one(parameters["_source"]);
  const includes = one(parameters["_source_includes"] ?? parameters["_source_include"]);
  const excludes = one(parameters["_source_excludes"] ?? parameters["_source_exclude"]);
  if (includes !== undefined || excludes !== undefined) return { includes: list(includes ?? ""), excludes: list(excludes ?? "") };
  if (source === undefined) return undefined;
  const value = truth(source);
  return typeof value === "string" ? list(value) : value;
}
