/** RITA's four subscores and their mean, each 0..1 with three decimals. */
export interface RitaScore {
  /** Regularity of the intervals. */
  readonly ts: number;
  /** Regularity of the bytes sent. */
  readonly ds: number;
  /** Evenness of the connections over 24 slices of the last day. */
  readonly hist: number;
  /** How much of the day is covered. */
  readonly dur: number;
  readonly score: number;
}

const DAY = 86_400;
const SLICES = 24;
/** A spread of quartiles below this says nothing of a skew. */
const LEAST_QUARTILE_SPREAD = 10;
/** Non-empty slices from which two heights of bars may be a sign of regularity. */
const MODAL_SLICES = 11;
const MODAL_WIDTH = 0.05;
/** Non-empty slices below which the duration says nothing. */
const DURATION_SLICES = 6;
/** A run of so many non-empty slices is a full duration. */
const FULL_RUN = 12;

const round3 = (value: number): number => Math.round(value * 1000) / 1000;
const ceil3 = (value: number): number => Math.ceil(value * 1000) / 1000;

/** Median of the sorted values [from, to). */
function medianOf(sorted: Float64Array, from = 0, to = sorted.length): number {
  const middle = (from + to) >> 1;
  const upper = sorted[middle] ?? 0;
  return (to - from) % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/**
 * Regularity of values: the mean of one minus Bowley's skew and of the median absolute deviation by the median. Sorts `values`.
 * `ofSmall`: the second part where the median is below 1.
 */
export function ritaRegularity(values: Float64Array, ofSmall: number): number {
  const sorted = values.sort();
  const n = sorted.length;
  const q1 = medianOf(sorted, 0, n >> 1);
  const q2 = medianOf(sorted);
  const q3 = medianOf(sorted, (n + 1) >> 1, n);
  const spread = q3 - q1;
  const skew = spread < LEAST_QUARTILE_SPREAD || q2 === q1 || q2 === q3 ? 0 : (q1 + q3 - 2 * q2) / spread;
  const deviation = q2 >= 1 ? medianOf(sorted.map((value) => Math.abs(value - q2)).sort()) : 0;
  const steadiness = q2 >= 1 ? Math.max(0, (q2 - deviation) / q2) : ofSmall;
  return round3((1 - Math.abs(skew) + steadiness) / 2);
}

/** Evenness of the slices: by their coefficient of variation, or by how many are of one of two heights. */
function histogramScore(slices: readonly number[], used: number): number {
  const mean = slices.reduce((sum, count) => sum + count, 0) / SLICES;
  const deviation = Math.sqrt(slices.reduce((sum, count) => sum + (count - mean) ** 2, 0) / SLICES);
  const evenness = Math.max(0, round3(1 - deviation / mean));
  if (used < MODAL_SLICES) return evenness;
  const width = Math.ceil(MODAL_WIDTH * Math.max(...slices));
  const heights = new Map<number, number>();
  for (const count of slices) {
    if (count === 0) continue;
    const height = Math.floor(count / width);
    heights.set(height, (heights.get(height) ?? 0) + 1);
  }
  const [first = 0, second = 0] = [...heights.values()].sort((a, b) => b - a);
  return Math.max(evenness, Math.min(1, round3((first + second) / Math.max(used - 1, 1))));
}

/** The longest run of non-empty slices; the last is followed by the first. */
function longestRun(slices: readonly number[]): number {
  let longest = 0;
  let run = 0;
  for (const count of [...slices, ...slices]) {
    run = count > 0 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return Math.min(longest, SLICES);
}

/**
 * RITA's beacon score of one pair. `seconds`: start times in whole seconds, ascending; `bytes`: IP bytes of the source, one
 * a connection; `gaps`: the gaps between the times that are not 0. Sorts `gaps` and `bytes`.
 * @see https://github.com/activecm/rita
 */
export function ritaScore(seconds: Float64Array, gaps: Float64Array, bytes: Float64Array): RitaScore {
  const first = seconds[0] ?? 0;
  const last = seconds.at(-1) ?? 0;
  const low = Math.max(first, last - DAY);
  const length = last - low;
  const slices = new Array<number>(SLICES).fill(0);
  for (const second of seconds) {
    if (second < low) continue;
    const slice = Math.min(SLICES - 1, Math.floor(((second - low) / length) * SLICES));
    slices[slice] = (slices[slice] ?? 0) + 1;
  }
  const used = slices.filter((count) => count > 0).length;
  const dur =
    used < DURATION_SLICES ? 0 : Math.max(Math.min(1, ceil3((last - first) / length)), Math.min(1, ceil3(longestRun(slices) / FULL_RUN)));
  const ts = ritaRegularity(gaps, 1);
  const ds = ritaRegularity(bytes, 0);
  const hist = histogramScore(slices, used);
  return { ts, ds, hist, dur, score: round3((ts + ds + hist + dur) / 4) };
}
