import type { TextColumn } from "../zeek/dictionary.js";

/** 32-bit hashes of packed texts; the same text has the same hash in every thread. */
export function textHashes({ offsets, bytes }: TextColumn, seed: number): Uint32Array {
  const hashes = new Uint32Array(Math.max(0, offsets.length - 1));
  for (let i = 0; i < hashes.length; i++) {
    let h = seed ^ 0x811c9dc5;
    const end = offsets[i + 1] ?? 0;
    for (let at = offsets[i] ?? 0; at < end; at++) h = Math.imul(h ^ (bytes[at] ?? 0), 0x01000193);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    hashes[i] = h ^ (h >>> 13);
  }
  return hashes;
}

/**
 * The partition of a group from the hashes of its addresses and its port: every thread puts a group into the same one, and
 * groups that differ in the protocol alone stay together.
 */
export function partitionOf(source: number, destination: number, port: number, partitions: number): number {
  let h = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16) ^ port, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x27d4eb2f);
  return ((h ^ (h >>> 16)) >>> 0) % partitions;
}
