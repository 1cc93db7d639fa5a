import { CoreError } from "../errors.js";
import type { AddressValues, CodeValues, ColumnBatch, PortValues, TimeValues } from "../zeek/column-batch.js";
import { BATCH_ROWS, type ReadEngine } from "../zeek/log-reader.js";
import { BucketChooser } from "./bucket.js";
import { CARRIED_COLUMNS, CarriedWriter } from "./carried.js";
import { type Allocate, BARE_WORDS, BUCKETS, CARRIED_WORDS, type FlowShard, SEGMENT_ROWS, SLAB_SEGMENTS } from "./flow-shard.js";

/** The columns that grouping reads. */
export const FLOW_COLUMNS = ["ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto"] as const;

/** What a flow builder reads. */
export interface FlowBuilderOptions {
  /** The memory for connections; default: plain array buffers. */
  readonly allocate?: Allocate | undefined;
  /** Keep what each connection carries too, for searches that ask; 16 bytes more each. */
  readonly carried?: boolean | undefined;
}

/** The columns that a builder reads. */
export function flowColumns(carried: boolean): readonly string[] {
  return carried ? [...FLOW_COLUMNS, ...CARRIED_COLUMNS] : FLOW_COLUMNS;
}

/** A record has 16 bits for its protocol; real logs know a handful. */
const MAX_PROTOCOLS = 65_535;

/** The two views of a slab's memory. */
interface Slab {
  readonly times: Float64Array;
  readonly words: Int32Array;
}

/**
 * Files the batches of any number of logs by bucket, to be grouped there. Holds 24 bytes a connection (40 with what it carries) and the distinct
 * addresses that are no dotted quads; no text of a row.
 */
export class FlowBuilder {
  readonly #engine: ReadEngine;
  readonly #allocate: Allocate;
  readonly #chooser = new BucketChooser();
  readonly #slabs: Slab[] = [];
  #segments = 0;
  readonly #bucketSegments: number[][] = Array.from({ length: BUCKETS }, () => []);
  readonly #bucketRows = new Uint32Array(BUCKETS);
  /** The batch in hand: the bucket of each row, where each bucket's rows end, and the rows by bucket. */
  #buckets = new Uint8Array(BATCH_ROWS);
  readonly #ends = new Uint32Array(BUCKETS + 1);
  #order = new Uint32Array(BATCH_ROWS);
  #rows = 0;
  #first = Number.POSITIVE_INFINITY;
  #latest = Number.NEGATIVE_INFINITY;
  readonly #noProtocol: number;
  readonly #carried: CarriedWriter | undefined;
  readonly #recordWords: number;

  constructor(engine: ReadEngine, { allocate = (bytes) => new ArrayBuffer(bytes), carried = false }: FlowBuilderOptions = {}) {
    this.#engine = engine;
    this.#allocate = allocate;
    this.#carried = carried ? new CarriedWriter() : undefined;
    this.#recordWords = carried ? BARE_WORDS + CARRIED_WORDS : BARE_WORDS;
    // A missing protocol is written "-", and is one with it.
    this.#noProtocol = engine.dictionary("proto").encode("-");
  }

  /** Connections taken so far. */
  get rows(): number {
    return this.#rows;
  }

  /** First and last time taken, in microseconds; undefined when there is no row. */
  get range(): readonly [first: number, last: number] | undefined {
    return this.#rows === 0 ? undefined : [this.#first, this.#latest];
  }

