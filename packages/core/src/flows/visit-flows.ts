import { textAt } from "../zeek/dictionary.js";
import type { ReadEngine, RowKeys } from "../zeek/log-reader.js";
import type { Flow } from "./flow.js";
import type { FlowShard } from "./flow-shard.js";
import { RowBuffer } from "./row-buffer.js";

/** Groups numbered at a time. */
const BLOCK_ROWS = 1 << 16;

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

/** A flow whose texts are looked up when somebody asks: few flows are beacons. */
class VisitedFlow implements Flow {
  readonly times: Float64Array;
  readonly gaps: Float64Array;
  readonly #shard: FlowShard;
  readonly #place: number;

  constructor(shard: FlowShard, place: number, times: Float64Array, gaps: Float64Array) {
    this.#shard = shard;
    this.#place = place;
    this.times = times;
    this.gaps = gaps;
  }

  get source(): string {
    return textAt(this.#shard.addresses, this.#shard.keys.sources[this.#place] ?? -1);
  }

  get destination(): string {
    return textAt(this.#shard.addresses, this.#shard.keys.destinations[this.#place] ?? -1);
  }

  get port(): number {
    return this.#shard.keys.ports[this.#place] ?? 0;
  }

  get protocol(): string {
    return textAt(this.#shard.protocols, this.#shard.keys.protocols[this.#place] ?? -1);
  }
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
  const { count, places } = shards.length === 1 ? onlyShard(shards, partition) : joinShards(engine, shards, partition);
  const rows = new RowBuffer();
  const width = shards.length;
  let duplicateRows = 0;
  let groups = 0;
  for (let group = 0; group < count; group++) {
    rows.clear();
    let first: FlowShard | undefined;
    let firstPlace = -1;
    for (let s = 0; s < width; s++) {
      const place = places[group * width + s] ?? -1;
      const shard = shards[s];
      if (place < 0 || !shard) continue;
      if (!first) {
        first = shard;
        firstPlace = place;
      }
      rows.add(shard, place);
    }
    if (!first) continue;
    groups++;
    if (rows.length < 2 && rows.length < minConnections) continue;
    duplicateRows += rows.sort();
    if (rows.length >= minConnections) visit(new VisitedFlow(first, firstPlace, rows.times, rows.gaps()));
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
  const groups = new Uint32Array(BLOCK_ROWS);
  const row: RowKeys = {
    sources: new Int32Array(BLOCK_ROWS),
    destinations: new Int32Array(BLOCK_ROWS),
    ports: new Int32Array(BLOCK_ROWS),
    protocols: new Int32Array(BLOCK_ROWS),
  };
  shards.forEach((shard, s) => {
    const { keys } = shard;
    const jointAddress = addresses.encodeAll(shard.addresses);
    const jointProtocol = protocols.encodeAll(shard.protocols);
    const end = shard.partitions[partition + 1] ?? 0;
    for (let from = shard.partitions[partition] ?? 0; from < end; from += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, end - from);
      for (let i = 0; i < rows; i++) {
        row.sources[i] = jointAddress[keys.sources[from + i] ?? -1] ?? -1;
        row.destinations[i] = jointAddress[keys.destinations[from + i] ?? -1] ?? -1;
        row.protocols[i] = jointProtocol[keys.protocols[from + i] ?? -1] ?? -1;
      }
      row.ports.set(keys.ports.subarray(from, from + rows));
      grouper.assign(row, rows, groups);
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
