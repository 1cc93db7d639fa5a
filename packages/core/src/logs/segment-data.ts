import type { Column } from "../query/columns/column.js";

/** Rows that are to become a segment, as columns by path. */
export interface SegmentData {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
  /** Microseconds of the first and the last `ts`; undefined when no row has one. */
  readonly range: readonly [first: number, last: number] | undefined;
}

/** First and last of the times of a column. */
export function timeRange(column: Column | undefined): readonly [number, number] | undefined {
  if (column?.kind !== "number") return undefined;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const value of column.values) {
    if (value < first) first = value;
    if (value > last) last = value;
  }
  return first <= last ? [first, last] : undefined;
}
