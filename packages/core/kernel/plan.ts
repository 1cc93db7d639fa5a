// What to read: the projected columns, their kinds, and the texts that mean "unset" and "empty".
//
// A row is a run of u32 delimiter positions. Field c lies after the position at index c and before the one at c + 1.
// TSV rows share their delimiters (stride = columns); JSON rows own a pair for each key (stride = 2 x keys).
import { alloc, listNew, listPush } from "./memory";
import { prefix } from "./dictionary";

/** Kinds of column, as the host numbers them. */
export const SPAN: u32 = 0; // two u32: where the raw text starts and ends in the input
export const TIME: u32 = 1; // f64 microseconds
export const CODE: u32 = 2; // u32 dictionary code
export const PORT: u32 = 3; // i32
export const NUMBER: u32 = 4; // f64
export const COUNT: u32 = 5; // f64, whole
export const FLAG: u32 = 6; // u8
export const ADDRESS: u32 = 7; // u32: a dotted quad is its own code, other texts have one by dictionary

export const MAX_COLUMNS: u32 = 64;
const ENTRY: usize = 32; // kind, field, dictionary, required, out, out2, emptyCode

export let maxRows: u32 = 0;
export let inputCapacity: u32 = 0;
export let input: usize = 0; // start of the input buffer, 64 readable bytes before and 128 after it
export let delimiters: usize = 0; // positions of the delimiters of the chunk (TSV) or of the batch (JSON)
export let delimiterCapacity: u32 = 0;
export let stride: u32 = 0; // delimiters a row
export let columns: u32 = 0;

let entries: usize = 0;
let outputs: usize = 0; // MAX_COLUMNS pairs of output buffers, allocated once

/** Where each row of a JSON batch starts, one u32 a row. */
export let rowStarts: usize = 0;
/** Fields the kernel leaves to the host: {row, column, start, end}. */
export let oddFields: usize = 0;
/** Lines the kernel leaves to the host: {row, start, end, 0}. */
export let oddLines: usize = 0;
/** Lines that are no rows: {line start, line end, fields found, 0}. */
export let badLines: usize = 0;

/** Allocates the buffers: `capacity` input bytes a chunk, `rows` rows a batch. */
export function configure(capacity: u32, rows: u32): usize {
  inputCapacity = capacity;
  maxRows = rows;
  input = alloc(<u64>capacity + 256) + 64;
  delimiterCapacity = capacity + 256;
  delimiters = alloc(<u64>delimiterCapacity << 2);
  entries = alloc(<u64>MAX_COLUMNS * <u64>ENTRY);
  outputs = alloc(<u64>MAX_COLUMNS * 8);
  rowStarts = alloc(<u64>rows << 2);
  oddFields = listNew(16, 256);
  oddLines = listNew(16, 64);
  badLines = listNew(16, 64);
  return input;
}

export let unsetLength: u32 = 0;
export let emptyLength: u32 = 0;
export let unsetKey: v128 = i64x2.splat(0);
export let emptyKey: v128 = i64x2.splat(0);

/** Starts a plan of rows with `fields` delimiters; the marker texts (at most 16 bytes) stand at `markers` and `markers` + 32. */
export function planStart(fields: u32, markers: usize, unsetBytes: u32, emptyBytes: u32): void {
  if (fields == 0 || unsetBytes > 16 || emptyBytes > 16) unreachable();
  stride = fields;
  columns = 0;
  unsetLength = unsetBytes;
  emptyLength = emptyBytes;
  unsetKey = prefix(markers, unsetBytes);
  emptyKey = prefix(markers + 32, emptyBytes);
}

/** Adds a column read from delimiter `field`; returns its index. */
export function planAdd(kind: u32, field: u32, dictionary: usize, required: u32, emptyCode: u32): u32 {
  if (columns == MAX_COLUMNS || field >= stride) unreachable();
  const entry = entries + <usize>columns * ENTRY;
  const slot = outputs + (<usize>columns << 3);
  if (!load<u32>(slot)) {
    store<u32>(slot, <u32>alloc(<u64>maxRows << 3));
    store<u32>(slot, <u32>alloc(<u64>maxRows << 2), 4);
  }
  store<u32>(entry, kind);
  store<u32>(entry, field, 4);
  store<u32>(entry, <u32>dictionary, 8);
  store<u32>(entry, required, 12);
  store<u32>(entry, load<u32>(slot), 16);
  store<u32>(entry, load<u32>(slot, 4), 20);
  store<u32>(entry, emptyCode, 24);
  return columns++;
}

@inline
export function entryOf(column: u32): usize {
  return entries + <usize>column * ENTRY;
}

/** Where a column's values stand: `maxRows` of them. */
export function planOut(column: u32): usize {
  if (column >= columns) unreachable();
  return load<u32>(entryOf(column), 16);
}

/** Where a SPAN column's end positions stand. */
export function planOut2(column: u32): usize {
  if (column >= columns) unreachable();
  return load<u32>(entryOf(column), 20);
}

export function pushOddField(row: u32, column: u32, start: usize, end: usize): void {
  const record = listPush(oddFields);
  store<u32>(record, row);
  store<u32>(record, column, 4);
  store<u32>(record, <u32>start, 8);
  store<u32>(record, <u32>end, 12);
}

export function pushLine(list: usize, first: u32, start: usize, end: usize): void {
  const record = listPush(list);
  store<u32>(record, first);
  store<u32>(record, <u32>start, 4);
  store<u32>(record, <u32>end, 8);
}
