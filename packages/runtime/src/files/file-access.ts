import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { emptyReport, type RandomAccess, type ReadReport } from "@heliograph/core";

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

const STREAM_CHUNK = 1 << 20;

/** The bytes of a pipe or device, or of standard input when the path is empty; works on any thread. */
export async function* streamBytes(path: string, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const options = path === "" ? { fd: 0, autoClose: false } : {};
  const stream = createReadStream(path, { ...options, highWaterMark: STREAM_CHUNK });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    onBytes(chunk.length);
    yield chunk;
  }
}

/** A system error without the path that it repeats. */
export function systemReason(cause: unknown): string {
  if (!(cause instanceof Error && "code" in cause)) throw cause;
  const known: Readonly<Record<string, string>> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EISDIR: "is a folder",
    EIO: "the disk reports a read error",
  };
  return known[String(cause.code)] ?? cause.message;
}

/** The report of a file that the system would not read; anything else is an error of ours and stays one. */
export function systemFailure(name: string, cause: unknown): ReadReport {
  return { ...emptyReport(name), damaged: systemReason(cause) };
}
