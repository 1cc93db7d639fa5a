import type { QueryValue } from "../clauses/field-terms.js";
import { isIgnored, queryNumber } from "../clauses/field-terms.js";
import { type Column, ipText } from "../columns/column.js";
import { addressWords } from "../columns/ip-address.js";
import { textIndex } from "../columns/text-index.js";
import { DateFormat, DEFAULT_DATE_FORMAT } from "../mapping/date-format.js";
import type { Field } from "../mapping/field.js";
import { illegalArgument } from "../query-error.js";
import { Keys, type KeyValue } from "./key-table.js";
import { formatNumber } from "./number-format.js";
import { type Scope, scaleOf, valuesOf } from "./scope.js";

/** How the keys of a field are read and written. */
export type KeyKind = "text" | "ip" | "whole" | "decimal" | "date" | "boolean";

function keyKind(field: Field): KeyKind {
  switch (field.traits.family) {
    case "ip":
      return "ip";
    case "date":
      return "date";
    case "boolean":
      return "boolean";
    case "number":
      return field.traits.range ? "whole" : "decimal";
    default:
      return "text";
  }
}

/** Numbers the keys of one row, written to `into`; how many. */
export type RowKeys = (row: number, into: number[]) => number;

/** A value that stands in for rows without one. */
function missingKey(field: Field | undefined, value: QueryValue): KeyValue {
  if (!field) return typeof value === "boolean" ? String(value) : value;
  switch (field.traits.family) {
    case "number":
      return queryNumber(value);
    case "boolean":
      return value === true || value === "true" || value === 1 ? 1 : 0;
    case "date":
      return Number(field.format?.parse(typeof value === "boolean" ? String(value) : value, { now: 0n }) ?? 0n);
    default:
      return String(value);
  }
}

/** The values of one field as keys: the same numbers over all segments and indexes. */
export class KeySource {
  readonly path: string;
  readonly keys = new Keys();
  readonly #aggregation: string;
  readonly #missing: QueryValue | undefined;
  readonly #format: string | undefined;
  /** What the first index that knows the field says it is; numbers unless told. */
  kind: KeyKind | undefined;
  field: Field | undefined;

  constructor(path: string, aggregation: string, missing: QueryValue | undefined, format?: string) {
    this.path = path;
    this.#aggregation = aggregation;
    this.#missing = missing;
    this.#format = format;
  }

  /** The column in a segment, with the number of each code once it was asked for; undefined when the field is not there. */
  open(scope: Scope): { readonly column: Column | undefined; readonly field: Field | undefined; readonly missing: number } {
    const found = valuesOf(scope, this.path, this.#aggregation);
    if (found) {
      this.field ??= found.field;
      this.kind ??= keyKind(found.field);
    }
    const missing = this.#missing === undefined ? -1 : this.#key(missingKey(found?.field ?? this.field, this.#missing));
    return { column: found?.column, field: found?.field, missing };
  }

  #key(value: KeyValue): number {
    return typeof value === "string" ? this.textKey(value) : this.keys.value(value);
  }

  readonly #sets = new Map<readonly QueryValue[], ReadonlySet<number>>();

