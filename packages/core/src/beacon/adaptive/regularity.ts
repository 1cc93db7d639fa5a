import { medianSorted } from "simple-statistics";
import { asNumbers } from "../../stats/as-numbers.js";

/** How alike the gaps between calls are, whatever the rest of the search thinks of them. */
export interface Regularity {
  /** 0: as spread out as calls at random, 1: all alike. */
  readonly value: number;
  /** Median absolute deviation of the gaps by their median. */
  readonly madByMedian: number;
  /** Bowley's skew of the quartiles, -1..1; 0: symmetric. */
  readonly quartileSkew: number;
}

/** Median absolute deviation by median of an exponential distribution: arsinh(1/2) / ln 2. */
const RANDOM_DEVIATION = Math.asinh(0.5) / Math.LN2;
/** A skew takes away so much at most: one-sided jitter is skewed by design. */
const SKEW_PART = 0.2;

/**
 * Regularity of sorted gaps.
 * @see Bowley: Elements of statistics (1920); the median absolute deviation is Gauss's (1816)
 */
export function regularityOf(sorted: Float64Array): Regularity {
  const n = sorted.length;
  const median = medianSorted(asNumbers(sorted));
  if (n === 0 || median === 0) return { value: 0, madByMedian: Number.NaN, quartileSkew: 0 };
  const madByMedian = medianSorted(asNumbers(sorted.map((gap) => Math.abs(gap - median)).sort())) / median;
  const q1 = medianSorted(asNumbers(sorted.subarray(0, n >> 1)));
  const q3 = medianSorted(asNumbers(sorted.subarray((n + 1) >> 1)));
  const quartileSkew = q3 > q1 ? (q1 + q3 - 2 * median) / (q3 - q1) : 0;
  const alike = Math.max(0, 1 - madByMedian / RANDOM_DEVIATION);
  return { value: alike * (1 - SKEW_PART * Math.abs(quartileSkew) * (1 - alike)), madByMedian, quartileSkew };
}
