import { mean, medianSorted, standardDeviation } from "simple-statistics";
import { MICROS_PER_MINUTE } from "../flows/flow.js";

/** A time that a beacon sleeps: some gaps around a common length. */
export interface IntervalMode {
  readonly medianMinutes: number;
  /** Share of all gaps above 0 that belong to it, 0..1. */
  readonly share: number;
  /** Population standard deviation by mean of its gaps, in percent. */
  readonly jitterPercent: number;
}

/** ml-kmeans takes longer to load than most hunts need: it is loaded when gaps may have several modes. */
export type KMeans = typeof import("ml-kmeans").kmeans;

const SAMPLE_GAPS = 128;
const MOST_MODES = 4;
const FEWEST_GAPS = 8;
/** Gaps whose middle 96 % lie within this ratio are one mode whatever else: jitter, not another sleep. */
const ONE_MODE_RATIO = 1.25;
/** Between two modes there is a step, of at least this share of the logarithmic range, from one gap to the next longer one. */
const LEAST_STEP = 0.1;
/** A cluster of fewer gaps is a stray, such as a night without power, and no mode. */
const LEAST_SHARE = 0.02;
const LEAST_GAPS = 3;
/** Logarithmic spread below which differences mean nothing: 2 %. */
const LEAST_SPREAD = 0.02;
/**
 * Means of neighbouring modes lie further apart than so many times the sum of their standard deviations. The halves of a
 * uniform distribution are 1.7 apart, those of a normal one 1.3.
 */
const SEPARATION = 2.25;

/** Sorted gaps above 0 in minutes; of many gaps every n-th in order of size, so that the same gaps give the same sample. */
export function sampleGaps(gaps: Float64Array): number[] {
  const sorted = gaps.filter((gap) => gap > 0).sort();
  const size = Math.min(sorted.length, SAMPLE_GAPS);
  return Array.from({ length: size }, (_, i) => (sorted[Math.floor(((i + 0.5) * sorted.length) / size)] ?? 0) / MICROS_PER_MINUTE);
}

/** Whether a sample could have more than one mode, and so needs k-means: it is spread out, and not evenly. */
export function mayHaveModes(sample: readonly number[]): boolean {
  const edge = Math.floor(sample.length * LEAST_SHARE);
  const last = sample.length - 1 - edge;
  const ratio = (sample[last] ?? 0) / (sample[edge] ?? 0);
  if (sample.length < FEWEST_GAPS || ratio <= ONE_MODE_RATIO) return false;
  const step = ratio ** LEAST_STEP;
  for (let i = edge; i < last; i++) if ((sample[i + 1] ?? 0) > (sample[i] ?? 0) * step) return true;
  return false;
}

function modeOf(members: readonly number[], all: number): IntervalMode {
  const own = [...members];
  return { medianMinutes: medianSorted(own), share: own.length / all, jitterPercent: (100 * standardDeviation(own)) / mean(own) };
}

/**
 * Schwarz's criterion of a hard clustering into normal distributions; the least is the best.
 */
function bayesianInformation(clusters: readonly (readonly number[])[], n: number): number {
  let logLikelihood = 0;
  for (const members of clusters) {
    const size = members.length;
    const spread = Math.max(LEAST_SPREAD, standardDeviation([...members]));
    logLikelihood += size * (Math.log(size / n) - Math.log(spread) - 0.5 * Math.log(2 * Math.PI) - 0.5);
  }
  return (3 * clusters.length - 1) * Math.log(n) - 2 * logLikelihood;
}

/** Whether neighbouring clusters lie so far apart that a wide one was not merely cut in pieces. */
function areSeparate(clusters: readonly (readonly number[])[]): boolean {
  const places = clusters
    .map((members) => ({ at: mean([...members]), spread: standardDeviation([...members]) }))
    .sort((a, b) => a.at - b.at);
  return places.every(({ at, spread }, i) => {
    const below = places[i - 1];
    return !below || at - below.at > SEPARATION * (spread + below.spread);
  });
}

/** The values of each cluster; values stay in order. */
function grouped(values: readonly number[], labels: readonly number[], k: number): number[][] {
  const clusters: number[][] = Array.from({ length: k }, () => []);
  values.forEach((value, i) => {
    clusters[labels[i] ?? 0]?.push(value);
  });
  return clusters.filter((members) => members.length > 0);
}

/** The means of the pieces of sorted values that are cut at their k - 1 widest steps: where k-means starts, always the same. */
function startCenters(sorted: readonly number[], k: number): number[][] {
  const cuts = sorted
    .slice(1)
    .map((value, i) => ({ at: i + 1, step: value - (sorted[i] ?? 0) }))
    .sort((a, b) => b.step - a.step || a.at - b.at)
    .slice(0, k - 1)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => [mean(sorted.slice(from, cuts[i] ?? sorted.length))]);
}

/**
 * The modes of a sample from `sampleGaps`, the largest first: k-means on the logarithms of the gaps with 1 to 4 clusters,
 * their number by the Bayesian information criterion among those whose clusters lie apart. A sample for which `mayHaveModes` is false needs no `kmeans`.
 * @see Schwarz: Estimating the dimension of a model (1978)
 */
export function intervalModes(sample: readonly number[], kmeans?: KMeans): IntervalMode[] {
  if (sample.length === 0) return [];
  const logs = sample.map((minutes) => Math.log(minutes));
  let best: readonly (readonly number[])[] = [sample];
  let least = bayesianInformation([logs], logs.length);
  for (let k = 2; kmeans && k <= MOST_MODES; k++) {
    const { clusters } = kmeans(
      logs.map((value) => [value]),
      k,
      { initialization: startCenters(logs, k) },
    );
    const found = grouped(logs, clusters, k);
    const criterion = bayesianInformation(found, logs.length);
    if (criterion >= least || !areSeparate(found)) continue;
    least = criterion;
    best = grouped(sample, clusters, k);
  }
  const enough = Math.max(LEAST_GAPS, sample.length * LEAST_SHARE);
  const modes = best.filter((members) => members.length >= enough || best.length === 1);
  return modes.map((members) => modeOf(members, sample.length)).sort((a, b) => b.share - a.share || a.medianMinutes - b.medianMinutes);
}
