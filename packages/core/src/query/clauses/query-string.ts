import type { JsonNode } from "../json/json-tree.js";
import { fuzziness } from "../lucene/edit-distance.js";
import { type LuceneNode, parseLucene } from "../lucene/query-parser.js";
import { luceneRegexp, luceneWildcard } from "../lucene/regexp.js";
import type { Field } from "../mapping/field.js";
import { illegalArgument, parsingError, QueryError, shardError } from "../query-error.js";
import { BoolClause } from "./bool.js";
import { type Clause, matchAll, matchNone, type QueryContext } from "./clause.js";
import { operatorOf } from "./match.js";
import { minimumShouldMatch } from "./minimum-should-match.js";
import { Params } from "./params.js";
import { fuzzyTest, textTest } from "./pattern.js";
import { rangeClause } from "./range.js";
import { existsClause } from "./term.js";
import { combine, matchPhrase, matchText, type TextOptions, type WeightedField, weightedFields } from "./text-query.js";

/** How a query string is read. */
export interface QueryStringOptions {
  /** Fields that are searched where the query names none. */
  readonly fields: readonly string[];
  readonly operator: "or" | "and";
  readonly lenient: boolean;
  readonly minimum?: string | undefined;
  readonly analyzer?: string | undefined;
  readonly type?: string;
  readonly tieBreaker?: number;
  readonly allowLeadingWildcard?: boolean;
  readonly analyzeWildcard?: boolean;
  readonly phraseSlop?: number;
  readonly timeZone?: string | undefined;
  readonly quoteSuffix?: string | undefined;
  readonly boost?: number;
}

/** Reads what a query string says of fields as clauses. */
class Translator {
  readonly #context: QueryContext;
  readonly #options: QueryStringOptions;

  constructor(context: QueryContext, options: QueryStringOptions) {
    this.#context = context;
    this.#options = options;
  }

