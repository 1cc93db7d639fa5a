/** A set of rows, one bit a row. */
export class Bitmap {
  readonly rows: number;
  readonly words: Int32Array;

  constructor(rows: number, words = new Int32Array((rows + 31) >>> 5)) {
    this.rows = rows;
    this.words = words;
  }

  /** All rows. */
  static full(rows: number): Bitmap {
    const bitmap = new Bitmap(rows);
    bitmap.words.fill(-1);
    bitmap.#trim();
    return bitmap;
  }

  #trim(): void {
    const rest = this.rows & 31;
    const last = this.words.length - 1;
    if (rest > 0) this.words[last] = (this.words[last] ?? 0) & ((1 << rest) - 1);
  }

  add(row: number): void {
    const word = row >>> 5;
    this.words[word] = (this.words[word] ?? 0) | (1 << (row & 31));
  }

  has(row: number): boolean {
    return (((this.words[row >>> 5] ?? 0) >>> (row & 31)) & 1) === 1;
  }

  copy(): Bitmap {
    return new Bitmap(this.rows, this.words.slice());
  }

  /** Keeps what `other` has too. */
  and(other: Bitmap): this {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) & (other.words[i] ?? 0);
    return this;
  }

  or(other: Bitmap): this {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) | (other.words[i] ?? 0);
    return this;
  }

  andNot(other: Bitmap): this {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) & ~(other.words[i] ?? 0);
    return this;
  }

  isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  /** How many rows. */
  count(): number {
    const { words } = this;
    let count = 0;
    for (let i = 0; i < words.length; i++) {
      let word = words[i] ?? 0;
      word -= (word >>> 1) & 0x55555555;
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
      count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return count;
  }

  /** The rows of `from .. to` (multiples of 32, or the end) in order, written to `into`; how many. */
  list(from: number, to: number, into: Int32Array): number {
    const { words } = this;
    let length = 0;
    const end = (to + 31) >>> 5;
    for (let i = from >>> 5; i < end; i++) {
      let word = words[i] ?? 0;
      const base = i << 5;
      if (word === -1) {
        for (let bit = 0; bit < 32; bit++) into[length++] = base + bit;
        continue;
      }
      while (word !== 0) {
        const bit = 31 - Math.clz32(word & -word);
        into[length++] = base + bit;
        word &= word - 1;
      }
    }
    return length;
  }

  /** Calls for each row, in order. */
  each(visit: (row: number) => void): void {
    const { words } = this;
    for (let i = 0; i < words.length; i++) {
      let word = words[i] ?? 0;
      while (word !== 0) {
        visit((i << 5) + 31 - Math.clz32(word & -word));
        word &= word - 1;
      }
    }
  }
}
