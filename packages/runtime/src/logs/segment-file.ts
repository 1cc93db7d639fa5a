import { createHash } from "node:crypto";
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { packTexts } from "@heliograph/core";
import { Bitmap, type Column, PackedTexts, type Segment } from "@heliograph/core/query";
import * as arrow from "apache-arrow";

/** A column as its file is described. */
interface ColumnEntry {
  readonly file: string;
  readonly kind: Column["kind"];
  /** Least and greatest number, and whether every row has one; of columns of numbers. */
  readonly bounds?: readonly [least: number, greatest: number, isFull: boolean];
  /** Whole numbers beyond 2^53: the place of each, and its digits. */
  readonly exact?: readonly (readonly [place: number, digits: string])[];
}

interface Description {
  readonly format: 1;
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnEntry>>;
  /** Blocks of documents: first row, offset and length in the file. */
  readonly blocks: readonly (readonly [row: number, offset: number, length: number])[];
}

/** What is written as a segment. */
export interface NewSegment {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
  /** Documents as JSON, one a row, or packed already. */
  readonly sources: readonly string[] | SourceBlocks;
  /** Names of the documents; undefined: they follow from the segment's name and the row. */
  readonly ids?: readonly string[];
  readonly sequences?: readonly number[];
  readonly versions?: readonly number[];
}

const BLOCK_CHARACTERS = 1 << 16;
/** Documents on their way into a segment, packed block by block as they come. */
export class SourceBlocks {
  /** First row, offset and length of each block. */
  readonly blocks: (readonly [row: number, offset: number, length: number])[] = [];
  readonly parts: Uint8Array[] = [];
  #waiting: string[] = [];
  #characters = 0;
  #offset = 0;
  rows = 0;

