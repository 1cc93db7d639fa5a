/** Words of a key. */
export const KEY_WORDS = 3;

/**
 * Numbers the distinct (source, destination, port and protocol) keys 0, 1, 2, … in order of first sight. The keys are three
 * 32-bit words; the table holds 20 bytes a key and doubles as it fills.
 */
export class GroupIndex {
  readonly #seed: number;
  #bits = 10;
  #slots = new Int32Array(1 << 10).fill(-1);
  #keys = new Int32Array(KEY_WORDS * 512);
  #size = 0;

  /** The seed keys the hash, so that a log cannot be made to collide. */
  constructor(seed = 0) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** The keys, three words a group; valid until the next call. */
  keys(): Int32Array {
    return this.#keys.subarray(0, this.#size * KEY_WORDS);
  }

  /** Forgets all keys; the memory stays. */
  clear(): void {
    this.#slots.fill(-1);
    this.#size = 0;
  }

  /** The group of a key; a new key gets the next number. */
  add(source: number, destination: number, portAndProtocol: number): number {
    const slots = this.#slots;
    const keys = this.#keys;
    const mask = slots.length - 1;
    let i = this.#hash(source, destination, portAndProtocol) >>> (32 - this.#bits);
    for (;;) {
      const group = slots[i] ?? -1;
      if (group === -1) break;
      const at = group * KEY_WORDS;
      if (keys[at] === source && keys[at + 1] === destination && keys[at + 2] === portAndProtocol) return group;
      i = (i + 1) & mask;
    }
    slots[i] = this.#size;
    return this.#append(source, destination, portAndProtocol);
  }

  #append(source: number, destination: number, portAndProtocol: number): number {
    const group = this.#size++;
    if (group * KEY_WORDS === this.#keys.length) {
      const keys = new Int32Array(this.#keys.length * 2);
      keys.set(this.#keys);
      this.#keys = keys;
    }
    this.#keys[group * KEY_WORDS] = source;
    this.#keys[group * KEY_WORDS + 1] = destination;
    this.#keys[group * KEY_WORDS + 2] = portAndProtocol;
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return group;
  }

  #hash(source: number, destination: number, portAndProtocol: number): number {
    let h = Math.imul(source ^ this.#seed, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15) ^ destination, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 13) ^ portAndProtocol, 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    return (h ^ (h >>> 13)) >>> 0;
  }

  #grow(): void {
    this.#bits++;
    const slots = new Int32Array(1 << this.#bits).fill(-1);
    const mask = slots.length - 1;
    for (let group = 0; group < this.#size; group++) {
      const at = group * KEY_WORDS;
      const hash = this.#hash(this.#keys[at] ?? 0, this.#keys[at + 1] ?? 0, this.#keys[at + 2] ?? 0);
      let i = hash >>> (32 - this.#bits);
      while (slots[i] !== -1) i = (i + 1) & mask;
      slots[i] = group;
    }
    this.#slots = slots;
  }
}
