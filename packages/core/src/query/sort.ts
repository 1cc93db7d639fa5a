import { checkDocValues } from "./aggregations/scope.js";
import { type QueryContext, type Scores, scoreAt } from "./clauses/clause.js";
import type { QueryValue } from "./clauses/field-terms.js";
import { Params, scalarValue } from "./clauses/params.js";
import type { Column } from "./columns/column.js";
import { addressWords, wordsText } from "./columns/ip-address.js";
import type { Segment } from "./columns/segment.js";
import { compareTexts } from "./columns/select.js";
import type { JsonNode } from "./json/json-tree.js";
import { DateFormat } from "./mapping/date-format.js";
import type { Field } from "./mapping/field.js";
import { compact } from "./mapping/field-value.js";
import { illegalArgument, parsingError, QueryError } from "./query-error.js";

/** What rows are ordered by: numbers (a row without one has an infinity), texts (null), addresses as 32 digits. */
export type SortValue = number | bigint | string | null;

/** One key of an order. */
export interface SortKey {
  readonly kind: "score" | "doc" | "field";
  readonly path: string;
  readonly descending: boolean;
  readonly missing: QueryValue;
  readonly mode: string | undefined;
  readonly unmappedType: string | undefined;
  readonly format: string | undefined;
}

const MODES = ["min", "max", "sum", "avg", "median"];

const metaKey = (path: string, descending: boolean): SortKey => ({
  kind: path === "_score" ? "score" : path === "_doc" || path === "_shard_doc" ? "doc" : "field",
  path,
  descending,
  missing: "_last",
  mode: undefined,
  unmappedType: undefined,
  format: undefined,
});

export const BY_SCORE: readonly SortKey[] = [metaKey("_score", true)];

function direction(text: string, at: JsonNode["at"]): boolean {
  const order = text.toLowerCase();
  if (order === "asc" || order === "desc") return order === "desc";
  throw parsingError(
    `[field_sort] failed to parse field [order]`,
    at,
    illegalArgument(`No enum constant for the order [${text.slice(0, 40)}]: it is asc or desc`),
  );
}

function parseKey(node: JsonNode): SortKey[] {
  if (node.kind === "string") return [metaKey(node.text, node.text === "_score")];
  if (node.kind !== "object")
    throw illegalArgument("malformed sort format, within the sort array, an object, or an actual string are allowed");
  return node.members.map(({ key, value }) => {
    if (value.kind === "string") return metaKey(key, direction(value.text, value.at));
    if (value.kind !== "object") throw parsingError(`malformed sort format, the order of [${key}] is a text or an object`, value.at);
    if (key === "_script" || key === "_geo_distance") throw parsingError(`sort by [${key}] is not supported here`, value.at);
    const params = new Params("field_sort", value);
    const order = params.text("order");
    const missing = params.value("missing");
    const mode = params.text("mode")?.toLowerCase();
    const unmappedType = params.text("unmapped_type");
    const format = params.text("format");
    params.text("numeric_type");
    if (params.get("nested") || params.get("nested_path")) throw parsingError("sort by nested fields is not supported here", value.at);
    params.boolean("ignore_unmapped", false);
    params.done();
    if (mode !== undefined && !MODES.includes(mode)) throw illegalArgument(`Unknown SortMode [${mode.slice(0, 40)}]`);
    return {
      ...metaKey(key, order === undefined ? key === "_score" : direction(order, value.at)),
      missing: missing ?? "_last",
      mode,
      unmappedType,
      format,
    };
  });
}

/**
 * Reads the `sort` of a search.
 * @throws QueryError for a form that there is not
 */
export function parseSort(node: JsonNode | undefined): readonly SortKey[] | undefined {
  if (!node || node.kind === "null") return undefined;
  const keys = node.kind === "array" ? node.items.flatMap(parseKey) : parseKey(node);
  return keys.length === 0 || (keys.length === 1 && keys[0]?.kind === "score" && keys[0].descending) ? undefined : keys;
}

/** The value of a row, by one key of an order. */
export type ReadValue = (row: number) => SortValue;

function fieldOf(context: QueryContext, key: SortKey): Field | undefined {
  const field = context.mapping.field(key.path);
  if (field) {
    checkDocValues(field);
    return field;
  }
  if (key.unmappedType === undefined)
    throw new QueryError("query_shard_exception", `No mapping found for [${key.path}] in order to sort on`, { atRun: true });
  return undefined;
}

