import { createGunzip } from "node:zlib";
import { CoreError, ExpansionGuard, type Gunzip, gunzip } from "@heliograph/core";

/** Bytes out at a time: with zlib's default of 16 KiB the hand-overs cost more than the inflating. */
const OUT_BYTES = 1 << 22;
/** Bytes in at a time: what one write gives, about eight times as much, lies in memory until it is read. */
const IN_BYTES = 1 << 19;

/** zlib ended before its input did. */
class UnreadRest extends Error {}

/** A zlib stream whose failures reject the step in hand; zlib itself calls back to nobody then. */
class Inflater {
  readonly #stream = createGunzip({ chunkSize: OUT_BYTES });
  #ready: Uint8Array[] = [];
  #failure: unknown;
  #ending = false;
  #reject: ((cause: unknown) => void) | undefined;

  constructor() {
    // Flowing without a pause: backpressure is that the next write waits for the caller.
    this.#stream.on("data", (chunk: Buffer) => this.#ready.push(chunk));
    this.#stream.on("error", (cause) => this.#fail(cause));
    // zlib stops at padding and lets nobody know what follows it.
    this.#stream.on("end", () => this.#ending || this.#fail(new UnreadRest()));
  }

  #fail(cause: unknown): void {
    this.#failure ??= cause;
    this.#reject?.(cause);
  }

  #step(start: (done: () => void) => void): Promise<void> {
    const step = new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#reject = reject;
      start(resolve);
    });
    // Looked at when awaited; a failure in between is no unhandled one.
    step.catch(() => undefined);
    return step;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#step((done) => this.#stream.write(bytes, () => this.#failure === undefined && done()));
  }

  end(): Promise<void> {
    return this.#step((done) => {
      this.#ending = true;
      this.#stream.once("end", done);
      this.#stream.end();
    });
  }

  /** What has come out since the last call. */
  take(): Uint8Array[] {
    const taken = this.#ready;
    this.#ready = [];
    return taken;
  }

  destroy(): void {
    this.#stream.destroy();
  }
}

/**
 * The engine's `gunzip` through Node's zlib, which inflates on a thread of its own while the caller reads what came
 * before. Damaged or padded data is left to the engine, which keeps every byte before the damage and reads on behind padding.
 */
export const nodeGunzip: Gunzip = async function* (chunks, limits, source) {
  const guard = new ExpansionGuard(limits, source);
  const inflater = new Inflater();
  let delivered = 0;
  const take = function* (): Generator<Uint8Array> {
    for (const chunk of inflater.take()) {
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
        pending = inflater.write(part);
        // While the caller reads this, zlib inflates the next.
        yield* take();
      }
    }
    await pending;
    yield* take();
    await inflater.end();
    yield* take();
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    yield* take();
    if (cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR") {
      throw new CoreError("truncated", "ends in the middle of its compressed data", { source, cause });
    }
    const ofZlib = cause instanceof UnreadRest || (cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_"));
    if (!ofZlib) throw cause;
    yield* skip(gunzip(chunks, limits, source), delivered);
  } finally {
    inflater.destroy();
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
