import type { FlowShard } from "./flow-shard.js";
import { sortTimes } from "./sorted-times.js";

/** The rows of one group at a time, joined from shards; its memory is used again for the next group. */
export class RowBuffer {
  #times = new Float64Array(1024);
  #originPorts = new Int32Array(1024);
  #gaps = new Float64Array(1024);
  #length = 0;

  /** Rows held; after `sort` without duplicates. */
  get length(): number {
    return this.#length;
  }

  /** The times held; valid until the next `clear`. */
  get times(): Float64Array {
    return this.#times.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(rows: number): void {
    if (rows <= this.#times.length) return;
    const room = Math.max(rows, this.#times.length * 2);
    const times = new Float64Array(room);
    times.set(this.#times.subarray(0, this.#length));
    this.#times = times;
    const ports = new Int32Array(room);
    ports.set(this.#originPorts.subarray(0, this.#length));
    this.#originPorts = ports;
    this.#gaps = new Float64Array(room);
  }

  /** Adds the rows of a group in one shard. Rows in order are merged into those held, so that they stay in order. */
  add(shard: FlowShard, place: number): void {
    const from = shard.starts[place] ?? 0;
    let source = (shard.starts[place + 1] ?? 0) - 1;
    const added = source + 1 - from;
    this.#reserve(this.#length + added);
    const times = this.#times;
    const ports = this.#originPorts;
    const { times: newTimes, originPorts: newPorts } = shard;
    let held = this.#length - 1;
    // Backwards, the later of the two first: there is room behind the rows held.
    for (let to = this.#length + added - 1; source >= from; to--) {
      const time = newTimes[source] ?? 0;
      const last = held >= 0 ? (times[held] ?? 0) : Number.NEGATIVE_INFINITY;
      if (last > time) {
        times[to] = last;
        ports[to] = ports[held] ?? -1;
        held--;
      } else {
        times[to] = time;
        ports[to] = newPorts[source] ?? -1;
        source--;
      }
    }
    this.#length += added;
  }

  /** Sorts the rows and drops duplicates; returns how many. */
  sort(): number {
    const { count, duplicates } = sortTimes(this.#times, this.#originPorts, this.#length);
    this.#length = count;
    return duplicates;
  }

  /** The gaps between consecutive times; valid until the next `clear`. */
  gaps(): Float64Array {
    const times = this.#times;
    const gaps = this.#gaps;
    const count = Math.max(0, this.#length - 1);
    for (let i = 0; i < count; i++) gaps[i] = (times[i + 1] ?? 0) - (times[i] ?? 0);
    return gaps.subarray(0, count);
  }
}