const hex = (words: ArrayLike<number>, at = 0): string =>
  [0, 1, 2, 3].map((i) => ((words[at + i] ?? 0) >>> 0).toString(16).padStart(8, "0")).join("");

function ofHex(text: string): string {
  const word = (i: number): number => Number.parseInt(text.slice(8 * i, 8 * i + 8), 16);
  return wordsText(word(0), word(1), word(2), word(3));
}

/** What rows without a value have: the end of the order that they belong to, or the value that stands in for them. */
function missingValue(key: SortKey, field: Field | undefined, isNumber: boolean): SortValue {
  if (key.missing !== "_last" && key.missing !== "_first") return field ? typedValue(field, key.missing, key.format) : null;
  if (!isNumber) return null;
  return (key.missing === "_last") === key.descending ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Prepares to read the values of a segment's rows by one key. */
export function openKey(key: SortKey, context: QueryContext, segment: Segment, scores: () => Scores, place: number): ReadValue {
  if (key.kind === "score") {
    const all = scores();
    return (row) => scoreAt(all, row);
  }
  if (key.kind === "doc") return (row) => place + row;
  if (key.path === "_id") return (row) => segment.id(row);
  if (key.path === "_index") return () => context.index;
  if (key.path === "_seq_no") return (row) => segment.sequence(row);
  const field = fieldOf(context, key);
  const column = field && segment.column(field.column);
  const isNumber = field
    ? field.traits.family === "number" || field.traits.family === "date" || field.traits.family === "boolean"
    : key.unmappedType !== "keyword" && key.unmappedType !== "ip" && key.unmappedType !== "text";
  const missing = missingValue(key, field, isNumber);
  if (!column || !field) return () => missing;
  const { offsets } = column;
  const mode = key.mode ?? (key.descending ? "max" : "min");
  if (column.kind === "number") {
    const { values, exact } = column;
    if (!offsets) {
      if (exact.size > 0) return (row) => exact.get(row) ?? (Number.isNaN(values[row]) ? missing : (values[row] as number));
      return (row) => {
        const value = values[row] as number;
        return Number.isNaN(value) ? missing : value;
      };
    }
    return (row) => {
      const start = offsets[row] as number;
      const end = offsets[row + 1] as number;
      if (start === end) return missing;
      const all = Array.from({ length: end - start }, (_zero, index) => exact.get(start + index) ?? (values[start + index] as number));
      return reduced(all, mode);
    };
  }
  const texts: (string | undefined)[] = [];
  const textAt = (code: number): string =>
    (texts[code] ??= column.kind === "ip" ? hex(column.addresses, 4 * code) : column.dictionary.text(code));
  return (row) => {
    let best: string | null = null;
    const end = offsets ? (offsets[row + 1] as number) : row + 1;
    for (let at = offsets ? (offsets[row] as number) : row; at < end; at++) {
      const code = column.codes[at] ?? -1;
      if (code < 0 || isLeftOut(field, column, code)) continue;
      const text = textAt(code);
      if (best === null || (mode === "max" ? compareTexts(text, best) > 0 : compareTexts(text, best) < 0)) best = text;
    }
    return best ?? missing;
  };
}

const isLeftOut = (field: Field, column: Column, code: number): boolean =>
  field.ignoreAbove !== undefined && column.kind === "text" && column.dictionary.text(code).length > field.ignoreAbove;

function reduced(values: readonly (number | bigint)[], mode: string): number | bigint {
  const [first = 0] = values;
  if (mode === "min" || mode === "max") {
    let best = first;
    for (const value of values) if (mode === "min" ? value < best : value > best) best = value;
    return best;
  }
  const numbers = values.map(Number);
  const sum = numbers.reduce((total, value) => total + value, 0);
  if (mode === "sum") return sum;
  if (mode === "avg") return sum / numbers.length;
  const sorted = numbers.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

const GREATEST = 9223372036854775807n;
const LEAST = -9223372036854775808n;

/** A value of a request as rows have it. */
function typedValue(field: Field, value: QueryValue, format: string | undefined): SortValue {
  switch (field.traits.family) {
    case "number":
    case "boolean": {
      if (value === true || value === "true") return 1;
      if (value === false || value === "false") return 0;
      if (value === "Infinity") return Number.POSITIVE_INFINITY;
      if (value === "-Infinity") return Number.NEGATIVE_INFINITY;
      const number = typeof value === "bigint" ? value : Number(value);
      if (typeof value === "string" && (value.trim() === "" || Number.isNaN(number)))
        throw illegalArgument(`Failed to parse search_after value for field [${field.path}].`);
      const whole = typeof value === "string" && /^-?\d{16,}$/.test(value) ? BigInt(value) : number;
      return atEnd(typeof whole === "bigint" ? compact(whole) : whole);
    }
    case "date": {
      if (typeof value === "number" || typeof value === "bigint") {
        const end = atEnd(value);
        if (typeof end === "number" && !Number.isFinite(end)) return end;
        return field.type === "date_nanos" ? Number(BigInt(value) / 1000n) : Number(value) * 1000;
      }
      if (typeof value === "string" && /^-?\d{19}$/.test(value) && field.type === "date_nanos") return Number(BigInt(value) / 1000n);
      try {
        return Number((format === undefined ? field.format : new DateFormat(format))?.parse(String(value), { now: 0n }) ?? 0n);
      } catch (cause) {
        throw illegalArgument(`Failed to parse search_after value for field [${field.path}].`, { cause });
      }
    }
    case "ip": {
      const words = addressWords(String(value));
      if (!words) throw illegalArgument(`'${String(value)}' is not an IP string literal.`);
      return hex(words);
    }
    default:
      return String(value);
  }
}

function atEnd(value: number | bigint): number | bigint {
  if (value >= GREATEST) return Number.POSITIVE_INFINITY;
  return value <= LEAST ? Number.NEGATIVE_INFINITY : value;
}

/** The order of two values by a key. */
export function compareValues(key: SortKey, a: SortValue, b: SortValue): number {
  if (a === b) return 0;
  // Texts: rows without one come where `missing` says, in both directions.
  if (a === null || b === null) return (a === null) === (key.missing === "_first") ? -1 : 1;
  const order = typeof a === "string" && typeof b === "string" ? compareTexts(a, b) : a < b ? -1 : a > b ? 1 : 0;
  return key.descending ? -order : order;
}

/** A value as the `sort` of a hit shows it. */
export function shownValue(key: SortKey, context: QueryContext, value: SortValue): unknown {
  if (key.kind !== "field" || value === null) return value;
  const field = context.mapping.field(key.path);
  if (!field) return typeof value === "number" && !Number.isFinite(value) ? (value > 0 ? GREATEST : LEAST) : value;
  const { family, range } = field.traits;
  if (typeof value === "number" && !Number.isFinite(value)) {
    if (family === "number" && !range) return value > 0 ? "Infinity" : "-Infinity";
    return value > 0 ? GREATEST : LEAST;
  }
  if (family === "date") {
    const micros = Number(value);
    if (key.format !== undefined) return new DateFormat(key.format).format(micros);
    return field.type === "date_nanos" ? BigInt(Math.floor(micros)) * 1000n : Math.floor(micros / 1000);
  }
  if (family === "ip") return ofHex(String(value));
  if (family === "boolean") return value === 1;
  return value;
}

/** Where a page goes on: the values of the last hit before it. */
export function parseAfter(node: JsonNode, keys: readonly SortKey[], context: QueryContext): SortValue[] {
  if (node.kind !== "array") throw parsingError("Expected [START_ARRAY] in [search_after] but found another token", node.at);
  if (node.items.length === 0) throw illegalArgument("Values must contains at least one value.");
  if (node.items.length !== keys.length)
    throw illegalArgument(`search_after has ${node.items.length} value(s) but sort has ${keys.length}.`, { atRun: true });
  return node.items.map((item, index) => {
    if (item.kind === "object" || item.kind === "array") throw parsingError("Expected a value in [search_after]", item.at);
    const key = keys[index] as SortKey;
    if (item.kind === "null") return null;
    const value = scalarValue(item);
    if (key.kind !== "field" || key.path === "_seq_no") return typeof value === "bigint" ? value : Number(value);
    const field = context.mapping.field(key.path);
    return field ? typedValue(field, value, key.format) : typeof value === "boolean" ? Number(value) : value;
  });
}
