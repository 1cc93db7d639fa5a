/** How steadily calls go on. Times in microseconds. */
export interface Persistence {
  /** 0..1: the share of the expected calls that were seen, less for interruptions. */
  readonly value: number;
  /** Calls seen by those expected at the usual gap, interruptions left out; at most 1. */
  readonly seenShare: number;
  readonly seen: number;
  readonly expected: number;
  /** Longest gap in seconds. */
  readonly longestGapSeconds: number;
  /** Gaps far longer than usual, such as nights, and the share of the time that they take. */
  readonly interruptions: number;
  readonly interruptedShare: number;
  /** Share of the hours since the first call that have one. */
  readonly hoursActiveShare: number;
}

/** A gap of more than so many usual ones is an interruption, not missed calls. */
const INTERRUPTION = 12;
/** Interruptions take away so much at most: people switch their machines off. */
const INTERRUPTED_PART = 0.4;
const MICROS_PER_HOUR = 3.6e9;

/** Persistence of calls whose usual gap is `usual`. */
export function persistenceOf(starts: Float64Array, gaps: Float64Array, usual: number): Persistence {
  const [first = 0] = starts;
  const span = (starts.at(-1) ?? 0) - first;
  let longest = 0;
  let interrupted = 0;
  let interruptions = 0;
  for (const gap of gaps) {
    longest = Math.max(longest, gap);
    if (gap <= INTERRUPTION * usual) continue;
    interruptions++;
    interrupted += gap;
  }
  let hours = 0;
  let last = Number.NaN;
  for (const start of starts) {
    const hour = Math.floor((start - first) / MICROS_PER_HOUR);
    if (hour !== last) hours++;
    last = hour;
  }
  const expected = Math.max(starts.length, Math.round((span - interrupted) / usual) + 1 + interruptions);
  const seenShare = starts.length / expected;
  const interruptedShare = span > 0 ? interrupted / span : 0;
  return {
    value: seenShare * (1 - INTERRUPTED_PART * interruptedShare),
    seenShare,
    seen: starts.length,
    expected,
    longestGapSeconds: longest / 1e6,
    interruptions,
    interruptedShare,
    hoursActiveShare: hours / (Math.floor(span / MICROS_PER_HOUR) + 1),
  };
}
