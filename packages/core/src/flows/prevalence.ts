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

/**
 * How many internal hosts talk to each of some destinations. What one host does is suspicious; what hundreds do is rather an
 * update server. `addresses` are the joint texts that are no dotted quads.
 */
export function prevalence(
  addresses: TextColumn,
  parts: readonly HostPairs[],
  destinations: Iterable<string>,
  internalNetworks: readonly string[] = DEFAULT_INTERNAL_NETWORKS,
): Map<string, number> {
  const others = new MapDictionary();
  others.encodeAll(addresses);
  const hosts = new Map<number, Set<number>>();
  const codes = new Map([...destinations].map((destination) => [destination, addressCode(others, destination)]));
  if (codes.size === 0) return new Map();
  for (const code of codes.values()) hosts.set(code, new Set());
  for (const pairs of parts) {
    for (let at = 0; at < pairs.length; at += 2) hosts.get(pairs[at + 1] ?? -1)?.add(pairs[at] ?? -1);
  }
  const internal = new NetworkSet(internalNetworks, "internal_networks");
  const isInternal = (code: number): boolean => internal.has(packedAddressText(addresses, code));
  return new Map([...codes].map(([destination, code]) => [destination, [...(hosts.get(code) ?? [])].filter(isInternal).length]));
}
