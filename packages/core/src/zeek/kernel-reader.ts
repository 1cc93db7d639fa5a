import { otherCode } from "./address.js";
import { type BatchSink, type RawSource, unsetValue, valueArray, type WriteColumn } from "./batch-writer.js";
import type { Dictionary } from "./dictionary.js";
import { decodeUtf8, isPlain, jsonText, tsvText } from "./escape.js";
import { jsonMembers } from "./json-members.js";
import type { Kernel } from "./kernel-engine.js";
import { BATCH_ROWS, DEFAULT_MAX_LINE_BYTES, type LendingReader, type ReadOptions } from "./log-reader.js";
import { PROBLEM_SAMPLES, type ReadReport } from "./read-report.js";
import { binaryText, jsonList, widthReason } from "./row-context.js";
import type { ColumnKind } from "./schema.js";
import type { TextBuilder } from "./text-builder.js";
import { formatOf, markLength, type ReaderState, startState, TextReader } from "./text-reader.js";

/** Bytes the kernel takes at a time: its index of them stays in the processor's cache. */
const CHUNK_BYTES = 1 << 18;
/** A source whose layout changes more often than once in so many bytes (after the first few) is read by the plain reader. */
const BYTES_PER_CHANGE = 16_384;
const FREE_CHANGES = 1024;
const MAX_KEYS = 64;
const KEY_BYTES = 32;
const MARKER_BYTES = 16;
/** Rows whose keys tell the order in which to expect them. */
const KEY_SAMPLE_LINES = 64;

const SPAN = 0;
const KIND_NUMBER: Readonly<Record<ColumnKind, number>> = {
  text: SPAN,
  list: SPAN,
  time: 1,
  code: 2,
  port: 3,
  number: 4,
  count: 5,
  flag: 6,
  address: 7,
};

const DONE = 0;
const DIRECTIVE = 1;

const encoder = new TextEncoder();

/** A dictionary that lives in the kernel. */
type AddressedDictionary = Dictionary & { readonly address: number };

/** A planned column: where the kernel writes it, and the column it is for (`undefined`: the log's `_path`). */
interface Planned {
  readonly column: WriteColumn | undefined;
  readonly index: number;
}

/**
 * The host side of the kernel: hands it bytes, gives it the plan, and reads the odd fields and lines it leaves with
 * the same code as the plain reader.
 */
export class KernelReader implements LendingReader, RawSource {
  readonly #kernel: Kernel;
  readonly #input: number;
  readonly #state: ReaderState;
  readonly #dictionaryOf: (name: string) => AddressedDictionary;
  readonly #maxLine: number;
  readonly #markers: number;
  /** The unread bytes of the input: [from, to). */
  #from = 0;
  #to = 0;
  #skipping = false;
  #planned: Planned[] = [];
  #starts: (Uint32Array | undefined)[] = [];
  #ends: (Uint32Array | undefined)[] = [];
  #pathCodes: Int32Array | undefined;
  #viewsOf: ArrayBuffer | undefined;
  #ready = false;
  #changes = 0;
  #fallback: TextReader | undefined;

  /** Allocates the kernel's buffers for lines of up to `maxLine` bytes; returns the address of its input. */
  static configure(kernel: Kernel, maxLine: number): number {
    return kernel.exports.configure(CHUNK_BYTES + maxLine + 1, BATCH_ROWS) >>> 0;
  }

