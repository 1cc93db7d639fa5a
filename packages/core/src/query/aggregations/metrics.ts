import type { DateFormat } from "../mapping/date-format.js";
import { DEFAULT_DATE_FORMAT } from "../mapping/date-format.js";
import type { Field, FieldFamily } from "../mapping/field.js";
import { type AggregationResult, Aggregator, type Collector, type OwnerMap } from "./aggregator.js";
import { NumberList } from "./key-table.js";
import { formatNumber } from "./number-format.js";
import { type Scope, scaleOf, valuesOf } from "./scope.js";

/** Where a metric gets its numbers. */
export interface MetricSource {
  readonly path: string;
  /** Stands in for rows without a value. */
  readonly missing: number | undefined;
  readonly format: string | undefined;
}

export type MetricKind = "sum" | "avg" | "min" | "max" | "value_count" | "stats" | "extended_stats";

const NUMERIC: readonly FieldFamily[] = ["number", "date", "boolean"];

interface StatsState {
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  readonly minima: Float64Array;
  readonly maxima: Float64Array;
  readonly squares: Float64Array;
  readonly length: number;
  readonly isDate: boolean;
}

/** Count, sum, extremes and sum of squares of numbers: the aggregations of one number and the two that give all. */
export class StatsAggregator extends Aggregator {
  readonly #kind: MetricKind;
  readonly #source: MetricSource;
  readonly #sigma: number;
  readonly #counts = new NumberList();
  readonly #sums = new NumberList();
  /** What rounding lost of each sum. */
  readonly #lost = new NumberList();
  readonly #minima = new NumberList(Number.POSITIVE_INFINITY);
  readonly #maxima = new NumberList(Number.NEGATIVE_INFINITY);
  readonly #squares = new NumberList();
  #owners = 0;
  #field: Field | undefined;
  #isDate = false;

  constructor(name: string, meta: unknown, kind: MetricKind, source: MetricSource, sigma = 2) {
    super(name, meta);
    this.#kind = kind;
    this.#source = source;
    this.#sigma = sigma;
  }

