import { valueArray } from "./batch-writer.js";
import type { ColumnBatch, ColumnValues } from "./column-batch.js";
import type { Dictionary } from "./dictionary.js";
import { dictionaryName, type LogSchema } from "./schema.js";
import { ListBuilder, TextBuilder } from "./text-builder.js";

interface Growing {
  readonly name: string;
  readonly kind: ColumnValues["kind"];
  readonly dictionary: Dictionary | undefined;
  values: Float64Array | Int32Array | Uint8Array;
  exact: Map<number, bigint>;
  readonly text: TextBuilder;
  readonly list: ListBuilder;
}

const decoder = new TextDecoder();

/** Joins the batches of a reader into one batch that owns its arrays. */
export class ColumnConcat {
  readonly #columns: readonly Growing[];
  #rows = 0;

  constructor(schema: LogSchema, wanted: readonly string[], dictionaryOf: (name: string) => Dictionary) {
    this.#columns = wanted.map((name) => {
      const column = schema.columns.find((candidate) => candidate.name === name);
      const kind = column?.kind ?? "text";
      const dictionary = column && dictionaryName(column);
      return {
        name,
        kind,
        dictionary: dictionary === undefined ? undefined : dictionaryOf(dictionary),
        values: valueArray(kind, 0),
        exact: new Map(),
        text: new TextBuilder(),
        list: new ListBuilder(),
      };
    });
  }

  add(batch: ColumnBatch): void {
    for (const growing of this.#columns) {
      const column = batch.columns.get(growing.name);
      if (!column) continue;
      if (column.kind === "text") {
        for (let row = 0; row < batch.rows; row++) {
          if (column.valid[row] === 1) growing.text.appendBytes(column.bytes, column.offsets[row] ?? 0, column.offsets[row + 1] ?? 0);
          else growing.text.append(null);
        }
        continue;
      }
      if (column.kind === "list") {
        const { items } = column;
        for (let row = 0; row < batch.rows; row++) {
          const texts: (string | null)[] = [];
          for (let at = column.offsets[row] ?? 0; at < (column.offsets[row + 1] ?? 0); at++) {
            texts.push(items.valid[at] === 1 ? decoder.decode(items.bytes.subarray(items.offsets[at], items.offsets[at + 1])) : null);
          }
          growing.list.append(column.valid[row] === 1 ? texts : null);
        }
        continue;
      }
      if (this.#rows + batch.rows > growing.values.length) {
        const values = valueArray(growing.kind, Math.max(this.#rows + batch.rows, growing.values.length * 2));
        values.set(growing.values.subarray(0, this.#rows));
        growing.values = values;
      }
      growing.values.set(column.values, this.#rows);
      if (column.kind === "count" || column.kind === "number") {
        for (const [row, value] of column.exact) growing.exact.set(this.#rows + row, value);
      }
    }
    this.#rows += batch.rows;
  }

  /** The rows so far as one batch; the next rows start a new one. */
  take(): ColumnBatch {
    const rows = this.#rows;
    this.#rows = 0;
    const columns = new Map<string, ColumnValues>();
    for (const growing of this.#columns) {
      const values = growing.values.subarray(0, rows);
      const { exact, dictionary } = growing;
      growing.values = valueArray(growing.kind, 0);
      growing.exact = new Map();
      columns.set(growing.name, ownedColumn(growing, values, exact, dictionary));
    }
    return { rows, columns };
  }
}

function ownedColumn(
  { kind, text, list }: Growing,
  values: Float64Array | Int32Array | Uint8Array,
  exact: Map<number, bigint>,
  dictionary: Dictionary | undefined,
): ColumnValues {
  switch (kind) {
    case "text":
      return text.take();
    case "list":
      return list.take();
    case "time":
      return { kind, values: values as Float64Array };
    case "address":
    case "code":
      return { kind, values: values as Int32Array, dictionary: dictionary as Dictionary };
    case "port":
      return { kind, values: values as Int32Array };
    case "flag":
      return { kind, values: values as Uint8Array };
    default:
      return { kind, values: values as Float64Array, exact };
  }
}
