/** Counts of values in equal bins between the least and the greatest; one bin when all are equal. */
export interface Histogram {
  /** Lower edge of the first bin, in the values' unit. */
  readonly from: number;
  /** Upper edge of the last bin; it belongs to that bin. */
  readonly to: number;
  readonly counts: readonly number[];
}

/** The histogram of at least one value in at most `bins` bins. */
export function histogram(values: Float64Array, bins: number): Histogram {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < from) from = value;
    if (value > to) to = value;
  }
  if (!(to > from)) return { from, to, counts: [values.length] };
  const counts = new Array<number>(bins).fill(0);
  const range = to - from;
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor(((value - from) / range) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { from, to, counts };
}
