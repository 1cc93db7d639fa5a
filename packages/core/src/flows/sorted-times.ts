import { ORIGIN_PORT_WORD } from "./flow-shard.js";

/** A row is moved back so far at most; one that belongs further back starts a run of its own. */
const REACH = 16;

/** Sorts the connections of groups by time; its memory is used again. The kernel's `groups.ts` does the same. */
export class TimeSorter {
  #times = new Float64Array(256);
  #rows = new Uint32Array(256);
  #runs = new Uint32Array(64);

  /**
   * Sorts the rows [from, to) by time, in place; returns whether two times are the same. Logs are nearly sorted, and several
   * readers give a few sorted runs: both cost time linear in the rows, anything else n log n.
   */
  sort(times: Float64Array, rows: Uint32Array, from: number, to: number): boolean {
    const runs = this.#sortRuns(times, rows, from, to);
    this.#mergeRuns(times, rows, runs, to);
    for (let i = from + 1; i < to; i++) if (times[i] === times[i - 1]) return true;
    return false;
  }

  /** Sorts rows that are a few places off; returns how many sorted runs there are, whose starts are noted. */
  #sortRuns(times: Float64Array, rows: Uint32Array, from: number, to: number): number {
    let runs = 0;
    let start = from;
    this.#runs[runs++] = from;
    for (let i = from + 1; i < to; i++) {
      const time = times[i] ?? 0;
      if ((times[i - 1] ?? 0) <= time) continue;
      const least = Math.max(start, i - REACH);
      let place = i - 1;
      while (place > least && (times[place - 1] ?? 0) > time) place--;
      if (place === least && place > start && (times[place - 1] ?? 0) > time) {
        if (runs === this.#runs.length) {
          const more = new Uint32Array(runs * 2);
          more.set(this.#runs);
          this.#runs = more;
        }
        this.#runs[runs++] = i;
        start = i;
        continue;
      }
      const row = rows[i] ?? 0;
      for (let j = i; j > place; j--) {
        times[j] = times[j - 1] ?? 0;
        rows[j] = rows[j - 1] ?? 0;
      }
      times[place] = time;
      rows[place] = row;
    }
    return runs;
  }

  /** Merges neighbouring runs until one is left. */
  #mergeRuns(times: Float64Array, rows: Uint32Array, runs: number, to: number): void {
    const starts = this.#runs;
    while (runs > 1) {
      let left = 0;
      for (let run = 0; run < runs; run += 2) {
        const from = starts[run] ?? 0;
        if (run + 1 < runs) this.#merge(times, rows, from, starts[run + 1] ?? 0, run + 2 < runs ? (starts[run + 2] ?? 0) : to);
        starts[left++] = from;
      }
      runs = left;
    }
  }

  /** Merges [from, middle) and [middle, to). */
  #merge(times: Float64Array, rows: Uint32Array, from: number, middle: number, to: number): void {
    const held = middle - from;
    if (held > this.#times.length) {
      this.#times = new Float64Array(2 * held);
      this.#rows = new Uint32Array(2 * held);
    }
    const heldTimes = this.#times;
    const heldRows = this.#rows;
    for (let i = 0; i < held; i++) {
      heldTimes[i] = times[from + i] ?? 0;
      heldRows[i] = rows[from + i] ?? 0;
    }
    let right = middle;
    for (let i = 0, at = from; i < held; at++) {
      const time = heldTimes[i] ?? 0;
      const other = right < to ? (times[right] ?? 0) : Number.POSITIVE_INFINITY;
      if (other < time) {
        times[at] = other;
        rows[at] = rows[right] ?? 0;
        right++;
      } else {
        times[at] = time;
        rows[at] = heldRows[i] ?? 0;
        i++;
      }
    }
  }
}

/**
 * Drops the duplicates of sorted rows [from, to): rows with the same time and the same origin port are one; a row without one
 * (-1) is never a duplicate. Of several the one that carries most is kept, so that the order of a log's rows changes nothing. The
 * rows kept stand from `from` on; returns how many.
 */
export function dropDuplicates(
  { times, rows, records, recordWords }: { times: Float64Array; rows: Uint32Array; records: Int32Array; recordWords: number },
  from: number,
  to: number,
): number {
  const portOf = (row: number): number => records[row * recordWords + ORIGIN_PORT_WORD] ?? -1;
  const compare = (a: number, b: number): number => {
    for (let word = ORIGIN_PORT_WORD; word < recordWords; word++) {
      const order = (records[b * recordWords + word] ?? 0) - (records[a * recordWords + word] ?? 0);
      if (order !== 0) return order;
    }
    return 0;
  };
  let count = from;
  for (let at = from; at < to; ) {
    const time = times[at] ?? 0;
    let end = at + 1;
    while (end < to && times[end] === time) end++;
    if (end - at > 1) rows.subarray(at, end).sort(compare);
    for (let i = at; i < end; i++) {
      const row = rows[i] ?? 0;
      if (i > at && portOf(row) !== -1 && portOf(row) === portOf(rows[count - 1] ?? 0)) continue;
      times[count] = time;
      rows[count] = row;
      count++;
    }
    at = end;
  }
  return count - from;
}