  add(source: string): void {
    this.#waiting.push(source);
    this.#characters += source.length + 1;
    this.rows++;
    if (this.#characters >= BLOCK_CHARACTERS) this.end();
  }

  /** Packs what waits; to be called after the last document. */
  end(): void {
    if (this.#waiting.length === 0) return;
    const part = deflateRawSync(this.#waiting.join("\n"), { level: 1 });
    this.blocks.push([this.rows - this.#waiting.length, this.#offset, part.length]);
    this.parts.push(part);
    this.#offset += part.length;
    this.#waiting = [];
    this.#characters = 0;
  }
}

const ID = "_id";
const SEQUENCE = "_seq_no";
const VERSION = "_version";

function nullBits(rows: number, isSet: (row: number) => boolean): { nullBitmap?: Uint8Array; nullCount: number } {
  const bits = new Uint8Array(((rows + 63) >> 6) << 3);
  let set = 0;
  for (let row = 0; row < rows; row++) {
    if (!isSet(row)) continue;
    bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
    set++;
  }
  return set === rows ? { nullCount: 0 } : { nullBitmap: bits, nullCount: rows - set };
}

/** The values of a column as Arrow has them. Under a null the slot holds the column's own marker, so that reading back copies nothing. */
function valuesData(column: Column): arrow.Data {
  const length = column.kind === "number" ? column.values.length : column.codes.length;
  if (column.kind === "number") {
    const { values } = column;
    return arrow.makeData({ type: new arrow.Float64(), length, data: values, ...nullBits(length, (row) => !Number.isNaN(values[row])) });
  }
  const { codes } = column;
  const nulls = nullBits(length, (row) => (codes[row] as number) >= 0);
  if (column.kind === "text") {
    const { dictionary } = column;
    const { offsets, bytes } =
      dictionary instanceof PackedTexts
        ? dictionary.packed
        : packTexts(Array.from({ length: dictionary.size }, (_zero, code) => dictionary.text(code)));
    const vector = arrow.makeVector(
      arrow.makeData({ type: new arrow.Utf8(), length: dictionary.size, valueOffsets: offsets, data: bytes }),
    );
    return arrow.makeData({
      type: new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
      length,
      data: codes,
      dictionary: vector,
      ...nulls,
    });
  }
  // Addresses as 16 bytes in network order, the IPv4 ones mapped.
  const { addresses } = column;
  const bytes = new Uint8Array(4 * addresses.length);
  const view = new DataView(bytes.buffer);
  addresses.forEach((word, index) => {
    view.setUint32(4 * index, word);
  });
  const vector = arrow.makeVector(arrow.makeData({ type: new arrow.FixedSizeBinary(16), length: addresses.length / 4, data: bytes }));
  return arrow.makeData({
    type: new arrow.Dictionary(new arrow.FixedSizeBinary(16), new arrow.Int32()),
    length,
    data: codes,
    dictionary: vector as never,
    ...nulls,
  });
}

/** A column as the bytes of an Arrow IPC file. */
function columnBytes(path: string, column: Column): Uint8Array {
  const values = valuesData(column);
  let data: arrow.Data = values;
  if (column.offsets) {
    const { offsets, rows } = column;
    const type = new arrow.List(new arrow.Field("item", values.type, true));
    data = arrow.makeData({
      type,
      length: rows,
      valueOffsets: offsets,
      child: values,
      ...nullBits(rows, (row) => (offsets[row + 1] as number) > (offsets[row] as number)),
    });
  }
  const field = new arrow.Field(path, data.type, true);
  const struct = arrow.makeData({ type: new arrow.Struct([field]), length: column.rows, children: [data], nullCount: 0 });
  const batch = new arrow.RecordBatch(new arrow.Schema([field]), struct);
  return arrow.RecordBatchFileWriter.writeAll([batch]).toUint8Array(true);
}

function boundsOf(column: Column): ColumnEntry["bounds"] {
  if (column.kind !== "number" || column.exact.size > 0) return undefined;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  let missing = 0;
  for (const value of column.values) {
    if (Number.isNaN(value)) missing++;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return least <= greatest ? [least, greatest, missing === 0 && !column.offsets] : undefined;
}

/** Writes files that are on disk before they are told of. */
class SafeFolder {
  readonly #folder: string;
  readonly #hash = createHash("sha256");
  bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  write(name: string, parts: readonly Uint8Array[]): void {
    const fd = openSync(join(this.#folder, name), "w", 0o600);
    try {
      this.#hash.update(name);
      for (const part of parts) {
        for (let at = 0; at < part.length; ) at += writeSync(fd, part, at);
        this.#hash.update(part);
        this.bytes += part.length;
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** The digest of all that was written, which is on disk now under `folder`'s final name. */
  finish(final: string): string {
    syncFolder(this.#folder);
    renameSync(this.#folder, final);
    syncFolder(join(final, ".."));
    return this.#hash.digest("hex");
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const plainText = (texts: readonly string[]): Column => {
  const codes = Int32Array.from(texts, (_text, index) => index);
  return { kind: "text", rows: texts.length, offsets: undefined, codes, dictionary: new PackedTexts(packTexts(texts)) };
};
const plainNumbers = (values: readonly number[]): Column => ({
  kind: "number",
  rows: values.length,
  offsets: undefined,
  values: Float64Array.from(values),
  exact: new Map(),
});

/**
 * Writes a segment: one Arrow IPC file a column, and the documents in compressed blocks. It is whole and on disk when this returns, and under another
 * name before.
 * @param folder where segments stand
 */
export function writeSegment(folder: string, id: string, segment: NewSegment): { readonly bytes: number; readonly digest: string } {
  const safe = new SafeFolder(join(folder, `new-${process.pid}-${id}`));
  const columns = new Map(segment.columns);
  if (segment.ids) columns.set(ID, plainText(segment.ids));
  if (segment.sequences) columns.set(SEQUENCE, plainNumbers(segment.sequences));
  if (segment.versions) columns.set(VERSION, plainNumbers(segment.versions));
  const entries: Record<string, ColumnEntry> = {};
  let number = 0;
  for (const [path, column] of columns) {
    const file = `${number++}.arrow`;
    const bounds = boundsOf(column);
    const exact =
      column.kind === "number" && column.exact.size > 0
        ? [...column.exact].map(([place, value]) => [place, value.toString()] as const)
        : undefined;
    Object.defineProperty(entries, path, {
      value: { file, kind: column.kind, ...(bounds && { bounds }), ...(exact && { exact }) },
      enumerable: true,
    });
    safe.write(file, [columnBytes(path, column)]);
  }
  let packed: SourceBlocks;
  if (segment.sources instanceof SourceBlocks) packed = segment.sources;
  else {
    packed = new SourceBlocks();
    for (const source of segment.sources) packed.add(source);
  }
  packed.end();
  const { blocks, parts } = packed;
  safe.write("source.bin", parts);
  const description: Description = { format: 1, rows: segment.rows, columns: entries, blocks };
  safe.write("segment.json", [Buffer.from(JSON.stringify(description))]);
  return { bytes: safe.bytes, digest: safe.finish(join(folder, id)) };
}

/** Bytes of columns that a thread keeps at hand. */
const CACHE_BYTES = 192 << 20;

/** Columns that were read, the last ones used. */
class ColumnCache {
  readonly #columns = new Map<string, { readonly column: Column; readonly bytes: number }>();
  #bytes = 0;

  get(key: string): Column | undefined {
    const found = this.#columns.get(key);
    if (!found) return undefined;
    this.#columns.delete(key);
    this.#columns.set(key, found);
    return found.column;
  }

  set(key: string, column: Column, bytes: number): void {
    this.#columns.set(key, { column, bytes });
    this.#bytes += bytes;
    for (const [old, entry] of this.#columns) {
      if (this.#bytes <= CACHE_BYTES || old === key) break;
      this.#columns.delete(old);
      this.#bytes -= entry.bytes;
    }
  }
}

const cache = new ColumnCache();

function readWhole(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(fstatSync(fd).size);
    for (let at = 0; at < bytes.length; ) {
      const got = readSync(fd, bytes, at, bytes.length - at, at);
      if (got === 0) throw new Error(`${path} ends early`);
      at += got;
    }
    return bytes;
  } finally {
    closeSync(fd);
  }
}

function columnOf(bytes: Uint8Array, entry: ColumnEntry, rows: number): Column {
  const [batch] = arrow.tableFromIPC(bytes).batches;
  const data = batch?.data.children[0];
  if (!data) throw new Error("a column's file has no column");
  const offsets = data.typeId === arrow.Type.List ? (data.valueOffsets as Int32Array) : undefined;
  const values = offsets ? (data.children[0] as arrow.Data) : data;
  const length = offsets ? (offsets[rows] as number) : rows;
  if (entry.kind === "number") {
    const exact = new Map((entry.exact ?? []).map(([place, digits]) => [place, BigInt(digits)] as const));
    return { kind: "number", rows, offsets, values: (values.values as Float64Array).subarray(0, length), exact };
  }
  const codes = (values.values as Int32Array).subarray(0, length);
  const distinct = values.dictionary?.data[0];
  if (entry.kind === "text") {
    const texts = {
      offsets: (distinct?.valueOffsets ?? new Int32Array(1)) as Int32Array,
      bytes: (distinct?.values ?? new Uint8Array(0)) as Uint8Array,
    };
    return { kind: "text", rows, offsets, codes, dictionary: new PackedTexts(texts) };
  }
  const raw = (distinct?.values ?? new Uint8Array(0)) as Uint8Array;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const addresses = new Uint32Array((16 * (distinct?.length ?? 0)) / 4);
  for (let i = 0; i < addresses.length; i++) addresses[i] = view.getUint32(4 * i);
  return { kind: "ip", rows, offsets, codes, addresses };
}

/** A segment on disk: reads the columns and documents that are asked for. */
export class FileSegment implements Segment {
  readonly segmentId: string;
  readonly rows: number;
  readonly deleted: Bitmap | undefined;
  readonly #folder: string;
  readonly #description: Description;
  #block: { readonly first: number; readonly texts: readonly string[] } | undefined;

  /**
   * @param dead rows that are no longer there
   * @throws when the segment is not there
   */
  constructor(folder: string, id: string, dead: readonly number[] = []) {
    this.segmentId = id;
    this.#folder = join(folder, id);
    this.#description = describe(this.#folder);
    this.rows = this.#description.rows;
    if (dead.length > 0) {
      this.deleted = new Bitmap(this.rows);
      for (const row of dead) this.deleted.add(row);
    }
  }

  /** Paths of its columns. */
  get paths(): readonly string[] {
    return Object.keys(this.#description.columns).filter((path) => path !== ID && path !== SEQUENCE && path !== VERSION);
  }

  bounds(path: string): readonly [least: number, greatest: number, isFull: boolean] | undefined {
    return Object.hasOwn(this.#description.columns, path) ? this.#description.columns[path]?.bounds : undefined;
  }

  column(path: string): Column | undefined {
    const entry = Object.hasOwn(this.#description.columns, path) ? this.#description.columns[path] : undefined;
    if (!entry) return undefined;
    const key = `${this.#folder}/${entry.file}`;
    const known = cache.get(key);
    if (known) return known;
    const bytes = readWhole(join(this.#folder, entry.file));
    const column = columnOf(bytes, entry, this.rows);
    cache.set(key, column, bytes.length);
    return column;
  }

  source(row: number): string {
    if (!this.#block || row < this.#block.first || row >= this.#block.first + this.#block.texts.length) this.#block = this.#readBlock(row);
    return this.#block.texts[row - this.#block.first] ?? "{}";
  }

  /** All documents, block by block. */
  *sources(): Generator<string> {
    for (const [first] of this.#description.blocks) yield* this.#readBlock(first).texts;
  }

  #readBlock(row: number): { readonly first: number; readonly texts: readonly string[] } {
    const { blocks } = this.#description;
    let low = 0;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((blocks[middle]?.[0] ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    const [first = 0, offset = 0, length = 0] = blocks[low - 1] ?? [];
    const fd = openSync(join(this.#folder, "source.bin"), "r");
    try {
      const bytes = new Uint8Array(length);
      readSync(fd, bytes, 0, length, offset);
      return { first, texts: inflateRawSync(bytes).toString("utf8").split("\n") };
    } finally {
      closeSync(fd);
    }
  }

  id(row: number): string {
    const column = this.column(ID);
    return column?.kind === "text" ? column.dictionary.text(column.codes[row] ?? -1) : `${this.segmentId}-${row}`;
  }

  rowOf(id: string): number {
    const column = this.column(ID);
    if (column?.kind === "text") return column.dictionary.find(id);
    const row = id.startsWith(`${this.segmentId}-`) ? Number(id.slice(this.segmentId.length + 1)) : -1;
    return Number.isInteger(row) && row >= 0 && row < this.rows ? row : -1;
  }

  #number(path: string, row: number, otherwise: number): number {
    const column = this.column(path);
    return column?.kind === "number" ? (column.values[row] ?? otherwise) : otherwise;
  }

  sequence(row: number): number {
    return this.#number(SEQUENCE, row, row);
  }

  version(row: number): number {
    return this.#number(VERSION, row, 1);
  }
}

const descriptions = new Map<string, Description>();
const MOST_DESCRIPTIONS = 2000;

function describe(folder: string): Description {
  let description = descriptions.get(folder);
  if (!description) {
    description = JSON.parse(readFileSync(join(folder, "segment.json"), "utf8")) as Description;
    if (descriptions.size >= MOST_DESCRIPTIONS) descriptions.clear();
    descriptions.set(folder, description);
  }
  return description;
}
