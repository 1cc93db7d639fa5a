import type { Reach } from "./prevalence.js";
import type { Rhythm } from "./rhythm.js";
import type { Sizes } from "./sizes.js";

const UNITS = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
] as const;

/** Seconds in the largest unit that keeps them readable: up to 600 s in seconds. */
function duration(seconds: number): string {
  const [size, unit] = seconds < 600 ? [1, "s"] : (UNITS.find(([length]) => seconds >= 2 * length) ?? [1, "s"]);
  const value = seconds / size;
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toPrecision(value >= 10 ? 3 : 2)} ${unit}`;
}

const grouped = (value: number): string => Math.round(value).toLocaleString("en-US");

/** What a person needs to know of a beacon, in a sentence. */
export function summaryOf(
  { sleeps, persistence, drift, bursts, usualGap, periodicity }: Rhythm,
  sizes: Sizes | undefined,
  reach: Reach,
  spanSeconds: number,
): string {
  const lengths = sleeps.map(({ low, high }) => {
    const middle = (low + high) / 2e6;
    const jitter = Math.round((100 * (high - low)) / 2e6 / middle);
    return `${duration(middle)}${jitter > 0 ? ` ± ${jitter}%` : ""}`;
  });
  const parts = [
    `calls every ${lengths.length > 1 ? lengths.join(" or ") : (lengths[0] ?? duration(usualGap / 1e6))}`,
    persistence.interruptions > 0
      ? `${grouped(persistence.seen)} of ${grouped(persistence.expected)} expected calls while active, over ${duration(spanSeconds)} with ${grouped(persistence.interruptions)} ${persistence.interruptions === 1 ? "break" : "breaks"}`
      : `${grouped(persistence.seen)} of ${grouped(persistence.expected)} expected calls over ${duration(spanSeconds)}`,
  ];
  if (periodicity.coherence > 0.9 && persistence.seenShare < 0.9)
    parts.push(`on time whenever it calls (${duration(periodicity.periodSeconds)})`);
  if (drift.value > 0) parts.push(`the interval ${drift.change > 0 ? "grows" : "shrinks"} by ${Math.abs(Math.round(100 * drift.change))}%`);
  if (bursts.connectionsPerCall > 1) parts.push(`${grouped(bursts.connectionsPerCall)} connections a call`);
  if (sizes && sizes.bytesUp >= 0) {
    const up = `${grouped(sizes.bytesUp)} bytes up`;
    parts.push(sizes.sameUp >= 0.9 ? `${up} each time` : `${up} usually`);
  }
  parts.push(
    reach.hosts > 1
      ? `${grouped(reach.hosts)} hosts talk to it`
      : reach.direction === "external"
        ? ""
        : reach.direction === "inbound"
          ? "from outside"
          : "only host to talk to it",
  );
  return parts.filter((part) => part !== "").join(", ");
}
