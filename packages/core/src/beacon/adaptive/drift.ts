import { linearRegression, sampleCorrelation } from "simple-statistics";

/** Whether the gaps grow or shrink steadily. */
export interface Drift {
  /** 0..1: how much of the spread of the gaps a trend explains; 0: there is none to speak of. */
  readonly value: number;
  /** Change of the gap from the first call to the last, as a factor less 1. */
  readonly change: number;
}

/** Gaps that are longer or shorter than the middle by more than this are missed or extra calls, and say nothing of a trend. */
const ALIKE = 2.5;
const FEWEST_GAPS = 16;
/** A trend that explains less of the spread is none. */
const LEAST_EXPLAINED = 0.3;
/** A change by less is none. */
const LEAST_CHANGE = 0.05;

/** The trend of the logarithms of the gaps, by least squares over those near the median, and the gaps without it, in order. */
export function driftOf(gaps: Float64Array, median: number): Drift & { readonly steadied: Float64Array } {
  const places: number[] = [];
  const logs: number[] = [];
  gaps.forEach((gap, place) => {
    if (gap * ALIKE < median || gap > median * ALIKE) return;
    places.push(place);
    logs.push(Math.log(gap));
  });
  if (places.length < FEWEST_GAPS) return { value: 0, change: 0, steadied: gaps };
  const explained = sampleCorrelation(places, logs) ** 2;
  const { m } = linearRegression(places.map((place, i) => [place, logs[i] ?? 0]));
  const change = Math.expm1(m * (gaps.length - 1));
  if (!(explained >= LEAST_EXPLAINED) || Math.abs(change) < LEAST_CHANGE) return { value: 0, change: 0, steadied: gaps };
  return { value: explained, change, steadied: gaps.map((gap, place) => gap / Math.exp(m * (place - gaps.length / 2))) };
}
