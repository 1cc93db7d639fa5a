import { mean, medianAbsoluteDeviation, medianSorted, standardDeviation } from "simple-statistics";
import { type Flow, MICROS_PER_MINUTE } from "../flows/flow.js";
import { asNumbers } from "../stats/as-numbers.js";
import { type Histogram, histogram } from "../stats/histogram.js";

/** How a flow behaves in time, whatever a search thinks of it. All gaps count, none are left out. */
export interface FlowProfile {
  /** The gaps between connections in minutes, in 24 bins. */
  readonly intervals: Histogram;
  /** Connections over time, in 48 bins from the first to the last; edges in microseconds since 1970-01-01 UTC. */
  readonly timeline: Histogram;
  readonly medianMinutes: number;
  readonly meanMinutes: number;
  /** Median absolute deviation of the gaps from their median. */
  readonly madMinutes: number;
  /** Population standard deviation of the gaps by their mean; 0 when the mean is 0. */
  readonly coefficientOfVariation: number;
  readonly longestGapMinutes: number;
  /** When the longest gap began, in microseconds since 1970-01-01 UTC. */
  readonly longestGapStart: number;
  /** Clock hours (UTC) with at least one connection. */
  readonly hoursActive: number;
}

const INTERVAL_BINS = 24;
const TIMELINE_BINS = 48;
const MICROS_PER_HOUR = 60 * MICROS_PER_MINUTE;

/** Describes a flow of at least two connections. Sorts its gaps: not for the many that are no beacons. */
export function profileFlow({ times, gaps }: Pick<Flow, "times" | "gaps">): FlowProfile {
  const minutes = gaps.map((gap) => gap / MICROS_PER_MINUTE);
  const average = mean(asNumbers(minutes));
  let longest = 0;
  gaps.forEach((gap, at) => {
    if (gap > (gaps[longest] ?? 0)) longest = at;
  });
  let hours = 0;
  let last = Number.NaN;
  for (const time of times) {
    const hour = Math.floor(time / MICROS_PER_HOUR);
    if (hour !== last) hours++;
    last = hour;
  }
  return {
    intervals: histogram(minutes, INTERVAL_BINS),
    timeline: histogram(times, TIMELINE_BINS),
    medianMinutes: medianSorted(asNumbers(minutes.slice().sort())),
    meanMinutes: average,
    madMinutes: medianAbsoluteDeviation(asNumbers(minutes)),
    coefficientOfVariation: average > 0 ? standardDeviation(asNumbers(minutes)) / average : 0,
    longestGapMinutes: minutes[longest] ?? 0,
    longestGapStart: times[longest] ?? 0,
    hoursActive: hours,
  };
}
