import type { JsonNode } from "./json/json-tree.js";
import { matchesSimple } from "./mapping/mapping.js";
import { parsingError } from "./query-error.js";

/** What of a document an answer shows. */
export interface SourceFilter {
  readonly enabled: boolean;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
}

export const WHOLE_SOURCE: SourceFilter = { enabled: true, includes: [], excludes: [] };

function patterns(node: JsonNode): string[] {
  return (node.kind === "array" ? node.items : [node]).map((item) => {
    if (item.kind !== "string")
      throw parsingError(`Unknown key for a ${item.kind === "object" ? "START_OBJECT" : "VALUE"} in [_source].`, item.at);
    return item.text;
  });
}

/** Reads `_source`: a truth value, a pattern, a list of patterns, or `{includes, excludes}`. */
export function parseSourceFilter(node: JsonNode | undefined): SourceFilter {
  if (!node || node.kind === "null") return WHOLE_SOURCE;
  if (node.kind === "boolean") return { ...WHOLE_SOURCE, enabled: node.value === true };
  if (node.kind === "string" || node.kind === "array") return { enabled: true, includes: patterns(node), excludes: [] };
  if (node.kind !== "object")
    throw parsingError("Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] but found [VALUE_NUMBER]", node.at);
  let includes: string[] = [];
  let excludes: string[] = [];
  for (const { key, value } of node.members) {
    if (key === "includes" || key === "include") includes = patterns(value);
    else if (key === "excludes" || key === "exclude") excludes = patterns(value);
    else throw parsingError(`Unknown key for a ${value.kind === "array" ? "START_ARRAY" : "VALUE_STRING"} in [${key}].`, value.at);
  }
  return { enabled: true, includes, excludes };
}

/** Whether a pattern names a path, or an object that it stands in. */
function covers(pattern: string, path: string): boolean {
  if (matchesSimple(pattern, path)) return true;
  for (let dot = path.indexOf("."); dot !== -1; dot = path.indexOf(".", dot + 1))
    if (matchesSimple(pattern, path.slice(0, dot))) return true;
  return false;
}

/** The document with what the filter keeps; `document` stays as it is. */
export function filterSource(document: unknown, { includes, excludes }: SourceFilter): unknown {
  const keeps = (path: string): boolean => includes.length === 0 || includes.some((pattern) => covers(pattern, path));
  const drops = (path: string): boolean => excludes.some((pattern) => covers(pattern, path));
  const filtered = (value: unknown, path: string): unknown => {
    if (drops(path)) return undefined;
    if (Array.isArray(value)) {
      if (!value.some((item) => typeof item === "object" && item !== null)) return keeps(path) ? value : undefined;
      const items = value.map((item) => filtered(item, path)).filter((item) => item !== undefined);
      return items.length > 0 || (value.length === 0 && keeps(path)) ? items : undefined;
    }
    if (typeof value === "object" && value !== null) {
      const object = objectOf(value as Record<string, unknown>, path);
      return Object.keys(object).length > 0 || (keeps(path) && Object.keys(value).length === 0) ? object : undefined;
    }
    return keeps(path) ? value : undefined;
  };
  const objectOf = (object: Record<string, unknown>, path: string): Record<string, unknown> => {
    const kept: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(object)) {
      const value = filtered(object[key], path === "" ? key : `${path}.${key}`);
      if (value !== undefined) kept[key] = value;
    }
    return kept;
  };
  return typeof document === "object" && document !== null ? objectOf(document as Record<string, unknown>, "") : document;
}
