/** What a beacon is judged by; each is measured in its own file, from 0 to 1. */
export type Sign = "rhythm" | "regularity" | "persistence" | "bursts" | "sizes" | "prevalence" | "coverage" | "significance";

/**
 * The weights. The score is the weighted geometric mean of the signs, so that one which is missing altogether weighs more than its share;
 * only proportions matter, and 0 leaves a sign out. They were tuned on generated networks (`benchmarks/accuracy`).
 */
export const WEIGHTS: Readonly<Record<Sign, number>> = {
  rhythm: 4,
  regularity: 1,
  persistence: 2,
  bursts: 3,
  sizes: 0.5,
  prevalence: 4,
  coverage: 2,
  significance: 2,
};

/** A sign counts as at least this: none can do away with all others. */
export const LEAST_SIGN = 0.02;

/** The weighted geometric mean of signs, 0..1; one that is NaN is not known and does not count. */
export function weighted(signs: Readonly<Partial<Record<Sign, number>>>, weights: Readonly<Record<string, number>>): number {
  let sum = 0;
  let total = 0;
  for (const [sign, value] of Object.entries(signs)) {
    const weight = weights[sign] ?? 0;
    if (Number.isNaN(value) || weight === 0) continue;
    sum += weight * Math.log(Math.max(LEAST_SIGN, Math.min(1, value)));
    total += weight;
  }
  return total > 0 ? Math.exp(sum / total) : 0;
}
