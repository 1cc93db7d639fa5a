import type { FlowDirection } from "../detector.js";

/** How many hosts do the same, and which way it goes. */
export interface Reach {
  /** 0..1: 1 for one host that calls out; less for each tenfold of hosts, and for what stays inside or comes in. */
  readonly value: number;
  /** Internal hosts that talk to the destination, … */
  readonly hosts: number;
  /** … of so many in the logs that talk to anything. */
  readonly internalHosts: number;
  /** Distinct destinations of the source. */
  readonly destinations: number;
  readonly direction: FlowDirection;
}

/** So much goes with each tenfold of hosts. */
const EACH_TENFOLD = 0.55;
const LEAST = 0.02;
/** So much goes where all hosts do it: in a small network a handful is everybody. */
const EVERYBODY = 0.6;
/** What a direction leaves: implants call out; where no network is known to be internal nothing can be said. */
const DIRECTION: Readonly<Record<FlowDirection, number>> = { outbound: 1, external: 1, internal: 0.4, inbound: 0.2 };

/** Rates prevalence and direction. */
export function reachOf(hosts: number, internalHosts: number, destinations: number, direction: FlowDirection): Reach {
  const others = internalHosts > 1 ? Math.max(0, hosts - 1) / (internalHosts - 1) : 0;
  const rare = Math.max(LEAST, Math.min(1 - EACH_TENFOLD * Math.log10(Math.max(1, hosts)), 1 - EVERYBODY * others));
  return { value: rare * DIRECTION[direction], hosts, internalHosts, destinations, direction };
}
