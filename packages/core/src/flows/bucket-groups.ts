import type { ReadEngine } from "../zeek/log-reader.js";
import { type Carried, carriedBy } from "./carried.js";
import { BARE_WORDS, BUCKETS, type JoinedFlows, SEGMENT_ROWS, SLAB_SEGMENTS } from "./flow-shard.js";
import { KEY_WORDS } from "./group-index.js";
import { DROPPED, type Grouping, groupingOf } from "./grouping.js";
import { dropDuplicates } from "./sorted-times.js";

/** The connection groups of one bucket at a time, across shards; its memory is used again for the next bucket. */
export class BucketGroups {
  readonly #flows: JoinedFlows;
  readonly #slabs: readonly (readonly Int32Array[])[];
  readonly #grouping: Grouping;
  #rows = 0;
  #keys: Int32Array = new Int32Array(0);
  #counts: Uint32Array = new Uint32Array(0);
  #times: Float64Array = new Float64Array(0);
  #numbers: Uint32Array = new Uint32Array(0);
  #records: Int32Array = new Int32Array(0);
  readonly #recordWords: number;

  constructor(engine: ReadEngine, flows: JoinedFlows) {
    this.#flows = flows;
    this.#slabs = flows.shards.map(({ slabs }) => slabs.map((slab) => new Int32Array(slab)));
    const sizes = Array.from({ length: BUCKETS }, (_, bucket) => rowsIn(flows, bucket));
    this.#recordWords = flows.shards[0]?.recordWords ?? BARE_WORDS;
    this.#grouping = groupingOf(engine, Math.max(...sizes), this.#recordWords);
  }

  /** Groups. */
  get size(): number {
    return this.#counts.length;
  }

  /** Joint address code. */
  source(group: number): number {
    return this.#keys[group * KEY_WORDS] ?? -1;
  }

  /** Joint address code. */
  destination(group: number): number {
    return this.#keys[group * KEY_WORDS + 1] ?? -1;
  }

  port(group: number): number {
    return (this.#keys[group * KEY_WORDS + 2] ?? 0) & 0xffff;
  }

  /** Joint protocol code. */
  protocol(group: number): number {
    return (this.#keys[group * KEY_WORDS + 2] ?? 0) >>> 16;
  }

  /** Rows of a group; before `place` alone. */
  rowsOf(group: number): number {
    return this.#counts[group] ?? 0;
  }

  /** Leaves out a group; before `place` alone. */
  drop(group: number): void {
    this.#counts[group] = DROPPED;
  }

  /** The times at [from, to); valid until the next `read`. */
  times(from: number, to: number): Float64Array {
    return this.#times.subarray(from, to);
  }

  /** What the connections at [from, to) carry, copied; undefined where the readers were not asked. */
  carried(from: number, to: number): Carried | undefined {
    return this.#recordWords > BARE_WORDS ? carriedBy(this.#records, this.#numbers.subarray(from, to)) : undefined;
  }

  /** Groups the rows of a bucket. */
  read(bucket: number): void {
    const { shards, addressPlaces, protocolCodes } = this.#flows;
    this.#rows = rowsIn(this.#flows, bucket);
    let row = 0;
    shards.forEach((shard, s) => {
      const records = this.#grouping.reserve(this.#rows);
      const first = row;
      const end = first + (shard.rows[bucket] ?? 0);
      for (const segment of shard.segments[bucket] ?? []) {
        const from = (segment % SLAB_SEGMENTS) * SEGMENT_ROWS * this.#recordWords;
        const rows = Math.min(SEGMENT_ROWS, end - row);
        const slab = this.#slabs[s]?.[Math.floor(segment / SLAB_SEGMENTS)];
        if (slab) records.set(slab.subarray(from, from + rows * this.#recordWords), row * this.#recordWords);
        row += rows;
      }
      const places = addressPlaces[s];
      const codes = protocolCodes[s];
      if (places && codes) this.#grouping.remap(first, end - first, places, codes);
    });
    const { keys, counts } = this.#grouping.group(this.#rows);
    this.#keys = keys;
    this.#counts = counts;
  }

  /**
   * Puts the rows of each group that was not dropped together, sorts them and drops duplicates. Calls `take` for each with
   * the places [from, to) of its times.
   */
  place(take: (group: number, from: number, to: number, duplicates: number) => void): void {
    const { keys, ends, times, rows, records, ties } = this.#grouping.place(this.#rows);
    this.#keys = keys;
    this.#counts = ends;
    this.#times = times;
    this.#numbers = rows;
    this.#records = records;
    const placed = { times, rows, records, recordWords: this.#recordWords };
    for (let group = 0, from = 0; group < ends.length; group++) {
      const to = ends[group] ?? 0;
      if (to === DROPPED) continue;
      const count = ties[group] === 1 ? dropDuplicates(placed, from, to) : to - from;
      take(group, from, from + count, to - from - count);
      from = to;
    }
  }
}

function rowsIn({ shards }: JoinedFlows, bucket: number): number {
  return shards.reduce((sum, { rows }) => sum + (rows[bucket] ?? 0), 0);
}
