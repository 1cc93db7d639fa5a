import type { Kernel } from "../zeek/kernel-engine.js";
import { KEY_WORDS } from "./group-index.js";
import type { Grouping, PlacedRows } from "./grouping.js";

/** Records that the kernel takes at a time: up to 136 bytes each when all differ, in a memory of 4 GiB that holds addresses too. */
export const KERNEL_RECORDS = 1 << 23;

/** Groups in the kernel's memory. */
export class KernelGrouping implements Grouping {
  readonly #kernel: Kernel;
  /** Tables that were copied to the kernel, by the array they came from. */
  readonly #tables = new Map<Int32Array, number>();
  readonly #recordWords: number;
  #groups = 0;
  #records = 0;

  constructor(kernel: Kernel, recordWords: number) {
    this.#kernel = kernel;
    this.#recordWords = recordWords;
  }

  reserve(rows: number): Int32Array {
    this.#records = this.#kernel.exports.groupsReserve(rows, this.#recordWords) >>> 0;
    return new Int32Array(this.#kernel.buffer, this.#records, rows * this.#recordWords);
  }

  #table(table: Int32Array): number {
    const known = this.#tables.get(table);
    if (known !== undefined) return known;
    const at = this.#kernel.alloc(Math.max(4, table.byteLength));
    new Int32Array(this.#kernel.buffer, at, table.length).set(table);
    this.#tables.set(table, at);
    return at;
  }

  remap(first: number, rows: number, addressPlaces: Int32Array, protocolCodes: Int32Array): void {
    const places = this.#table(addressPlaces);
    const protocols = this.#table(protocolCodes);
    this.#kernel.exports.groupsRemap(first, rows, places, addressPlaces.length, protocols, protocolCodes.length);
  }

  group(rows: number): { readonly keys: Int32Array; readonly counts: Uint32Array } {
    const { exports } = this.#kernel;
    this.#groups = exports.groupRows(rows) >>> 0;
    return {
      keys: this.#keys(),
      counts: new Uint32Array(this.#kernel.buffer, this.#kernel.global(exports.groupCounts), this.#groups),
    };
  }

  #keys(): Int32Array {
    return new Int32Array(this.#kernel.buffer, this.#kernel.global(this.#kernel.exports.groupKeys), this.#groups * KEY_WORDS);
  }

  place(rows: number): PlacedRows {
    const kernel = this.#kernel;
    const { exports } = kernel;
    exports.placeGroups(rows);
    return {
      keys: this.#keys(),
      ends: new Uint32Array(kernel.buffer, kernel.global(exports.groupCounts), this.#groups),
      times: new Float64Array(kernel.buffer, kernel.global(exports.placedTimes), rows),
      rows: new Uint32Array(kernel.buffer, kernel.global(exports.placedRows), rows),
      records: new Int32Array(kernel.buffer, this.#records, rows * this.#recordWords),
      ties: new Uint8Array(kernel.buffer, kernel.global(exports.groupTies), this.#groups),
    };
  }
}
