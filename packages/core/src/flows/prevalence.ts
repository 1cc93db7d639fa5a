import { DEFAULT_INTERNAL_NETWORKS, NetworkSet } from "../filter/networks.js";
import { unpackTexts } from "../zeek/dictionary.js";
import type { FlowShard } from "./flow-shard.js";

/**
 * How many internal hosts talk to each of some destinations, over all groups of the shards. What one host does is
 * suspicious; what hundreds do is rather an update server.
 */
export function prevalence(
  shards: readonly FlowShard[],
  destinations: Iterable<string>,
  internalNetworks: readonly string[] = DEFAULT_INTERNAL_NETWORKS,
): Map<string, number> {
  const hosts = new Map<string, Set<string>>();
  for (const destination of destinations) hosts.set(destination, new Set());
  if (hosts.size === 0) return new Map();
  const internal = new NetworkSet(internalNetworks, "internal_networks");
  for (const { addresses, keys } of shards) {
    const texts = unpackTexts(addresses);
    const wanted = texts.map((text) => hosts.get(text));
    for (let group = 0; group < keys.destinations.length; group++) {
      wanted[keys.destinations[group] ?? -1]?.add(texts[keys.sources[group] ?? -1] ?? "");
    }
  }
  return new Map([...hosts].map(([destination, sources]) => [destination, [...sources].filter((source) => internal.has(source)).length]));
}
