import { medianSorted } from "simple-statistics";
import { asNumbers } from "../../stats/as-numbers.js";
import type { Calls } from "./calls.js";

/** How many connections a call takes, and whether it is the same number each time. */
export interface Bursts {
  /** Share of the calls that have the usual number of connections, 0..1. */
  readonly value: number;
  readonly connectionsPerCall: number;
  readonly mostConnections: number;
  /** Connections up to so many seconds after another were taken for the same call; 0: each is a call. */
  readonly closenessSeconds: number;
}

/** The burst structure of calls: programs do the same each time, page loads do not. */
export function burstsOf({ sizes, closeness }: Calls): Bursts {
  if (!sizes) return { value: 1, connectionsPerCall: 1, mostConnections: 1, closenessSeconds: closeness / 1e6 };
  const usual = Math.round(medianSorted(asNumbers(Float64Array.from(sizes).sort())));
  let alike = 0;
  let most = 0;
  for (const size of sizes) {
    if (size === usual) alike++;
    most = Math.max(most, size);
  }
  return {
    value: sizes.length > 0 ? alike / sizes.length : 0,
    connectionsPerCall: usual,
    mostConnections: most,
    closenessSeconds: closeness / 1e6,
  };
}
