import { CoreError } from "../errors.js";
import { addressCode } from "./address.js";
import type { ColumnBatch, ColumnValues } from "./column-batch.js";
import type { Dictionary } from "./dictionary.js";
import { emptyReport, noteOtherType, PROBLEM_SAMPLES, type ReadReport } from "./read-report.js";
import { parseCount, parseFlag, parseNumber, parsePort } from "./scalar.js";
import { type ColumnKind, dictionaryName, type LogSchema } from "./schema.js";
import { ListBuilder, TextBuilder } from "./text-builder.js";
import { parseTime } from "./time.js";

/** Takes a batch; its arrays are valid until this returns. */
export type BatchSink = (batch: ColumnBatch) => void;

/** What a list or text value of a row is: `undefined` leaves it to the raw bytes that the reader supplies. */
type TextSlot = string | null | undefined;
type ListSlot = readonly (string | null)[] | null | undefined;

/** Appends a row's value from the raw bytes of the input. */
export interface RawSource {
  text(column: number, row: number, out: TextBuilder): void;
  list(column: number, row: number): readonly (string | null)[] | null;
}

/** A column being written. `values` is an array of its own or a view of a kernel's memory. */
export interface WriteColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly required: boolean;
  readonly dictionary: Dictionary | undefined;
  values: Float64Array | Int32Array | Uint8Array;
  readonly exact: Map<number, bigint>;
  readonly texts: TextSlot[];
  readonly lists: ListSlot[];
}

const OK = 0;
const MALFORMED = 1;
const OTHER = 2;

/** Zeek prints these for a double that is no number; its JSON writes null. */
const NOT_FINITE = new Set(["nan", "-nan", "inf", "-inf"]);

/** An array of `rows` values of a kind, for a reader that has no memory of its own. */
export function valueArray(kind: ColumnKind, rows: number): Float64Array | Int32Array | Uint8Array {
  if (kind === "time" || kind === "number" || kind === "count") return new Float64Array(rows);
  if (kind === "address" || kind === "code" || kind === "port") return new Int32Array(rows);
  return new Uint8Array(kind === "flag" ? rows : 0);
}

/** The number that stands for an unset value of a kind. */
export function unsetValue(kind: ColumnKind): number {
  if (kind === "flag") return 255;
  return kind === "address" || kind === "code" || kind === "port" ? -1 : Number.NaN;
}

/**
 * Where both readers put rows: it turns the text of a field into a value of its column, counts and samples what
 * cannot be read, leaves such rows out and hands batches on. One definition of every field for both readers.
 */
export class BatchWriter {
  readonly columns: readonly WriteColumn[];
  readonly report: ReadReport;
  readonly #sink: BatchSink;
  readonly #status: Uint8Array;
  readonly #texts = new Map<string, TextBuilder>();
  readonly #lists = new Map<string, ListBuilder>();
  #marked = false;
  /** Rows one batch holds. */
  readonly capacity: number;

  constructor(
    schema: LogSchema,
    wanted: readonly string[],
    dictionaryOf: (name: string) => Dictionary,
    source: string,
    capacity: number,
    sink: BatchSink,
  ) {
    this.capacity = capacity;
    this.report = emptyReport(source);
    this.#sink = sink;
    this.#status = new Uint8Array(capacity);
    this.columns = wanted.map((name) => {
      const column = schema.columns.find((candidate) => candidate.name === name);
      if (!column) throw new CoreError("bad-parameter", `columns: ${schema.path} logs have no column ${name}`, { column: "columns" });
      if (column.kind === "text") this.#texts.set(name, new TextBuilder());
      if (column.kind === "list") this.#lists.set(name, new ListBuilder());
      const dictionary = dictionaryName(column);
      return {
        name,
        kind: column.kind,
        required: schema.required.includes(name),
        dictionary: dictionary === undefined ? undefined : dictionaryOf(dictionary),
        values: new Uint8Array(0),
        exact: new Map(),
        texts: [],
        lists: [],
      };
    });
  }

  /** Marks a value as unset; a required one makes the row malformed. */
  unset(column: WriteColumn, row: number, line: () => number): void {
    switch (column.kind) {
      case "text":
        column.texts[row] = null;
        break;
      case "list":
        column.lists[row] = null;
        break;
      default:
        column.values[row] = unsetValue(column.kind);
    }
    if (column.required) this.malformed(row, line, `${column.name} is unset`, column.name);
  }

  /** Writes the decoded text of a field. */
  set(column: WriteColumn, row: number, text: string, line: () => number): void {
    const values = column.values;
    switch (column.kind) {
      case "time": {
        const micros = parseTime(text);
        if (Number.isNaN(micros)) return this.invalid(column, row, line, text, "a time");
        values[row] = micros;
        return;
      }
      case "address":
      case "code": {
        if (text === "" && column.required) return this.malformed(row, line, `${column.name} is empty`, column.name);
        const dictionary = column.dictionary as Dictionary;
        values[row] = column.kind === "address" ? addressCode(dictionary, text) : dictionary.encode(text);
        return;
      }
      case "port": {
        const port = parsePort(text);
        if (port < 0) return this.invalid(column, row, line, text, "a port (0 to 65535)");
        values[row] = port;
        return;
      }
      case "number": {
        if (NOT_FINITE.has(text)) return this.unset(column, row, line);
        const number = parseNumber(text);
        if (Number.isNaN(number)) return this.invalid(column, row, line, text, "a number");
        values[row] = number;
        return;
      }
      case "count": {
        const count = parseCount(text);
        if (typeof count === "bigint") column.exact.set(row, count);
        else if (Number.isNaN(count)) return this.invalid(column, row, line, text, "a count");
        values[row] = Number(count);
        return;
      }
      case "flag": {
        const flag = parseFlag(text);
        if (flag < 0) return this.invalid(column, row, line, text, "T or F");
        values[row] = flag;
        return;
      }
      case "text":
        column.texts[row] = text;
        return;
      case "list":
        column.lists[row] = [text];
        return;
    }
  }