  constructor(kernel: Kernel, input: number, dictionaryOf: (name: string) => AddressedDictionary, options: ReadOptions, sink: BatchSink) {
    this.#kernel = kernel;
    this.#input = input;
    this.#dictionaryOf = dictionaryOf;
    this.#state = startState(options, dictionaryOf, sink);
    this.#maxLine = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
    this.#markers = kernel.alloc(2 * KEY_BYTES);
    const names = [...this.#state.context.names.keys()];
    // The kernel's own limits; a caller that meets them gets the plain reader.
    const fits = this.#maxLine >= CHUNK_BYTES && names.length < MAX_KEYS && names.every((name) => keyText(name) !== undefined);
    if (!fits) this.#fallback = new TextReader(this.#state);
  }

  layout(): string {
    return this.#state.format === "json" ? "" : this.#state.context.header.fingerprint();
  }

  reserve(): Uint8Array {
    if (this.#fallback) return this.#fallback.reserve();
    const start = this.#input + this.#to;
    return this.#kernel.bytes.subarray(start, start + CHUNK_BYTES);
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const room = this.reserve();
      const part = bytes.subarray(at, at + room.length);
      room.set(part);
      this.commit(part.length);
      at += part.length;
    }
  }

  commit(bytes: number): void {
    if (this.#fallback) return this.#fallback.commit(bytes);
    this.#state.writer.report.bytes += bytes;
    this.#take(bytes);
  }

  /** Takes bytes that follow the unread ones. */
  #take(bytes: number): void {
    this.#to += bytes;
    if (this.#skipping || this.#to > this.#maxLine) this.#dropLongLine();
    while (this.#readSome()) {
      // Each turn reads on behind a change of layout.
    }
    this.#align();
    if (this.#to > this.#maxLine) {
      this.#to = 0;
      this.#skipping = true;
    }
  }

  /** Moves the unread bytes to the start of the input, where the kernel reads. */
  #align(): void {
    if (this.#from === 0) return;
    this.#kernel.bytes.copyWithin(this.#input, this.#input + this.#from, this.#input + this.#to);
    this.#to -= this.#from;
    this.#from = 0;
  }

  /** Drops a first line that is longer than allowed. */
  #dropLongLine(): void {
    const newline = this.#newlineFrom(0);
    if (!this.#skipping && newline <= this.#maxLine) return;
    if (newline === this.#to) {
      this.#skipping = true;
      this.#to = 0;
      return;
    }
    this.#skipping = false;
    this.#state.lines++;
    this.#state.writer.malformedLine(() => this.#state.lines, `the line is longer than ${this.#maxLine} bytes`);
    this.#from = newline + 1;
    this.#align();
  }

  /** Offset of the first newline from `at` on; the end of the unread bytes when there is none. */
  #newlineFrom(at: number): number {
    const found = this.#kernel.bytes.subarray(this.#input, this.#input + this.#to).indexOf(10, at);
    return found === -1 ? this.#to : found;
  }

  /** Reads what there is, up to a change of layout; true when there may be more to read behind it. */
  #readSome(): boolean {
    if (this.#fallback) {
      this.#fallback.take(this.#kernel.bytes.slice(this.#input + this.#from, this.#input + this.#to));
      this.#from = this.#to;
      return false;
    }
    if (!this.#ready) {
      this.#readPlainly();
      if (!this.#ready) return this.#fallback !== undefined;
    }
    this.#align();
    if (this.#state.format === "json") {
      this.#readJson();
      return false;
    }
    this.#readTsv();
    if (this.#ready) return false;
    this.#changes++;
    if (this.#changes > FREE_CHANGES && this.#changes * BYTES_PER_CHANGE > this.#state.writer.report.bytes) this.#fallBack();
    return true;
  }

  /** Leaves the rest of the source to the plain reader, which goes on where this one stands. */
  #fallBack(): void {
    this.#fallback = new TextReader(this.#state);
  }

  /** Reads line by line, without the kernel, until a plan can be made: the header, and rows that no plan fits. */
  #readPlainly(): void {
    const { writer, context } = this.#state;
    let row = 0;
    let plannable = false;
    let sample = new Uint8Array(0);
    const line = (): number => this.#state.lines;
    const flush = (): void => {
      if (row > 0) writer.flush(row);
      row = 0;
    };
    for (const column of writer.columns) column.values = valueArray(column.kind, BATCH_ROWS);
    this.#viewsOf = undefined;
    while (!plannable) {
      const newline = this.#newlineFrom(this.#from);
      if (newline === this.#to) break;
      let bytes = this.#kernel.bytes.slice(this.#input + this.#from, this.#input + newline);
      if (bytes.at(-1) === 13) bytes = bytes.subarray(0, -1);
      if (this.#state.lines === 0 && context.options.opening === undefined) bytes = bytes.subarray(markLength(bytes));
      this.#from = newline + 1;
      this.#state.lines++;
      if (bytes.length === 0) continue;
      this.#state.format ??= formatOf(bytes);
      if (this.#state.format === "json") {
        context.writeJsonRow(bytes, row++, line);
        sample = bytes;
        plannable = context.jsonType !== undefined;
      } else if (bytes[0] === 35) {
        // Rows before a change of layout belong to the old one.
        if (context.acceptMeta(bytes)) flush();
        const next = this.#from < this.#to ? this.#kernel.bytes[this.#input + this.#from] : 35;
        plannable = next !== 35 && this.#layoutIsReadable();
      } else {
        if (context.layout || !context.acceptPlainHeader(bytes)) {
          if (context.writeTsvRow(bytes, row, line)) row++;
        }
        plannable = this.#layoutIsReadable();
      }
      if (row === BATCH_ROWS) flush();
    }
    flush();
    if (!plannable) return;
    if (this.#state.format === "json") this.#planJson(sample);
    else this.#planTsv();
  }

  #layoutIsReadable(): boolean {
    const { layout } = this.#state.context;
    return layout !== undefined && layout.problem === undefined && layout.otherType === undefined;
  }

  /** Makes the kernel's plan for TSV, when the layout allows one. */
  #planTsv(): void {
    const { context, writer } = this.#state;
    const { layout, header } = context;
    if (!layout) return;
    const simple =
      header.separator.length === 1 &&
      header.separator !== "\n" &&
      header.separator !== "\r" &&
      header.unsetField.length <= MARKER_BYTES &&
      header.emptyField.length <= MARKER_BYTES;
    if (!simple) return this.#fallBack();
    this.#startPlan(layout.width, header.unsetField, header.emptyField);
    writer.columns.forEach((column, index) => {
      const place = layout.places[index] ?? -1;
      if (place >= 0) this.#addColumn(column, index, place);
    });
    if (layout.pathPlace >= 0) this.#addColumn(undefined, -1, layout.pathPlace);
    this.#ready = true;
  }

  /** Makes the kernel's plan for JSON; the keys of a few lines tell the order in which to expect them. */
  #planJson(first: Uint8Array): void {
    const { context, writer } = this.#state;
    // One zero byte, which no JSON string holds, stands for "unset" (see the kernel).
    this.#startPlan(2 * (writer.columns.length + 1), "\0", "");
    writer.columns.forEach((column, index) => {
      this.#addColumn(column, index, 2 * index);
    });
    const pathSlot = writer.columns.length;
    this.#addColumn(undefined, -1, 2 * pathSlot);
    const slots = new Map<string, number>([...context.names, ["_path", pathSlot]]);
    const order = new Set<string>(this.#sampleKeys(first));
    const others = [...slots.keys()].filter((name) => !order.has(name));
    let free = MAX_KEYS - slots.size;
    this.#kernel.exports.keysStart();
    for (const key of [...order, ...others]) {
      const slot = slots.get(key) ?? -1;
      const text = keyText(key);
      if (text === undefined || (slot === -1 && free-- <= 0)) continue;
      const address = this.#kernel.exports.keyAdd(text.length, slot);
      this.#kernel.bytes.set(text, address);
    }
    this.#ready = true;
  }

  /** The keys of the line with the most of them among the next few. */
  #sampleKeys(first: Uint8Array): string[] {
    let best: string[] = [];
    let at = this.#from;
    let bytes = first;
    for (let i = 0; i < KEY_SAMPLE_LINES; i++) {
      const keys: string[] = [];
      if (jsonMembers(decodeUtf8(bytes), (key) => keys.push(key)) === undefined && keys.length > best.length) best = keys;
      const newline = this.#newlineFrom(at);
      if (newline === this.#to) break;
      bytes = this.#kernel.bytes.slice(this.#input + at, this.#input + newline);
      at = newline + 1;
    }
    return best;
  }

  #startPlan(width: number, unset: string, empty: string): void {
    const bytes = this.#kernel.bytes;
    bytes.fill(0, this.#markers, this.#markers + 2 * KEY_BYTES);
    for (let i = 0; i < unset.length; i++) bytes[this.#markers + i] = unset.charCodeAt(i);
    for (let i = 0; i < empty.length; i++) bytes[this.#markers + KEY_BYTES + i] = empty.charCodeAt(i);
    this.#kernel.exports.planStart(width, this.#markers, unset.length, empty.length);
    this.#planned = [];
    this.#viewsOf = undefined;
    // Columns that the log lacks are unset in every row.
    for (const column of this.#state.writer.columns) {
      column.values = valueArray(column.kind, BATCH_ROWS);
      column.values.fill(unsetValue(column.kind));
    }
  }

  #addColumn(column: WriteColumn | undefined, index: number, place: number): void {
    let dictionary: AddressedDictionary | undefined;
    if (!column) dictionary = this.#dictionaryOf("_path");
    else if (column.dictionary) dictionary = column.dictionary as AddressedDictionary;
    let emptyCode = -1;
    if (dictionary && !column?.required) {
      const place = dictionary.encode("");
      emptyCode = column?.kind === "address" ? otherCode(place) : place;
    }
    const added = this.#kernel.exports.planAdd(
      KIND_NUMBER[column?.kind ?? "code"],
      place,
      dictionary?.address ?? 0,
      column?.required ? 1 : 0,
      emptyCode,
    );
    this.#planned[added] = { column, index };
  }

  /** Points the columns at the kernel's memory again after it grew. */
  #refreshViews(): void {
    const { buffer, exports } = this.#kernel;
    if (this.#viewsOf === buffer) return;
    this.#viewsOf = buffer;
    this.#starts = [];
    this.#ends = [];
    this.#pathCodes = undefined;
    this.#planned.forEach(({ column, index }, planned) => {
      const at = exports.planOut(planned) >>> 0;
      if (!column) this.#pathCodes = new Int32Array(buffer, at, BATCH_ROWS);
      else if (column.kind === "text" || column.kind === "list") {
        this.#starts[index] = new Uint32Array(buffer, at, BATCH_ROWS);
        this.#ends[index] = new Uint32Array(buffer, exports.planOut2(planned) >>> 0, BATCH_ROWS);
      } else if (column.kind === "flag") column.values = new Uint8Array(buffer, at, BATCH_ROWS);
      else if (column.kind === "address" || column.kind === "code" || column.kind === "port")
        column.values = new Int32Array(buffer, at, BATCH_ROWS);
      else column.values = new Float64Array(buffer, at, BATCH_ROWS);
    });
  }

