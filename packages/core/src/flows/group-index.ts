/**
 * Numbers the distinct (source, destination, port, protocol) keys 0, 1, 2, … in order of first sight. Codes are whole
 * numbers from -1; the table holds 20 bytes a key and doubles as it fills.
 */
export class GroupIndex {
  readonly #seed: number;
  #bits = 10;
  #slots = new Int32Array(1 << 10).fill(-1);
  #keys = new Int32Array(4 * 512);
  #size = 0;

  /** The seed keys the hash, so that a log cannot be made to collide. */
  constructor(seed = 0) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  source(group: number): number {
    return this.#keys[group * 4] ?? -1;
  }

  destination(group: number): number {
    return this.#keys[group * 4 + 1] ?? -1;
  }

  port(group: number): number {
    return this.#keys[group * 4 + 2] ?? 0;
  }

  protocol(group: number): number {
    return this.#keys[group * 4 + 3] ?? -1;
  }

  /** The group of a key; a new key gets the next number. */
  add(source: number, destination: number, port: number, protocol: number): number {
    const mask = this.#slots.length - 1;
    let i = this.#hash(source, destination, port, protocol) >>> (32 - this.#bits);
    for (;;) {
      const group = this.#slots[i] ?? -1;
      if (group === -1) break;
      const at = group * 4;
      const keys = this.#keys;
      if (keys[at] === source && keys[at + 1] === destination && keys[at + 2] === port && keys[at + 3] === protocol) return group;
      i = (i + 1) & mask;
    }
    const group = this.#size++;
    this.#slots[i] = group;
    if (group * 4 === this.#keys.length) {
      const keys = new Int32Array(this.#keys.length * 2);
      keys.set(this.#keys);
      this.#keys = keys;
    }
    this.#keys.set([source, destination, port, protocol], group * 4);
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return group;
  }

  #hash(source: number, destination: number, port: number, protocol: number): number {
    let h = Math.imul(source ^ this.#seed, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15) ^ destination, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 13) ^ port, 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 16) ^ protocol, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    return (h ^ (h >>> 13)) >>> 0;
  }

  #grow(): void {
    this.#bits++;
    const slots = new Int32Array(1 << this.#bits).fill(-1);
    const mask = slots.length - 1;
    for (let group = 0; group < this.#size; group++) {
      let i = this.#hash(this.source(group), this.destination(group), this.port(group), this.protocol(group)) >>> (32 - this.#bits);
      while (slots[i] !== -1) i = (i + 1) & mask;
      slots[i] = group;
    }
    this.#slots = slots;
  }
}
