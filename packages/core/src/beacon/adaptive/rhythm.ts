import { mean, medianSorted } from "simple-statistics";
import type { Flow } from "../../flows/flow.js";
import { asNumbers } from "../../stats/as-numbers.js";
import { type Bursts, burstsOf } from "./bursts.js";
import { type Calls, CLOSENESS_MICROS, collapse, gapsOf } from "./calls.js";
import { type Drift, driftOf } from "./drift.js";
import { crowdedWindows, divergence, type IntervalWindow, type IntervalWindows } from "./interval-windows.js";
import { MOST_MULTIPLES, type Periodicity, periodicityOf } from "./periodicity.js";
import { type Persistence, persistenceOf } from "./persistence.js";
import { type Regularity, regularityOf } from "./regularity.js";

/** A flow's calls seen at one closeness, and where their gaps crowd. */
interface View {
  readonly calls: Calls;
  readonly gaps: Float64Array;
  readonly sorted: Float64Array;
  readonly windows: IntervalWindows;
}

/** All that the times of a flow tell. */
export interface Rhythm {
  readonly calls: number;
  /** 0..1: information of a gap about its window, scaled; see `concentrationOf`. */
  readonly concentration: number;
  readonly windows: IntervalWindows;
  /** The windows that are sleeps of their own, the fullest first: one at a multiple of another's is missed calls. */
  readonly sleeps: readonly IntervalWindow[];
  readonly regularity: Regularity;
  readonly periodicity: Periodicity;
  readonly persistence: Persistence;
  readonly bursts: Bursts;
  readonly drift: Drift;
  /** Median of the gaps in the fullest window, in microseconds, … */
  readonly usualGap: number;
  /** … and the mean of those in all sleeps: a beacon that changes its sleep is expected to call that often. */
  readonly meanGap: number;
  /** Natural logarithm of the probability that calls at random look like this by any of the measures. */
  readonly logP: number;
}

/** A closer look is taken only where it joins so many of the calls. */
const JOINS = 0.1;
/** So much information a gap, in nats, is two thirds of full concentration. */
const INFORMATION = 0.5;

/** How much the windows say, 0..1: half a gap's information is little, a timer's is all. */
const concentrationOf = ({ share, chance }: IntervalWindows): number => 1 - Math.exp(-divergence(share, chance) / INFORMATION);

/** How many sorted values are at most `limit`. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The view of a flow in which its gaps crowd most; undefined where there are too few calls. */
export function bestView({ times, gaps }: Pick<Flow, "times" | "gaps">, fewestCalls: number): View | undefined {
  const [apart, ...closer] = CLOSENESS_MICROS;
  if (times.length < fewestCalls) return undefined;
  const sorted = gaps.slice().sort();
  let best: View = { calls: { starts: times, sizes: undefined, closeness: apart }, gaps, sorted, windows: crowdedWindows(sorted, apart) };
  let seen = times.length;
  for (const closeness of closer) {
    const calls = times.length - countUpTo(sorted, closeness);
    if (calls < fewestCalls) break;
    if (calls > (1 - JOINS) * seen) continue;
    seen = calls;
    const view = viewOf(collapse(times, closeness));
    if (view.windows.logP < best.windows.logP) best = view;
  }
  return best;
}

function viewOf(calls: Calls): View {
  const gaps = gapsOf(calls);
  const sorted = gaps.slice().sort();
  return { calls, gaps, sorted, windows: crowdedWindows(sorted, calls.closeness) };
}

/** Room beside a window, as a share, in which a multiple of another counts as its own. */
const BESIDE = 0.02;

function sleepsOf(windows: readonly IntervalWindow[]): IntervalWindow[] {
  const isMultiple = ({ low, high }: IntervalWindow, of: IntervalWindow): boolean => {
    const middle = (of.low + of.high) / 2;
    const multiple = Math.round((low + high) / 2 / middle);
    return (
      multiple > 1 && multiple <= MOST_MULTIPLES && multiple * middle >= low * (1 - BESIDE) && multiple * middle <= high * (1 + BESIDE)
    );
  };
  return windows.filter((window) => !windows.some((other) => isMultiple(window, other)));
}

/** Measures the rhythm of a view that has a window. */
export function rhythmOf({ calls, gaps, sorted, windows }: View): Rhythm {
  const [first] = windows.windows;
  const { low = 0, high = 0 } = first ?? {};
  const usualGap = medianSorted(asNumbers(sorted.filter((gap) => gap >= low && gap <= high)));
  const sleeps = sleepsOf(windows.windows);
  const inside = sorted.filter((gap) => sleeps.some((sleep) => gap >= sleep.low && gap <= sleep.high));
  const meanGap = mean(asNumbers(inside));
  const { steadied, ...drift } = driftOf(gaps, medianSorted(asNumbers(sorted)));
  const steady = drift.value > 0 ? crowdedWindows(steadied.slice().sort(), calls.closeness) : windows;
  const best = steady.logP < windows.logP ? steady : windows;
  const periodicity = periodicityOf(calls.starts, gaps, low, high);
  return {
    calls: calls.starts.length,
    concentration: concentrationOf(best),
    windows,
    sleeps,
    regularity: regularityOf(best === windows ? sorted : steadied.slice().sort()),
    periodicity,
    persistence: persistenceOf(calls.starts, gaps, meanGap),
    bursts: burstsOf(calls),
    drift,
    usualGap,
    meanGap,
    logP: Math.min(best.logP, periodicity.logP) + Math.log(CLOSENESS_MICROS.length),
  };
}
