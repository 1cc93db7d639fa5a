import { unpackTexts } from "../zeek/dictionary.js";
import type { Flow } from "./flow.js";
import type { FlowShard } from "./flow-shard.js";
import { GroupIndex } from "./group-index.js";
import { sortTimes } from "./sorted-times.js";

/** Takes one flow; its arrays are valid until this returns. */
export type FlowVisitor = (flow: Flow) => void;

/** What a visit went over. */
export interface VisitTotals {
  /** Connection groups, of any size. */
  readonly groups: number;
  /** Rows dropped as duplicates. */
  readonly duplicateRows: number;
}

/** Where a group's rows lie: for each shard its place there, -1 when the shard has none. */
interface GroupPlaces {
  readonly count: number;
  readonly places: Int32Array;
}

/**
 * Visits the flows of one partition across all shards: joins the rows of a group from every shard, sorts them, drops
 * duplicates and hands on those groups that keep at least `minConnections`. The order of visits is not defined.
 */
export function visitFlows(shards: readonly FlowShard[], partition: number, minConnections: number, visit: FlowVisitor): VisitTotals {
  const texts = shards.map((shard) => ({ addresses: unpackTexts(shard.addresses), protocols: unpackTexts(shard.protocols) }));
  const { count, places } = shards.length === 1 ? onlyShard(shards, partition) : joinShards(shards, partition, texts);
  let times = new Float64Array(1024);
  let gaps = new Float64Array(1024);
  let originPorts = new Int32Array(1024);
  let duplicateRows = 0;
  const width = shards.length;
  for (let group = 0; group < count; group++) {
    let rows = 0;
    for (let s = 0; s < width; s++) {
      const place = places[group * width + s] ?? -1;
      if (place >= 0) rows += shards[s]?.keys.rows[place] ?? 0;
    }
    if (rows < 2 && rows < minConnections) continue;
    if (rows > times.length) {
      const room = Math.max(rows, times.length * 2);
      times = new Float64Array(room);
      gaps = new Float64Array(room);
      originPorts = new Int32Array(room);
    }
    let at = 0;
    let first: { shard: number; place: number } | undefined;
    for (let s = 0; s < width; s++) {
      const place = places[group * width + s] ?? -1;
      const shard = shards[s];
      if (place < 0 || !shard) continue;
      first ??= { shard: s, place };
      const from = shard.starts[place] ?? 0;
      const to = shard.starts[place + 1] ?? 0;
      for (let row = from; row < to; row++, at++) {
        times[at] = shard.times[row] ?? 0;
        originPorts[at] = shard.originPorts[row] ?? -1;
      }
    }
    const sorted = sortTimes(times, originPorts, rows);
    duplicateRows += sorted.duplicates;
    const keys = first && shards[first.shard]?.keys;
    const names = first && texts[first.shard];
    if (sorted.count < minConnections || !first || !keys || !names) continue;
    for (let i = 1; i < sorted.count; i++) gaps[i - 1] = (times[i] ?? 0) - (times[i - 1] ?? 0);
    visit({
      source: names.addresses[keys.sources[first.place] ?? -1] ?? "",
      destination: names.addresses[keys.destinations[first.place] ?? -1] ?? "",
      port: keys.ports[first.place] ?? 0,
      protocol: names.protocols[keys.protocols[first.place] ?? -1] ?? "-",
      times: times.subarray(0, sorted.count),
      gaps: gaps.subarray(0, sorted.count - 1),
    });
  }
  return { groups: count, duplicateRows };
}

/** The groups of a partition of a single shard stand as they are. */
function onlyShard(shards: readonly FlowShard[], partition: number): GroupPlaces {
  const bounds = shards[0]?.partitions;
  const from = bounds?.[partition] ?? 0;
  const to = bounds?.[partition + 1] ?? 0;
  const places = new Int32Array(to - from);
  for (let i = 0; i < places.length; i++) places[i] = from + i;
  return { count: places.length, places };
}

/** Numbers the groups of a partition across shards by their texts. */
function joinShards(
  shards: readonly FlowShard[],
  partition: number,
  texts: readonly { addresses: readonly string[]; protocols: readonly string[] }[],
): GroupPlaces {
  const width = shards.length;
  const index = new GroupIndex();
  const addressCodes = new Map<string, number>();
  const protocolCodes = new Map<string, number>();
  const joined = (codes: Map<string, number>, text: string): number => {
    const known = codes.get(text);
    if (known !== undefined) return known;
    codes.set(text, codes.size);
    return codes.size - 1;
  };
  let places = new Int32Array(1024 * width).fill(-1);
  shards.forEach((shard, s) => {
    const { keys } = shard;
    const addresses = texts[s]?.addresses ?? [];
    const protocols = texts[s]?.protocols ?? [];
    // Shard code -> joint code, looked up once a code.
    const jointAddress = new Int32Array(addresses.length).fill(-1);
    const addressOf = (code: number): number => {
      const known = jointAddress[code] ?? -1;
      if (known >= 0) return known;
      const joint = joined(addressCodes, addresses[code] ?? "");
      jointAddress[code] = joint;
      return joint;
    };
    const to = shard.partitions[partition + 1] ?? 0;
    for (let place = shard.partitions[partition] ?? 0; place < to; place++) {
      const source = addressOf(keys.sources[place] ?? -1);
      const destination = addressOf(keys.destinations[place] ?? -1);
      const protocol = joined(protocolCodes, protocols[keys.protocols[place] ?? -1] ?? "-");
      const group = index.add(source, destination, keys.ports[place] ?? 0, protocol);
      if ((group + 1) * width > places.length) {
        const grown = new Int32Array(places.length * 2).fill(-1);
        grown.set(places);
        places = grown;
      }
      places[group * width + s] = place;
    }
  });
  return { count: index.size, places };
}