  #readTsv(): void {
    const { exports } = this.#kernel;
    const { context } = this.#state;
    exports.tsvIndex(this.#to, context.header.separator.charCodeAt(0));
    for (;;) {
      const status = exports.tsvRows();
      this.#finishBatch(this.#kernel.global(exports.tsvBatchRows));
      if (status === DIRECTIVE) {
        const start = this.#kernel.global(exports.directiveStart);
        let end = this.#kernel.global(exports.directiveEnd);
        const before = context.header.fingerprint();
        const next = end + 1;
        if (this.#kernel.bytes[this.#input + end - 1] === 13) end--;
        context.acceptMeta(this.#kernel.bytes.slice(this.#input + start, this.#input + end));
        if (context.header.fingerprint() === before) continue;
        this.#ready = false;
        this.#state.lines += this.#linesIn(0, next);
        this.#from = next;
        return;
      }
      if (status === DONE) break;
    }
    this.#state.lines += this.#kernel.global(exports.indexedLines);
    this.#from = this.#kernel.global(exports.indexedBytes);
  }

  #readJson(): void {
    const { exports } = this.#kernel;
    exports.jsonStart(this.#to);
    for (;;) {
      const status = exports.jsonRows();
      this.#finishBatch(this.#kernel.global(exports.jsonBatchRows));
      if (status === DONE) break;
    }
    this.#state.lines += this.#kernel.global(exports.consumedLines);
    this.#from = this.#kernel.global(exports.consumedBytes);
  }

  /** Newlines among the input's bytes [from, to). */
  #linesIn(from: number, to: number): number {
    const bytes = this.#kernel.bytes.subarray(this.#input + from, this.#input + to);
    let lines = 0;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
    return lines;
  }

  /** The 1-based line that holds an address of the input; counted only when somebody asks. */
  #lineAt(address: number): () => number {
    return () => this.#state.lines + this.#linesIn(0, address - this.#input) + 1;
  }

