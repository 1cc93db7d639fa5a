/** Chunks of bytes in order; a chunk may be reused by its producer once the next one is asked for. */
export type ByteChunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** A source that can be read at any place, which zip archives need: their directory stands at the end. */
export interface RandomAccess {
  /** Total bytes. */
  readonly size: number;
  /** The bytes [offset, offset + length); fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A Uint8Array or Blob as a `RandomAccess`. */
export function randomAccess(data: Uint8Array | Blob): RandomAccess {
  if (data instanceof Uint8Array) {
    return { size: data.length, read: (offset, length) => Promise.resolve(data.subarray(offset, offset + length)) };
  }
  return {
    size: data.size,
    read: async (offset, length) => new Uint8Array(await data.slice(offset, offset + length).arrayBuffer()),
  };
}

const READ_BYTES = 1 << 20;

/** All bytes of a source in order, a mebibyte at a time. */
export async function* chunksOf(source: RandomAccess): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < source.size; offset += READ_BYTES) {
    yield await source.read(offset, Math.min(READ_BYTES, source.size - offset));
  }
}