  override perRow(scope: Scope): number | undefined {
    if (this.#kind !== "sum" && this.#kind !== "value_count") return undefined;
    const field = scope.context.mapping.field(this.#source.path);
    const bounds = field && scope.segment.bounds?.(field.column);
    if (!field || !bounds?.[2]) return undefined;
    if (this.#kind === "value_count") return 1;
    return field.traits.range && bounds[0] === bounds[1] ? bounds[0] : undefined;
  }

  override addRows(owner: number, rows: number, value: number): void {
    this.#owners = Math.max(this.#owners, owner + 1);
    this.#counts.add(owner, rows);
    this.#sums.add(owner, rows * value);
  }

  open(scope: Scope): Collector {
    const isCount = this.#kind === "value_count";
    const found = valuesOf(scope, this.#source.path, this.#kind, isCount ? undefined : NUMERIC);
    if (found) {
      this.#field ??= found.field;
      this.#isDate ||= found.field.traits.family === "date";
    }
    const column = found?.column;
    const { missing } = this.#source;
    if (!column) {
      if (missing === undefined) return { collect: () => {} };
      return {
        collect: (_rows, owners, length) => {
          for (let i = 0; i < length; i++) this.#add(owners ? (owners[i] as number) : 0, missing);
        },
      };
    }
    const scale = found.field && !isCount ? 1 / scaleOf(found.field) : 1;
    if (column.kind === "number" && !column.offsets && missing === undefined) {
      // Sums of whole numbers lose nothing.
      const isWhole = found?.field.traits.range !== undefined && column.exact.size === 0;
      return this.#kind === "sum" && isWhole ? this.#sumOfWhole(column.values) : this.#plain(column.values, scale);
    }
    const valueAt = (place: number): number => {
      if (column.kind !== "number") return (column.codes[place] ?? -1) < 0 ? Number.NaN : 1;
      return isCount ? (Number.isNaN(column.values[place]) ? Number.NaN : 1) : (column.values[place] as number) * scale;
    };
    const { offsets } = column;
    return {
      collect: (rows, owners, length) => {
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const owner = owners ? (owners[i] as number) : 0;
          let any = false;
          const end = offsets ? (offsets[row + 1] as number) : row + 1;
          for (let place = offsets ? (offsets[row] as number) : row; place < end; place++) {
            const value = valueAt(place);
            if (Number.isNaN(value)) continue;
            any = true;
            this.#add(owner, value);
          }
          if (!any && missing !== undefined) this.#add(owner, missing);
        }
      },
    };
  }

  /** The sum alone, of at most one whole number a row. */
  #sumOfWhole(values: Float64Array): Collector {
    return {
      collect: (rows, owners, length) => {
        if (length === 0) return;
        let most = 0;
        if (owners) for (let i = 0; i < length; i++) if ((owners[i] as number) > most) most = owners[i] as number;
        this.#owners = Math.max(this.#owners, most + 1);
        const sums = this.#sums.reserve(most + 1);
        if (!owners) {
          let sum = sums[0] as number;
          for (let i = 0; i < length; i++) {
            const value = values[rows[i] as number] as number;
            if (!Number.isNaN(value)) sum += value;
          }
          sums[0] = sum;
          return;
        }
        for (let i = 0; i < length; i++) {
          const value = values[rows[i] as number] as number;
          if (Number.isNaN(value)) continue;
          const owner = owners[i] as number;
          sums[owner] = (sums[owner] as number) + value;
        }
      },
    };
  }

  /** At most one number a row. */
  #plain(values: Float64Array, scale: number): Collector {
    const kind = this.#kind;
    const wantsSum = kind !== "min" && kind !== "max" && kind !== "value_count";
    const wantsExtremes = kind === "min" || kind === "max" || kind === "stats" || kind === "extended_stats";
    const wantsSquares = kind === "extended_stats";
    return {
      collect: (rows, owners, length) => {
        let most = 0;
        if (owners) for (let i = 0; i < length; i++) if ((owners[i] as number) > most) most = owners[i] as number;
        if (length > 0) this.#owners = Math.max(this.#owners, most + 1);
        const counts = this.#counts.reserve(most + 1);
        const sums = this.#sums.reserve(most + 1);
        const lost = this.#lost.reserve(most + 1);
        const minima = this.#minima.reserve(most + 1);
        const maxima = this.#maxima.reserve(most + 1);
        const squares = this.#squares.reserve(most + 1);
        for (let i = 0; i < length; i++) {
          const raw = values[rows[i] as number] as number;
          if (Number.isNaN(raw)) continue;
          const owner = owners ? (owners[i] as number) : 0;
          const value = raw * scale;
          counts[owner] = (counts[owner] as number) + 1;
          if (wantsSum) {
            const before = sums[owner] as number;
            const corrected = value + (lost[owner] as number);
            const after = before + corrected;
            lost[owner] = corrected - (after - before);
            sums[owner] = after;
          }
          if (wantsExtremes) {
            if (value < (minima[owner] as number)) minima[owner] = value;
            if (value > (maxima[owner] as number)) maxima[owner] = value;
          }
          if (wantsSquares) squares[owner] = (squares[owner] as number) + value * value;
        }
      },
    };
  }

  #add(owner: number, value: number): void {
    this.#owners = Math.max(this.#owners, owner + 1);
    this.#counts.add(owner, 1);
    const before = this.#sums.get(owner);
    const corrected = value + this.#lost.get(owner);
    const after = before + corrected;
    this.#lost.set(owner, corrected - (after - before));
    this.#sums.set(owner, after);
    this.#minima.set(owner, Math.min(this.#minima.get(owner), value));
    this.#maxima.set(owner, Math.max(this.#maxima.get(owner), value));
    this.#squares.add(owner, value * value);
  }

