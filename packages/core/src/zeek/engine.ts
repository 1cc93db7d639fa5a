import { createKernelEngine } from "./kernel-engine.js";
import type { HashSeed, ReadEngine } from "./log-reader.js";
import { createTextEngine } from "./text-engine.js";

/** How to make an engine. */
export interface EngineOptions {
  /** Keys the hashes; give random words for logs that somebody else wrote. Default: fixed words. */
  readonly seed?: HashSeed;
  /** Which engine; default: `wasm` where WebAssembly SIMD works, else `typescript`. Both give the same results. */
  readonly kind?: "wasm" | "typescript";
}

/** An engine to read logs with; its dictionaries grow with every log it reads. */
export function createEngine({ seed = [1, 2, 3, 4], kind }: EngineOptions = {}): ReadEngine {
  const kernel = kind === "typescript" ? undefined : createKernelEngine(seed);
  return kernel ?? createTextEngine(seed);
}
