import { CoreError } from "../errors.js";
import type { ByteChunks } from "./bytes.js";
import { type ArchiveLimits, ExpansionGuard } from "./limits.js";

/** Windows above this are refused by default by the reference decoder as well. */
const MAX_WINDOW_BYTES = 2 ** 27;

/** The window a frame asks for; the decoder would allocate it before it sees any data. */
function windowBytes(head: Uint8Array): number {
  const descriptor = head[4] ?? 0;
  if ((descriptor & 0x20) !== 0) return 0;
  const window = head[5] ?? 0;
  const base = 2 ** (10 + (window >> 3));
  return base + (base / 8) * (window & 7);
}

/**
 * Expands Zstandard data of any number of frames.
 * @throws CoreError `truncated`, `damaged`, `archive-limit`; each only after everything before it was yielded
 * @see https://www.rfc-editor.org/rfc/rfc8878
 */
export async function* unzstd(chunks: ByteChunks, limits: ArchiveLimits, source: string): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import("fzstd");
  const guard = new ExpansionGuard(limits, source);
  let ready: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => {
    if (chunk.length > 0) ready.push(chunk);
  });
  let first = true;
  const push = (chunk: Uint8Array, last: boolean): CoreError | undefined => {
    try {
      decoder.push(chunk, last);
      return undefined;
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : "zstd error";
      if (message === "unexpected EOF") {
        return new CoreError("truncated", "ends in the middle of its compressed data", { source, cause });
      }
      return new CoreError("damaged", `the compressed data is corrupt (${message})`, { source, cause });
    }
  };
  const drain = function* (): Generator<Uint8Array> {
    const chunksReady = ready;
    ready = [];
    for (const chunk of chunksReady) {
      guard.wrote(chunk.length);
      yield chunk;
    }
  };
  for await (const chunk of chunks) {
    if (first && windowBytes(chunk) > Math.min(MAX_WINDOW_BYTES, limits.maxBytes)) {
      throw new CoreError("archive-limit", "asks for a window of more than 128 MiB", { source });
    }
    first = false;
    guard.read(chunk.length);
    const problem = push(chunk.slice(), false);
    yield* drain();
    if (problem) throw problem;
  }
  const problem = push(new Uint8Array(0), true);
  yield* drain();
  if (problem) throw problem;
}
