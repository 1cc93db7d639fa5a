/** How a source is packed. */
export type Compression = "gzip" | "zip" | "zstd" | "none";

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  // An empty archive is its end record alone.
  ["zip", [0x50, 0x4b, 0x05, 0x06]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  // A skippable frame may come first (its last nibble is free; writers use 0x50).
  ["zstd", [0x50, 0x2a, 0x4d, 0x18]],
];

/** Bytes that `sniffCompression` needs. */
export const SNIFF_BYTES = 4;

/** How a source is packed, from its first bytes and never from its name. */
export function sniffCompression(head: Uint8Array): Compression {
  for (const [compression, magic] of MAGIC) if (magic.every((byte, index) => head[index] === byte)) return compression;
  return "none";
}
