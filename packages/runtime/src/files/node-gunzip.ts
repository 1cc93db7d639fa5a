import { createGunzip, type Gunzip as GunzipStream } from "node:zlib";
import { CoreError, ExpansionGuard, type Gunzip, gunzip } from "@heliograph/core";

/** Bytes out at a time: with zlib's default of 16 KiB the hand-overs cost more than the inflating. */
const OUT_BYTES = 1 << 20;
/** Bytes in at a time, so that what one write gives stays small. */
const IN_BYTES = 1 << 17;

function write(stream: GunzipStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function finish(stream: GunzipStream): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once("error", reject);
    stream.end(resolve);
  });
}

/**
 * The engine's `gunzip` through Node's zlib, which inflates on a thread of its own while the caller reads what came
 * before. Damaged data is left to the engine, which keeps every byte before the damage.
 */
export const nodeGunzip: Gunzip = async function* (chunks, limits, source) {
  const guard = new ExpansionGuard(limits, source);
  const stream = createGunzip({ chunkSize: OUT_BYTES });
  let ready: Uint8Array[] = [];
  let delivered = 0;
  // Flowing without a pause: backpressure is that the next write waits for the caller.
  stream.on("data", (chunk: Buffer) => ready.push(chunk));
  stream.on("error", () => undefined);
  const take = function* (): Generator<Uint8Array> {
    const taken = ready;
    ready = [];
    for (const chunk of taken) {
      guard.wrote(chunk.length);
      delivered += chunk.length;
      yield chunk;
    }
  };
  try {
    let pending: Promise<void> = Promise.resolve();
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += IN_BYTES) {
        await pending;
        const part = chunk.subarray(at, at + IN_BYTES);
        guard.read(part.length);
        pending = write(stream, part);
        // Looked at when awaited; a failure in between is no unhandled one.
        pending.catch(() => undefined);
        yield* take();
      }
    }
    await pending;
    yield* take();
    await finish(stream);
    yield* take();
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    yield* take();
    if (cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR") {
      throw new CoreError("truncated", "ends in the middle of its compressed data", { source, cause });
    }
    yield* skip(gunzip(chunks, limits, source), delivered);
  } finally {
    stream.destroy();
  }
};

/** All bytes after the first `bytes`. */
async function* skip(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