  /** The keys of values as a request has them. */
  keysOf(values: readonly QueryValue[]): ReadonlySet<number> {
    let set = this.#sets.get(values);
    if (!set) {
      set = new Set(values.map((value) => this.#key(missingKey(this.field, value))));
      this.#sets.set(values, set);
    }
    return set;
  }

  /** The key of a text, which may be an address. */
  textKey(text: string): number {
    const words = this.kind === "ip" ? addressWords(text) : undefined;
    if (this.kind === "ip" && !words) throw illegalArgument(`'${text.slice(0, 60)}' is not an IP string literal.`, { atRun: true });
    return words ? this.keys.address(...words) : this.keys.text(text);
  }

  /** The number of a code of a column; -1 when the field leaves it out. */
  codeKey(column: Column, field: Field, code: number): number {
    if (column.kind === "ip") {
      const { addresses } = column;
      const at = 4 * code;
      // Where another index has texts in the field, addresses are texts too.
      if (this.kind !== "ip") return this.keys.text(ipText(column, code));
      return this.keys.address(addresses[at] ?? 0, addresses[at + 1] ?? 0, addresses[at + 2] ?? 0, addresses[at + 3] ?? 0);
    }
    if (column.kind !== "text") return -1;
    const text = column.dictionary.text(code);
    if (isIgnored(field, text)) return -1;
    if (this.kind !== "ip") return this.keys.text(text);
    const words = addressWords(text);
    return words ? this.keys.address(...words) : -1;
  }

  numberKey(column: Column & { kind: "number" }, place: number): number {
    if (this.kind === "ip") return -1;
    const exact = column.exact.size > 0 ? column.exact.get(place) : undefined;
    return exact === undefined ? this.keys.number(column.values[place] as number) : this.keys.whole(exact);
  }

  /** The keys of rows one by one, each once a row. */
  rowKeys(scope: Scope): RowKeys {
    const { column, field, missing } = this.open(scope);
    const none: RowKeys = (_row, into) => {
      if (missing === -1) return 0;
      into[0] = missing;
      return 1;
    };
    if (!column || !field) return none;
    if (column.kind === "text" && field.traits.analyzed && field.analyzer) return this.#wordKeys(column, field, missing);
    const { offsets } = column;
    const numberOf = new Map<number, number>();
    const keyAt = (place: number): number => {
      if (column.kind === "number") return Number.isNaN(column.values[place]) ? -1 : this.numberKey(column, place);
      const code = column.codes[place] ?? -1;
      if (code < 0) return -1;
      let key = numberOf.get(code);
      if (key === undefined) {
        key = this.codeKey(column, field, code);
        numberOf.set(code, key);
      }
      return key;
    };
    return (row, into) => {
      let count = 0;
      const end = offsets ? (offsets[row + 1] as number) : row + 1;
      for (let place = offsets ? (offsets[row] as number) : row; place < end; place++) {
        const key = keyAt(place);
        if (key < 0 || (count > 0 && into.lastIndexOf(key, count - 1) !== -1)) continue;
        into[count++] = key;
      }
      return count === 0 ? none(row, into) : count;
    };
  }

  /** The words of an analysed field with field data. */
  #wordKeys(column: Column & { kind: "text" }, field: Field, missing: number): RowKeys {
    const index = field.analyzer ? textIndex(column, field.analyzer) : undefined;
    const { offsets, codes } = column;
    return (row, into) => {
      let count = 0;
      const end = offsets ? (offsets[row + 1] as number) : row + 1;
      for (let place = offsets ? (offsets[row] as number) : row; place < end; place++) {
        const code = codes[place] ?? -1;
        if (code < 0 || !index) continue;
        for (const { text } of index.tokens(code)) {
          const key = this.keys.text(text);
          if (count > 0 && into.lastIndexOf(key, count - 1) !== -1) continue;
          into[count++] = key;
        }
      }
      if (count === 0 && missing !== -1) into[count++] = missing;
      return count;
    };
  }

  /** A key as an answer shows it. */
  shown(key: number): { readonly key: KeyValue; readonly text: string | undefined } {
    const value = this.keys.at(key);
    if (typeof value === "string") return { key: value, text: undefined };
    if (this.kind === "date") {
      const format = this.#format === undefined ? (this.field?.format ?? DEFAULT_DATE_FORMAT) : new DateFormat(this.#format);
      return { key: Math.floor(Number(value) / (this.field ? scaleOf(this.field) : 1)), text: format.format(Number(value)) };
    }
    if (this.kind === "boolean") return { key: value, text: value === 1 ? "true" : "false" };
    return { key: value, text: this.#format === undefined ? undefined : formatNumber(Number(value), this.#format) };
  }
}
