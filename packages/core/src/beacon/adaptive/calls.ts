/** What counts as one call: connections of a flow that follow each other closely. Times in microseconds. */
export interface Calls {
  /** Starts, ascending; length = calls. */
  readonly starts: Float64Array;
  /** Connections of each call; undefined: one each. */
  readonly sizes: Uint32Array | undefined;
  /** Connections up to so long after another belong to its call, in microseconds. */
  readonly closeness: number;
}

/** Connections that come so close are tried as one call: none, a page load, its slow rest, a task. Ascending. */
export const CLOSENESS_MICROS = [0, 1.5e6, 15e6, 150e6] as const;

/** Joins connections that start at most `closeness` microseconds after the one before: a page load of 30 connections is one call. */
export function collapse(times: Float64Array, closeness: number): Calls {
  const starts = new Float64Array(times.length);
  const sizes = new Uint32Array(times.length);
  let calls = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] ?? 0;
    if (time - last > closeness) {
      starts[calls] = time;
      sizes[calls++] = 1;
    } else sizes[calls - 1] = (sizes[calls - 1] ?? 0) + 1;
    last = time;
  }
  return { starts: starts.subarray(0, calls), sizes: sizes.subarray(0, calls), closeness };
}

/** The gaps between calls. */
export function gapsOf({ starts }: Calls): Float64Array {
  const gaps = new Float64Array(Math.max(0, starts.length - 1));
  for (let i = 0; i < gaps.length; i++) gaps[i] = (starts[i + 1] ?? 0) - (starts[i] ?? 0);
  return gaps;
}
