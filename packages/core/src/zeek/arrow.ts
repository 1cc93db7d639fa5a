import type { Data, DataType, Dictionary as DictionaryType, Int32, RecordBatch, Table, Utf8, Vector } from "apache-arrow";
import type { LogInput, OpenOptions } from "../archive/open.js";
import { addressText } from "./address.js";
import type { AddressValues, CodeValues, ColumnBatch, ColumnValues, TextValues } from "./column-batch.js";
import { ColumnConcat } from "./column-concat.js";
import { type Dictionary, packTexts, type TextColumn } from "./dictionary.js";
import { createEngine, type EngineOptions } from "./engine.js";
import type { ReadOptions } from "./log-reader.js";
import { readLog, readLogSteps } from "./read-log.js";
import type { ReadReport } from "./read-report.js";
import type { LogSchema } from "./schema.js";
import { connSchema } from "./schemas/conn.js";

/** apache-arrow takes longer to load than a small hunt takes: it is loaded when a table is asked for. */
type Arrow = typeof import("apache-arrow");

/** What to read into Arrow. */
export interface ReadTableOptions
  extends OpenOptions,
    EngineOptions,
    Partial<Pick<ReadOptions, "schema" | "columns" | "fields" | "aliases" | "maxLineBytes">> {}

/** Bit i is set where `valid(i)`; undefined when no bit is clear. */
function bitmap(rows: number, valid: (row: number) => boolean): { nullBitmap: Uint8Array; nullCount: number } | undefined {
  const bits = new Uint8Array(((rows + 63) >> 6) << 3);
  let set = 0;
  for (let row = 0; row < rows; row++) {
    if (!valid(row)) continue;
    bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
    set++;
  }
  return set === rows ? undefined : { nullBitmap: bits, nullCount: rows - set };
}

/** Whole numbers as 64-bit integers, two words each (all platforms that run this are little-endian). */
function int64Words(values: Float64Array): Uint32Array {
  const words = new Uint32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const high = Math.floor(value / 2 ** 32);
    words[2 * i] = value - high * 2 ** 32;
    words[2 * i + 1] = high;
  }
  return words;
}

function utf8Data(arrow: Arrow, text: TextValues, rows: number): Data<Utf8> {
  const { offsets, bytes, valid } = text;
  return arrow.makeData({
    type: new arrow.Utf8(),
    length: rows,
    valueOffsets: offsets,
    data: bytes,
    ...bitmap(rows, (row) => valid[row] === 1),
  });
}

/** What becomes the dictionary of an Arrow column. */
type Texts = Pick<Dictionary, "size" | "toText">;

type ArrowColumn =
  | Exclude<ColumnValues, AddressValues | CodeValues>
  | { readonly kind: "code"; readonly values: Int32Array; readonly dictionary: Texts };

/** Places from 0 on for address codes, since an Arrow dictionary has no gaps. */
class AddressTexts implements Texts {
  readonly #others: Dictionary;
  readonly #places = new Map<number, number>();
  readonly #texts: string[] = [];

  constructor(others: Dictionary) {
    this.#others = others;
  }

  get size(): number {
    return this.#texts.length;
  }

  /** The places of codes; an unset one stays -1. */
  placesOf(codes: Int32Array): Int32Array {
    return codes.map((code) => {
      if (code === -1) return -1;
      const known = this.#places.get(code);
      if (known !== undefined) return known;
      const place = this.#texts.push(addressText(this.#others, code)) - 1;
      this.#places.set(code, place);
      return place;
    });
  }

  toText(): TextColumn {
    return packTexts(this.#texts);
  }
}

/** Vectors of dictionaries, made again only when a dictionary has grown. */
export class DictionaryVectors {
  readonly #vectors = new Map<Texts, Vector>();
  readonly #types = new Map<Texts, DictionaryType<Utf8, Int32>>();
  readonly #addresses = new Map<Dictionary, AddressTexts>();

  /** A column whose address codes became codes of a dictionary without gaps. */
  settled(column: ColumnValues): ArrowColumn {
    if (column.kind !== "address") return column;
    const texts = this.#addresses.get(column.dictionary) ?? new AddressTexts(column.dictionary);
    this.#addresses.set(column.dictionary, texts);
    return { kind: "code", values: texts.placesOf(column.values), dictionary: texts };
  }

  /** One type, and so one id, a dictionary: batches of one source have one schema. */
  type(arrow: Arrow, dictionary: Texts): DictionaryType<Utf8, Int32> {
    const known = this.#types.get(dictionary);
    if (known) return known;
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
    this.#types.set(dictionary, type);
    return type;
  }

