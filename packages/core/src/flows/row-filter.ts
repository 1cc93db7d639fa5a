import type { FilterPlan, FilterRule } from "../filter/filter-plan.js";
import type { CodeValues, ColumnBatch, TimeValues } from "../zeek/column-batch.js";
import type { Dictionary } from "../zeek/dictionary.js";

/** Inclusive bounds on the start time in microseconds since 1970-01-01 UTC; undefined: no bound. */
export interface TimeBounds {
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

/** Leaves out rows outside time bounds, and those that a filter's rules over columns leave out; counts them. */
export class RowFilter {
  readonly #start: number;
  readonly #end: number;
  readonly #rules: readonly { readonly rule: FilterRule; readonly column: string; readonly verdicts: CodeVerdicts }[];
  readonly #removed = new Map<FilterRule, number>();
  #outside = 0;

  constructor({ start = Number.NEGATIVE_INFINITY, end = Number.POSITIVE_INFINITY }: TimeBounds, plan?: FilterPlan) {
    this.#start = start;
    this.#end = end;
    this.#rules = (plan?.rowRules ?? []).map(({ rule, column, keeps }) => ({ rule, column, verdicts: new CodeVerdicts(keeps) }));
  }

  /** Columns that the rules read besides the time. */
  get columns(): readonly string[] {
    return this.#rules.map(({ column }) => column);
  }

  /** Rows left out so far by the time bounds. */
  get rowsOutside(): number {
    return this.#outside;
  }

  /** Rows left out so far by each rule. */
  get removed(): ReadonlyMap<FilterRule, number> {
    return this.#removed;
  }

  /** The rows of a batch that are kept, moved together in its own arrays. All columns must hold one number a row. */
  apply(batch: ColumnBatch): ColumnBatch {
    const start = this.#start;
    const end = this.#end;
    let left = batch;
    if (start !== Number.NEGATIVE_INFINITY || end !== Number.POSITIVE_INFINITY) {
      const times = (batch.columns.get("ts") as TimeValues).values;
      left = compact(batch, (row) => {
        const time = times[row] ?? 0;
        return time >= start && time <= end;
      });
      this.#outside += batch.rows - left.rows;
    }
    for (const { rule, column, verdicts } of this.#rules) {
      const { values, dictionary } = left.columns.get(column) as CodeValues;
      const keeps = verdicts.upTo(dictionary);
      const kept = compact(left, (row) => keeps[(values[row] ?? -1) + 1] === 1);
      this.#removed.set(rule, (this.#removed.get(rule) ?? 0) + left.rows - kept.rows);
      left = kept;
    }
    return left;
  }
}

/** Verdicts over the texts of a dictionary, each text judged once. */
class CodeVerdicts {
  readonly #keeps: (text: string) => boolean;
  #known = new Uint8Array(0);
  #size = -1;

  constructor(keeps: (text: string) => boolean) {
    this.#keeps = keeps;
  }

  /** 1 where the text of code `i - 1` is kept; 0 stands for the unset value, which is `-`. */
  upTo(dictionary: Dictionary): Uint8Array {
    if (dictionary.size === this.#size) return this.#known;
    const known = new Uint8Array(dictionary.size + 1);
    known.set(this.#known);
    if (this.#size < 0) known[0] = this.#keeps("-") ? 1 : 0;
    for (let code = Math.max(0, this.#size); code < dictionary.size; code++) known[code + 1] = this.#keeps(dictionary.text(code)) ? 1 : 0;
    this.#size = dictionary.size;
    this.#known = known;
    return known;
  }
}

/** The rows for which the test holds, moved to the front of all columns. */
function compact(batch: ColumnBatch, holds: (row: number) => boolean): ColumnBatch {
  const arrays = [...batch.columns.values()].flatMap((column) => ("values" in column ? [column.values] : []));
  let kept = 0;
  for (let row = 0; row < batch.rows; row++) {
    if (!holds(row)) continue;
    if (kept !== row) for (const values of arrays) values[kept] = values[row] ?? 0;
    kept++;
  }
  return kept === batch.rows ? batch : { rows: kept, columns: batch.columns };
}
