import { unpackTexts } from "../zeek/dictionary.js";
import { BATCH_ROWS, type ReadEngine } from "../zeek/log-reader.js";
import type { Flow } from "./flow.js";
import type { FlowShard } from "./flow-shard.js";
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
 * duplicates and hands on those groups that keep at least `minConnections`. The order of visits is not defined. The
 * engine, which may be one that read a shard, gives the groups of several shards common numbers.
 */
export function visitFlows(
  engine: ReadEngine,
  shards: readonly FlowShard[],
  partition: number,
  minConnections: number,
  visit: FlowVisitor,
): VisitTotals {
  const texts = shards.map((shard) => ({ addresses: unpackTexts(shard.addresses), protocols: unpackTexts(shard.protocols) }));
  const { count, places } = shards.length === 1 ? onlyShard(shards, partition) : joinShards(engine, shards, partition);
  let times = new Float64Array(1024);
  let gaps = new Float64Array(1024);
  let originPorts = new Int32Array(1024);
  let duplicateRows = 0;
  let groups = 0;
  const width = shards.length;
  for (let group = 0; group < count; group++) {
    let rows = 0;
    for (let s = 0; s < width; s++) {
      const place = places[group * width + s] ?? -1;
      const starts = shards[s]?.starts;
      if (place >= 0 && starts) rows += (starts[place + 1] ?? 0) - (starts[place] ?? 0);
    }
    if (rows === 0) continue;
    groups++;
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
  return { groups, duplicateRows };
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

/** Numbers the groups of a partition across shards by their texts, with the dictionaries and the grouper of an engine. */
function joinShards(engine: ReadEngine, shards: readonly FlowShard[], partition: number): GroupPlaces {
  const width = shards.length;
  const addresses = engine.dictionary("address");
  const protocols = engine.dictionary("proto");
  const grouper = engine.grouper();
  let places = new Int32Array((grouper.size + 1024) * width).fill(-1);
  const groups = new Uint32Array(BATCH_ROWS);
  const ports = new Int32Array(BATCH_ROWS);
  shards.forEach((shard, s) => {
    const { keys } = shard;
    const jointAddress = addresses.encodeAll(shard.addresses);
    const jointProtocol = protocols.encodeAll(shard.protocols);
    const joint = (codes: Int32Array, to: Int32Array, from: number, rows: number): Int32Array => {
      const out = new Int32Array(rows);
      for (let i = 0; i < rows; i++) out[i] = to[codes[from + i] ?? -1] ?? -1;
      return out;
    };
    const end = shard.partitions[partition + 1] ?? 0;
    for (let from = shard.partitions[partition] ?? 0; from < end; from += BATCH_ROWS) {
      const rows = Math.min(BATCH_ROWS, end - from);
      ports.set(keys.ports.subarray(from, from + rows));
      grouper.assign(
        joint(keys.sources, jointAddress, from, rows),
        joint(keys.destinations, jointAddress, from, rows),
        ports,
        joint(keys.protocols, jointProtocol, from, rows),
        rows,
        groups,
      );
      if (grouper.size * width > places.length) {
        const grown = new Int32Array(grouper.size * 2 * width).fill(-1);
        grown.set(places);
        places = grown;
      }
      for (let i = 0; i < rows; i++) places[(groups[i] ?? 0) * width + s] = from + i;
    }
  });
  return { count: grouper.size, places };
}