  vector(arrow: Arrow, dictionary: Texts): Vector {
    const known = this.#vectors.get(dictionary);
    if (known && known.length === dictionary.size) return known;
    const { offsets, bytes } = dictionary.toText();
    const vector = arrow.makeVector(
      arrow.makeData({ type: new arrow.Utf8(), length: dictionary.size, valueOffsets: offsets, data: bytes }),
    );
    this.#vectors.set(dictionary, vector);
    return vector;
  }
}

function columnData(arrow: Arrow, column: ArrowColumn, rows: number, dictionaries: DictionaryVectors): Data {
  switch (column.kind) {
    case "time": {
      const { values } = column;
      const nulls = bitmap(rows, (row) => !Number.isNaN(values[row]));
      const data = new BigInt64Array(int64Words(values).buffer);
      return arrow.makeData({ type: new arrow.TimestampMicrosecond("UTC"), length: rows, data, ...nulls });
    }
    case "code": {
      const { values, dictionary } = column;
      const nulls = bitmap(rows, (row) => (values[row] ?? -1) >= 0);
      const type = dictionaries.type(arrow, dictionary);
      return arrow.makeData({ type, length: rows, data: values, dictionary: dictionaries.vector(arrow, dictionary), ...nulls });
    }
    case "port": {
      const { values } = column;
      const nulls = bitmap(rows, (row) => (values[row] ?? -1) >= 0);
      return arrow.makeData({ type: new arrow.Uint16(), length: rows, data: Uint16Array.from(values), ...nulls });
    }
    case "number": {
      const { values } = column;
      return arrow.makeData({
        type: new arrow.Float64(),
        length: rows,
        data: values,
        ...bitmap(rows, (row) => !Number.isNaN(values[row])),
      });
    }
    case "count": {
      const { values, exact } = column;
      const data = new BigUint64Array(int64Words(values).buffer);
      for (const [row, value] of exact) data[row] = value;
      return arrow.makeData({ type: new arrow.Uint64(), length: rows, data, ...bitmap(rows, (row) => !Number.isNaN(values[row])) });
    }
    case "flag": {
      const { values } = column;
      const bits = bitmap(rows, (row) => values[row] === 1)?.nullBitmap ?? new Uint8Array((rows + 7) >> 3).fill(255);
      return arrow.makeData({ type: new arrow.Bool(), length: rows, data: bits, ...bitmap(rows, (row) => values[row] !== 255) });
    }
    case "text":
      return utf8Data(arrow, column, rows);
    case "list": {
      const { offsets, valid, items } = column;
      const child = utf8Data(arrow, items, items.valid.length);
      const type = new arrow.List(new arrow.Field("item", new arrow.Utf8(), true));
      return arrow.makeData({ type, length: rows, valueOffsets: offsets, child, ...bitmap(rows, (row) => valid[row] === 1) });
    }
  }
}

/**
 * A batch as an Arrow record batch over the same arrays where the types agree (numbers, codes, text); addresses become
 * codes of a dictionary without gaps, times and counts 64-bit integers. Field names are Zeek's. The batch's arrays must stay as they are: copy them first when they
 * are a reader's.
 */
export function batchToArrow(arrow: Arrow, batch: ColumnBatch, dictionaries = new DictionaryVectors()): RecordBatch {
  const fields: import("apache-arrow").Field[] = [];
  const children: Data<DataType>[] = [];
  // Both ends of a connection share a dictionary: it must be whole before either becomes a vector.
  const columns = [...batch.columns].map(([name, column]) => [name, dictionaries.settled(column)] as const);
  for (const [name, column] of columns) {
    const data = columnData(arrow, column, batch.rows, dictionaries);
    fields.push(new arrow.Field(name, data.type, true));
    children.push(data);
  }
  const struct = arrow.makeData({ type: new arrow.Struct(fields), length: batch.rows, children, nullCount: 0 });
  return new arrow.RecordBatch(new arrow.Schema(fields), struct);
}

interface Settled {
  readonly schema: LogSchema;
  readonly columns: readonly string[];
}

function settled(options: ReadTableOptions): Settled {
  const schema = options.schema ?? connSchema;
  return { schema, columns: options.columns ?? schema.columns.map((column) => column.name) };
}

/**
 * Reads one source into one Arrow table of the columns named (default: all of the log type), with the reports of the
 * logs in it. Holds all rows: about 8 bytes a number, 4 a code.
 */
export async function readTable(input: LogInput, options: ReadTableOptions = {}): Promise<{ table: Table; reports: ReadReport[] }> {
  const arrow = await import("apache-arrow");
  const engine = createEngine(options);
  const read = { ...options, ...settled(options) };
  const concat = new ColumnConcat(read.schema, read.columns, (name) => engine.dictionary(name));
  const reports = await readLog(engine, input, read, (batch) => concat.add(batch), options);
  return { table: new arrow.Table([batchToArrow(arrow, concat.take())]), reports };
}

/**
 * Reads one source as Arrow record batches, as they become ready; the reports of the logs in it are the return value.
 * Batches share the dictionaries of the source: a later batch's may be longer.
 */
export async function* readRecordBatches(input: LogInput, options: ReadTableOptions = {}): AsyncGenerator<RecordBatch, ReadReport[]> {
  const arrow = await import("apache-arrow");
  const engine = createEngine(options);
  const read = { ...options, ...settled(options) };
  const concat = new ColumnConcat(read.schema, read.columns, (name) => engine.dictionary(name));
  const dictionaries = new DictionaryVectors();
  const reports: ReadReport[] = [];
  const ready = function* (): Generator<RecordBatch> {
    const batch = concat.take();
    if (batch.rows > 0) yield batchToArrow(arrow, batch, dictionaries);
  };
  const reading = readLogSteps(engine, input, read, (batch) => concat.add(batch), options);
  for (;;) {
    const step = await reading.next();
    yield* ready();
    if (step.done) return reports;
    if (step.value) reports.push(step.value);
  }
}
