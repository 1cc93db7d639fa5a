import { Bitmap } from "./bitmap.js";
import type { Column, IpColumn, NumberColumn, TextValuesColumn } from "./column.js";

/** Sets a bit for each row with a place that passes. */
function selectPlaces(rows: number, offsets: Int32Array, passes: (place: number) => boolean): Bitmap {
  const bitmap = new Bitmap(rows);
  for (let row = 0; row < rows; row++) {
    const end = offsets[row + 1] ?? 0;
    for (let place = offsets[row] ?? 0; place < end; place++) {
      if (!passes(place)) continue;
      bitmap.add(row);
      break;
    }
  }
  return bitmap;
}

/** A closed range of numbers; where `exactLow` and `exactHigh` are given they bound whole numbers beyond 2^53 exactly. */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
  readonly exactLow: bigint | undefined;
  readonly exactHigh: bigint | undefined;
}

/** Rows with a number in a closed range. */
export function selectNumbers(column: NumberColumn, { low, high, exactLow, exactHigh }: NumberRange): Bitmap {
  const { rows, offsets, values, exact } = column;
  if (exact.size > 0) {
    const inExact = (value: bigint): boolean =>
      (exactLow === undefined ? Number(value) >= low : value >= exactLow) &&
      (exactHigh === undefined ? Number(value) <= high : value <= exactHigh);
    const passes = (place: number): boolean => {
      const whole = exact.get(place);
      if (whole !== undefined) return inExact(whole);
      const value = values[place] ?? Number.NaN;
      return value >= low && value <= high;
    };
    if (offsets) return selectPlaces(rows, offsets, passes);
    const bitmap = new Bitmap(rows);
    for (let row = 0; row < rows; row++) if (passes(row)) bitmap.add(row);
    return bitmap;
  }
  if (offsets) {
    return selectPlaces(rows, offsets, (place) => {
      const value = values[place] ?? Number.NaN;
      return value >= low && value <= high;
    });
  }
  const bitmap = new Bitmap(rows);
  const { words } = bitmap;
  for (let w = 0, row = 0; row < rows; w++) {
    const end = Math.min(row + 32, rows);
    let word = 0;
    // NaN, a row without a value, is in no range.
    for (let bit = 0; row < end; row++, bit++) {
      const value = values[row] as number;
      if (value >= low && value <= high) word |= 1 << bit;
    }
    words[w] = word;
  }
  return bitmap;
}

/** Rows with one of some numbers that a double holds exactly. */
export function selectNumberSet(column: NumberColumn, numbers: readonly number[]): Bitmap {
  const { rows, offsets, values, exact } = column;
  const set = new Set(numbers);
  if (offsets) return selectPlaces(rows, offsets, (place) => !exact.has(place) && set.has(values[place] as number));
  const bitmap = new Bitmap(rows);
  const { words } = bitmap;
  const few = numbers.length <= 8 ? numbers : undefined;
  for (let w = 0, row = 0; row < rows; w++) {
    const end = Math.min(row + 32, rows);
    let word = 0;
    for (let bit = 0; row < end; row++, bit++) {
      const value = values[row] as number;
      if (few ? few.includes(value) : set.has(value)) word |= 1 << bit;
    }
    words[w] = word;
  }
  // What a double rounds is none of them.
  for (const row of exact.keys()) words[row >>> 5] = (words[row >>> 5] ?? 0) & ~(1 << (row & 31));
  return bitmap;
}

/** Rows with a code that `mask` marks with 1; length of `mask` = distinct values. */
export function selectCodes(column: TextValuesColumn | IpColumn, mask: Uint8Array): Bitmap {
  const { rows, offsets, codes } = column;
  if (offsets) return selectPlaces(rows, offsets, (place) => mask[codes[place] ?? -1] === 1);
  const bitmap = new Bitmap(rows);
  const { words } = bitmap;
  for (let w = 0, row = 0; row < rows; w++) {
    const end = Math.min(row + 32, rows);
    let word = 0;
    for (let bit = 0; row < end; row++, bit++) {
      const code = codes[row] as number;
      if (code >= 0 && mask[code] === 1) word |= 1 << bit;
    }
    words[w] = word;
  }
  return bitmap;
}

/** Rows with one code. */
export function selectCode(column: TextValuesColumn | IpColumn, code: number): Bitmap {
  const { rows, offsets, codes } = column;
  if (code < 0) return new Bitmap(rows);
  if (offsets) return selectPlaces(rows, offsets, (place) => codes[place] === code);
  const bitmap = new Bitmap(rows);
  const { words } = bitmap;
  for (let w = 0, row = 0; row < rows; w++) {
    const end = Math.min(row + 32, rows);
    let word = 0;
    for (let bit = 0; row < end; row++, bit++) if (codes[row] === code) word |= 1 << bit;
    words[w] = word;
  }
  return bitmap;
}

/** Rows with a value. */
export function selectPresent(column: Column): Bitmap {
  const { rows, offsets } = column;
  const bitmap = new Bitmap(rows);
  if (offsets) {
    for (let row = 0; row < rows; row++) if ((offsets[row + 1] ?? 0) > (offsets[row] ?? 0)) bitmap.add(row);
  } else if (column.kind === "number") {
    const { values } = column;
    for (let row = 0; row < rows; row++) {
      if (!Number.isNaN(values[row])) bitmap.add(row);
    }
  } else {
    const { codes } = column;
    for (let row = 0; row < rows; row++) if ((codes[row] as number) >= 0) bitmap.add(row);
  }
  return bitmap;
}

/** Marks the addresses of a column between two, both included; the order is that of their bytes. */
export function markAddresses({ addresses }: IpColumn, first: ArrayLike<number>, last: ArrayLike<number>, mask: Uint8Array): void {
  const count = addresses.length / 4;
  for (let code = 0; code < count; code++) {
    const at = 4 * code;
    if (compareAt(addresses, at, first) >= 0 && compareAt(addresses, at, last) <= 0) mask[code] = 1;
  }
}

function compareAt(addresses: Uint32Array, at: number, words: ArrayLike<number>): number {
  for (let i = 0; i < 4; i++) {
    const a = addresses[at + i] as number;
    const b = words[i] as number;
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

/** The order of two texts by code points, as UTF-8 bytes order them. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      // Surrogates stand for code points above all others of 16 bits.
      const high = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
      return high(x) < high(y) ? -1 : 1;
    }
  }
  return a.length - b.length;
}