  /** Reads the odd fields and lines of a batch of `rows` and hands it on. */
  #finishBatch(rows: number): void {
    this.#refreshViews();
    const { exports } = this.#kernel;
    const bad = this.#takeList(exports.badLines);
    const lines = this.#takeList(exports.oddLines);
    const fields = this.#takeList(exports.oddFields);
    // A row of another log is none of ours, whatever its fields: first the paths.
    this.#settlePaths(rows, lines, fields);
    for (const event of this.#inOrder(bad, lines, fields)) event();
    if (rows > 0) this.#state.writer.flush(rows, this);
    // Reading odd fields may have grown the memory under the views of the next batch.
    this.#refreshViews();
  }

  /** What is left to do for a batch, in the order of lines and columns while somebody looks at it: problems are sampled. */
  #inOrder(bad: Uint32Array, lines: Uint32Array, fields: Uint32Array): (() => void)[] {
    const { writer, context } = this.#state;
    const events: { line: number; column: number; take: () => void }[] = [];
    const sampling = writer.report.problems.length < PROBLEM_SAMPLES;
    for (let at = 0; at < bad.length; at += 4) {
      const [found = 0, start = 0] = bad.subarray(at, at + 2);
      const take = (): void => writer.malformedLine(this.#lineAt(start), widthReason(found, context.layout?.width ?? 0));
      events.push({ line: start, column: 0, take });
    }
    for (let at = 0; at < lines.length; at += 4) {
      const [row = 0, start = 0, end = 0] = lines.subarray(at, at + 3);
      const take = (): void => {
        context.writeJsonRow(this.#kernel.bytes.slice(start, end), row, this.#lineAt(start));
        this.#refreshViews();
      };
      events.push({ line: start, column: 0, take });
    }
    for (let at = 0; at < fields.length; at += 4) {
      const [row = 0, planned = 0, start = 0, end = 0] = fields.subarray(at, at + 4);
      const entry = this.#planned[planned];
      if (!entry?.column || writer.isOther(row)) continue;
      const { column } = entry;
      const line = sampling || start < this.#input ? this.#startOfLine(row, start) : start;
      events.push({ line, column: planned, take: () => this.#setOdd(column, row, start, end, line) });
    }
    if (sampling) events.sort((a, b) => a.line - b.line || a.column - b.column);
    return events.map((event) => event.take);
  }

  /** Where the line of a row starts; `field` is an address in it, for TSV. */
  #startOfLine(row: number, field: number): number {
    const { bytes } = this.#kernel;
    if (this.#state.format === "json") return this.#kernel.word(this.#kernel.global(this.#kernel.exports.rowStarts) + row * 4);
    return bytes.subarray(this.#input, field).lastIndexOf(10) + this.#input + 1;
  }

  /** Copies and empties a list of the kernel's: records of four words. */
  #takeList(list: WebAssembly.Global): Uint32Array {
    const kernel = this.#kernel;
    const address = kernel.global(list);
    const count = kernel.word(address + 4);
    if (count === 0) return new Uint32Array(0);
    const records = new Uint32Array(kernel.buffer, kernel.word(address), count * 4).slice();
    kernel.setWord(address + 4, 0);
    return records;
  }

  /** Finds the log type of each row that names one, and leaves out the rows of other types. */
  #settlePaths(rows: number, lines: Uint32Array, fields: Uint32Array): void {
    if (!this.#pathCodes) return;
    const own = this.#ownPath();
    // A line left to the host names its own type.
    for (let at = 0; at < lines.length; at += 4) this.#pathCodes[lines[at] ?? 0] = own;
    for (let at = 0; at < fields.length; at += 4) {
      const [row = 0, planned = 0, start = 0, end = 0] = fields.subarray(at, at + 4);
      if (this.#planned[planned]?.column === undefined) this.#setPath(row, start, end);
    }
    this.#takePaths(rows, own);
  }

  #ownPath(): number {
    const code = this.#dictionaryOf("_path").encode(this.#state.context.options.schema.path);
    this.#refreshViews();
    return code;
  }

  #setPath(row: number, start: number, end: number): void {
    const raw = this.#kernel.bytes.slice(start, end);
    const text = this.#state.format === "json" ? this.#jsonString(start, end) : tsvText(raw);
    const code = this.#dictionaryOf("_path").encode(text);
    this.#refreshViews();
    if (this.#pathCodes) this.#pathCodes[row] = code;
  }

  /** Leaves out the rows of other log types. */
  #takePaths(rows: number, own: number): void {
    const { context, writer } = this.#state;
    const wanted = context.options.schema.path;
    const fallbackOther = this.#state.format === "json" && context.jsonType !== wanted;
    const codes = this.#pathCodes ?? new Int32Array(0);
    for (let row = 0; row < rows; row++) {
      const code = codes[row] ?? -1;
      if (code === own || (code === -1 && !fallbackOther)) continue;
      const type = code === -1 ? context.jsonType : this.#dictionaryOf("_path").text(code);
      if (!writer.isOther(row)) writer.other(row, type ?? "");
    }
  }

  /** A raw JSON value: with its quotes when it is a string, which the kernel's bounds leave out. */
  #jsonRaw(start: number, end: number): string {
    const quoted = this.#kernel.bytes[start - 1] === 34;
    return decodeUtf8(this.#kernel.bytes.slice(quoted ? start - 1 : start, quoted ? end + 1 : end), "\\\\x");
  }

  #jsonString(start: number, end: number): string {
    const raw = this.#jsonRaw(start, end);
    return raw.startsWith('"') ? jsonText(String(JSON.parse(raw))) : raw;
  }

  #setOdd(column: WriteColumn, row: number, start: number, end: number, inLine: number): void {
    const { context, writer } = this.#state;
    const line = this.#lineAt(inLine);
    if (this.#state.format === "tsv") context.setTsvField(column, row, this.#kernel.bytes.slice(start, end), line);
    else if (start < this.#input) writer.unset(column, row, line);
    else context.setJsonField(column, row, this.#jsonRaw(start, end), line);
    this.#refreshViews();
  }

  text(column: number, row: number, out: TextBuilder): void {
    const start = this.#starts[column]?.[row] ?? 0;
    const end = this.#ends[column]?.[row] ?? 0;
    const bytes = this.#kernel.bytes;
    // No place in the log, or absent from the JSON line: its bounds lie before the input.
    if (start < this.#input) return out.append(null);
    if (this.#state.format === "json") {
      if (bytes[start - 1] === 34 && isPlain(bytes, start, end)) out.appendBytes(bytes, start, end);
      else out.append(this.#jsonString(start, end));
      return;
    }
    const { unsetField, emptyField } = this.#state.context.header;
    if (this.#is(start, end, unsetField)) out.append(null);
    else if (this.#is(start, end, emptyField)) out.append("");
    else if (isPlain(bytes, start, end)) out.appendBytes(bytes, start, end);
    else out.append(tsvText(bytes.slice(start, end)));
  }

  list(column: number, row: number): (string | null)[] | null {
    const start = this.#starts[column]?.[row] ?? 0;
    const end = this.#ends[column]?.[row] ?? 0;
    if (start < this.#input) return null;
    if (this.#state.format === "json") {
      const raw = this.#jsonRaw(start, end);
      return raw.startsWith("[") ? jsonList(raw) : [this.#jsonString(start, end)];
    }
    if (this.#is(start, end, this.#state.context.header.unsetField)) return null;
    return this.#state.context.tsvList(this.#kernel.bytes.slice(start, end));
  }

  /** Whether the input's bytes are a binary text. */
  #is(start: number, end: number, text: string): boolean {
    if (end - start !== text.length) return false;
    return binaryText(this.#kernel.bytes.subarray(start, end)) === text;
  }

  end(): ReadReport {
    if (this.#fallback) return this.#fallback.end();
    if (this.#skipping) {
      this.#skipping = false;
      this.#state.lines++;
      this.#state.writer.malformedLine(() => this.#state.lines, `the line is longer than ${this.#maxLine} bytes`);
    } else if (this.#to > 0) {
      // The last line lacks its newline: the input has room for one more byte than the longest line and a chunk.
      this.#kernel.bytes[this.#input + this.#to] = 10;
      this.#take(1);
      return this.end();
    }
    const { report } = this.#state.writer;
    report.lines = this.#state.lines;
    report.format = report.rows + report.malformedRows + report.otherRows === 0 ? "empty" : (this.#state.format ?? "empty");
    return report;
  }
}

/** `"key":` as bytes; undefined when the kernel cannot look for it. */
function keyText(key: string): Uint8Array | undefined {
  const quoted = JSON.stringify(key);
  const text = encoder.encode(`${quoted}:`);
  return quoted.includes("\\") || text.length > KEY_BYTES ? undefined : text;
}
