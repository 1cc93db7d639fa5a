import type { BatchSink } from "./batch-writer.js";
import type { Dictionary, TextColumn } from "./dictionary.js";
import { decodeUtf8 } from "./escape.js";
import { kernelModule } from "./kernel-module.js";
import { KernelReader } from "./kernel-reader.js";
import { DEFAULT_MAX_LINE_BYTES, type HashSeed, type LendingReader, type ReadEngine, type ReadOptions } from "./log-reader.js";

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
  groupsReserve(rows: number, words: number): number;
  groupsRemap(first: number, rows: number, places: number, placeCount: number, protocols: number, protocolCount: number): void;
  groupRows(rows: number): number;
  placeGroups(rows: number): void;
  readonly groupKeys: WebAssembly.Global;
  readonly groupCounts: WebAssembly.Global;
  readonly groupTies: WebAssembly.Global;
  readonly placedTimes: WebAssembly.Global;
  readonly placedRows: WebAssembly.Global;
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
}

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

  toText(from = 0): TextColumn {
    const kernel = this.#kernel;
    const count = this.size - from;
    // An empty dictionary has no first offset yet.
    if (count === 0) return { offsets: new Int32Array(1), bytes: new Uint8Array(0) };
    const arena = kernel.word(this.address + 12);
    const offsets = new Int32Array(kernel.buffer, kernel.word(this.address + 24) + from * 4, count + 1).slice();
    const [start = 0] = offsets;
    const bytes = kernel.bytes.slice(arena + start, arena + (offsets[count] ?? 0));
    if (start > 0) for (let i = 0; i <= count; i++) offsets[i] = (offsets[i] ?? 0) - start;
    return { offsets, bytes };
  }
}

/** Log2 of the first slots of a dictionary; it doubles as it fills. */
const DICTIONARY_BITS = 10;

class KernelEngine implements ReadEngine {
  readonly kind = "wasm";
  readonly kernel: Kernel;
  readonly seed: HashSeed;
  readonly #dictionaries = new Map<string, KernelDictionary>();
  #input = 0;
  #maxLine = 0;

  constructor(kernel: Kernel, seed: HashSeed) {
    this.kernel = kernel;
    this.seed = seed;
  }

  dictionary(name: string): KernelDictionary {
    let dictionary = this.#dictionaries.get(name);
    if (!dictionary) {
      dictionary = new KernelDictionary(this.kernel, DICTIONARY_BITS);
      this.#dictionaries.set(name, dictionary);
    }
    return dictionary;
  }

  reader(options: ReadOptions, sink: BatchSink): LendingReader {
    const maxLine = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
    if (maxLine > this.#maxLine) {
      this.#maxLine = Math.max(maxLine, DEFAULT_MAX_LINE_BYTES);
      this.#input = KernelReader.configure(this.kernel, this.#maxLine);
    }
    return new KernelReader(this.kernel, this.#input, (name) => this.dictionary(name), options, sink);
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
  return new KernelEngine(new Kernel(exports), seed);
}
