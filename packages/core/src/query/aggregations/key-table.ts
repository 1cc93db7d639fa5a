import { type AddressWords, compareWords, wordsText } from "../columns/ip-address.js";
import { compareTexts } from "../columns/select.js";
import { compact } from "../mapping/field-value.js";

/** Numbers pairs of 32-bit words in order of first sight: an open-addressing table. */
export class KeyTable {
  #slots = new Int32Array(64).fill(-1);
  #mask = 63;
  #words = new Int32Array(64);
  size = 0;

  /** The number of a pair; a new pair gets the next one. */
  find(a: number, b: number): number {
    const x = a | 0;
    const y = b | 0;
    let hash = Math.imul(x ^ Math.imul(y, 0x9e3779b1), 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = this.#slots[slot] as number;
      if (place === -1) return this.#insert(slot, x, y);
      if (this.#words[2 * place] === x && this.#words[2 * place + 1] === y) return place;
    }
  }

  #insert(slot: number, x: number, y: number): number {
    const place = this.size++;
    if (2 * this.size > this.#words.length) {
      const words = new Int32Array(2 * this.#words.length);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[2 * place] = x;
    this.#words[2 * place + 1] = y;
    this.#slots[slot] = place;
    if (4 * this.size > 3 * this.#slots.length) this.#grow();
    return place;
  }

  #grow(): void {
    const length = 2 * this.#slots.length;
    this.#slots = new Int32Array(length).fill(-1);
    this.#mask = length - 1;
    for (let place = 0; place < this.size; place++) {
      const x = this.#words[2 * place] as number;
      const y = this.#words[2 * place + 1] as number;
      let hash = Math.imul(x ^ Math.imul(y, 0x9e3779b1), 0x85ebca6b);
      hash ^= hash >>> 15;
      let slot = hash & this.#mask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = place;
    }
  }

  first(place: number): number {
    return this.#words[2 * place] as number;
  }

  second(place: number): number {
    return this.#words[2 * place + 1] as number;
  }

  /** The first words of all pairs, in order. */
  firsts(): Int32Array {
    const list = new Int32Array(this.size);
    for (let place = 0; place < list.length; place++) list[place] = this.#words[2 * place] as number;
    return list;
  }

  /** The second words of all pairs, in order. */
  seconds(): Int32Array {
    const list = new Int32Array(this.size);
    for (let place = 0; place < list.length; place++) list[place] = this.#words[2 * place + 1] as number;
    return list;
  }
}

/** `KeyTable` of four words a key. */
class AddressTable {
  #slots = new Int32Array(64).fill(-1);
  #mask = 63;
  #words = new Uint32Array(256);
  size = 0;

  find(a: number, b: number, c: number, d: number): number {
    for (let slot = hashOf(a, b, c, d) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = this.#slots[slot] as number;
      if (place === -1) return this.#insert(slot, a, b, c, d);
      const at = 4 * place;
      const words = this.#words;
      if (words[at + 3] === d && words[at + 2] === c && words[at + 1] === b && words[at] === a) return place;
    }
  }

  #insert(slot: number, a: number, b: number, c: number, d: number): number {
    const place = this.size++;
    if (4 * this.size > this.#words.length) {
      const words = new Uint32Array(2 * this.#words.length);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words.set([a, b, c, d], 4 * place);
    this.#slots[slot] = place;
    if (4 * this.size > 3 * this.#slots.length) this.#grow();
    return place;
  }

  #grow(): void {
    const length = 2 * this.#slots.length;
    this.#slots = new Int32Array(length).fill(-1);
    this.#mask = length - 1;
    for (let place = 0; place < this.size; place++) {
      let slot = hashOf(...this.at(place)) & this.#mask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = place;
    }
  }

  at(place: number): AddressWords {
    const at = 4 * place;
    return [this.#words[at] as number, this.#words[at + 1] as number, this.#words[at + 2] as number, this.#words[at + 3] as number];
  }

  /** All keys, four words each, in order. */
  words(): Uint32Array {
    return this.#words.slice(0, 4 * this.size);
  }
}

function hashOf(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(d ^ Math.imul(c ^ Math.imul(b ^ Math.imul(a, 0x9e3779b1), 0x9e3779b1), 0x9e3779b1), 0x85ebca6b);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) ^ (hash >>> 12);
}

/** Numbers by place, zero where none was set, growing as places are used. */
export class NumberList {
  values: Float64Array;
  readonly #start: number;

  constructor(start = 0) {
    this.#start = start;
    this.values = new Float64Array(64).fill(start);
  }

  /** Makes room for places below `length`. */
  reserve(length: number): Float64Array {
    if (length > this.values.length) {
      const values = new Float64Array(Math.max(length, 2 * this.values.length)).fill(this.#start);
      values.set(this.values);
      this.values = values;
    }
    return this.values;
  }

  get(place: number): number {
    return this.values[place] ?? this.#start;
  }

  set(place: number, value: number): void {
    this.reserve(place + 1)[place] = value;
  }

  add(place: number, value: number): void {
    const values = this.reserve(place + 1);
    values[place] = (values[place] as number) + value;
  }
}

/** A distinct value that rows are grouped by. */
export type KeyValue = string | number | bigint;

/** The distinct values of a thread, to be handed to another: addresses by their words, four each, or values. */
export type KeyState = { readonly words: Uint32Array } | { readonly values: readonly KeyValue[] };

/** Distinct values, numbered in order of first sight: texts, numbers, or addresses. */
export class Keys {
  readonly #texts = new Map<string, number>();
  readonly #doubles = new KeyTable();
  readonly #idOfDouble: number[] = [];
  readonly #wholes = new Map<bigint, number>();
  readonly #addresses = new AddressTable();
  readonly #values: KeyValue[] = [];
  readonly #double = new Float64Array(1);
  readonly #words = new Int32Array(this.#double.buffer);

  get size(): number {
    return this.#addresses.size + this.#values.length;
  }

  /** The value of a number; an address as text. */
  at(id: number): KeyValue {
    return this.#addresses.size > 0 ? wordsText(...this.#addresses.at(id)) : (this.#values[id] ?? "");
  }

  /** The order of two values: addresses by their bytes, texts by code points. */
  compare(a: number, b: number): number {
    if (this.#addresses.size > 0) return compareWords(this.#addresses.at(a), this.#addresses.at(b));
    const x = this.#values[a] ?? "";
    const y = this.#values[b] ?? "";
    if (typeof x === "string" && typeof y === "string") return compareTexts(x, y);
    return x < y ? -1 : x > y ? 1 : 0;
  }

  text(value: string): number {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const id = this.#values.push(value) - 1;
    this.#texts.set(value, id);
    return id;
  }

  number(value: number): number {
    // There is one zero.
    this.#double[0] = value + 0;
    const place = this.#doubles.find(this.#words[0] as number, this.#words[1] as number);
    const known = this.#idOfDouble[place];
    if (known !== undefined) return known;
    const id = this.#values.push(value + 0) - 1;
    this.#idOfDouble[place] = id;
    return id;
  }

  /** A whole number that may be beyond 2^53. */
  whole(value: bigint): number {
    const short = compact(value);
    if (typeof short === "number") return this.number(short);
    const known = this.#wholes.get(value);
    if (known !== undefined) return known;
    const id = this.#values.push(value) - 1;
    this.#wholes.set(value, id);
    return id;
  }

  /** An address by its four words; keys are addresses all, or none is. */
  address(a: number, b: number, c: number, d: number): number {
    return this.#addresses.find(a, b, c, d);
  }

  value(value: KeyValue): number {
    return typeof value === "string" ? this.text(value) : typeof value === "bigint" ? this.whole(value) : this.number(value);
  }

  state(): KeyState {
    return this.#addresses.size === 0 ? { values: this.#values } : { words: this.#addresses.words() };
  }

  /** Adds the values of another thread: the number here of each of its own. */
  absorb(state: KeyState): Int32Array {
    if ("values" in state) return Int32Array.from(state.values, (value) => this.value(value));
    const { words } = state;
    const ids = new Int32Array(words.length / 4);
    for (let id = 0; id < ids.length; id++) {
      const at = 4 * id;
      ids[id] = this.address(words[at] as number, words[at + 1] as number, words[at + 2] as number, words[at + 3] as number);
    }
    return ids;
  }
}
