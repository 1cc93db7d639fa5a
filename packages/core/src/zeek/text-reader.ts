import { type BatchSink, BatchWriter, valueArray } from "./batch-writer.js";
import type { Dictionary } from "./dictionary.js";
import { BATCH_ROWS, DEFAULT_MAX_LINE_BYTES, type LendingReader, type ReadOptions } from "./log-reader.js";
import type { ReadReport } from "./read-report.js";
import { RowContext } from "./row-context.js";

/** Where a reader stands in its source, so that another can go on from there. */
export interface ReaderState {
  readonly writer: BatchWriter;
  readonly context: RowContext;
  format: "tsv" | "json" | undefined;
  /** Lines before the next byte. */
  lines: number;
}

const LENT_BYTES = 1 << 18;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** The state at the start of a source; both readers begin here. */
export function startState(options: ReadOptions, dictionaryOf: (name: string) => Dictionary, sink: BatchSink): ReaderState {
  const writer = new BatchWriter(options.schema, options.columns, dictionaryOf, options.source, BATCH_ROWS, sink);
  const format = options.opening === undefined ? undefined : formatOf(new TextEncoder().encode(options.opening));
  return { writer, context: new RowContext(options, writer), format, lines: 0 };
}

/** JSON lines when the first byte that is no blank opens an object; TSV otherwise. */
export function formatOf(line: Uint8Array): "tsv" | "json" {
  const first = line.find((byte) => byte !== 32 && byte !== 9);
  return first === 123 ? "json" : "tsv";
}

/** How many bytes of a byte order mark stand at the start. */
export function markLength(bytes: Uint8Array): number {
  return BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? BYTE_ORDER_MARK.length : 0;
}

/**
 * The plain TypeScript reader: the reference that the kernel is held to, the way where WebAssembly SIMD is missing,
 * and for TSV whose separators or markers the kernel does not take.
 */
export class TextReader implements LendingReader {
  readonly #state: ReaderState;
  readonly #maxLine: number;
  #row = 0;
  #carry: Uint8Array[] = [];
  #carryBytes = 0;
  #skipping = false;
  #lent: Uint8Array | undefined;
  readonly #line = (): number => this.#state.lines;

  constructor(state: ReaderState) {
    this.#state = state;
    this.#maxLine = state.context.options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
    for (const column of state.writer.columns) column.values = valueArray(column.kind, BATCH_ROWS);
  }

  reserve(): Uint8Array {
    this.#lent ??= new Uint8Array(LENT_BYTES);
    return this.#lent;
  }

  commit(bytes: number): void {
    this.push(this.reserve().subarray(0, bytes));
  }

  layout(): string {
    return this.#state.format === "json" ? "" : this.#state.context.header.fingerprint();
  }

  push(bytes: Uint8Array): void {
    this.#state.writer.report.bytes += bytes.length;
    this.take(bytes);
  }

  /** `push` for bytes that are counted already. */
  take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const newline = bytes.indexOf(10, at);
      if (newline === -1) {
        this.#keep(bytes.slice(at));
        return;
      }
      this.#endLine(bytes.subarray(at, newline));
      at = newline + 1;
    }
  }

  /** Keeps the start of a line until its end comes; past the longest line only its being there is kept. */
  #keep(part: Uint8Array): void {
    if (this.#skipping) return;
    this.#carry.push(part);
    this.#carryBytes += part.length;
    if (this.#carryBytes > this.#maxLine + 1) {
      this.#carry = [];
      this.#skipping = true;
    }
  }

  #endLine(part: Uint8Array): void {
    let line = part;
    if (this.#carryBytes > 0) {
      this.#keep(part);
      line = new Uint8Array(this.#skipping ? 0 : this.#carryBytes);
      let at = 0;
      for (const piece of this.#carry) {
        line.set(piece, at);
        at += piece.length;
      }
    }
    const tooLong = this.#skipping || line.length > this.#maxLine;
    this.#carry = [];
    this.#carryBytes = 0;
    this.#skipping = false;
    this.#state.lines++;
    if (tooLong) this.#state.writer.malformedLine(this.#line, `the line is longer than ${this.#maxLine} bytes`);
    else this.#takeLine(line);
  }

  #takeLine(whole: Uint8Array): void {
    const state = this.#state;
    let line = whole.at(-1) === 13 ? whole.subarray(0, -1) : whole;
    if (state.lines === 1 && state.context.options.opening === undefined) line = line.subarray(markLength(line));
    if (line.length === 0) return;
    state.format ??= formatOf(line);
    if (state.format === "json") {
      state.context.writeJsonRow(line, this.#row, this.#line);
      this.#endRow();
    } else if (line[0] === 35) {
      if (state.context.acceptMeta(line)) this.#flush();
    } else if (state.context.layout || !state.context.acceptPlainHeader(line)) {
      if (state.context.writeTsvRow(line, this.#row, this.#line)) this.#endRow();
    }
  }

  #endRow(): void {
    if (++this.#row === BATCH_ROWS) this.#flush();
  }

  #flush(): void {
    if (this.#row > 0) this.#state.writer.flush(this.#row);
    this.#row = 0;
  }

  end(): ReadReport {
    if (this.#carryBytes > 0) this.#endLine(new Uint8Array(0));
    this.#flush();
    const { report } = this.#state.writer;
    report.lines = this.#state.lines;
    report.format = report.rows + report.malformedRows + report.otherRows === 0 ? "empty" : (this.#state.format ?? "empty");
    return report;
  }
}
