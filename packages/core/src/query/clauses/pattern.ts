import type { JsonNode, JsonScalar } from "../json/json-tree.js";
import { distance, fuzziness } from "../lucene/edit-distance.js";
import { luceneRegexp, luceneWildcard, type TextTest } from "../lucene/regexp.js";
import type { Field } from "../mapping/field.js";
import { illegalArgument, parsingError, shardError } from "../query-error.js";
import { type Clause, ConstantClause, matchNone, type QueryContext } from "./clause.js";
import { notIndexed, selectTexts } from "./field-terms.js";
import { oneField, Params, scalarValue } from "./params.js";
import { fitted } from "./term.js";

interface Pattern {
  readonly field: string;
  readonly text: string;
  readonly params: Params | undefined;
  readonly boost: number;
}

/** Reads `{field: "text"}` or `{field: {value: "text", …}}`; `value` may have another name too. */
function readPattern(clause: string, node: JsonNode, names: readonly string[]): Pattern {
  const { field, value: at, outer } = oneField(clause, node);
  let boost = outer.boost();
  outer.done();
  if (at.kind === "array") throw parsingError(`[${clause}] query does not support [${field}]`, at.at);
  let given: JsonNode | undefined = at;
  let params: Params | undefined;
  if (at.kind === "object") {
    params = new Params(clause, at);
    given = names.map((name) => params?.get(name)).find((one) => one !== undefined);
    boost *= params.boost();
    params.text("rewrite");
  }
  if (!given || given.kind === "null") throw illegalArgument("value cannot be null");
  if (given.kind === "object" || given.kind === "array")
    throw parsingError(`[${clause}] query does not support [value] as an object or array`, given.at);
  return { field, text: String(scalarValue(given as JsonScalar)), params, boost };
}

/** Rows of a field of texts with a value, or word, that passes. */
export function textTest(clause: string, field: Field, test: TextTest, boost: number): Clause {
  if (!field.isIndexed) throw notIndexed(field);
  if (field.traits.family !== "text") {
    throw shardError(
      `Can only use ${clause} queries on keyword, text and wildcard fields - not on [${field.path}] which is of type [${field.type}]`,
    );
  }
  return new ConstantClause(selectTexts(field, test), boost);
}

/** What a pattern's letters become in a field that changes its texts. */
const normalized = (field: Field, text: string): string => (field.normalizer ? field.normalizer(text) : text);

export function parsePrefix(context: QueryContext, node: JsonNode): Clause {
  const { field: path, text, params, boost } = readPattern("prefix", node, ["value", "prefix"]);
  const caseInsensitive = params?.boolean("case_insensitive", false) ?? false;
  params?.done();
  const field = context.mapping.field(path);
  return field ? prefixClause(field, text, caseInsensitive, boost) : matchNone();
}

export function prefixClause(field: Field, text: string, caseInsensitive: boolean, boost: number): Clause {
  const start = caseInsensitive ? normalized(field, text).toLowerCase() : normalized(field, text);
  return textTest("prefix", field, (one) => (caseInsensitive ? one.toLowerCase() : one).startsWith(start), boost);
}

export function parseWildcard(context: QueryContext, node: JsonNode): Clause {
  const { field: path, text, params, boost } = readPattern("wildcard", node, ["value", "wildcard"]);
  const caseInsensitive = params?.boolean("case_insensitive", false) ?? false;
  params?.done();
  const field = context.mapping.field(path);
  return field ? textTest("wildcard", field, luceneWildcard(normalized(field, text), caseInsensitive), boost) : matchNone();
}

export function parseRegexp(context: QueryContext, node: JsonNode): Clause {
  const { field: path, text, params, boost } = readPattern("regexp", node, ["value"]);
  const flags = params?.text("flags") ?? "ALL";
  const caseInsensitive = params?.boolean("case_insensitive", false) ?? false;
  params?.get("flags_value");
  params?.get("max_determinized_states");
  params?.done();
  const { maxRegexLength } = context.limits;
  if (text.length > maxRegexLength) {
    throw shardError(
      `The length of regex [${text.length}] used in the Regexp Query request has exceeded the allowed maximum of [${maxRegexLength}]. This maximum can be set by changing the [index.max_regex_length] index level setting.`,
    );
  }
  const test = fitted(() => luceneRegexp(text, flags === "" ? "NONE" : flags, caseInsensitive));
  const field = context.mapping.field(path);
  return field ? textTest("regexp", field, test, boost) : matchNone();
}

/** Words a few changes away from another. */
export function fuzzyTest(word: string, allowed: number, prefixLength: number, transpositions: boolean): TextTest {
  const prefix = word.slice(0, prefixLength);
  return (text) => text.startsWith(prefix) && distance(word, text, allowed, transpositions) <= allowed;
}

export function parseFuzzy(context: QueryContext, node: JsonNode): Clause {
  const { field: path, text, params, boost } = readPattern("fuzzy", node, ["value"]);
  const wanted = params?.text("fuzziness") ?? "AUTO";
  const prefixLength = params?.whole("prefix_length", 0) ?? 0;
  const transpositions = params?.boolean("transpositions", true) ?? true;
  params?.whole("max_expansions", 50);
  params?.done();
  const field = context.mapping.field(path);
  if (!field) return matchNone();
  const allowed = fuzziness(wanted, text);
  if (allowed === undefined) throw illegalArgument(`Valid edit distances are [0, 1, 2] but was [${wanted.slice(0, 40)}]`);
  return textTest("fuzzy", field, fuzzyTest(normalized(field, text), allowed, prefixLength, transpositions), boost);
}