  state(): StatsState {
    const length = this.#owners;
    const cut = (list: NumberList): Float64Array => list.reserve(length).slice(0, length);
    return {
      counts: cut(this.#counts),
      sums: cut(this.#sums),
      minima: cut(this.#minima),
      maxima: cut(this.#maxima),
      squares: cut(this.#squares),
      length,
      isDate: this.#isDate,
    };
  }

  absorb(state: StatsState, owners: OwnerMap): void {
    this.#isDate ||= state.isDate;
    for (let i = 0; i < state.length; i++) {
      const owner = owners[i] ?? 0;
      this.#owners = Math.max(this.#owners, owner + 1);
      this.#counts.add(owner, state.counts[i] as number);
      this.#sums.add(owner, state.sums[i] as number);
      this.#minima.set(owner, Math.min(this.#minima.get(owner), state.minima[i] as number));
      this.#maxima.set(owner, Math.max(this.#maxima.get(owner), state.maxima[i] as number));
      this.#squares.add(owner, state.squares[i] as number);
    }
  }

  #figures(owner: number): Record<string, number> {
    const count = this.#counts.get(owner);
    const sum = this.#sums.get(owner) + this.#lost.get(owner);
    const mean = sum / count;
    const squares = this.#squares.get(owner);
    const variance = count === 0 ? Number.NaN : Math.max(0, (squares - sum * mean) / count);
    const sampling = count < 2 ? Number.NaN : Math.max(0, (squares - sum * mean) / (count - 1));
    return {
      count,
      sum,
      avg: mean,
      min: this.#minima.get(owner),
      max: this.#maxima.get(owner),
      sum_of_squares: squares,
      variance,
      variance_population: variance,
      variance_sampling: sampling,
      std_deviation: Math.sqrt(variance),
      std_deviation_population: Math.sqrt(variance),
      std_deviation_sampling: Math.sqrt(sampling),
    };
  }

  override metric(owner: number, name: string | undefined): number | undefined {
    if (name === undefined || name === "value") {
      const count = this.#counts.get(owner);
      switch (this.#kind) {
        case "sum":
          return this.#sums.get(owner) + this.#lost.get(owner);
        case "min":
          return this.#minima.get(owner);
        case "max":
          return this.#maxima.get(owner);
        case "value_count":
          return count;
        case "avg":
          return (this.#sums.get(owner) + this.#lost.get(owner)) / count;
        default:
      }
    }
    const figures = this.#figures(owner);
    if (name === undefined || name === "value") return this.#kind === "value_count" ? figures["count"] : figures[this.#kind];
    if (name === "std_upper") return (figures["avg"] ?? 0) + this.#sigma * (figures["std_deviation"] ?? 0);
    if (name === "std_lower") return (figures["avg"] ?? 0) - this.#sigma * (figures["std_deviation"] ?? 0);
    return Object.hasOwn(figures, name) ? figures[name] : undefined;
  }

  result(owner: number): AggregationResult {
    const figures = this.#figures(owner);
    const { count = 0 } = figures;
    const shown = (value: number | undefined): number | null => (value === undefined || !Number.isFinite(value) ? null : value);
    const text = (value: number): string | undefined => {
      if (this.#source.format !== undefined && !this.#isDate) return formatNumber(value, this.#source.format);
      if (this.#isDate) return (this.#field?.format ?? (DEFAULT_DATE_FORMAT as DateFormat)).format(value * 1000);
      return this.#field?.traits.family === "boolean" ? (value === 0 ? "false" : "true") : undefined;
    };
    const kind = this.#kind;
    if (kind === "value_count") return { value: count };
    if (kind === "sum" || kind === "avg" || kind === "min" || kind === "max") {
      const value = kind === "sum" ? (figures["sum"] ?? 0) : count === 0 ? null : shown(figures[kind]);
      const written = value === null ? undefined : text(value);
      return { value, ...(written !== undefined && { value_as_string: written }) };
    }
    const { sum = 0 } = figures;
    const none = count === 0;
    const base: AggregationResult = {
      count,
      min: none ? null : figures["min"],
      max: none ? null : figures["max"],
      avg: none ? null : figures["avg"],
      sum,
    };
    const names = ["min", "max", "avg", "sum"];
    if (kind === "extended_stats") {
      for (const key of [
        "sum_of_squares",
        "variance",
        "variance_population",
        "variance_sampling",
        "std_deviation",
        "std_deviation_population",
        "std_deviation_sampling",
      ]) {
        base[key] = none ? null : Number.isNaN(figures[key]) ? "NaN" : figures[key];
        names.push(key);
      }
      const bound = (sign: number, deviation: number | undefined): number | null | string => {
        if (none) return null;
        const value = (figures["avg"] ?? 0) + sign * this.#sigma * (deviation ?? Number.NaN);
        return Number.isNaN(value) ? "NaN" : value;
      };
      base["std_deviation_bounds"] = {
        upper: bound(1, figures["std_deviation"]),
        lower: bound(-1, figures["std_deviation"]),
        upper_population: bound(1, figures["std_deviation"]),
        lower_population: bound(-1, figures["std_deviation"]),
        upper_sampling: bound(1, figures["std_deviation_sampling"]),
        lower_sampling: bound(-1, figures["std_deviation_sampling"]),
      };
    }
    if (!none) {
      for (const key of names) {
        const value = base[key];
        const written = typeof value === "number" ? text(value) : undefined;
        if (written !== undefined) base[`${key}_as_string`] = written;
      }
    }
    return base;
  }
}

interface SampleState {
  readonly owners: Int32Array;
  readonly values: Float64Array;
}

/** Numbers kept one by one for exact percentiles: 12 bytes a value. */
abstract class SampleAggregator extends Aggregator {
  readonly #kind: string;
  readonly #source: MetricSource;
  #owners = new Int32Array(1024);
  #values = new Float64Array(1024);
  #size = 0;
  #sorted: Map<number, Float64Array> | undefined;
  protected field: Field | undefined;

  constructor(name: string, meta: unknown, kind: string, source: MetricSource) {
    super(name, meta);
    this.#kind = kind;
    this.#source = source;
  }

  protected get format(): string | undefined {
    return this.#source.format;
  }

  #push(owner: number, value: number): void {
    if (this.#size === this.#values.length) {
      const owners = new Int32Array(2 * this.#size);
      owners.set(this.#owners);
      this.#owners = owners;
      const values = new Float64Array(2 * this.#size);
      values.set(this.#values);
      this.#values = values;
    }
    this.#owners[this.#size] = owner;
    this.#values[this.#size++] = value;
  }

  open(scope: Scope): Collector {
    const found = valuesOf(scope, this.#source.path, this.#kind, NUMERIC);
    if (found) this.field ??= found.field;
    const column = found?.column?.kind === "number" ? found.column : undefined;
    const scale = found ? 1 / scaleOf(found.field) : 1;
    const { missing } = this.#source;
    return {
      collect: (rows, owners, length) => {
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const owner = owners ? (owners[i] as number) : 0;
          let any = false;
          if (column) {
            const end = column.offsets ? (column.offsets[row + 1] as number) : row + 1;
            for (let place = column.offsets ? (column.offsets[row] as number) : row; place < end; place++) {
              const value = column.values[place] as number;
              if (Number.isNaN(value)) continue;
              any = true;
              this.#push(owner, value * scale);
            }
          }
          if (!any && missing !== undefined) this.#push(owner, missing);
        }
      },
    };
  }

  /** The numbers of an owner in ascending order. */
  protected sorted(owner: number): Float64Array {
    if (!this.#sorted) {
      const counts = new Map<number, number>();
      for (let i = 0; i < this.#size; i++) counts.set(this.#owners[i] as number, (counts.get(this.#owners[i] as number) ?? 0) + 1);
      const lists = new Map([...counts].map(([one, count]) => [one, new Float64Array(count)] as const));
      const next = new Map<number, number>();
      for (let i = 0; i < this.#size; i++) {
        const one = this.#owners[i] as number;
        const at = next.get(one) ?? 0;
        const list = lists.get(one);
        if (list) list[at] = this.#values[i] as number;
        next.set(one, at + 1);
      }
      for (const list of lists.values()) list.sort();
      this.#sorted = lists;
    }
    return this.#sorted.get(owner) ?? new Float64Array(0);
  }

  state(): SampleState {
    return { owners: this.#owners.slice(0, this.#size), values: this.#values.slice(0, this.#size) };
  }

  absorb(state: SampleState, owners: OwnerMap): void {
    this.#sorted = undefined;
    for (let i = 0; i < state.values.length; i++) this.#push(owners[state.owners[i] as number] ?? 0, state.values[i] as number);
  }

  protected text(value: number): string | undefined {
    if (this.field?.traits.family === "date") return (this.field.format ?? DEFAULT_DATE_FORMAT).format(value * 1000);
    return this.format === undefined ? undefined : formatNumber(value, this.format);
  }

  protected shown(entries: readonly (readonly [percent: number, value: number])[], keyed: boolean): AggregationResult {
    const name = (percent: number): string => (Number.isInteger(percent) ? percent.toFixed(1) : String(percent));
    const clean = (value: number): number | null => (Number.isNaN(value) ? null : value);
    if (!keyed) {
      return {
        values: entries.map(([percent, value]) => {
          const text = Number.isNaN(value) ? undefined : this.text(value);
          return { key: percent, value: clean(value), ...(text !== undefined && { value_as_string: text }) };
        }),
      };
    }
    const values: Record<string, unknown> = {};
    for (const [percent, value] of entries) {
      values[name(percent)] = clean(value);
      const text = Number.isNaN(value) ? undefined : this.text(value);
      if (text !== undefined) values[`${name(percent)}_as_string`] = text;
    }
    return { values };
  }
}

/** A percentile of sorted numbers: between neighbours as Hazen has it, which a digest of single values gives too. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  const { length } = sorted;
  if (length === 0) return Number.NaN;
  const place = Math.min(length - 1, Math.max(0, (percent / 100) * length - 0.5));
  const low = Math.floor(place);
  const a = sorted[low] as number;
  const b = sorted[Math.min(length - 1, low + 1)] as number;
  return a + (b - a) * (place - low);
}

export class PercentilesAggregator extends SampleAggregator {
  readonly #percents: readonly number[];
  readonly #keyed: boolean;

  constructor(name: string, meta: unknown, source: MetricSource, percents: readonly number[], keyed: boolean, kind = "percentiles") {
    super(name, meta, kind, source);
    this.#percents = percents;
    this.#keyed = keyed;
  }

  override metric(owner: number, name: string | undefined): number | undefined {
    const percent = name === undefined ? this.#percents[0] : Number(name);
    return percent === undefined || Number.isNaN(percent) ? undefined : percentile(this.sorted(owner), percent);
  }

  result(owner: number): AggregationResult {
    const sorted = this.sorted(owner);
    return this.shown(
      this.#percents.map((percent) => [percent, percentile(sorted, percent)] as const),
      this.#keyed,
    );
  }
}

/** The median of how far values are from the median. */
export class MedianDeviationAggregator extends SampleAggregator {
  constructor(name: string, meta: unknown, source: MetricSource) {
    super(name, meta, "median_absolute_deviation", source);
  }

  override metric(owner: number): number | undefined {
    const sorted = this.sorted(owner);
    const median = percentile(sorted, 50);
    return percentile(Float64Array.from(sorted, (value) => Math.abs(value - median)).sort(), 50);
  }

  result(owner: number): AggregationResult {
    const value = this.metric(owner);
    return { value: value === undefined || Number.isNaN(value) ? null : value };
  }
}

/** The share of values up to some. */
export class PercentileRanksAggregator extends SampleAggregator {
  readonly #wanted: readonly number[];
  readonly #keyed: boolean;

  constructor(name: string, meta: unknown, source: MetricSource, wanted: readonly number[], keyed: boolean) {
    super(name, meta, "percentile_ranks", source);
    this.#wanted = wanted;
    this.#keyed = keyed;
  }

  #rank(sorted: Float64Array, value: number): number {
    const { length } = sorted;
    if (length === 0) return Number.NaN;
    if (value < (sorted[0] as number)) return 0;
    if (value >= (sorted[length - 1] as number)) return 100;
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    const before = sorted[low - 1] as number;
    const after = sorted[low] as number;
    return (100 * (low - 0.5 + (value - before) / (after - before))) / length;
  }

  override metric(owner: number, name: string | undefined): number | undefined {
    return this.#rank(this.sorted(owner), Number(name ?? this.#wanted[0]));
  }

  result(owner: number): AggregationResult {
    const sorted = this.sorted(owner);
    return this.shown(
      this.#wanted.map((value) => [value, this.#rank(sorted, value)] as const),
      this.#keyed,
    );
  }
}
