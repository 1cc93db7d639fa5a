import { CoreError } from "../errors.js";
import type { BatchSink } from "./batch-writer.js";
import type { Dictionary, TextColumn } from "./dictionary.js";
import { decodeUtf8 } from "./escape.js";
import { kernelModule } from "./kernel-module.js";
import { KernelReader } from "./kernel-reader.js";
import {
  BUCKETS,
  DEFAULT_MAX_LINE_BYTES,
  type Grouper,
  type GroupKeys,
  type LendingReader,
  type ReadEngine,
  type ReadOptions,
  type RowBuckets,
  type RowKeys,
} from "./log-reader.js";

/** The exports of the kernel; see `kernel/README.md`. Addresses and lengths are bytes of its memory. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  alloc(bytes: bigint): number;
  release(address: number, bytes: bigint): void;
  seed(a: number, b: number, c: number, d: number): void;
  dictionaryNew(bits: number): number;
  dictionaryEncode(dictionary: number, text: number, length: number): number;
  dictionaryEncodeAll(dictionary: number, texts: number, offsets: number, count: number, out: number): void;
  configure(capacity: number, rows: number): number;
  planStart(fields: number, markers: number, unsetBytes: number, emptyBytes: number): void;
  planAdd(kind: number, field: number, dictionary: number, required: number, emptyCode: number): number;
  planOut(column: number): number;
  planOut2(column: number): number;
  tsvIndex(length: number, separator: number): void;
  tsvRows(): number;
  keysStart(): void;
  keyAdd(length: number, slot: number): number;
  jsonStart(length: number): void;
  jsonRows(): number;
  groupsReserve(rows: number): void;
  groupRows(sources: number, destinations: number, ports: number, protocols: number, out: number, rows: number): void;
  readonly rowStarts: WebAssembly.Global;
  readonly oddFields: WebAssembly.Global;
  readonly oddLines: WebAssembly.Global;
  readonly badLines: WebAssembly.Global;
  readonly indexedBytes: WebAssembly.Global;
  readonly indexedLines: WebAssembly.Global;
  readonly tsvBatchRows: WebAssembly.Global;
  readonly jsonBatchRows: WebAssembly.Global;
  readonly directiveStart: WebAssembly.Global;
  readonly directiveEnd: WebAssembly.Global;
  readonly consumedBytes: WebAssembly.Global;
  readonly consumedLines: WebAssembly.Global;
  readonly groupOrder: WebAssembly.Global;
  readonly bucketEnds: WebAssembly.Global;
  readonly groupCount: WebAssembly.Global;
  readonly groupKeys: WebAssembly.Global;
}

/** Four 32-bit words that key the hashes, so that a log cannot be made to collide. Use random ones for logs of others. */
export type HashSeed = readonly [number, number, number, number];

const encoder = new TextEncoder();

/** A kernel instance and the host's views of its memory, which move when it grows. */
export class Kernel {
  readonly exports: KernelExports;
  #bytes: Uint8Array;
  #words: Uint32Array;
  #scratch = 0;
  #scratchBytes = 0;

  constructor(exports: KernelExports) {
    this.exports = exports;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#words = new Uint32Array(exports.memory.buffer);
  }

  get buffer(): ArrayBuffer {
    return this.exports.memory.buffer;
  }

