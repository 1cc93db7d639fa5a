import type { FilterPlan, FilterRule } from "../filter/filter-plan.js";
import { GroupJudge } from "../filter/group-judge.js";
import type { CodeValues, ColumnBatch, PortValues, TimeValues } from "../zeek/column-batch.js";
import type { TextColumn } from "../zeek/dictionary.js";
import { BATCH_ROWS, BUCKETS, type Grouper, type GroupKeys, type ReadEngine, type RowKeys } from "../zeek/log-reader.js";
import type { Allocate, FlowShard } from "./flow-shard.js";
import { partitionOf, textHashes } from "./partition.js";

/** The columns that grouping reads. */
export const FLOW_COLUMNS = ["ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto"] as const;

/** Rows are grouped once so many are staged; a batch more fits. */
const STAGED_ROWS = 1 << 14;
const STAGED_ROOM = STAGED_ROWS + BATCH_ROWS;
const SEGMENT_ROWS = 1 << 12;
/** Stands in the place of a row count or a cursor of a group that a filter leaves out. */
const DROPPED = 0xffffffff;

/** Rows of one bucket in the order read: 16 bytes a row. */
interface Segment {
  rows: number;
  readonly groups: Uint32Array;
  readonly times: Float64Array;
  readonly originPorts: Int32Array;
}

/**
 * Collects the batches of any number of logs into connection groups. Holds 16 bytes a row and the distinct addresses
 * and groups; no text of a row.
 */
