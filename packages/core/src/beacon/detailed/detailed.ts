import { mean, medianSorted, standardDeviation } from "simple-statistics";
import { MICROS_PER_MINUTE } from "../../flows/flow.js";
import { asNumbers } from "../../stats/as-numbers.js";
import { dbscan1d } from "../../stats/dbscan-1d.js";
import { atLeast, type Detector, shareSuffices } from "../detector.js";
import type { ParameterSpec, Span, ValuesOf } from "../parameters.js";

const EPS_SHARE = 0.1;

const parameters = [
  { name: "delta", type: "number", default: 20, min: 0, unit: "minutes", description: "Callbacks further apart than this count" },
  {
    name: "time_spans",
    aliases: ["spans"],
    type: "spans",
    default: [
      [0, 5],
      [2, 15],
      [15, 35],
      [30, 60],
    ],
    unit: "minutes",
    description: "Spans of time to cluster in, each by itself",
  },
  { name: "call_back", type: "integer", default: 10, min: 1, description: "Minimum number of callbacks" },
  { name: "percent", type: "number", default: 85, min: 0, max: 100, unit: "%", description: "Minimum share of callbacks in one cluster" },
  {
    name: "variance",
    type: "number",
    default: undefined,
    min: 0,
    unit: "%",
    description: "Maximum standard deviation in a cluster, as a share of its mean",
  },
] as const satisfies readonly ParameterSpec[];

/** A cluster that counts. */
interface Found {
  readonly span: Span;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly clusters: number;
}

/** Index of the first of sorted values for which the test holds, the length when there is none. */
function firstWhere(sorted: Float64Array, holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The largest cluster of the values of one span that varies little enough; undefined when there is none. */
function clusterIn(sorted: Float64Array, span: Span, callBack: number, variance: number | undefined): Found | undefined {
  const [low, high] = span;
  const start = firstWhere(sorted, (value) => value >= low);
  const end = firstWhere(sorted, (value) => value > high);
  const { labels, sizes } = dbscan1d(sorted.subarray(start, end), ((high - low) / 2) * EPS_SHARE, callBack);
  let best: Found | undefined;
  for (let cluster = 0, from = 0; cluster < sizes.length; cluster++) {
    // Members of a cluster follow each other on a line.
    from = labels.indexOf(cluster, from);
    const size = sizes[cluster] ?? 0;
    if (size <= (best?.size ?? 0)) continue;
    const members = asNumbers(sorted.subarray(start + from, start + from + size));
    if (variance !== undefined && (100 * standardDeviation(members)) / mean(members) > variance) continue;
    best = { span, from: start + from, to: start + from + size, size, clusters: sizes.length };
  }
  return best;
}

const width = ([low, high]: Span): number => high - low;

/** Whether so many values of one span could suffice; spares most groups their sort. */
function couldSuffice(deltas: Float64Array, spans: readonly Span[], callBack: number, percent: number): boolean {
  for (const [low, high] of spans) {
    let inside = 0;
    for (let i = 0; i < deltas.length; i++) {
      const delta = deltas[i] ?? 0;
      if (delta >= low && delta <= high) inside++;
    }
    if (inside >= callBack && inside / deltas.length >= percent / 100) return true;
  }
  return false;
}

/**
 * Detailed cluster: DBSCAN over the gaps of each time span by itself.
 * likelihood = largest cluster of any span / gaps longer than delta.
 */
export const detailed: Detector<ValuesOf<typeof parameters>> = {
  name: "detailed",
  title: "Detailed cluster",
  description: "A density clustering of the gaps in every time span.",
  parameters,
  minConnections: ({ call_back }) => call_back + 1,
  detect({ gaps }, { delta, time_spans, call_back, percent, variance }, explain) {
    let n = 0;
    for (let i = 0; i < gaps.length; i++) if ((gaps[i] ?? 0) / MICROS_PER_MINUTE > delta) n++;
    if (!atLeast(explain, `gaps longer than ${delta} minutes`, n, call_back)) return undefined;
    const deltas = new Float64Array(n);
    for (let i = 0, at = 0; i < gaps.length; i++) {
      const minutes = (gaps[i] ?? 0) / MICROS_PER_MINUTE;
      if (minutes > delta) deltas[at++] = minutes;
    }
    if (!explain && !couldSuffice(deltas, time_spans, call_back, percent)) return undefined;
    deltas.sort();
    let best: Found | undefined;
    let clustered = 0;
    for (const span of time_spans) {
      const found = clusterIn(deltas, span, call_back, variance);
      if (!found) continue;
      clustered++;
      if (!best || found.size > best.size || (found.size === best.size && width(span) < width(best.span))) best = found;
    }
    const varying = variance === undefined ? "" : ` that varies by at most ${variance} %`;
    if (!atLeast(explain, `time spans with a cluster${varying}`, clustered, 1) || !best) return undefined;
    const likelihood = best.size / n;
    if (!shareSuffices(explain, likelihood, percent)) return undefined;
    const members = asNumbers(deltas.subarray(best.from, best.to));
    const average = mean(members);
    return {
      score: 100 * likelihood,
      evidence: {
        n,
        spanMinutes: best.span,
        epsMinutes: (width(best.span) / 2) * EPS_SHARE,
        clusterSize: best.size,
        clusters: best.clusters,
        clusterMinutes: [members[0] ?? 0, deltas[best.to - 1] ?? 0],
        meanMinutes: average,
        medianMinutes: medianSorted(members),
        deviationPercent: (100 * standardDeviation(members)) / average,
        likelihood,
      },
    };
  },
};