  /** All memory as bytes. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.exports.memory.buffer) this.#bytes = new Uint8Array(this.exports.memory.buffer);
    return this.#bytes;
  }

  /** The unsigned 32-bit word at an address. */
  word(address: number): number {
    if (this.#words.buffer !== this.exports.memory.buffer) this.#words = new Uint32Array(this.exports.memory.buffer);
    return this.#words[address >>> 2] ?? 0;
  }

  setWord(address: number, value: number): void {
    if (this.word(address) !== value) this.#words[address >>> 2] = value;
  }

  /** An exported address or counter, unsigned. */
  global(global: WebAssembly.Global): number {
    return (global.value as number) >>> 0;
  }

  alloc(bytes: number): number {
    return this.exports.alloc(BigInt(bytes)) >>> 0;
  }

  /** Writes a text to scratch memory, with room to read past it; returns its address and length. */
  write(text: string): { at: number; length: number } {
    if (this.#scratchBytes < text.length * 3 + 64) {
      this.#scratchBytes = Math.max(4096, text.length * 6 + 64);
      this.#scratch = this.alloc(this.#scratchBytes);
    }
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.#scratch, this.#scratch + text.length * 3));
    return { at: this.#scratch, length: written };
  }
}

/** A dictionary in the kernel's memory. */
class KernelDictionary implements Dictionary {
  readonly address: number;
  readonly #kernel: Kernel;
  readonly #texts: string[] = [];

  constructor(kernel: Kernel, bits: number) {
    this.#kernel = kernel;
    this.address = kernel.exports.dictionaryNew(bits);
  }

  get size(): number {
    return this.#kernel.word(this.address);
  }

  encode(text: string): number {
    const { at, length } = this.#kernel.write(text);
    return this.#kernel.exports.dictionaryEncode(this.address, at, length);
  }

  encodeAll({ offsets, bytes }: TextColumn): Int32Array {
    const kernel = this.#kernel;
    const count = Math.max(0, offsets.length - 1);
    const room = bytes.length + 64 + 8 * (count + 1);
    const at = kernel.alloc(room);
    const textsAt = at + 8 * (count + 1);
    new Int32Array(kernel.buffer, at, count + 1).set(offsets.subarray(0, count + 1));
    kernel.bytes.set(bytes, textsAt);
    const codesAt = at + 4 * (count + 1);
    kernel.exports.dictionaryEncodeAll(this.address, textsAt, at, count, codesAt);
    const codes = new Int32Array(kernel.buffer, codesAt, count).slice();
    kernel.exports.release(at, BigInt(room));
    return codes;
  }

  text(code: number): string {
    if (code < 0 || code >= this.size) return "";
    const known = this.#texts[code];
    if (known !== undefined) return known;
    const kernel = this.#kernel;
    const arena = kernel.word(this.address + 12);
    const offsets = kernel.word(this.address + 24) + code * 4;
    const text = decodeUtf8(kernel.bytes.slice(arena + kernel.word(offsets), arena + kernel.word(offsets + 4)));
    this.#texts[code] = text;
    return text;
  }

  toText(): TextColumn {
    const kernel = this.#kernel;
    const arena = kernel.word(this.address + 12);
    const used = kernel.word(this.address + 16);
    // An empty dictionary has no first offset yet.
    const offsets = new Int32Array(this.size + 1);
    if (this.size > 0) offsets.set(new Int32Array(kernel.buffer, kernel.word(this.address + 24), this.size + 1));
    return { offsets, bytes: kernel.bytes.slice(arena, arena + used) };
  }
}

/** The kernel keys groups in 12-byte records. */
const GROUP_RECORD_WORDS = 3;
const MAX_PROTOCOLS = 65_535;

class KernelGrouper implements Grouper {
  readonly #kernel: Kernel;
  readonly #protocols: Dictionary;
  #room = 0;
  #rows = 0;

  constructor(kernel: Kernel, protocols: Dictionary) {
    this.#kernel = kernel;
    this.#protocols = protocols;
  }

  get size(): number {
    return this.#kernel.global(this.#kernel.exports.groupCount);
  }

  assign(keys: RowKeys, rows: number, out: Uint32Array): RowBuckets {
    checkProtocols(this.#protocols);
    const kernel = this.#kernel;
    if (rows > this.#rows) {
      this.#rows = rows;
      this.#room = kernel.alloc(rows * 5 * 4);
      kernel.exports.groupsReserve(rows);
    }
    const [a = 0, b = 0, c = 0, d = 0, result = 0] = Array.from({ length: 5 }, (_, index) => this.#room + index * 4 * this.#rows);
    new Int32Array(kernel.buffer, a, rows).set(keys.sources.subarray(0, rows));
    new Int32Array(kernel.buffer, b, rows).set(keys.destinations.subarray(0, rows));
    new Int32Array(kernel.buffer, c, rows).set(keys.ports.subarray(0, rows));
    new Int32Array(kernel.buffer, d, rows).set(keys.protocols.subarray(0, rows));
    kernel.exports.groupRows(a, b, c, d, result, rows);
    out.set(new Uint32Array(kernel.buffer, result, rows));
    return {
      order: new Uint32Array(kernel.buffer, kernel.global(kernel.exports.groupOrder), rows),
      ends: new Uint32Array(kernel.buffer, kernel.global(kernel.exports.bucketEnds), BUCKETS),
    };
  }

  keys(): GroupKeys {
    const kernel = this.#kernel;
    const size = this.size;
    const keys = emptyKeys(size);
    if (size === 0) return keys;
    const records = new Uint32Array(kernel.buffer, kernel.global(kernel.exports.groupKeys), size * GROUP_RECORD_WORDS);
    for (let group = 0, at = 0; group < size; group++, at += GROUP_RECORD_WORDS) {
      const portAndProtocol = records[at + 2] ?? 0;
      keys.sources[group] = records[at] ?? 0;
      keys.destinations[group] = records[at + 1] ?? 0;
      keys.ports[group] = portAndProtocol & 0xffff;
      keys.protocols[group] = portAndProtocol >>> 16;
    }
    return keys;
  }
}

/** Key columns for `size` groups. */
export function emptyKeys(size: number): GroupKeys {
  return {
    sources: new Int32Array(size),
    destinations: new Int32Array(size),
    ports: new Uint16Array(size),
    protocols: new Int32Array(size),
  };
}

/** A group key has 16 bits for its protocol; real logs know a handful. */
export function checkProtocols(protocols: Dictionary): void {
  if (protocols.size >= MAX_PROTOCOLS)
    throw new CoreError("limit", `more than ${MAX_PROTOCOLS - 1} different protocols`, { column: "proto" });
}

/** Log2 of the first slots of a dictionary; it doubles as it fills. */
const DICTIONARY_BITS = 10;

class KernelEngine implements ReadEngine {
  readonly kind = "wasm";
  readonly #kernel: Kernel;
  readonly #dictionaries = new Map<string, KernelDictionary>();
  #input = 0;
  #maxLine = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  dictionary(name: string): KernelDictionary {
    let dictionary = this.#dictionaries.get(name);
    if (!dictionary) {
      dictionary = new KernelDictionary(this.#kernel, DICTIONARY_BITS);
      this.#dictionaries.set(name, dictionary);
    }
    return dictionary;
  }

  reader(options: ReadOptions, sink: BatchSink): LendingReader {
    const maxLine = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
    if (maxLine > this.#maxLine) {
      this.#maxLine = Math.max(maxLine, DEFAULT_MAX_LINE_BYTES);
      this.#input = KernelReader.configure(this.#kernel, this.#maxLine);
    }
    return new KernelReader(this.#kernel, this.#input, (name) => this.dictionary(name), options, sink);
  }

  grouper(): Grouper {
    return new KernelGrouper(this.#kernel, this.dictionary("proto"));
  }
}

/**
 * The kernel engine; undefined where WebAssembly SIMD is missing. Compiled in place: it is small, and takes about as long
 * as handing it to another thread would.
 */
export function createKernelEngine(seed: HashSeed): ReadEngine | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const bytes = kernelModule();
  if (!WebAssembly.validate(bytes)) return undefined;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const exports = instance.exports as unknown as KernelExports;
  exports.seed(...seed);
  return new KernelEngine(new Kernel(exports));
}