  translate(node: LuceneNode, isTop = false): Clause {
    if (++this.#context.made.clauses > this.#context.limits.maxClauses) {
      throw new QueryError("too_many_clauses", `too_many_clauses: maxClauseCount is set to ${this.#context.limits.maxClauses}`);
    }
    if (node.kind === "bool") return this.#bool(node, isTop);
    if (node.kind === "word" && node.field === "_exists_") {
      const fields = this.#context.mapping.fieldsMatching(node.text);
      return existsClause(fields.length > 0 ? fields : this.#context.mapping.fieldsMatching(`${node.text}.*`), node.boost);
    }
    if (node.kind === "word" && node.field === "_id")
      return new BoolClause({ must: [], filter: [], should: [idClause(node.text)], mustNot: [], least: 1 });
    // `*:*` and a bare star are all rows.
    if (node.kind === "word" && node.raw === "*" && (node.field === undefined || node.field === "*")) return matchAll(node.boost);
    const { weighted, isWild } = this.#fields(node.field);
    const lenient = this.#options.lenient || isWild;
    const clauses = weighted.flatMap((one) => {
      try {
        return [this.#leaf(node, one, lenient)];
      } catch (cause) {
        if (lenient && cause instanceof QueryError) return [];
        throw cause;
      }
    });
    const tie = this.#options.tieBreaker ?? (this.#options.type === "most_fields" ? 1 : 0);
    return combine(clauses, tie === 1 ? "sum" : "best", tie);
  }

  #fields(name: string | undefined): { weighted: readonly WeightedField[]; isWild: boolean } {
    const names = name === undefined ? this.#options.fields : [name];
    return { weighted: weightedFields(this.#context, names), isWild: names.some((one) => one.includes("*")) };
  }

  #bool(node: LuceneNode & { kind: "bool" }, isTop: boolean): Clause {
    if (node.clauses.length === 0) return isTop ? matchNone() : matchNone();
    const of = (occur: "must" | "should" | "mustNot"): Clause[] =>
      node.clauses.filter((one) => one.occur === occur).map((one) => this.translate(one.node));
    const must = of("must");
    const should = of("should");
    const mustNot = of("mustNot");
    const [only] = should;
    if (only && should.length === 1 && must.length === 0 && mustNot.length === 0 && node.boost === 1) return only;
    let least = must.length === 0 && should.length > 0 ? 1 : 0;
    if (isTop && this.#options.minimum !== undefined && should.length > 0)
      least = Math.max(least, minimumShouldMatch(this.#options.minimum, should.length));
    return new BoolClause({ must, filter: [], should, mustNot, least }, node.boost);
  }

  #leaf(node: Exclude<LuceneNode, { kind: "bool" }>, { field, weight }: WeightedField, lenient: boolean): Clause {
    const boost = weight * node.boost;
    const options: TextOptions = {
      boost,
      lenient,
      operator: this.#options.operator,
      analyzer: this.#options.analyzer === undefined ? undefined : this.#context.mapping.analysis.analyzer(this.#options.analyzer),
    };
    switch (node.kind) {
      case "word":
        if (node.fuzzy !== undefined) return this.#fuzzy(field, node.text, node.fuzzy, boost);
        if (node.hasWildcard) return this.#wildcard(field, node.raw, boost);
        if (this.#options.type === "phrase") return matchPhrase(this.#context, field, node.text, options);
        return matchText(this.#context, field, node.text, options);
      case "phrase": {
        const { quoteSuffix } = this.#options;
        const quoted = quoteSuffix === undefined ? undefined : this.#context.mapping.field(`${field.path}${quoteSuffix}`);
        return matchPhrase(this.#context, quoted ?? field, node.text, { ...options, slop: node.slop || (this.#options.phraseSlop ?? 0) });
      }
      case "regexp":
        if (node.text.length > this.#context.limits.maxRegexLength)
          throw shardError(
            `The length of regex [${node.text.length}] has exceeded the allowed maximum of [${this.#context.limits.maxRegexLength}]`,
          );
        return textTest("regexp", field, luceneRegexp(field.traits.analyzed ? node.text.toLowerCase() : node.text), boost);
      case "range":
        return rangeClause(
          this.#context,
          field,
          {
            from: node.from === undefined ? undefined : { value: this.#rangeText(field, node.from), inclusive: node.includeFrom },
            to: node.to === undefined ? undefined : { value: this.#rangeText(field, node.to), inclusive: node.includeTo },
            timeZone: this.#options.timeZone,
          },
          boost,
        );
    }
  }

  #rangeText(field: Field, text: string): string {
    return field.traits.analyzed ? text.toLowerCase() : text;
  }

  #fuzzy(field: Field, text: string, wanted: string, boost: number): Clause {
    const word = field.traits.analyzed ? text.toLowerCase() : text;
    // `~0.8` is the old way to say how alike a word must be.
    const number = Number(wanted);
    const allowed =
      wanted === "AUTO" || Number.isInteger(number) ? fuzziness(wanted, word) : Math.min(2, Math.trunc((1 - number) * word.length));
    if (allowed === undefined) return textTest("fuzzy", field, fuzzyTest(word, 2, 0, true), boost);
    return textTest("fuzzy", field, fuzzyTest(word, allowed, 0, true), boost);
  }

  #wildcard(field: Field, raw: string, boost: number): Clause {
    if (this.#options.allowLeadingWildcard === false && /^[*?]/.test(raw)) {
      throw new QueryError("query_shard_exception", `Failed to parse query [${raw.slice(0, 100)}]`, {
        atRun: true,
        cause: new QueryError("parse_exception", "'*' or '?' not allowed as first character in WildcardQuery"),
      });
    }
    if (raw === "*") return existsClause([field], boost);
    const pattern = field.traits.analyzed ? raw.toLowerCase() : field.normalizer ? field.normalizer(raw) : raw;
    return textTest("wildcard", field, luceneWildcard(pattern), boost);
  }
}

function idClause(id: string): Clause {
  return {
    isScored: false,
    scores: () => 1,
    match(segment) {
      const found = matchNone().match(segment);
      const row = segment.rowOf(id);
      if (row >= 0) found.add(row);
      return found;
    },
  };
}

/**
 * The clause of a query string.
 * @throws QueryError for one that cannot be parsed
 */
function queryStringClause(context: QueryContext, query: string, options: QueryStringOptions): Clause {
  const clause = query.trim() === "" ? matchNone() : new Translator(context, options).translate(parseLucene(query, options.operator), true);
  const { boost = 1 } = options;
  return boost === 1 ? clause : new BoolClause({ must: [clause], filter: [], should: [], mustNot: [], least: 0 }, boost);
}

export function parseQueryString(context: QueryContext, node: JsonNode): Clause {
  if (node.kind !== "object") throw parsingError("[query_string] query malformed, no start_object after query name", node.at);
  const params = new Params("query_string", node);
  const query = params.text("query");
  const fieldsNode = params.get("fields");
  if (fieldsNode && fieldsNode.kind !== "array") throw parsingError("[query_string] query does not support [fields]", fieldsNode.at);
  const fields = params.texts("fields");
  const defaultField = params.text("default_field");
  const analyzer = params.text("analyzer");
  params.text("quote_analyzer");
  for (const name of ["enable_position_increments", "escape", "auto_generate_synonyms_phrase_query", "fuzzy_transpositions"])
    params.boolean(name, true);
  for (const name of ["fuzzy_max_expansions", "fuzzy_prefix_length", "max_determinized_states"]) params.whole(name, 0);
  for (const name of ["rewrite", "fuzzy_rewrite", "fuzziness"]) params.text(name);
  const options: QueryStringOptions = {
    fields: fields ?? [defaultField ?? "*"],
    operator: operatorOf("query_string", params.text("default_operator")),
    lenient: params.boolean("lenient", false),
    minimum: params.text("minimum_should_match"),
    analyzer,
    type: params.text("type") ?? "best_fields",
    allowLeadingWildcard: params.boolean("allow_leading_wildcard", true),
    analyzeWildcard: params.boolean("analyze_wildcard", false),
    phraseSlop: params.whole("phrase_slop", 0),
    timeZone: params.text("time_zone"),
    quoteSuffix: params.text("quote_field_suffix"),
    ...(params.get("tie_breaker") && { tieBreaker: params.number("tie_breaker", 0) }),
    boost: params.boost(),
  };
  params.done();
  if (query === undefined) throw parsingError("[query_string] must be provided with a [query]", node.at);
  if (fields && fields.length > 0 && defaultField !== undefined)
    throw illegalArgument("[query_string] cannot use [fields] parameter in conjunction with [default_field]");
  if (analyzer !== undefined) context.mapping.analysis.analyzer(analyzer);
  return queryStringClause(context, query, options);
}
