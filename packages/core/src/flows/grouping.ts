import { otherCode, otherPlace } from "../zeek/address.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import { GroupIndex } from "./group-index.js";
import { KERNEL_RECORDS, KernelGrouping } from "./kernel-grouping.js";
import { TimeSorter } from "./sorted-times.js";

/** Stands in the place of a count or an end of a group that is left out. */
export const DROPPED = 0xffffffff;

/** The connections of groups, one group after the other. */
export interface PlacedRows {
  /** Three words a group: source, destination, port | protocol << 16. */
  readonly keys: Int32Array;
  /** Where the rows of each group end; `DROPPED` for a group that was left out. */
  readonly ends: Uint32Array;
  readonly times: Float64Array;
  /** The numbers of their records, … */
  readonly rows: Uint32Array;
  /** … which lie here. */
  readonly records: Int32Array;
  /** For each group 1 where two of its times are the same. */
  readonly ties: Uint8Array;
}

/** Groups the records of one bucket at a time; see `flow-shard.ts` for what a record is. What it hands out is valid until the next call. */
export interface Grouping {
  /** Room for so many records, to be filled. */
  reserve(rows: number): Int32Array;
  /** Replaces address places and protocol codes of the records [first, first + rows) by those that two tables give. */
  remap(first: number, rows: number, addressPlaces: Int32Array, protocolCodes: Int32Array): void;
  /** Finds the group of each record: the groups' keys, and how many rows each has. */
  group(rows: number): { readonly keys: Int32Array; readonly counts: Uint32Array };
  /** Puts the rows of each group together, sorted by time, but for those whose count was set to `DROPPED`. */
  place(rows: number): PlacedRows;
}

/** How an engine groups. The kernel's memory ends at 4 GiB: more records than it holds are grouped outside. */
export function groupingOf({ kernel, seed }: ReadEngine, mostRows: number, recordWords: number): Grouping {
  return kernel && mostRows <= KERNEL_RECORDS ? new KernelGrouping(kernel, recordWords) : new TextGrouping(seed[0], recordWords);
}

/** Groups in plain TypeScript: what the kernel is held to, and the way where it is missing. */
export class TextGrouping implements Grouping {
  readonly #index: GroupIndex;
  readonly #sorter = new TimeSorter();
  #records = new Int32Array(0);
  #recordTimes = new Float64Array(0);
  #groupOfRow = new Uint32Array(0);
  #times = new Float64Array(0);
  #rows = new Uint32Array(0);
  #counts = new Uint32Array(0);
  readonly #recordWords: number;

  constructor(seed: number, recordWords: number) {
    this.#index = new GroupIndex(seed);
    this.#recordWords = recordWords;
  }

  reserve(rows: number): Int32Array {
    if (rows > this.#groupOfRow.length) {
      const room = Math.max(rows, 2 * this.#groupOfRow.length);
      this.#records = new Int32Array(room * this.#recordWords);
      this.#recordTimes = new Float64Array(this.#records.buffer);
      this.#groupOfRow = new Uint32Array(room);
      this.#times = new Float64Array(room);
      this.#rows = new Uint32Array(room);
    }
    return this.#records;
  }

  remap(first: number, rows: number, addressPlaces: Int32Array, protocolCodes: Int32Array): void {
    const words = this.#records;
    const recordWords = this.#recordWords;
    const joint = (code: number): number => {
      const place = otherPlace(code);
      return place < 0 ? code : otherCode(addressPlaces[place] ?? place);
    };
    for (let row = first, at = first * recordWords; row < first + rows; row++, at += recordWords) {
      words[at + 2] = joint(words[at + 2] ?? -1);
      words[at + 3] = joint(words[at + 3] ?? -1);
      const port = words[at + 4] ?? 0;
      words[at + 4] = (port & 0xffff) | ((protocolCodes[port >>> 16] ?? port >>> 16) << 16);
    }
  }

  group(rows: number): { readonly keys: Int32Array; readonly counts: Uint32Array } {
    const words = this.#records;
    const index = this.#index;
    const groupOfRow = this.#groupOfRow;
    index.clear();
    for (let row = 0, at = 2; row < rows; row++, at += this.#recordWords) {
      groupOfRow[row] = index.add(words[at] ?? -1, words[at + 1] ?? -1, words[at + 2] ?? 0);
    }
    this.#counts = new Uint32Array(index.size);
    for (let row = 0; row < rows; row++) {
      const group = groupOfRow[row] ?? 0;
      this.#counts[group] = (this.#counts[group] ?? 0) + 1;
    }
    return { keys: index.keys(), counts: this.#counts };
  }

  place(rows: number): PlacedRows {
    const cursors = this.#counts;
    let total = 0;
    for (let group = 0; group < cursors.length; group++) {
      const count = cursors[group] ?? 0;
      if (count === DROPPED) continue;
      cursors[group] = total;
      total += count;
    }
    const times = this.#times;
    const numbers = this.#rows;
    const timeStep = this.#recordWords / 2;
    for (let row = 0; row < rows; row++) {
      const group = this.#groupOfRow[row] ?? 0;
      const at = cursors[group] ?? 0;
      if (at === DROPPED) continue;
      cursors[group] = at + 1;
      times[at] = this.#recordTimes[row * timeStep] ?? 0;
      numbers[at] = row;
    }
    // Each group's start has moved on to its end.
    const ties = new Uint8Array(cursors.length);
    for (let group = 0, from = 0; group < cursors.length; group++) {
      const to = cursors[group] ?? 0;
      if (to === DROPPED) continue;
      ties[group] = this.#sorter.sort(times, numbers, from, to) ? 1 : 0;
      from = to;
    }
    return { keys: this.#index.keys(), ends: cursors, times, rows: numbers, records: this.#records, ties };
  }
}
