/** A 32-bit hash of a text; the same text has the same hash in every thread. */
export function textHash(text: string, seed: number): number {
  let h = seed ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

/** The partition of a group from the hashes of its texts and its port: every thread puts a group into the same one. */
export function partitionOf(source: number, destination: number, port: number, protocol: number, partitions: number): number {
  let h = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16) ^ port, 0xc2b2ae35) ^ protocol;
  h = Math.imul(h ^ (h >>> 15), 0x27d4eb2f);
  return ((h ^ (h >>> 16)) >>> 0) % partitions;
}