export class FlowBuilder {
  readonly #engine: ReadEngine;
  readonly #grouper: Grouper;
  /**
   * The rows grouped so far. A bucket's groups are few enough to fit the processor's caches when its rows are put in their
   * places; without buckets every row would land somewhere else in all of memory.
   */
  readonly #buckets: readonly Segment[][] = Array.from({ length: BUCKETS }, () => []);
  readonly #staged = {
    times: new Float64Array(STAGED_ROOM),
    originPorts: new Int32Array(STAGED_ROOM),
    sources: new Int32Array(STAGED_ROOM),
    destinations: new Int32Array(STAGED_ROOM),
    ports: new Int32Array(STAGED_ROOM),
    protocols: new Int32Array(STAGED_ROOM),
    groups: new Uint32Array(STAGED_ROOM),
  };
  #used = 0;
  #rows = 0;
  #first = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  readonly #noProtocol: number;
  readonly #filter: FilterPlan | undefined;
  readonly #removed = new Map<FilterRule, number>();

  /**
   * An engine numbers its groups once: a second builder beside another one brings its own grouper. Groups that the filter
   * leaves out are dropped by `finish`, before their rows are put in their places.
   */
  constructor(engine: ReadEngine, options: { readonly grouper?: Grouper; readonly filter?: FilterPlan } = {}) {
    this.#engine = engine;
    this.#grouper = options.grouper ?? engine.grouper();
    this.#filter = options.filter;
    // A missing protocol is written "-", and is one with it.
    this.#noProtocol = engine.dictionary("proto").encode("-");
  }

  /** Rows grouped so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Rows of the groups that `finish` dropped, by the rule that left them out. */
  get removed(): ReadonlyMap<FilterRule, number> {
    return this.#removed;
  }

  /** First and last time grouped, in microseconds; undefined when there is no row. */
  get range(): readonly [first: number, last: number] | undefined {
    return this.#rows === 0 ? undefined : [this.#first, this.#latest];
  }

  /** Takes a batch with the columns of `FLOW_COLUMNS`. */
  add(batch: ColumnBatch): void {
    const times = (batch.columns.get("ts") as TimeValues).values;
    const sources = (batch.columns.get("id.orig_h") as CodeValues).values;
    const originPorts = (batch.columns.get("id.orig_p") as PortValues).values;
    const destinations = (batch.columns.get("id.resp_h") as CodeValues).values;
    const ports = (batch.columns.get("id.resp_p") as PortValues).values;
    const protocols = (batch.columns.get("proto") as CodeValues).values;
    const { rows } = batch;
    if (rows === 0) return;
    let first = this.#first;
    let latest = this.#latest;
    const noProtocol = this.#noProtocol;
    for (let row = 0; row < rows; row++) {
      if (protocols[row] === -1) protocols[row] = noProtocol;
      const time = times[row] ?? 0;
      if (time < first) first = time;
      if (time > latest) latest = time;
    }
    this.#first = first;
    this.#latest = latest;
    this.#append(rows, times, { sources, destinations, ports, protocols }, originPorts);
    if (this.#used >= STAGED_ROWS) this.#groupStaged();
  }

  #append(rows: number, times: Float64Array, keys: RowKeys, originPorts: Int32Array): void {
    const at = this.#used;
    const staged = this.#staged;
    staged.times.set(times.subarray(0, rows), at);
    staged.originPorts.set(originPorts.subarray(0, rows), at);
    staged.sources.set(keys.sources.subarray(0, rows), at);
    staged.destinations.set(keys.destinations.subarray(0, rows), at);
    staged.ports.set(keys.ports.subarray(0, rows), at);
    staged.protocols.set(keys.protocols.subarray(0, rows), at);
    this.#used += rows;
    this.#rows += rows;
  }

  /** Groups the staged rows, many at a time, and files them by bucket. */
  #groupStaged(): void {
    if (this.#used === 0) return;
    const { times, originPorts, groups } = this.#staged;
    const { order, ends } = this.#grouper.assign(this.#staged, this.#used, groups);
    this.#used = 0;
    let from = 0;
    this.#buckets.forEach((segments, bucket) => {
      const to = ends[bucket] ?? 0;
      while (from < to) {
        let segment = segments.at(-1);
        if (!segment || segment.rows === SEGMENT_ROWS) {
          segment = {
            rows: 0,
            groups: new Uint32Array(SEGMENT_ROWS),
            times: new Float64Array(SEGMENT_ROWS),
            originPorts: new Int32Array(SEGMENT_ROWS),
          };
          segments.push(segment);
        }
        const n = Math.min(to - from, SEGMENT_ROWS - segment.rows);
        const base = segment.rows;
        for (let i = 0; i < n; i++) {
          const row = order[from + i] ?? 0;
          segment.groups[base + i] = groups[row] ?? 0;
          segment.times[base + i] = times[row] ?? 0;
          segment.originPorts[base + i] = originPorts[row] ?? -1;
        }
        segment.rows += n;
        from += n;
      }
    });
  }

  /** Rows of each group, and the groups bucket by bucket. */
  #countRows(groups: number): { counts: Uint32Array; byBucket: Uint32Array } {
    const counts = new Uint32Array(groups);
    const byBucket = new Uint32Array(groups);
    let seen = 0;
    for (const segments of this.#buckets) {
      for (const { groups: of, rows } of segments) {
        for (let row = 0; row < rows; row++) {
          const group = of[row] ?? 0;
          const count = counts[group] ?? 0;
          if (count === 0) byBucket[seen++] = group;
          counts[group] = count + 1;
        }
      }
    }
    return { counts, byBucket };
  }

  /** The groups that the filter keeps, in their order; the row counts of the others become `DROPPED`. */
  #keptGroups(
    filter: FilterPlan,
    groups: Uint32Array,
    counts: Uint32Array,
    keys: GroupKeys,
    addresses: TextColumn,
    protocols: TextColumn,
  ): Uint32Array {
    const judge = new GroupJudge(filter, addresses, protocols);
    const kept = new Uint32Array(groups.length);
    let count = 0;
    for (const group of groups) {
      const rule = judge.leftOutBy(
        keys.sources[group] ?? -1,
        keys.destinations[group] ?? -1,
        keys.ports[group] ?? 0,
        keys.protocols[group] ?? -1,
      );
      if (rule === undefined) {
        kept[count++] = group;
        continue;
      }
      this.#removed.set(rule, (this.#removed.get(rule) ?? 0) + (counts[group] ?? 0));
      counts[group] = DROPPED;
    }
    return kept.subarray(0, count);
  }

  /**
   * The groups so far, split into `partitions`; the builder is empty afterwards. The seed must be the same for all
   * shards that are searched together. Frees its own memory as it goes.
   */
  finish(partitions = 1, seed = 0, allocate: Allocate = (bytes) => new ArrayBuffer(bytes)): FlowShard {
    this.#groupStaged();
    const addresses = this.#engine.dictionary("address").toText();
    const protocols = this.#engine.dictionary("proto").toText();
    const keys = this.#grouper.keys();
    const groups = keys.sources.length;
    const { counts: cursors, byBucket } = this.#countRows(groups);
    const kept = this.#filter ? this.#keptGroups(this.#filter, byBucket, cursors, keys, addresses, protocols) : byBucket;
    const { order, bounds } = partitionOrder(kept, keys, addresses, partitions, seed);
    const starts = new Uint32Array(allocate((order.length + 1) * 4));
    let total = 0;
    for (let place = 0; place < order.length; place++) {
      const group = order[place] ?? 0;
      const rows = cursors[group] ?? 0;
      starts[place] = total;
      cursors[group] = total;
      total += rows;
    }
    starts[order.length] = total;
    const times = new Float64Array(allocate(total * 8));
    const originPorts = new Int32Array(allocate(total * 4));
    for (const segments of this.#buckets) {
      for (const segment of segments) {
        for (let row = 0; row < segment.rows; row++) {
          const group = segment.groups[row] ?? 0;
          const at = cursors[group] ?? 0;
          if (at === DROPPED) continue;
          cursors[group] = at + 1;
          times[at] = segment.times[row] ?? 0;
          originPorts[at] = segment.originPorts[row] ?? -1;
        }
      }
      segments.length = 0;
    }
    return {
      addresses: placed(addresses, allocate),
      protocols: placed(protocols, allocate),
      keys: ordered(keys, order, allocate),
      partitions: bounds,
      starts,
      times,
      originPorts,
    };
  }
}

