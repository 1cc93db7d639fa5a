import type { JsonArray, JsonNode, JsonObject, JsonScalar } from "../json/json-tree.js";
import { illegalArgument, parsingError, QueryError } from "../query-error.js";
import type { QueryValue } from "./field-terms.js";

/** A token's name in errors, as Elasticsearch's parser calls it. */
export function tokenName(node: JsonNode): string {
  switch (node.kind) {
    case "object":
      return "START_OBJECT";
    case "array":
      return "START_ARRAY";
    case "string":
      return "VALUE_STRING";
    case "number":
      return "VALUE_NUMBER";
    case "boolean":
      return "VALUE_BOOLEAN";
    case "null":
      return "VALUE_NULL";
  }
}

export function asObject(node: JsonNode, what: string): JsonObject {
  if (node.kind === "object") return node;
  throw parsingError(`[${what}] query malformed, no start_object after query name`, node.at);
}

export function asScalar(node: JsonNode, what: string): JsonScalar {
  if (node.kind !== "object" && node.kind !== "array") return node;
  throw parsingError(`[${what}] unknown token [${tokenName(node)}] after [${what}]`, node.at);
}

/** A number as written, or the text or truth value. */
export function scalarValue(node: JsonScalar): QueryValue {
  if (node.kind === "null") throw illegalArgument("value cannot be null");
  if (node.kind === "number")
    return /^-?\d+$/.test(node.text) && !Number.isSafeInteger(node.value) ? BigInt(node.text) : (node.value as number);
  return node.value as string | boolean;
}

/** Parameters of a clause, looked up by name; what nobody asked for is an error. */
export class Params {
  readonly clause: string;
  readonly node: JsonObject;
  readonly #asked = new Set<string>();

  constructor(clause: string, node: JsonObject) {
    this.clause = clause;
    this.node = node;
  }

  get(name: string): JsonNode | undefined {
    this.#asked.add(name);
    return this.node.members.find(({ key }) => key === name)?.value;
  }

  #scalar(name: string): JsonScalar | undefined {
    const node = this.get(name);
    if (!node) return undefined;
    if (node.kind === "object" || node.kind === "array")
      throw parsingError(`[${this.clause}] query does not support [${name}] as ${tokenName(node)}`, node.at);
    return node;
  }

  value(name: string): QueryValue | undefined {
    const node = this.#scalar(name);
    return node === undefined || node.kind === "null" ? undefined : scalarValue(node);
  }

  text(name: string): string | undefined {
    const node = this.#scalar(name);
    return node === undefined || node.kind === "null" ? undefined : String(scalarValue(node));
  }

  number(name: string, otherwise: number): number {
    const node = this.#scalar(name);
    if (node === undefined || node.kind === "null") return otherwise;
    const number = Number(node.value);
    if (node.kind === "boolean" || node.text.trim() === "" || !Number.isFinite(number)) {
      throw parsingError(
        `[${this.clause}] failed to parse field [${name}]`,
        node.at,
        new QueryError("number_format_exception", `For input string: "${node.text.slice(0, 100)}"`),
      );
    }
    return number;
  }

  whole(name: string, otherwise: number): number {
    return Math.trunc(this.number(name, otherwise));
  }

  boolean(name: string, otherwise: boolean): boolean {
    const node = this.#scalar(name);
    if (node === undefined || node.kind === "null") return otherwise;
    if (node.value === true || node.value === "true") return true;
    if (node.value === false || node.value === "false" || node.value === "") return false;
    throw parsingError(
      `[${this.clause}] failed to parse field [${name}]`,
      node.at,
      illegalArgument(`Failed to parse value [${node.text.slice(0, 100)}] as only [true] or [false] are allowed.`),
    );
  }

  boost(): number {
    const boost = this.number("boost", 1);
    if (boost < 0) throw illegalArgument(`negative [boost] are not allowed in [${this.clause}], use a value between 0 and 1 to deboost`);
    // A name for the clause changes nothing.
    this.get("_name");
    return boost;
  }

  texts(name: string): string[] | undefined {
    const node = this.get(name);
    if (!node || node.kind === "null") return undefined;
    if (node.kind === "object") throw parsingError(`[${this.clause}] query does not support [${name}]`, node.at);
    return (node.kind === "array" ? node.items : [node]).map((item) => String(scalarValue(asScalar(item, this.clause))));
  }

  /** @throws QueryError for a parameter that was not asked for */
  done(): void {
    for (const { key, value } of this.node.members) {
      if (!this.#asked.has(key)) throw parsingError(`[${this.clause}] query does not support [${key}]`, value.at);
    }
  }
}

/**
 * Reads `{field: value}` or `{field: {parameters}}`: the one field of a clause, and what stands at it. `boost` and `_name` may stand beside the field.
 */
export function oneField(clause: string, node: JsonNode): { readonly field: string; readonly value: JsonNode; readonly outer: Params } {
  const object = asObject(node, clause);
  const outer = new Params(clause, object);
  const isBeside = (key: string, value: JsonNode): boolean =>
    (key === "boost" || key === "_name") && value.kind !== "object" && value.kind !== "array";
  const fields = object.members.filter(({ key, value }) => !isBeside(key, value));
  const [first, second] = fields;
  if (!first) throw illegalArgument("field name is null or empty");
  if (second)
    throw parsingError(`[${clause}] query doesn't support multiple fields, found [${first.key}] and [${second.key}]`, second.value.at);
  if (first.key === "") throw illegalArgument("field name is null or empty");
  outer.get(first.key);
  return { field: first.key, value: first.value, outer };
}

/** The items of an array, or the one thing that stands in its place. */
export const itemsOf = (node: JsonNode): readonly JsonNode[] => (node.kind === "array" ? (node as JsonArray).items : [node]);
