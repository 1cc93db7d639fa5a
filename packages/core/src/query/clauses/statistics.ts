import type { Bitmap } from "../columns/bitmap.js";
import type { Segment } from "../columns/segment.js";
import { selectPresent } from "../columns/select.js";
import { textIndex } from "../columns/text-index.js";
import type { Field } from "../mapping/field.js";

/** What BM25 needs of a field: rows that have it, and words in them. */
export interface FieldStatistics {
  readonly rows: number;
  readonly words: number;
}

/** Counts over all segments of an index, made when a score first needs them. */
export class Statistics {
  readonly #segments: readonly Segment[];
  readonly #fields = new Map<string, FieldStatistics>();

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  field(field: Field): FieldStatistics {
    const known = this.#fields.get(field.path);
    if (known) return known;
    let rows = 0;
    let words = 0;
    for (const segment of this.#segments) {
      const column = segment.column(field.column);
      if (!column) continue;
      const present = selectPresent(column);
      rows += present.count();
      if (column.kind !== "text" || !field.traits.analyzed || !field.analyzer) continue;
      const { lengths } = textIndex(column, field.analyzer);
      for (const code of column.codes) if (code >= 0) words += lengths[code] ?? 0;
    }
    const statistics = { rows, words };
    this.#fields.set(field.path, statistics);
    return statistics;
  }

  /** How many rows match. */
  count(match: (segment: Segment) => Bitmap): number {
    return this.#segments.reduce((sum, segment) => sum + match(segment).count(), 0);
  }
}

const K1 = 1.2;
const B = 0.75;

/** The weight of a word that `matching` of `rows` rows have. */
export const inverseDocumentFrequency = (rows: number, matching: number): number =>
  Math.log(1 + (rows - matching + 0.5) / (matching + 0.5));

/**
 * BM25 as Elasticsearch scales it.
 * @see Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009
 */
export function bm25(weight: number, frequency: number, length: number, averageLength: number): number {
  return (weight * (K1 + 1) * frequency) / (frequency + K1 * (1 - B + (B * keptLength(length)) / averageLength));
}

/** Lengths are kept in one byte: exact up to 40, then to four bits. */
function keptLength(length: number): number {
  if (length <= 40) return length;
  const rest = length - 24;
  const shift = 28 - Math.clz32(rest);
  return 24 + ((rest >>> shift) << shift);
}
