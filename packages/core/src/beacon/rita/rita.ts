import { medianSorted } from "simple-statistics";
import { asNumbers } from "../../stats/as-numbers.js";
import { atLeast, atMost, type Detector } from "../detector.js";
import type { ParameterSpec, ValuesOf } from "../parameters.js";
import { ritaScore } from "./rita-score.js";

const MICROS = 1e6;
const FEWEST_TIMES = 4;
const FEWEST_GAPS = 3;
/** From one connection a second on RITA speaks of a strobe and does not score it. */
const STROBE = 86_400;

const parameters = [
  {
    name: "min_score",
    type: "number",
    default: 50,
    min: 0,
    max: 100,
    description: "Minimum score",
  },
] as const satisfies readonly ParameterSpec[];

/** RITA's score, for those who compare: the mean of the regularity of intervals and sizes, the histogram and the duration. */
export const rita: Detector<ValuesOf<typeof parameters>> = {
  name: "rita",
  title: "RITA's score",
  description: "The published score of RITA: intervals, data sizes, histogram and duration, as a second opinion.",
  parameters,
  carried: true,
  minConnections: () => FEWEST_TIMES,
  detect({ times, carried }, { min_score }, explain) {
    if (!atMost(explain, "connections: more are a strobe", times.length, STROBE - 1)) return undefined;
    const seconds = times.map((time) => Math.floor(time / MICROS));
    const gaps = seconds.subarray(1).map((second, i) => second - (seconds[i] ?? 0));
    const between = gaps.filter((gap) => gap > 0);
    if (!atLeast(explain, "different times in whole seconds", between.length + 1, FEWEST_TIMES)) return undefined;
    if (!atLeast(explain, "gaps above 0", between.length, FEWEST_GAPS)) return undefined;
    const bytes = Float64Array.from(carried?.ipBytesUp ?? times, (value) => (carried && value > 0 ? value : 0));
    const { ts, ds, hist, dur, score } = ritaScore(seconds, between, bytes);
    if (!atLeast(explain, "score", 100 * score, min_score)) return undefined;
    return {
      score: 100 * score,
      // `ritaScore` sorted the gaps.
      evidence: { n: between.length, medianMinutes: medianSorted(asNumbers(between)) / 60, ts, ds, hist, dur },
    };
  },
};
