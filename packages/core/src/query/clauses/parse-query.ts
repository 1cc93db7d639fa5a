import type { JsonNode } from "../json/json-tree.js";
import { distance } from "../lucene/edit-distance.js";
import { illegalArgument, parsingError, QueryError } from "../query-error.js";
import { parseBool, parseBoosting, parseConstantScore, parseDisMax } from "./bool.js";
import { type Clause, matchAll, matchNone, type QueryContext } from "./clause.js";
import { parseMatch, parseMatchBoolPrefix, parseMatchPhrase, parseMatchPhrasePrefix, parseMultiMatch } from "./match.js";
import { asObject, Params } from "./params.js";
import { parseFuzzy, parsePrefix, parseRegexp, parseWildcard } from "./pattern.js";
import { parseQueryString } from "./query-string.js";
import { parseRange } from "./range.js";
import { parseSimpleQueryString } from "./simple-query-string.js";
import { parseExists, parseIds, parseTerm, parseTerms, parseTermsSet } from "./term.js";

/** Reads the clause that stands at the name of a query. */
export type ClauseParser = (context: QueryContext, node: JsonNode) => Clause;

const PARSERS: Readonly<Record<string, ClauseParser>> = {
  match_all: (_context, node) => constant("match_all", node, matchAll),
  match_none: (_context, node) => constant("match_none", node, matchNone),
  term: parseTerm,
  terms: parseTerms,
  terms_set: parseTermsSet,
  ids: parseIds,
  exists: parseExists,
  range: parseRange,
  prefix: parsePrefix,
  wildcard: parseWildcard,
  regexp: parseRegexp,
  fuzzy: parseFuzzy,
  match: parseMatch,
  match_phrase: parseMatchPhrase,
  match_phrase_prefix: parseMatchPhrasePrefix,
  match_bool_prefix: parseMatchBoolPrefix,
  multi_match: parseMultiMatch,
  query_string: parseQueryString,
  simple_query_string: parseSimpleQueryString,
  bool: parseBool,
  constant_score: parseConstantScore,
  dis_max: parseDisMax,
  boosting: parseBoosting,
};

/** Queries of Elasticsearch that this engine does not answer: no typing errors. */
const REFUSED = new Set(
  (
    "nested has_child has_parent parent_id percolate function_score script script_score geo_bounding_box geo_distance geo_polygon geo_shape shape more_like_this " +
    "knn rank_feature distance_feature pinned span_term span_near span_or span_not span_first span_multi span_containing span_within " +
    "intervals wrapper combined_fields type common semantic sparse_vector rule hybrid neural"
  ).split(" "),
);

function constant(name: string, node: JsonNode, make: (boost: number) => Clause): Clause {
  const params = new Params(name, asObject(node, name));
  const boost = params.boost();
  params.done();
  return make(boost);
}

/** The names that a wrong one may have meant. */
export function didYouMean(asked: string, names: Iterable<string>): string {
  // No name is that long.
  const wrong = asked.slice(0, 60);
  const near = [...names]
    .map((name) => {
      const longest = Math.max(wrong.length, name.length);
      return { name, likeness: 1 - distance(wrong, name, longest, false) / longest };
    })
    .filter(({ likeness }) => likeness > 0.5)
    .sort((a, b) => b.likeness - a.likeness || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
  if (near.length === 0) return "";
  return near.length === 1 ? ` did you mean [${near[0]}]?` : ` did you mean any of [${near.slice(0, 5).join(", ")}]?`;
}

/**
 * Reads a query of Elasticsearch's Query DSL and fits it to the mapping of `context`.
 * @throws QueryError with Elasticsearch's type and reason, and the place in the body
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/query-dsl.html
 */
export function parseQuery(context: QueryContext, node: JsonNode): Clause {
  if (node.kind !== "object") throw parsingError("[_na] query malformed, must start with start_object", node.at);
  const [first, second] = node.members;
  if (!first) throw illegalArgument("query malformed, empty clause found", { at: node.at });
  if (++context.made.clauses > context.limits.maxClauses) {
    throw new QueryError("too_many_clauses", `too_many_clauses: maxClauseCount is set to ${context.limits.maxClauses}`);
  }
  if (REFUSED.has(first.key)) throw parsingError(`[${first.key}] queries are not supported here`, first.value.at);
  const parser = Object.hasOwn(PARSERS, first.key) ? PARSERS[first.key] : undefined;
  if (!parser) {
    const reason = `unknown query [${first.key.slice(0, 100)}]${didYouMean(first.key, Object.keys(PARSERS))}`;
    const { line, column } = first.value.at;
    throw parsingError(
      reason,
      first.value.at,
      new QueryError("named_object_not_found_exception", `[${line}:${column}] unknown field [${first.key.slice(0, 100)}]`),
    );
  }
  if (first.value.kind !== "object") throw parsingError(`[${first.key}] query malformed, no start_object after query name`, first.value.at);
  const clause = parser(context, first.value);
  if (second) throw parsingError(`[${first.key}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]`, second.at);
  return clause;
}
