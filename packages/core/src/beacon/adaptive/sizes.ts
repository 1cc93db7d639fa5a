import { medianSorted } from "simple-statistics";
import type { Carried } from "../../flows/carried.js";
import { asNumbers } from "../../stats/as-numbers.js";

/** Whether connections carry the same each time. */
export interface Sizes {
  /** 0..1, the mean of both directions; NaN: the log does not tell. */
  readonly value: number;
  /** Median of the payload bytes, … */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** … share of the connections that have exactly the most usual size, … */
  readonly sameUp: number;
  readonly sameDown: number;
  /** … and the median deviation from the median, as a factor less 1. */
  readonly spreadUp: number;
  readonly spreadDown: number;
}

/** A median deviation by this factor and more is no regularity. */
const WIDE = Math.log(2);

function sideOf(bytes: Float64Array): { median: number; same: number; spread: number; value: number } {
  const sorted = bytes.filter((value) => !Number.isNaN(value)).sort();
  const n = sorted.length;
  if (n === 0) return { median: Number.NaN, same: Number.NaN, spread: Number.NaN, value: Number.NaN };
  let modal = 0;
  for (let from = 0, to = 0; from < n; from = to) {
    while (to < n && sorted[to] === sorted[from]) to++;
    modal = Math.max(modal, to - from);
  }
  const median = medianSorted(asNumbers(sorted));
  const logs = sorted.map((value) => Math.abs(Math.log1p(value) - Math.log1p(median))).sort();
  const spread = medianSorted(asNumbers(logs));
  const same = modal / n;
  return { median, same, spread: Math.expm1(spread), value: Math.max(same, 1 - spread / WIDE, 0) };
}

/** Regularity of what connections carry, up and down. */
export function sizesOf({ bytesUp, bytesDown }: Pick<Carried, "bytesUp" | "bytesDown">): Sizes {
  const up = sideOf(bytesUp);
  const down = sideOf(bytesDown);
  const known = [up.value, down.value].filter((value) => !Number.isNaN(value));
  return {
    value: known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : Number.NaN,
    bytesUp: up.median,
    bytesDown: down.median,
    sameUp: up.same,
    sameDown: down.same,
    spreadUp: up.spread,
    spreadDown: down.spread,
  };
}
