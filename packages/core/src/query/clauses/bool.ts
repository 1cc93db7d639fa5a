import { Bitmap } from "../columns/bitmap.js";
import type { Segment } from "../columns/segment.js";
import type { JsonNode } from "../json/json-tree.js";
import { parsingError } from "../query-error.js";
import { type Clause, matchAll, type QueryContext, type Scores, scoreAt } from "./clause.js";
import { minimumShouldMatch } from "./minimum-should-match.js";
import { asObject, asScalar, itemsOf, Params } from "./params.js";
import { parseQuery } from "./parse-query.js";

/** The parts of a bool query. */
export interface BoolParts {
  readonly must: readonly Clause[];
  readonly filter: readonly Clause[];
  readonly should: readonly Clause[];
  readonly mustNot: readonly Clause[];
  /** How many of `should` must match. */
  readonly least: number;
}

export class BoolClause implements Clause {
  readonly #parts: BoolParts;
  readonly #boost: number;

  constructor(parts: BoolParts, boost = 1) {
    this.#parts = parts;
    this.#boost = boost;
  }

  get isScored(): boolean {
    const { must, should, least } = this.#parts;
    // A clause that may or may not match adds to the rows that it matches.
    return [...must, ...should].some((clause) => clause.isScored) || (should.length > 0 && !(should.length === 1 && least === 1));
  }

  match(segment: Segment): Bitmap {
    const { must, filter, should, mustNot, least } = this.#parts;
    let found: Bitmap | undefined;
    for (const clause of [...filter, ...must]) {
      const rows = clause.match(segment);
      found = found ? found.and(rows) : rows;
      // Nothing more can match, and no more columns need be read.
      if (found.isEmpty()) return found;
    }
    if (least > 0) {
      const rows = atLeast(should, least, segment);
      found = found ? found.and(rows) : rows;
    }
    found ??= Bitmap.full(segment.rows);
    for (const clause of mustNot) {
      if (found.isEmpty()) return found;
      found.andNot(clause.match(segment));
    }
    return found;
  }

  scores(segment: Segment): Scores {
    const { must, should, least } = this.#parts;
    if (must.length + should.length === 0) return 0;
    if (should.length === 0 || (should.length === 1 && least === 1)) {
      const all = [...must, ...should].map((clause) => clause.scores(segment));
      if (all.every((scores) => typeof scores === "number")) return this.#boost * all.reduce((sum, score) => sum + score, 0);
    }
    const sums = new Float64Array(segment.rows);
    for (const clause of must) addScores(sums, clause.scores(segment));
    for (const clause of should) addScores(sums, clause.scores(segment), clause.match(segment));
    if (this.#boost !== 1) for (let row = 0; row < sums.length; row++) sums[row] = (sums[row] ?? 0) * this.#boost;
    return sums;
  }
}

/** Adds scores, of the rows of `where` only. */
function addScores(sums: Float64Array, scores: Scores, where?: Bitmap): void {
  if (where) {
    where.each((row) => {
      sums[row] = (sums[row] ?? 0) + scoreAt(scores, row);
    });
  } else for (let row = 0; row < sums.length; row++) sums[row] = (sums[row] ?? 0) + scoreAt(scores, row);
}

/** Rows that at least so many clauses match. */
function atLeast(clauses: readonly Clause[], least: number, segment: Segment): Bitmap {
  const found = new Bitmap(segment.rows);
  if (least > clauses.length) return found;
  if (least === 1) {
    for (const clause of clauses) found.or(clause.match(segment));
    return found;
  }
  const counts = new Uint16Array(segment.rows);
  for (const clause of clauses) {
    clause.match(segment).each((row) => {
      counts[row] = (counts[row] ?? 0) + 1;
    });
  }
  for (let row = 0; row < counts.length; row++) if ((counts[row] ?? 0) >= least) found.add(row);
  return found;
}

export function parseBool(context: QueryContext, node: JsonNode): Clause {
  const object = asObject(node, "bool");
  const params = new Params("bool", object);
  const clauses = (name: string, other?: string): Clause[] => {
    const found = [params.get(name), other === undefined ? undefined : params.get(other)];
    return found.flatMap((one) => (one && one.kind !== "null" ? itemsOf(one).map((item) => parseQuery(context, item)) : []));
  };
  const parts = { must: clauses("must"), filter: clauses("filter"), should: clauses("should"), mustNot: clauses("must_not", "mustNot") };
  const minimum = params.text("minimum_should_match");
  params.boolean("adjust_pure_negative", true);
  params.boolean("disable_coord", false);
  const boost = params.boost();
  params.done();
  const { must, filter, should, mustNot } = parts;
  if (must.length + filter.length + should.length + mustNot.length === 0) return matchAll(boost);
  const otherwise = should.length > 0 && must.length + filter.length === 0 ? 1 : 0;
  const asked = minimum === undefined ? otherwise : minimumShouldMatch(minimum, should.length);
  // Without a clause that must match, one of the optional ones has to.
  const least = should.length === 0 ? asked : Math.max(asked, otherwise);
  return new BoolClause({ ...parts, least }, boost);
}

/** Takes the rows of a clause, and gives them all one score. */
export function parseConstantScore(context: QueryContext, node: JsonNode): Clause {
  const object = asObject(node, "constant_score");
  const params = new Params("constant_score", object);
  const filter = params.get("filter");
  const boost = params.boost();
  params.done();
  if (!filter) throw parsingError("[constant_score] requires a 'filter' element", object.at);
  if (filter.kind === "array") throw parsingError("unexpected token [START_ARRAY]", filter.at);
  const clause = parseQuery(context, filter);
  return { match: (segment) => clause.match(segment), scores: () => boost, isScored: false };
}

/** Rows that any of some clauses match, with the best score and a part of the others'. */
export class DisMaxClause implements Clause {
  readonly #clauses: readonly Clause[];
  readonly #tieBreaker: number;
  readonly #boost: number;

