import { medianSorted } from "simple-statistics";
import { MICROS_PER_MINUTE } from "../../flows/flow.js";
import { asNumbers } from "../../stats/as-numbers.js";
import { singleLinkage1d } from "../../stats/single-linkage-1d.js";
import { atLeast, type Detector, shareSuffices } from "../detector.js";
import type { ParameterSpec, ValuesOf } from "../parameters.js";

const parameters = [
  { name: "delta", type: "number", default: 20, min: 0, unit: "minutes", description: "Callbacks at least this far apart count" },
  {
    name: "line_amounts",
    type: "integers",
    default: [1],
    min: 1,
    description: "Minimum numbers of callbacks, a pass for each; the passes are united",
  },
  { name: "call_back", type: "integer", default: 10, min: 1, description: "Minimum number of callbacks" },
  {
    name: "variance",
    type: "number",
    default: 15,
    min: 0,
    unit: "%",
    description: "Maximum deviation of a callback from the median of its cluster",
  },
  { name: "percent", type: "number", default: 85, min: 0, max: 100, unit: "%", description: "Minimum share of callbacks in one cluster" },
] as const satisfies readonly ParameterSpec[];

/** Whether no value of a sorted run deviates from its median by more than so many percent of it. */
function qualifies(sorted: Float64Array, from: number, to: number, variance: number): boolean {
  const middle = (from + to) >> 1;
  const median = (from + to) % 2 === 0 ? (sorted[middle] ?? 0) : ((sorted[middle] ?? 0) + (sorted[middle + 1] ?? 0)) / 2;
  if (!(median > 0)) return false;
  // Whole microseconds: for a whole percentage neither side is rounded.
  const allowed = variance * median;
  return 100 * ((sorted[to] ?? 0) - median) <= allowed && 100 * (median - (sorted[from] ?? 0)) <= allowed;
}

/** Relative room for rounding in the bound that spares most groups the exact search. */
const ROUNDING = 1e-9;

/** No qualifying run has more values than this: its greatest is at most (100 + V) / (100 - V) times its least. */
function mostInRange(sorted: Float64Array, variance: number): number {
  if (variance >= 100) return sorted.length;
  const ratio = ((100 + variance) / (100 - variance)) * (1 + ROUNDING);
  let most = 0;
  for (let low = 0, high = 0; high < sorted.length; high++) {
    while ((sorted[high] ?? 0) > (sorted[low] ?? 0) * ratio) low++;
    most = Math.max(most, high - low + 1);
  }
  return most;
}

/**
 * Hierarchical: the dendrogram of single linkage over the gaps, cut where a cluster deviates too far from its median.
 * likelihood = largest cluster within the deviation / gaps of at least delta.
 */
export const hierarchical: Detector<ValuesOf<typeof parameters>> = {
  name: "hierarchical",
  title: "Hierarchical",
  description: "A single-linkage dendrogram of the gaps, cut by their deviation from the median.",
  parameters,
  minConnections: ({ call_back, line_amounts }) => Math.max(call_back, Math.min(...line_amounts)) + 1,
  detect({ gaps }, { delta, line_amounts, call_back, variance, percent }, explain) {
    let n = 0;
    for (let i = 0; i < gaps.length; i++) if ((gaps[i] ?? 0) / MICROS_PER_MINUTE >= delta) n++;
    // The passes differ only in the groups that they look at: the one with the least amount sees all.
    const least = Math.max(call_back, Math.min(...line_amounts));
    if (!atLeast(explain, `gaps of at least ${delta} minutes`, n, least)) return undefined;
    const sorted = new Float64Array(n);
    for (let i = 0, at = 0; i < gaps.length; i++) {
      const gap = gaps[i] ?? 0;
      if (gap / MICROS_PER_MINUTE >= delta) sorted[at++] = gap;
    }
    sorted.sort();
    const bound = mostInRange(sorted, variance);
    if (!explain && (bound < call_back || bound / n < percent / 100)) return undefined;
    let bestFrom = 0;
    let bestSize = 0;
    singleLinkage1d(sorted, (from, to) => {
      const size = to - from + 1;
      // Of several of one size the one with the shortest gaps stands.
      if (size < bestSize || (size === bestSize && from > bestFrom) || !qualifies(sorted, from, to, variance)) return;
      bestFrom = from;
      bestSize = size;
    });
    if (!atLeast(explain, `gaps in the largest cluster within ${variance} % of its median`, bestSize, call_back)) return undefined;
    const likelihood = bestSize / n;
    if (!shareSuffices(explain, likelihood, percent)) return undefined;
    const members = sorted.subarray(bestFrom, bestFrom + bestSize);
    const median = medianSorted(asNumbers(members));
    const shortest = members[0] ?? 0;
    const longest = members[bestSize - 1] ?? 0;
    return {
      score: 100 * likelihood,
      evidence: {
        n,
        clusterSize: bestSize,
        clusterMinutes: [shortest / MICROS_PER_MINUTE, longest / MICROS_PER_MINUTE],
        medianMinutes: median / MICROS_PER_MINUTE,
        deviationPercent: (100 * Math.max(longest - median, median - shortest)) / median,
        likelihood,
      },
    };
  },
};
