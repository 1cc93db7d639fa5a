import type { JsonNode, JsonScalar } from "../json/json-tree.js";
import type { Field } from "../mapping/field.js";
import { illegalArgument, parsingError } from "../query-error.js";
import { BoolClause } from "./bool.js";
import { type Clause, matchNone, type QueryContext } from "./clause.js";
import type { QueryValue } from "./field-terms.js";
import { minimumShouldMatch } from "./minimum-should-match.js";
import { oneField, Params, scalarValue } from "./params.js";
import { combine, matchBoolPrefix, matchPhrase, matchText, type TextOptions, weightedFields } from "./text-query.js";

interface Asked {
  readonly path: string;
  readonly value: QueryValue;
  readonly params: Params | undefined;
  readonly boost: number;
}

function readMatch(clause: string, node: JsonNode): Asked {
  const { field, value: at, outer } = oneField(clause, node);
  let boost = outer.boost();
  outer.done();
  if (at.kind === "array") throw parsingError(`[${clause}] unknown token [START_ARRAY] after [${field}]`, at.at);
  let given: JsonNode | undefined = at;
  let params: Params | undefined;
  if (at.kind === "object") {
    params = new Params(clause, at);
    given = params.get("query");
    boost *= params.boost();
    if (!given) throw illegalArgument(`[${clause}] requires query value`);
  }
  if (given.kind === "object" || given.kind === "array")
    throw parsingError(`[${clause}] unknown token [${given.kind === "array" ? "START_ARRAY" : "START_OBJECT"}] after [query]`, given.at);
  if (given.kind === "null") throw illegalArgument(`[${clause}] requires query value`);
  return { path: field, value: scalarValue(given as JsonScalar), params, boost };
}

export function operatorOf(clause: string, text: string | undefined): "or" | "and" {
  const operator = (text ?? "or").toLowerCase();
  if (operator === "or" || operator === "and") return operator;
  throw illegalArgument(`No enum constant for the operator [${(text ?? "").slice(0, 40)}] of [${clause}]: it is OR or AND`);
}

/** The parameters that the match queries share. */
function textOptions(context: QueryContext, clause: string, params: Params | undefined): Omit<TextOptions, "boost"> {
  if (!params) return {};
  const analyzer = params.text("analyzer");
  const zero = params.text("zero_terms_query")?.toLowerCase();
  if (zero !== undefined && zero !== "none" && zero !== "all")
    throw parsingError(`Unsupported zero_terms_query value [${zero.slice(0, 40)}]`, params.node.at);
  params.text("fuzzy_rewrite");
  params.number("cutoff_frequency", 0);
  params.boolean("auto_generate_synonyms_phrase_query", true);
  params.boolean("fuzzy_transpositions", true);
  params.whole("max_expansions", 50);
  return {
    operator: operatorOf(clause, params.text("operator")),
    minimum: params.text("minimum_should_match"),
    fuzziness: params.text("fuzziness"),
    prefixLength: params.whole("prefix_length", 0),
    transpositions: params.boolean("fuzzy_transpositions", true),
    lenient: params.boolean("lenient", false),
    analyzer: analyzer === undefined ? undefined : context.mapping.analysis.analyzer(analyzer),
    zeroTerms: zero === "all" ? "all" : "none",
  };
}

/** `_id` and `_index` are matched as terms are. */
export function parseMatch(context: QueryContext, node: JsonNode): Clause {
  const { path, value, params, boost } = readMatch("match", node);
  const options = textOptions(context, "match", params);
  params?.done();
  const field = context.mapping.field(path);
  return field ? matchText(context, field, value, { ...options, boost }) : matchNone();
}

function slopOf(clause: string, params: Params | undefined): number {
  const slop = params?.whole("slop", 0) ?? 0;
  if (slop < 0) throw illegalArgument(`No negative slop allowed in [${clause}]`);
  return slop;
}

export function parseMatchPhrase(context: QueryContext, node: JsonNode): Clause {
  return phrase("match_phrase", context, node, false);
}

export function parseMatchPhrasePrefix(context: QueryContext, node: JsonNode): Clause {
  return phrase("match_phrase_prefix", context, node, true);
}

