import { Bitmap } from "../columns/bitmap.js";
import type { Segment } from "../columns/segment.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Statistics } from "./statistics.js";

/** What a row scores: one number for all that match, or one a row (length = rows). */
export type Scores = number | Float64Array;

/** A query, read and fitted to a mapping: which rows of a segment it matches, and what they score. */
export interface Clause {
  /** The rows that match; the caller's own to change. */
  match(segment: Segment): Bitmap;
  /** Scores of the rows that match; what stands at others means nothing. */
  scores(segment: Segment): Scores;
  /** Whether scores may differ from row to row. */
  readonly isScored: boolean;
}

/** What the words of a query mean: the mapping they speak of, and now. */
export interface QueryContext {
  readonly index: string;
  readonly mapping: Mapping;
  /** Microseconds since 1970-01-01 UTC. */
  readonly now: bigint;
  readonly statistics: Statistics;
  readonly limits: QueryLimits;
  /** Clauses made so far, of all the search. */
  readonly made: { clauses: number };
  /** Throws when the search is to stop. */
  readonly check: () => void;
}

/** What one search may take. */
export interface QueryLimits {
  /** Clauses of a query; default 4096. */
  readonly maxClauses: number;
  /** Buckets of all aggregations of an answer; default 65,535. */
  readonly maxBuckets: number;
  /** `from` + `size`; default 10,000. */
  readonly maxResultWindow: number;
  /** Values of a `terms` query; default 65,536. */
  readonly maxTerms: number;
  /** Characters of a regular expression; default 1000. */
  readonly maxRegexLength: number;
}

export const DEFAULT_LIMITS: QueryLimits = {
  maxClauses: 4096,
  maxBuckets: 65_535,
  maxResultWindow: 10_000,
  maxTerms: 65_536,
  maxRegexLength: 1000,
};

/** A clause whose rows all score the same. */
export class ConstantClause implements Clause {
  readonly isScored = false;
  readonly #select: (segment: Segment) => Bitmap;
  readonly #boost: number;

  constructor(select: (segment: Segment) => Bitmap, boost: number) {
    this.#select = select;
    this.#boost = boost;
  }

  match(segment: Segment): Bitmap {
    return this.#select(segment);
  }

  scores(): Scores {
    return this.#boost;
  }
}

export const matchAll = (boost = 1): Clause => new ConstantClause((segment) => Bitmap.full(segment.rows), boost);
export const matchNone = (): Clause => new ConstantClause((segment) => new Bitmap(segment.rows), 0);

/** The score of one row. */
export const scoreAt = (scores: Scores, row: number): number => (typeof scores === "number" ? scores : (scores[row] ?? 0));
