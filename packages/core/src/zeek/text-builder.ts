import type { ListValues, TextValues } from "./column-batch.js";

const encoder = new TextEncoder();

/** Builds the offsets, bytes and validity of a text column row by row. */
export class TextBuilder {
  #offsets = new Int32Array(1025);
  #valid = new Uint8Array(1024);
  #bytes = new Uint8Array(16_384);
  #rows = 0;
  #length = 0;

  get rows(): number {
    return this.#rows;
  }

  #endRow(valid: number): void {
    if (this.#rows === this.#valid.length) {
      const valids = new Uint8Array(this.#rows * 2);
      valids.set(this.#valid);
      this.#valid = valids;
      const offsets = new Int32Array(this.#rows * 2 + 1);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    this.#valid[this.#rows] = valid;
    this.#offsets[++this.#rows] = this.#length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** Appends bytes that are already plain text. */
  appendBytes(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    const bytes = this.#bytes;
    let length = this.#length;
    for (let i = start; i < end; i++) bytes[length++] = source[i] ?? 0;
    this.#length = length;
    this.#endRow(1);
  }

  append(text: string | null): void {
    if (text === null) {
      this.#endRow(0);
      return;
    }
    this.#reserve(text.length * 3);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
    this.#endRow(1);
  }

  /** The column so far, copied; the builder starts anew. */
  take(): TextValues {
    const values: TextValues = {
      kind: "text",
      offsets: this.#offsets.slice(0, this.#rows + 1),
      bytes: this.#bytes.slice(0, this.#length),
      valid: this.#valid.slice(0, this.#rows),
    };
    this.#rows = 0;
    this.#length = 0;
    return values;
  }
}

/** Builds a column of lists of texts row by row. */
export class ListBuilder {
  readonly #items = new TextBuilder();
  #ends: number[] = [];
  #valid: number[] = [];

  append(items: readonly (string | null)[] | null): void {
    for (const item of items ?? []) this.#items.append(item);
    this.#ends.push(this.#items.rows);
    this.#valid.push(items === null ? 0 : 1);
  }

  /** The column so far; the builder starts anew. */
  take(): ListValues {
    const offsets = new Int32Array(this.#ends.length + 1);
    offsets.set(this.#ends, 1);
    const values: ListValues = {
      kind: "list",
      offsets,
      valid: Uint8Array.from(this.#valid),
      items: this.#items.take(),
    };
    this.#ends = [];
    this.#valid = [];
    return values;
  }
}
