import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { RandomAccess } from "@heliograph/core";

/** An open file as the engine reads it. */
export interface FileAccess extends RandomAccess {
  close(): Promise<void>;
}

/** Opens a file; `onBytes` hears of every byte read. */
export async function openFile(path: string, onBytes: (bytes: number) => void = () => undefined): Promise<FileAccess> {
  const handle: FileHandle = await open(path);
  const { size } = await handle.stat();
  return {
    size,
    async read(offset, length) {
      const buffer = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      onBytes(filled);
      return buffer.subarray(0, filled);
    },
    close: () => handle.close(),
  };
}

const STDIN_CHUNK = 1 << 20;

/** The bytes of standard input; works on any thread. */
export async function* standardInput(onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const stream = createReadStream("", { fd: 0, autoClose: false, highWaterMark: STDIN_CHUNK });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    onBytes(chunk.length);
    yield chunk;
  }
}
