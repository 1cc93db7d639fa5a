/** Whether a rhythm could be chance among so many groups. */
export interface Significance {
  /** 0..1: 0.5 where one group in all would look like this by chance, 1 where a ten-thousandth would, less with the root of how many. */
  readonly value: number;
  /** Decimal logarithm of the probability that calls at random look like this. */
  readonly log10P: number;
  readonly groupsTested: number;
  /** Groups that would look like this if all called at random, as a decimal logarithm. */
  readonly log10Expected: number;
}

/** Powers of ten from doubt to certainty. */
const POWERS = 4;

/**
 * The significance of a rhythm. Calls at random have gaps that are a mixture of exponential distributions, whatever their daily profile: the
 * probability holds for the group's own profile because it holds for every one.
 */
export function significanceOf(logP: number, groupsTested: number): Significance {
  const log10P = Math.min(0, logP / Math.LN10);
  const log10Expected = log10P + Math.log10(Math.max(1, groupsTested));
  const value = log10Expected > 0 ? 0.5 * 10 ** (-log10Expected / 2) : Math.min(1, 0.5 - log10Expected / (2 * POWERS));
  return { value, log10P, groupsTested, log10Expected };
}
