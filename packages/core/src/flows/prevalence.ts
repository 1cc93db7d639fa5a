import { DEFAULT_INTERNAL_NETWORKS, NetworkSet } from "../filter/networks.js";
import { addressCode, packedAddressText } from "../zeek/address.js";
import { MapDictionary, type TextColumn } from "../zeek/dictionary.js";

/** The two ends of connection groups as joint address codes: source and destination of the first, of the second, … */
export type HostPairs = Int32Array;

/** Collects the ends of groups; 8 bytes each. */
export class HostPairList {
  #pairs = new Int32Array(1024);
  #length = 0;

  add(source: number, destination: number): void {
    if (this.#length === this.#pairs.length) {
      const pairs = new Int32Array(this.#length * 2);
      pairs.set(this.#pairs);
      this.#pairs = pairs;
    }
    this.#pairs[this.#length++] = source;
    this.#pairs[this.#length++] = destination;
  }

  /** What was added, copied. */
  pairs(): HostPairs {
    return this.#pairs.slice(0, this.#length);
  }
}

/** How many hosts stand at either end. */
export function countHosts(parts: readonly HostPairs[]): number {
  const hosts = new Set<number>();
  for (const pairs of parts) for (const code of pairs) hosts.add(code);
  return hosts.size;
}

/** What the groups of all shards tell of some hosts. */
export interface HostFacts {
  /** Internal hosts that talk to a destination. What one host does is suspicious; what hundreds do is rather an update server. */
  readonly prevalence: ReadonlyMap<string, number>;
  /** Distinct destinations of a source. */
  readonly destinations: ReadonlyMap<string, number>;
  /** Internal hosts that talk to anything. */
  readonly internalHosts: number;
  readonly isInternal: (address: string) => boolean;
}

/** Finds out about the sources and destinations of some flows. `addresses` are the joint texts that are no dotted quads. */
export function hostFacts(
  addresses: TextColumn,
  parts: readonly HostPairs[],
  flows: readonly { readonly source: string; readonly destination: string }[],
  internalNetworks: readonly string[] = DEFAULT_INTERNAL_NETWORKS,
): HostFacts {
  const internal = new NetworkSet(internalNetworks, "internal_networks");
  const isInternal = (address: string): boolean => internal.has(address);
  if (flows.length === 0) return { prevalence: new Map(), destinations: new Map(), internalHosts: 0, isInternal };
  const others = new MapDictionary();
  others.encodeAll(addresses);
  const codesOf = (hosts: readonly string[]): Map<string, number> => new Map(hosts.map((host) => [host, addressCode(others, host)]));
  const sources = codesOf(flows.map(({ source }) => source));
  const destinations = codesOf(flows.map(({ destination }) => destination));
  const emptySets = (codes: Map<string, number>): Map<number, Set<number>> => new Map([...codes.values()].map((code) => [code, new Set()]));
  const callers = emptySets(destinations);
  const called = emptySets(sources);
  const talking = new Set<number>();
  for (const pairs of parts) {
    for (let at = 0; at < pairs.length; at += 2) {
      const source = pairs[at] ?? -1;
      const destination = pairs[at + 1] ?? -1;
      talking.add(source);
      callers.get(destination)?.add(source);
      called.get(source)?.add(destination);
    }
  }
  const marks = new Map<number, boolean>();
  const isInternalCode = (code: number): boolean => {
    const known = marks.get(code) ?? isInternal(packedAddressText(addresses, code));
    marks.set(code, known);
    return known;
  };
  return {
    prevalence: new Map([...destinations].map(([host, code]) => [host, [...(callers.get(code) ?? [])].filter(isInternalCode).length])),
    destinations: new Map([...sources].map(([host, code]) => [host, called.get(code)?.size ?? 0])),
    internalHosts: [...talking].filter(isInternalCode).length,
    isInternal,
  };
}
