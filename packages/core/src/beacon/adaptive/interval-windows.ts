/** Gaps that lie together: so many of them between `low` and `high`, in microseconds. */
export interface IntervalWindow {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Windows that hold most gaps, and how unlikely that is for calls that come at random. */
export interface IntervalWindows {
  /** From the fullest on; at most three. */
  readonly windows: readonly IntervalWindow[];
  /** Share of all gaps in them, 0..1. */
  readonly share: number;
  /** Share that calls at random could reach at most. */
  readonly chance: number;
  /** Natural logarithm of the probability that calls at random do so well somewhere; at most 0. */
  readonly logP: number;
}

/** Widths of windows as ratios of their ends: from a timer to half as much and half as little again. */
const RATIOS = [1.04, 1.12, 1.3, 1.7, 2.4, 3.2] as const;
const MOST_WINDOWS = 3;
/** The logarithm of how many widths are tried. */
const TRIALS = Math.log(RATIOS.length);
/** A second window is looked for where the first alone is not far from telling something. */
const MORE_WINDOWS = 3;

/**
 * The greatest share of an exponential distribution's values that any window [a, b] with b / a = `ratio` can hold.
 * Calls at random, at whatever rate and with whatever daily profile, have gaps that are a mixture of exponential distributions: no window of that ratio
 * can be expected to hold more of them.
 */
export function chanceOf(ratio: number): number {
  if (ratio === Number.POSITIVE_INFINITY) return 1;
  const at = Math.log(ratio) / (ratio - 1);
  return Math.exp(-at) - Math.exp(-ratio * at);
}

/** The chances of the widths where no connections were joined. */
const CHANCES = RATIOS.map(chanceOf);

/** Kullback-Leibler divergence of a share from a chance, in nats; 0 where the share is not above it. */
export function divergence(share: number, chance: number): number {
  if (share <= chance || chance >= 1) return 0;
  return share >= 1 ? -Math.log(chance) : share * Math.log(share / chance) + (1 - share) * Math.log((1 - share) / (1 - chance));
}

/** Shorter gaps are connections of one program at one go, no sleep: 240 ms. */
const SHORTEST_SLEEP = 2.4e5;

/** A piece of sorted gaps: places [from, to). */
type Piece = readonly [from: number, to: number];

/** The fullest window of a ratio among the sorted gaps at [first, end). */
function fullestIn(sorted: Float64Array, ratio: number, first: number, end: number): Piece {
  let count = 0;
  let at = first;
  for (let from = first; from + count < end; from++) {
    const most = (sorted[from] ?? 0) * ratio;
    // Only a window that is fuller than the best so far is looked at.
    if ((sorted[from + count] ?? 0) > most) continue;
    do count++;
    while (from + count < end && (sorted[from + count] ?? 0) <= most);
    at = from;
  }
  return [at, at + count];
}

/** The fullest window of a ratio outside those taken. */
function fullest(sorted: Float64Array, ratio: number, first: number, taken: readonly Piece[]): Piece {
  let best: Piece = [first, first];
  let start = first;
  for (const [from, to] of [...[...taken].sort((a, b) => a[0] - b[0]), [sorted.length, sorted.length] as const]) {
    const piece = fullestIn(sorted, ratio, start, from);
    if (piece[1] - piece[0] > best[1] - best[0]) best = piece;
    start = to;
  }
  return best;
}

/** Pieces as windows, the fullest first; neighbours with less than a window's width between them are one. */
function merged(sorted: Float64Array, pieces: readonly Piece[], ratio: number): IntervalWindow[] {
  const windows: IntervalWindow[] = [];
  for (const [from, to] of [...pieces].sort((a, b) => a[0] - b[0])) {
    const window = { low: sorted[from] ?? 0, high: sorted[to - 1] ?? 0, count: to - from };
    const below = windows.at(-1);
    if (below && window.low <= below.high * ratio)
      windows[windows.length - 1] = { ...below, high: window.high, count: below.count + window.count };
    else windows.push(window);
  }
  return windows.sort((a, b) => b.count - a.count);
}

/**
 * Finds where sorted gaps crowd: one window, or two or three of one width. `closeness`: gaps below it cannot be, as connections that close were joined.
 * The probability is Chernoff's bound on the binomial tail times the places where the windows might have been.
 * @see Chernoff: A measure of asymptotic efficiency for tests of a hypothesis based on the sum of observations (1952)
 */
export function crowdedWindows(sorted: Float64Array, closeness: number): IntervalWindows {
  const n = sorted.length;
  let first = 0;
  while (first < n && (sorted[first] ?? 0) < SHORTEST_SLEEP) first++;
  let best: IntervalWindows = { windows: [], share: 0, chance: 1, logP: 0 };
  RATIOS.forEach((ratio, r) => {
    const taken: Piece[] = [];
    let count = 0;
    let chance = 0;
    while (taken.length < MOST_WINDOWS) {
      const window = taken.length > 0 ? fullest(sorted, ratio, first, taken) : fullestIn(sorted, ratio, first, n);
      const [from, to] = window;
      if (to - from < 2) break;
      taken.push(window);
      const low = sorted[from] ?? 0;
      count += to - from;
      chance += closeness > 0 ? chanceOf((low * ratio - closeness) / Math.max(low - closeness, 1)) : (CHANCES[r] ?? 1);
      // The windows start at a gap each, which is not chance.
      const free = n - taken.length;
      const logP = taken.length * Math.log(n) + TRIALS - free * divergence((count - taken.length) / free, Math.min(1, chance));
      if (logP < best.logP) {
        best = { windows: merged(sorted, taken, ratio), share: count / n, chance, logP };
      } else if (taken.length > 1 || logP > MORE_WINDOWS) break;
    }
  });
  return best;
}