  constructor(clauses: readonly Clause[], tieBreaker: number, boost: number) {
    this.#clauses = clauses;
    this.#tieBreaker = tieBreaker;
    this.#boost = boost;
  }

  get isScored(): boolean {
    return this.#clauses.length > 1 || this.#clauses.some((clause) => clause.isScored);
  }

  match(segment: Segment): Bitmap {
    return atLeast(this.#clauses, 1, segment);
  }

  scores(segment: Segment): Scores {
    const best = new Float64Array(segment.rows);
    const sums = new Float64Array(segment.rows);
    for (const clause of this.#clauses) {
      const scores = clause.scores(segment);
      clause.match(segment).each((row) => {
        const score = scoreAt(scores, row);
        sums[row] = (sums[row] ?? 0) + score;
        best[row] = Math.max(best[row] ?? 0, score);
      });
    }
    return best.map((score, row) => this.#boost * (score + this.#tieBreaker * ((sums[row] ?? 0) - score)));
  }
}

export function parseDisMax(context: QueryContext, node: JsonNode): Clause {
  const object = asObject(node, "dis_max");
  const params = new Params("dis_max", object);
  const queries = params.get("queries");
  const tieBreaker = params.number("tie_breaker", 0);
  const boost = params.boost();
  params.done();
  if (!queries) throw parsingError("[dis_max] requires 'queries' field with at least one clause", object.at);
  return new DisMaxClause(
    itemsOf(queries).map((item) => parseQuery(context, item)),
    tieBreaker,
    boost,
  );
}

/** Rows of `positive`; those of `negative` too score less. */
export function parseBoosting(context: QueryContext, node: JsonNode): Clause {
  const object = asObject(node, "boosting");
  const params = new Params("boosting", object);
  const positiveNode = params.get("positive");
  const negativeNode = params.get("negative");
  const factorNode = params.get("negative_boost");
  const boost = params.boost();
  params.done();
  if (!positiveNode) throw parsingError("[boosting] query requires 'positive' query to be set'", object.at);
  if (!negativeNode) throw parsingError("[boosting] query requires 'negative' query to be set'", object.at);
  const factor = factorNode ? Number(asScalar(factorNode, "boosting").value) : Number.NaN;
  if (!(factor >= 0)) throw parsingError("[boosting] query requires 'negative_boost' to be set to be a positive value'", object.at);
  const positive = parseQuery(context, positiveNode);
  const negative = parseQuery(context, negativeNode);
  return {
    isScored: true,
    match: (segment) => positive.match(segment),
    scores(segment) {
      const scores = positive.scores(segment);
      const less = negative.match(segment);
      return new Float64Array(segment.rows).map((_zero, row) => boost * scoreAt(scores, row) * (less.has(row) ? factor : 1));
    },
  };
}
