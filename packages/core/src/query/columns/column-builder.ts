import { type Column, GrowingTexts, type IpColumn, type NumberColumn, type TextValuesColumn } from "./column.js";
import { type AddressWords, wordsText } from "./ip-address.js";

/** Values of rows in the order of the rows, gathered into one column. */
abstract class Builder<Value> {
  /** Row of each value; rows only grow. */
  readonly #rows: number[] = [];
  #multiple = false;

  /** Adds a value of a row, which is not before the last one's. */
  add(row: number, value: Value): void {
    if (this.#rows.at(-1) === row) this.#multiple = true;
    this.#rows.push(row);
    this.push(value);
  }

  /** How many values so far. */
  get size(): number {
    return this.#rows.length;
  }

  protected abstract push(value: Value): void;
  /** The column of `rows` rows. */
  abstract build(rows: number): Column;

  /** Where each row's values stand when a row has several; else undefined. */
  protected offsets(rows: number): Int32Array | undefined {
    if (!this.#multiple) return undefined;
    const offsets = new Int32Array(rows + 1);
    for (const row of this.#rows) offsets[row + 1] = (offsets[row + 1] ?? 0) + 1;
    for (let row = 0; row < rows; row++) offsets[row + 1] = (offsets[row + 1] ?? 0) + (offsets[row] ?? 0);
    return offsets;
  }

  protected spreadCodes(rows: number, codes: readonly number[]): Int32Array {
    if (this.#multiple) return Int32Array.from(codes);
    const spread = new Int32Array(rows).fill(-1);
    this.#rows.forEach((row, index) => {
      spread[row] = codes[index] ?? -1;
    });
    return spread;
  }

  protected spreadNumbers(rows: number, values: readonly number[]): Float64Array {
    if (this.#multiple) return Float64Array.from(values);
    const spread = new Float64Array(rows).fill(Number.NaN);
    this.#rows.forEach((row, index) => {
      spread[row] = values[index] ?? Number.NaN;
    });
    return spread;
  }

  /** The place that a value will have in the column. */
  protected placeOf(index: number): number {
    return this.#multiple ? index : (this.#rows[index] ?? 0);
  }
}

export class TextBuilder extends Builder<string> {
  readonly #dictionary = new GrowingTexts();
  readonly #codes: number[] = [];

  protected push(value: string): void {
    this.#codes.push(this.#dictionary.encode(value));
  }

  build(rows: number): TextValuesColumn {
    const offsets = this.offsets(rows);
    return { kind: "text", rows, offsets, codes: this.spreadCodes(rows, this.#codes), dictionary: this.#dictionary };
  }
}

export class NumberBuilder extends Builder<number | bigint> {
  readonly #values: number[] = [];
  readonly #exact: (readonly [index: number, value: bigint])[] = [];

  protected push(value: number | bigint): void {
    if (typeof value === "bigint") this.#exact.push([this.#values.length, value]);
    this.#values.push(Number(value));
  }

  build(rows: number): NumberColumn {
    const offsets = this.offsets(rows);
    const exact = new Map(this.#exact.map(([index, value]) => [this.placeOf(index), value] as const));
    return { kind: "number", rows, offsets, values: this.spreadNumbers(rows, this.#values), exact };
  }
}

export class IpBuilder extends Builder<AddressWords> {
  readonly #places = new Map<string, number>();
  readonly #words: number[] = [];
  readonly #codes: number[] = [];

  protected push(value: AddressWords): void {
    const key = wordsText(...value);
    let code = this.#places.get(key);
    if (code === undefined) {
      code = this.#words.length / 4;
      this.#words.push(...value);
      this.#places.set(key, code);
    }
    this.#codes.push(code);
  }

  build(rows: number): IpColumn {
    const offsets = this.offsets(rows);
    return { kind: "ip", rows, offsets, codes: this.spreadCodes(rows, this.#codes), addresses: Uint32Array.from(this.#words) };
  }
}

export type ColumnBuilder = TextBuilder | NumberBuilder | IpBuilder;