  /** Writes a list. */
  setList(column: WriteColumn, row: number, items: readonly (string | null)[]): void {
    column.lists[row] = items;
  }

  /** Takes a value that cannot be read: the row is malformed when the column is required, else the value is unset. */
  invalid(column: WriteColumn, row: number, line: () => number, text: string, wanted: string): void {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const reason = `${column.name} is not ${wanted}: ${JSON.stringify(shown)}`;
    if (column.required) return this.malformed(row, line, reason, column.name);
    this.unset(column, row, line);
    this.report.invalidValues++;
    this.#sample(line, reason, column.name);
  }

  #sample(line: () => number, reason: string, column: string | undefined): void {
    if (this.report.problems.length === PROBLEM_SAMPLES) return;
    const problem = { source: this.report.source, line: line(), reason };
    this.report.problems.push(column === undefined ? problem : { ...problem, column });
  }

  /** Leaves a row out as malformed; a row counts once, with its first reason. */
  malformed(row: number, line: () => number, reason: string, column?: string): void {
    if (this.#status[row] !== OK) return;
    this.#status[row] = MALFORMED;
    this.#marked = true;
    this.report.malformedRows++;
    this.#sample(line, reason, column);
  }

  /** Whether a row was left out as one of another log type. */
  isOther(row: number): boolean {
    return this.#status[row] === OTHER;
  }

  /** Counts a line that never became a row. */
  malformedLine(line: () => number, reason: string): void {
    this.report.malformedRows++;
    this.#sample(line, reason, undefined);
  }

  /** Leaves a row out as one of another log type; say so before its fields are set, since they are no matter then. */
  other(row: number, type: string): void {
    this.#status[row] = OTHER;
    this.#marked = true;
    this.report.otherRows++;
    noteOtherType(this.report, type);
  }

  /** Hands on the first `rows` rows, without those left out. */
  flush(rows: number, raw?: RawSource): void {
    const kept = this.#marked ? this.#compact(rows, raw) : this.#build(rows, raw);
    if (kept > 0) {
      const columns = new Map<string, ColumnValues>();
      for (const column of this.columns) columns.set(column.name, this.#values(column, kept));
      this.report.rows += kept;
      this.#sink({ rows: kept, columns });
    }
    for (const column of this.columns) {
      column.exact.clear();
      column.texts.length = 0;
      column.lists.length = 0;
    }
    if (this.#marked) this.#status.fill(0, 0, rows);
    this.#marked = false;
  }

  /** Builds text and list columns for every row. */
  #build(rows: number, raw: RawSource | undefined): number {
    for (let c = 0; c < this.columns.length; c++) {
      const column = this.columns[c];
      if (column?.kind !== "text" && column?.kind !== "list") continue;
      for (let row = 0; row < rows; row++) this.#buildRow(column, c, row, raw);
    }
    return rows;
  }

  #buildRow(column: WriteColumn, index: number, row: number, raw: RawSource | undefined): void {
    if (column.kind === "text") {
      const out = this.#texts.get(column.name);
      const text = column.texts[row];
      if (!out) return;
      if (text === undefined && raw) raw.text(index, row, out);
      else out.append(text ?? null);
    } else {
      const items = column.lists[row];
      this.#lists.get(column.name)?.append(items === undefined ? (raw?.list(index, row) ?? null) : items);
    }
  }

  /** Moves kept rows together. */
  #compact(rows: number, raw: RawSource | undefined): number {
    let kept = 0;
    for (let row = 0; row < rows; row++) {
      if (this.#status[row] !== OK) continue;
      for (let c = 0; c < this.columns.length; c++) {
        const column = this.columns[c];
        if (!column) continue;
        if (column.kind === "text" || column.kind === "list") {
          this.#buildRow(column, c, row, raw);
          continue;
        }
        column.values[kept] = column.values[row] ?? 0;
        if (column.exact.size > 0 && kept !== row) {
          const exact = column.exact.get(row);
          column.exact.delete(kept);
          if (exact !== undefined) column.exact.set(kept, exact);
        }
      }
      kept++;
    }
    for (const column of this.columns) for (const row of column.exact.keys()) if (row >= kept) column.exact.delete(row);
    return kept;
  }

  #values(column: WriteColumn, rows: number): ColumnValues {
    const values = column.values.subarray(0, rows);
    switch (column.kind) {
      case "time":
        return { kind: "time", values: values as Float64Array };
      case "address":
      case "code":
        return { kind: column.kind, values: values as Int32Array, dictionary: column.dictionary as Dictionary };
      case "port":
        return { kind: "port", values: values as Int32Array };
      case "number":
      case "count":
        return { kind: column.kind, values: values as Float64Array, exact: column.exact };
      case "flag":
        return { kind: "flag", values: values as Uint8Array };
      case "text":
        return (this.#texts.get(column.name) as TextBuilder).take();
      case "list":
        return (this.#lists.get(column.name) as ListBuilder).take();
    }
  }
}