  /**
   * Takes a batch with the columns of `flowColumns`.
   * @throws CoreError `limit` when there are more protocols than a record can tell apart
   */
  add(batch: ColumnBatch): void {
    const { rows } = batch;
    if (rows === 0) return;
    if (this.#engine.dictionary("proto").size >= MAX_PROTOCOLS)
      throw new CoreError("limit", `more than ${MAX_PROTOCOLS - 1} different protocols`, { column: "proto" });
    if (rows > this.#order.length) {
      this.#buckets = new Uint8Array(rows);
      this.#order = new Uint32Array(rows);
    }
    const others = this.#engine.dictionary("address");
    if (others.size > this.#chooser.known) this.#chooser.learn(others.toText(this.#chooser.known));
    this.#orderByBucket(batch);
    this.#file(batch);
    this.#rows += rows;
  }

  #orderByBucket({ rows, columns }: ColumnBatch): void {
    const sources = (columns.get("id.orig_h") as AddressValues).values;
    const destinations = (columns.get("id.resp_h") as AddressValues).values;
    const ports = (columns.get("id.resp_p") as PortValues).values;
    const buckets = this.#buckets;
    const ends = this.#ends.fill(0);
    const order = this.#order;
    const chooser = this.#chooser;
    for (let row = 0; row < rows; row++) {
      const bucket = chooser.bucketOf(sources[row] ?? -1, destinations[row] ?? -1, ports[row] ?? 0);
      buckets[row] = bucket;
      ends[bucket + 1] = (ends[bucket + 1] ?? 0) + 1;
    }
    for (let bucket = 1; bucket <= BUCKETS; bucket++) ends[bucket] = (ends[bucket] ?? 0) + (ends[bucket - 1] ?? 0);
    for (let row = 0; row < rows; row++) {
      const bucket = buckets[row] ?? 0;
      const place = ends[bucket] ?? 0;
      ends[bucket] = place + 1;
      order[place] = row;
    }
    // Each bucket's start has moved on to its end.
  }

  #file(batch: ColumnBatch): void {
    const { columns } = batch;
    const recordWords = this.#recordWords;
    const carried = this.#carried;
    carried?.open(batch);
    const times = (columns.get("ts") as TimeValues).values;
    const sources = (columns.get("id.orig_h") as AddressValues).values;
    const originPorts = (columns.get("id.orig_p") as PortValues).values;
    const destinations = (columns.get("id.resp_h") as AddressValues).values;
    const ports = (columns.get("id.resp_p") as PortValues).values;
    const protocols = (columns.get("proto") as CodeValues).values;
    const order = this.#order;
    const noProtocol = this.#noProtocol;
    let first = this.#first;
    let latest = this.#latest;
    for (let bucket = 0, from = 0; bucket < BUCKETS; bucket++) {
      const to = this.#ends[bucket] ?? 0;
      while (from < to) {
        const { slab, record, room } = this.#place(bucket);
        const n = Math.min(to - from, room);
        for (let i = 0, time3 = record * (recordWords / 2), word = record * recordWords + 2; i < n; i++) {
          const row = order[from + i] ?? 0;
          const time = times[row] ?? 0;
          const protocol = protocols[row] ?? -1;
          if (time < first) first = time;
          if (time > latest) latest = time;
          slab.times[time3] = time;
          slab.words[word] = sources[row] ?? -1;
          slab.words[word + 1] = destinations[row] ?? -1;
          slab.words[word + 2] = (ports[row] ?? 0) | ((protocol === -1 ? noProtocol : protocol) << 16);
          slab.words[word + 3] = originPorts[row] ?? -1;
          carried?.write(row, slab.words, word - 2);
          time3 += recordWords / 2;
          word += recordWords;
        }
        this.#bucketRows[bucket] = (this.#bucketRows[bucket] ?? 0) + n;
        from += n;
      }
    }
    this.#first = first;
    this.#latest = latest;
  }

  /** Where the next record of a bucket goes, and for how many there is room. */
  #place(bucket: number): { slab: Slab; record: number; room: number } {
    const segments = this.#bucketSegments[bucket] ?? [];
    const used = (this.#bucketRows[bucket] ?? 0) % SEGMENT_ROWS;
    if (used === 0) segments.push(this.#newSegment());
    const segment = segments.at(-1) ?? 0;
    const slab = this.#slabs[Math.floor(segment / SLAB_SEGMENTS)] as Slab;
    return { slab, record: (segment % SLAB_SEGMENTS) * SEGMENT_ROWS + used, room: SEGMENT_ROWS - used };
  }

  #newSegment(): number {
    if (this.#segments === this.#slabs.length * SLAB_SEGMENTS) {
      const buffer = this.#allocate(SLAB_SEGMENTS * SEGMENT_ROWS * 4 * this.#recordWords);
      this.#slabs.push({ times: new Float64Array(buffer), words: new Int32Array(buffer) });
    }
    return this.#segments++;
  }

  /** The connections so far. */
  finish(): FlowShard {
    return {
      addresses: this.#engine.dictionary("address").toText(),
      protocols: this.#engine.dictionary("proto").toText(),
      recordWords: this.#recordWords,
      slabs: this.#slabs.map(({ words }) => words.buffer),
      rows: this.#bucketRows,
      segments: this.#bucketSegments,
    };
  }
}
