import { mean, medianSorted, sampleVariance } from "simple-statistics";
import { MICROS_PER_MINUTE } from "../../flows/flow.js";
import { asNumbers } from "../../stats/as-numbers.js";
import { dbscan1d } from "../../stats/dbscan-1d.js";
import { atLeast, atMost, type Detector, shareSuffices } from "../detector.js";
import type { ParameterSpec, ValuesOf } from "../parameters.js";

/** A delta of this and more switches to coarse searching: short gaps are left out and jitter is relative. */
const COARSE_FROM_MINUTES = 5;
const COARSE_SHORTEST_MINUTES = 2;
/** From 8 hours on the search is for slow beacons: the average must be at least delta. */
const SLOW_FROM_MINUTES = 480;
const EPS_SHARE = 0.1;

/** Relative room for rounding in the test that spares most groups the exact one. */
const ROUNDING = 1e-9;

/** How many gaps of at least `shortest` microseconds there are, and their average in minutes but for rounding. */
function roughAverage(gaps: Float64Array, shortest: number): { n: number; average: number } {
  let n = 0;
  let sum = 0;
  for (let i = 0; i < gaps.length; i++) {
    const gap = gaps[i] ?? 0;
    if (gap < shortest) continue;
    n++;
    sum += gap;
  }
  return { n, average: sum / n / MICROS_PER_MINUTE };
}

/** The `n` gaps of at least `shortest` microseconds, in minutes. */
function usedDeltas(gaps: Float64Array, shortest: number, n: number): Float64Array {
  const deltas = new Float64Array(n);
  let at = 0;
  for (let i = 0; i < gaps.length; i++) {
    const gap = gaps[i] ?? 0;
    if (gap >= shortest) deltas[at++] = gap / MICROS_PER_MINUTE;
  }
  return deltas;
}

/**
 * Jitter in percent. Coarse: the mean relative change from one delta to the next, signed. Fine: sample variance over
 * mean, in minutes as the original has it. NaN when it is not defined.
 */
function jitterPercent(deltas: Float64Array, average: number, coarse: boolean): number {
  const n = deltas.length;
  if (n < 2 || average === 0) return Number.NaN;
  if (!coarse) return (100 * sampleVariance(asNumbers(deltas))) / average;
  let sum = 0;
  for (let i = 0; i + 1 < n; i++) {
    const delta = deltas[i] ?? 0;
    sum += ((deltas[i + 1] ?? 0) - delta) / delta;
  }
  return (100 * sum) / (n - 1);
}

const parameters = [
  {
    name: "delta",
    type: "number",
    default: 20,
    min: 0,
    unit: "minutes",
    description: "Average callback time (480 and more: at least that)",
  },
  { name: "call_back", type: "integer", default: 10, min: 1, description: "Minimum number of callbacks" },
  { name: "percent", type: "number", default: 85, min: 0, max: 100, unit: "%", description: "Minimum share of callbacks in one cluster" },
  { name: "span_avg", type: "number", default: 12, min: 0, unit: "%", description: "Widening of the range that eps is taken from" },
  { name: "variance", type: "number", default: 15, min: 0, unit: "%", description: "Maximum jitter" },
] as const satisfies readonly ParameterSpec[];

/**
 * Quick cluster: a cheap filter on the average and the jitter of the gaps, then one DBSCAN over them.
 * likelihood = largest cluster / deltas used.
 */
export const quick: Detector<ValuesOf<typeof parameters>> = {
  name: "quick",
  title: "Quick cluster",
  description: "A cheap filter on average and jitter, then one density clustering of the gaps.",
  parameters,
  minConnections: ({ call_back }) => call_back + 1,
  detect({ gaps }, { delta, call_back, percent, span_avg, variance }, explain) {
    const coarse = delta >= COARSE_FROM_MINUTES;
    const shortest = coarse ? COARSE_SHORTEST_MINUTES * MICROS_PER_MINUTE : 0;
    const { n, average: rough } = roughAverage(gaps, shortest);
    const used = coarse ? `gaps of at least ${COARSE_SHORTEST_MINUTES} minutes` : "gaps";
    if (!atLeast(explain, used, n, call_back)) return undefined;
    const slow = delta >= SLOW_FROM_MINUTES;
    if (!explain && (slow ? rough < delta * (1 - ROUNDING) : rough > delta * (1 + ROUNDING))) return undefined;
    const deltas = usedDeltas(gaps, shortest, n);
    const average = mean(asNumbers(deltas));
    if (!(slow ? atLeast : atMost)(explain, "average gap", average, delta, "minutes")) return undefined;
    const jitter = jitterPercent(deltas, average, coarse);
    const measure = coarse ? "jitter: average change from one gap to the next" : "jitter: variance by average";
    if (!atMost(explain, measure, jitter, variance, "%")) return undefined;
    const sorted = deltas.sort();
    const least = sorted[0] ?? 0;
    const greatest = sorted[n - 1] ?? 0;
    const eps = ((greatest * (1 + span_avg / 100) - least * (1 - span_avg / 100)) / 2) * EPS_SHARE;
    const { sizes } = dbscan1d(sorted, eps, call_back);
    if (!atLeast(explain, `clusters of gaps where ${call_back} lie within ${eps.toFixed(3)} minutes of one`, sizes.length, 1))
      return undefined;
    const clusterSize = sizes.reduce((largest, size) => Math.max(largest, size), 0);
    const likelihood = clusterSize / n;
    if (!shareSuffices(explain, likelihood, percent)) return undefined;
    return {
      score: 100 * likelihood,
      evidence: {
        n,
        meanMinutes: average,
        medianMinutes: medianSorted(asNumbers(sorted)),
        jitterPercent: jitter,
        epsMinutes: eps,
        clusterSize,
        clusters: sizes.length,
        likelihood,
      },
    };
  },
};
