import type { ColumnBatch, TimeValues } from "../zeek/column-batch.js";

/** Inclusive bounds on the start time in microseconds since 1970-01-01 UTC; undefined: no bound. */
export interface TimeBounds {
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

/** Leaves out rows outside time bounds and counts them. */
export class TimeFilter {
  readonly #start: number;
  readonly #end: number;
  #outside = 0;

  constructor({ start = Number.NEGATIVE_INFINITY, end = Number.POSITIVE_INFINITY }: TimeBounds) {
    this.#start = start;
    this.#end = end;
  }

  /** Rows left out so far. */
  get rowsOutside(): number {
    return this.#outside;
  }

  /**
   * The rows of a batch that lie within the bounds, moved together in its own arrays. All columns must hold one number a
   * row.
   */
  apply(batch: ColumnBatch): ColumnBatch {
    const start = this.#start;
    const end = this.#end;
    if (start === Number.NEGATIVE_INFINITY && end === Number.POSITIVE_INFINITY) return batch;
    const times = (batch.columns.get("ts") as TimeValues).values;
    const arrays = [...batch.columns.values()].flatMap((column) => ("values" in column && column.values !== times ? [column.values] : []));
    let kept = 0;
    for (let row = 0; row < batch.rows; row++) {
      const time = times[row] ?? 0;
      if (time < start || time > end) continue;
      if (kept !== row) {
        times[kept] = time;
        for (const values of arrays) values[kept] = values[row] ?? 0;
      }
      kept++;
    }
    this.#outside += batch.rows - kept;
    return { rows: kept, columns: batch.columns };
  }
}
