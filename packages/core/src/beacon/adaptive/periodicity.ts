import { divergence } from "./interval-windows.js";

/** Whether calls come at multiples of a period, some missed and others in between. */
export interface Periodicity {
  /** 0..1: the better of the two below. */
  readonly value: number;
  /** The period in seconds, … */
  readonly periodSeconds: number;
  /** … and its standard error. */
  readonly periodErrorSeconds: number;
  /** Mean resultant of the gaps at the period, gaps of several periods too: 1: all are whole multiples; 0 and less: as chance would. */
  readonly coherence: number;
  /** Share of the calls that are followed by one a period later, whatever comes between, … */
  readonly echo: number;
  /** … and what calls at random would give, from the times just before and just after. */
  readonly echoChance: number;
  /** Natural logarithm of the probability of the better of the two for calls at random. */
  readonly logP: number;
}

/** A gap of more periods than this tells nothing of them: the jitter adds up. */
export const MOST_MULTIPLES = 8;
/** Two periods tried: the middle of the window, and that which the multiples give. */
const TRIALS = 4;

/** Resultant of the gaps at a period, of those that are half a period at least: shorter ones are multiples of nothing. */
function resultant(gaps: Float64Array, period: number): { coherence: number; used: number; refined: number; error: number } {
  let cosines = 0;
  let used = 0;
  let spans = 0;
  let multiples = 0;
  for (const gap of gaps) {
    const multiple = Math.round(gap / period);
    if (gap < period / 2 || multiple > MOST_MULTIPLES) continue;
    cosines += Math.cos((2 * Math.PI * gap) / period);
    spans += gap;
    multiples += multiple;
    used++;
  }
  if (used === 0) return { coherence: 0, used, refined: period, error: Number.NaN };
  const refined = spans / multiples;
  let squares = 0;
  for (const gap of gaps) {
    const multiple = Math.round(gap / period);
    if (gap < period / 2 || multiple > MOST_MULTIPLES) continue;
    squares += (gap - multiple * refined) ** 2 / multiple;
  }
  return { coherence: cosines / used, used, refined, error: Math.sqrt(squares / Math.max(1, used - 1) / multiples) };
}

/** How many calls have another one after `from` to `to`. */
function followed(starts: Float64Array, from: number, to: number): number {
  let count = 0;
  let next = 0;
  for (const start of starts) {
    while (next < starts.length && (starts[next] ?? 0) < start + from) next++;
    if ((starts[next] ?? Number.POSITIVE_INFINITY) <= start + to) count++;
  }
  return count;
}

/** Chernoff's bound for the mean of `n` cosines of random angles, in nats a value: the Legendre transform of ln I0. */
function cosineDivergence(coherence: number): number {
  if (coherence <= 0) return 0;
  // ln I0(θ) <= θ² / 4, which is exact for small θ: C² is its transform; 1 is reached more slowly by the true one.
  return coherence ** 2;
}

/**
 * Periodicity of calls around a window of gaps [low, high], in microseconds. `gaps` are those between `starts`.
 * @see Fisher: Statistical analysis of circular data (1993), the V test; the echo is the autocorrelation at one lag beside its neighbours
 */
export function periodicityOf(starts: Float64Array, gaps: Float64Array, low: number, high: number): Periodicity {
  const middle = (low + high) / 2;
  const first = resultant(gaps, middle);
  const second = resultant(gaps, first.refined);
  const best = second.coherence > first.coherence ? second : first;
  const period = second.coherence > first.coherence ? first.refined : middle;
  // The echo's window is at least a tenth wide, its neighbours are as wide and do not touch it.
  const half = Math.max((high - low) / 2, 0.02 * middle);
  const n = Math.max(1, starts.length - 1);
  const echo = followed(starts, middle - half, middle + half) / n;
  const sides =
    4 * half < middle
      ? Math.max(followed(starts, middle - 4 * half, middle - 2 * half), followed(starts, middle + 2 * half, middle + 4 * half))
      : n;
  const echoChance = Math.min(1, (sides + 1) / n);
  // A call takes part in two pairs: half of them are independent.
  const echoLogP = (-n / 2) * divergence(echo, echoChance);
  const logP = Math.min(-best.used * cosineDivergence(best.coherence), echoLogP) + Math.log(TRIALS);
  const excess = echoChance < 1 ? Math.max(0, (echo - echoChance) / (1 - echoChance)) : 0;
  // What few of the gaps agree on is no rhythm of the whole.
  const kept = best.used / Math.max(1, gaps.length);
  return {
    value: Math.max(Math.max(0, best.coherence) * kept, excess),
    periodSeconds: period / 1e6,
    periodErrorSeconds: best.error / 1e6,
    coherence: best.coherence,
    echo,
    echoChance,
    logP: Math.min(0, logP),
  };
}
