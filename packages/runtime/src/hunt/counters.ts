const TASK = 0;
const BYTES = 1;
const ROWS = 2;
const BUCKET = 3;
const CELLS = 4;

/** Counters that the threads of a hunt share: the next task and the next bucket, and the bytes and rows read. */
export class Counters {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new BigInt64Array(buffer);
  }

  /** The index of a task nobody else has. */
  takeTask(): number {
    return Number(Atomics.add(this.#cells, TASK, 1n));
  }

  /** A bucket of connections nobody else has. */
  takeBucket(): number {
    return Number(Atomics.add(this.#cells, BUCKET, 1n));
  }

  /** Adds bytes of files, packed as they lie there. */
  addBytes(bytes: number): void {
    Atomics.add(this.#cells, BYTES, BigInt(bytes));
  }

  addRows(rows: number): void {
    Atomics.add(this.#cells, ROWS, BigInt(rows));
  }

  get bytes(): number {
    return Number(Atomics.load(this.#cells, BYTES));
  }

  get rows(): number {
    return Number(Atomics.load(this.#cells, ROWS));
  }
}
