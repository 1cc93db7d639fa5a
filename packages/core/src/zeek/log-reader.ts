import type { BatchSink } from "./batch-writer.js";
import type { Dictionary } from "./dictionary.js";
import type { Kernel } from "./kernel-engine.js";
import type { ReadReport } from "./read-report.js";
import type { LogSchema } from "./schema.js";

/** How to read one source. */
export interface ReadOptions {
  readonly schema: LogSchema;
  /** Columns to read; the others are skipped, not parsed. Required ones that are not named do not make a row malformed. */
  readonly columns: readonly string[];
  /** What the report and the problems call the source; its last part helps to tell the log type. */
  readonly source: string;
  /** Column names for TSV without a `#fields` line (`include_meta=F`). */
  readonly fields?: readonly string[];
  /** Other names of columns, such as `{ src_ip: "id.orig_h" }`; `id_orig_h` and its like are always known. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Lines longer than this are counted as malformed. Default 1 MiB. */
  readonly maxLineBytes?: number;
  /** How the whole source starts, for a part that does not: the `#` lines of TSV, or the first row of JSON lines. */
  readonly opening?: string;
}

/** Reads the bytes of one source, in chunks of any size, and hands on batches of rows. */
export interface LogReader {
  /** Takes the next bytes; calls the sink for whole batches. */
  push(bytes: Uint8Array): void;
  /** Takes the end: a last line without newline counts. Returns the report. */
  end(): ReadReport;
  /** The TSV header in force, as one comparable text; the empty text for JSON. */
  layout(): string;
}

/** A reader that lends the memory it reads from, so that a caller can fill it without a copy. */
export interface LendingReader extends LogReader {
  /** Some writable bytes, never none; valid until the next call. */
  reserve(): Uint8Array;
  /** Takes the first `bytes` of what `reserve` lent. */
  commit(bytes: number): void;
}

/** Four 32-bit words that key the hashes, so that a log cannot be made to collide. Use random ones for logs of others. */
export type HashSeed = readonly [number, number, number, number];

/**
 * What reads: the WebAssembly kernel, or the plain TypeScript that it is held to. Dictionaries
 * live as long as the engine, so that the codes of several sources agree. One reader at a time.
 */
export interface ReadEngine {
  readonly kind: "wasm" | "typescript";
  /** The kernel of a `wasm` engine, which groups too. */
  readonly kernel?: Kernel;
  readonly seed: HashSeed;
  /** The dictionary of that name, made on first use. */
  dictionary(name: string): Dictionary;
  reader(options: ReadOptions, sink: BatchSink): LendingReader;
}

export const DEFAULT_MAX_LINE_BYTES = 1 << 20;
/** Rows of one batch, at most. */
export const BATCH_ROWS = 8192;
