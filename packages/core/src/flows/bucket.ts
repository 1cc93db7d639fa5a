import { otherPlace } from "../zeek/address.js";
import type { TextColumn } from "../zeek/dictionary.js";
import { BUCKETS } from "./flow-shard.js";

const SHIFT = 32 - Math.log2(BUCKETS);

/** 32-bit hashes of packed texts; the same text has the same hash in every thread. */
function textHashes({ offsets, bytes }: TextColumn): Int32Array {
  const hashes = new Int32Array(Math.max(0, offsets.length - 1));
  for (let i = 0; i < hashes.length; i++) {
    let h = 0x811c9dc5;
    const end = offsets[i + 1] ?? 0;
    for (let at = offsets[i] ?? 0; at < end; at++) h = Math.imul(h ^ (bytes[at] ?? 0), 0x01000193);
    hashes[i] = h;
  }
  return hashes;
}

/** Finds the bucket of a connection from its ends and its port: groups that differ in the protocol alone share one. */
export class BucketChooser {
  /** Hashes of the texts that are no dotted quad, by place. */
  #others = new Int32Array(64);
  #known = 0;

  /** Places whose hash is known. */
  get known(): number {
    return this.#known;
  }

  /** Takes the texts of the places from `known` on. */
  learn(texts: TextColumn): void {
    const hashes = textHashes(texts);
    const size = this.#known + hashes.length;
    if (size > this.#others.length) {
      const others = new Int32Array(Math.max(size, 2 * this.#others.length));
      others.set(this.#others);
      this.#others = others;
    }
    this.#others.set(hashes, this.#known);
    this.#known = size;
  }

  bucketOf(source: number, destination: number, port: number): number {
    const from = otherPlace(source);
    const to = otherPlace(destination);
    let h = Math.imul(from < 0 ? source : (this.#others[from] ?? 0), 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15) ^ (to < 0 ? destination : (this.#others[to] ?? 0)), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13) ^ port, 0xc2b2ae35);
    return (h ^ (h << 9)) >>> SHIFT;
  }
}
