import { type TextColumn, textAt } from "../../zeek/dictionary.js";
import { wordsText } from "./ip-address.js";

// A row of a column has no value, one, or several. While no row has several, value i is that of row i, and a marker (code -1,
// NaN) says that there is none. Otherwise `offsets` (length rows + 1) says which values are whose, and none is a marker.

/** What is the same for each kind of column. */
interface Shape {
  readonly rows: number;
  /** Row r has the values `offsets[r] .. offsets[r + 1]`; undefined: at most one a row. */
  readonly offsets: Int32Array | undefined;
}

/** Distinct texts, by code. */
export interface TextDictionary {
  readonly size: number;
  text(code: number): string;
  /** The code of a text, -1 for one that it lacks. */
  find(text: string): number;
  /** 64 bits that stand for a text: the same for equal texts of any dictionary. */
  hash(code: number): TextHash;
}

/** Two words of 32 bits. */
export type TextHash = readonly [number, number];

/** The hash of a text's UTF-8 bytes. */
function hashBytes(bytes: Uint8Array, start: number, end: number): TextHash {
  let a = 0x811c9dc5 ^ (end - start);
  let b = 0x9747b28c;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(((b << 5) | (b >>> 27)) ^ byte, 0x9e3779b1);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  b = Math.imul(b ^ (b >>> 15), 0xc2b2ae35);
  return [(a ^ (a >>> 13)) | 0, (b ^ (b >>> 16)) | 0];
}

const encoder = new TextEncoder();

/** The hash of a text. */
export function textHash(text: string): TextHash {
  const bytes = encoder.encode(text);
  return hashBytes(bytes, 0, bytes.length);
}

/** Texts as codes of a dictionary. */
export interface TextValuesColumn extends Shape {
  readonly kind: "text";
  readonly codes: Int32Array;
  readonly dictionary: TextDictionary;
}

/** Numbers; `exact` holds, by place in `values`, whole numbers beyond 2^53, which `values` rounds. Dates are microseconds, truth values 1 and 0. */
export interface NumberColumn extends Shape {
  readonly kind: "number";
  readonly values: Float64Array;
  readonly exact: ReadonlyMap<number, bigint>;
}

/** Addresses as codes of a dictionary of four words each, see `AddressWords`. */
export interface IpColumn extends Shape {
  readonly kind: "ip";
  readonly codes: Int32Array;
  /** Length = 4 x distinct addresses. */
  readonly addresses: Uint32Array;
}

export type Column = TextValuesColumn | NumberColumn | IpColumn;

/** The text of an address of a column. */
export function ipText({ addresses }: IpColumn, code: number): string {
  const at = 4 * code;
  return wordsText(addresses[at] ?? 0, addresses[at + 1] ?? 0, addresses[at + 2] ?? 0, addresses[at + 3] ?? 0);
}

/** First place in the column's values of a row. */
export const firstPlace = (column: Column, row: number): number => (column.offsets ? (column.offsets[row] ?? 0) : row);

/** One past the last place of a row; a place may hold a marker. */
export const endPlace = (column: Column, row: number): number => (column.offsets ? (column.offsets[row + 1] ?? 0) : row + 1);

/** Whether a row has a value. */
export function hasValue(column: Column, row: number): boolean {
  if (column.offsets) return (column.offsets[row + 1] ?? 0) > (column.offsets[row] ?? 0);
  return column.kind === "number" ? !Number.isNaN(column.values[row]) : (column.codes[row] ?? -1) >= 0;
}

/** A dictionary over a Map, as it is built. */
export class GrowingTexts implements TextDictionary {
  readonly #codes = new Map<string, number>();
  readonly texts: string[] = [];

  get size(): number {
    return this.texts.length;
  }

  encode(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const code = this.texts.push(text) - 1;
    this.#codes.set(text, code);
    return code;
  }

  text(code: number): string {
    return this.texts[code] ?? "";
  }

  find(text: string): number {
    return this.#codes.get(text) ?? -1;
  }

  hash(code: number): TextHash {
    return textHash(this.text(code));
  }
}

/** A dictionary over packed UTF-8, decoded text by text as they are asked for. */
export class PackedTexts implements TextDictionary {
  readonly packed: TextColumn;
  readonly #decoded: string[] = [];

  constructor(packed: TextColumn) {
    this.packed = packed;
  }

  get size(): number {
    return Math.max(0, this.packed.offsets.length - 1);
  }

  text(code: number): string {
    let text = this.#decoded[code];
    if (text === undefined) {
      const { offsets, bytes } = this.packed;
      text = plainText(bytes, offsets[code] ?? 0, offsets[code + 1] ?? 0) ?? textAt(this.packed, code);
      this.#decoded[code] = text;
    }
    return text;
  }

  hash(code: number): TextHash {
    const { offsets, bytes } = this.packed;
    return hashBytes(bytes, offsets[code] ?? 0, offsets[code + 1] ?? 0);
  }

  find(text: string): number {
    const wanted = encoder.encode(text);
    const { offsets, bytes } = this.packed;
    const { length } = wanted;
    let start = offsets[0] ?? 0;
    for (let code = 0; code + 1 < offsets.length; code++) {
      const end = offsets[code + 1] ?? 0;
      if (end - start === length) {
        let i = length - 1;
        while (i >= 0 && bytes[start + i] === wanted[i]) i--;
        if (i < 0) return code;
      }
      start = end;
    }
    return -1;
  }
}

/** A short text of ASCII alone, faster than by a decoder; undefined for another. */
function plainText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > 24) return undefined;
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte > 127) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
