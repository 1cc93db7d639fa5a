import { addressText } from "../zeek/address.js";
import type { ColumnBatch } from "../zeek/column-batch.js";
import type { ReadEngine, ReadOptions } from "../zeek/log-reader.js";
import type { ReadReport } from "../zeek/read-report.js";
import { connSchema } from "../zeek/schemas/conn.js";

/** A row as plain values by column name, for comparing readers. */
export type PlainRow = Record<string, unknown>;

const decoder = new TextDecoder();

/** The rows of a batch as plain values, copied. */
export function plainRows(batch: ColumnBatch): PlainRow[] {
  return Array.from({ length: batch.rows }, (_, row) => {
    const plain: PlainRow = {};
    for (const [name, column] of batch.columns) {
      switch (column.kind) {
        case "address": {
          const code = column.values[row] ?? -1;
          plain[name] = code === -1 ? null : addressText(column.dictionary, code);
          break;
        }
        case "code":
          plain[name] = (column.values[row] ?? -1) < 0 ? null : column.dictionary.text(column.values[row] ?? -1);
          break;
        case "text":
          plain[name] =
            column.valid[row] === 1 ? decoder.decode(column.bytes.subarray(column.offsets[row], column.offsets[row + 1])) : null;
          break;
        case "list": {
          const { items } = column;
          const list: (string | null)[] = [];
          for (let at = column.offsets[row] ?? 0; at < (column.offsets[row + 1] ?? 0); at++) {
            list.push(items.valid[at] === 1 ? decoder.decode(items.bytes.subarray(items.offsets[at], items.offsets[at + 1])) : null);
          }
          plain[name] = column.valid[row] === 1 ? list : null;
          break;
        }
        case "flag":
          plain[name] = column.values[row] === 255 ? null : column.values[row] === 1;
          break;
        case "port":
          plain[name] = (column.values[row] ?? -1) < 0 ? null : column.values[row];
          break;
        case "number":
        case "count": {
          const exact = column.exact.get(row);
          const value = column.values[row] ?? Number.NaN;
          plain[name] = exact ?? (Number.isNaN(value) ? null : value);
          break;
        }
        case "time":
          plain[name] = Number.isNaN(column.values[row] ?? Number.NaN) ? null : column.values[row];
          break;
      }
    }
    return plain;
  });
}

/** All columns of a conn log. */
export const ALL_COLUMNS = connSchema.columns.map((column) => column.name);

/** Reads bytes in chunks of a size; the rows as plain values, and the report. */
export function readRows(
  engine: ReadEngine,
  bytes: Uint8Array,
  chunkBytes: number,
  options: Partial<ReadOptions> = {},
): { rows: PlainRow[]; report: ReadReport } {
  const rows: PlainRow[] = [];
  const reader = engine.reader({ schema: connSchema, columns: ALL_COLUMNS, source: "conn.log", ...options }, (batch) => {
    rows.push(...plainRows(batch));
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  return { rows, report: reader.end() };
}

/** Text as UTF-8 bytes; `\u{..}` below 256 stays one byte where `binary` is set. */
export function bytesOf(text: string, binary = false): Uint8Array {
  return binary ? Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff) : new TextEncoder().encode(text);
}
