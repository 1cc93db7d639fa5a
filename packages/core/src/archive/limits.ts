import { CoreError } from "../errors.js";

/** What an archive may hold; hostile ones expand without end. */
export interface ArchiveLimits {
  /** Entries of one zip. */
  readonly maxEntries: number;
  /** Bytes out for each byte in, once more than `ratioFromBytes` came out. */
  readonly maxRatio: number;
  /** Bytes that one source may expand to. */
  readonly maxBytes: number;
}

/** Room for a day of a large network in one file; Zeek logs shrink 5 to 30 times. */
export const defaultArchiveLimits: ArchiveLimits = { maxEntries: 10_000, maxRatio: 250, maxBytes: 2 ** 40 };

/** Small inputs may shrink by more: an hour of nothing but one beacon does. */
const RATIO_FROM_BYTES = 16 * 2 ** 20;

/** Counts what goes in and comes out of a decompressor and stops it at the limits. */
export class ExpansionGuard {
  readonly #limits: ArchiveLimits;
  readonly #source: string;
  #in = 0;
  #out = 0;

  constructor(limits: ArchiveLimits, source: string) {
    this.#limits = limits;
    this.#source = source;
  }

  /** Counts compressed bytes. */
  read(bytes: number): void {
    this.#in += bytes;
  }

  /**
   * Counts expanded bytes.
   * @throws CoreError `archive-limit`
   */
  wrote(bytes: number): void {
    this.#out += bytes;
    const { maxBytes, maxRatio } = this.#limits;
    if (this.#out > maxBytes) {
      throw new CoreError("archive-limit", `expands to more than ${maxBytes} bytes`, { source: this.#source });
    }
    if (this.#out > RATIO_FROM_BYTES && this.#out > this.#in * maxRatio) {
      throw new CoreError("archive-limit", `expands more than ${maxRatio} times`, { source: this.#source });
    }
  }
}