/** The groups sorted by partition, in a partition as they came, and where each partition starts. */
function partitionOrder(
  groupOrder: Uint32Array,
  keys: GroupKeys,
  addresses: TextColumn,
  partitions: number,
  seed: number,
): { order: Uint32Array; bounds: Uint32Array } {
  const groups = groupOrder.length;
  const bounds = new Uint32Array(partitions + 1);
  if (partitions === 1) {
    bounds[1] = groups;
    return { order: groupOrder, bounds };
  }
  const order = new Uint32Array(groups);
  const addressHashes = textHashes(addresses, seed);
  const partition = new Uint32Array(keys.sources.length);
  for (const group of groupOrder) {
    const place = partitionOf(
      addressHashes[keys.sources[group] ?? -1] ?? 0,
      addressHashes[keys.destinations[group] ?? -1] ?? 0,
      keys.ports[group] ?? 0,
      partitions,
    );
    partition[group] = place;
    bounds[place + 1] = (bounds[place + 1] ?? 0) + 1;
  }
  for (let place = 0; place < partitions; place++) bounds[place + 1] = (bounds[place + 1] ?? 0) + (bounds[place] ?? 0);
  const cursors = bounds.slice(0, partitions);
  for (const group of groupOrder) {
    const place = partition[group] ?? 0;
    const at = cursors[place] ?? 0;
    order[at] = group;
    cursors[place] = at + 1;
  }
  return { order, bounds };
}

function placed(texts: TextColumn, allocate: Allocate): TextColumn {
  const offsets = new Int32Array(allocate(texts.offsets.byteLength));
  offsets.set(texts.offsets);
  const bytes = new Uint8Array(allocate(texts.bytes.byteLength));
  bytes.set(texts.bytes);
  return { offsets, bytes };
}

function ordered(keys: GroupKeys, order: Uint32Array, allocate: Allocate): GroupKeys {
  const groups = order.length;
  const sources = new Int32Array(allocate(groups * 4));
  const destinations = new Int32Array(allocate(groups * 4));
  const ports = new Uint16Array(allocate(groups * 2));
  const protocols = new Int32Array(allocate(groups * 4));
  for (let place = 0; place < groups; place++) {
    const group = order[place] ?? 0;
    sources[place] = keys.sources[group] ?? -1;
    destinations[place] = keys.destinations[group] ?? -1;
    ports[place] = keys.ports[group] ?? 0;
    protocols[place] = keys.protocols[group] ?? -1;
  }
  return { sources, destinations, ports, protocols };
}