function phrase(clause: string, context: QueryContext, node: JsonNode, isPrefix: boolean): Clause {
  const { path, value, params, boost } = readMatch(clause, node);
  const slop = slopOf(clause, params);
  const analyzer = params?.text("analyzer");
  const zero = params?.text("zero_terms_query")?.toLowerCase();
  params?.whole("max_expansions", 50);
  params?.done();
  const field = context.mapping.field(path);
  if (!field) return matchNone();
  if (isPrefix && field.traits.family !== "text") {
    throw illegalArgument(`Can only use phrase prefix queries on text fields - not on [${path}] which is of type [${field.type}]`);
  }
  return matchPhrase(context, field, value, {
    slop,
    isPrefix,
    boost,
    analyzer: analyzer === undefined ? undefined : context.mapping.analysis.analyzer(analyzer),
    zeroTerms: zero === "all" ? "all" : "none",
  });
}

export function parseMatchBoolPrefix(context: QueryContext, node: JsonNode): Clause {
  const { path, value, params, boost } = readMatch("match_bool_prefix", node);
  const options = textOptions(context, "match_bool_prefix", params);
  params?.done();
  const field = context.mapping.field(path);
  return field ? matchBoolPrefix(context, field, value, { ...options, boost }) : matchNone();
}

const MULTI_TYPES = ["best_fields", "most_fields", "cross_fields", "phrase", "phrase_prefix", "bool_prefix"];

export function parseMultiMatch(context: QueryContext, node: JsonNode): Clause {
  if (node.kind !== "object") throw parsingError("[multi_match] query malformed, no start_object after query name", node.at);
  const params = new Params("multi_match", node);
  const value = params.value("query");
  if (value === undefined) throw parsingError("No text specified for multi_match query", node.at);
  const names = params.texts("fields");
  const type = (params.text("type") ?? "best_fields").toLowerCase();
  if (!MULTI_TYPES.includes(type))
    throw parsingError(`failed to parse [multi_match] query type [${type.slice(0, 40)}]. unknown type.`, node.at);
  const options = textOptions(context, "multi_match", params);
  const slop = slopOf("multi_match", params);
  const tie = params.number("tie_breaker", type === "most_fields" || type === "bool_prefix" ? 1 : 0);
  const boost = params.boost();
  params.done();
  if (options.fuzziness !== undefined && ["cross_fields", "phrase", "phrase_prefix"].includes(type))
    throw parsingError(`Fuzziness not allowed for type [${type}]`, node.at);
  if (slop !== 0 && type === "bool_prefix") throw parsingError(`[slop] not allowed for type [bool_prefix]`, node.at);
  const isWild = names === undefined || names.some((name) => name.includes("*"));
  const fields = weightedFields(context, names ?? ["*"]);
  // Of all fields some cannot hold the text: those do not match.
  const lenient = options.lenient || isWild;
  if (type === "cross_fields") return crossFields(context, fields, value, { ...options, lenient, boost });
  const one = (field: Field, weight: number): Clause => {
    const own = { ...options, lenient, boost: weight };
    if (type === "phrase" || type === "phrase_prefix") {
      return matchPhrase(context, field, value, { ...own, slop, isPrefix: type === "phrase_prefix" && field.traits.family === "text" });
    }
    return type === "bool_prefix" ? matchBoolPrefix(context, field, value, own) : matchText(context, field, value, own);
  };
  const clauses = fields.map(({ field, weight }) => one(field, weight));
  return combine(clauses, tie === 1 ? "sum" : "best", tie, boost);
}

/** Each word in any of the fields, as if they were one. */
function crossFields(
  context: QueryContext,
  fields: readonly { field: Field; weight: number }[],
  value: QueryValue,
  options: TextOptions,
): Clause {
  const analyzed = fields.find(({ field }) => field.traits.analyzed)?.field;
  const analyzer = options.analyzer ?? analyzed?.searchAnalyzer;
  const words = analyzer ? analyzer.analyze(String(value)).map(({ text }) => text) : [String(value)];
  if (words.length === 0) return matchNone();
  const clauses = words.map((word) =>
    combine(
      fields.map(({ field, weight }) => matchText(context, field, word, { lenient: true, boost: weight * (options.boost ?? 1) })),
      "best",
      0,
    ),
  );
  if (options.operator === "and") return new BoolClause({ must: clauses, filter: [], should: [], mustNot: [], least: 0 });
  const least = options.minimum === undefined ? 1 : Math.max(1, minimumShouldMatch(options.minimum, clauses.length));
  return new BoolClause({ must: [], filter: [], should: clauses, mustNot: [], least });
}
