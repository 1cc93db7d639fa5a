import type { DateFormat } from "../mapping/date-format.js";
import { DEFAULT_DATE_FORMAT } from "../mapping/date-format.js";
import type { FieldFamily } from "../mapping/field.js";
import { type AggregationResult, Aggregator, Buckets, ChildRows, type Collector, type Level, type OwnerMap } from "./aggregator.js";
import { type KeyState, Keys } from "./key-table.js";
import { formatNumber } from "./number-format.js";
import { type BucketOrder, bucketComparator } from "./order.js";
import { AUTO_STEPS, calendarSteps, type Rounding } from "./rounding.js";
import { type Scope, valuesOf } from "./scope.js";
import { tooManyBuckets } from "./terms.js";

export interface HistogramOptions {
  readonly kind: "histogram" | "date_histogram" | "auto_date_histogram";
  readonly path: string;
  readonly rounding: Rounding;
  readonly missing: number | undefined;
  readonly minDocCount: number;
  readonly order: readonly BucketOrder[];
  readonly keyed: boolean;
  /** Empty buckets are shown out to these values; dates in microseconds. */
  readonly extendedBounds: readonly [low: number, high: number] | undefined;
  /** Buckets outside are left out. */
  readonly hardBounds: readonly [low: number, high: number] | undefined;
  /** A format of dates or numbers; undefined: the field's. */
  readonly format: string | undefined;
  readonly dateFormat: DateFormat | undefined;
  readonly timeZone: string;
  readonly maxBuckets: number;
  /** `auto_date_histogram`: at most so many. */
  readonly targetBuckets?: number;
}

const FAMILIES: Readonly<Record<HistogramOptions["kind"], readonly FieldFamily[]>> = {
  histogram: ["number", "boolean"],
  date_histogram: ["date", "number"],
  auto_date_histogram: ["date"],
};

interface HistogramState {
  readonly keys: KeyState;
  readonly buckets: unknown;
}

/** A bucket a step of values. */
export class HistogramAggregator extends Aggregator {
  readonly #options: HistogramOptions;
  readonly #buckets: Buckets;
  readonly #keys = new Keys();
  #fieldFormat: DateFormat | undefined;

  constructor(name: string, meta: unknown, options: HistogramOptions, children: Level) {
    super(name, meta);
    this.#options = options;
    this.#buckets = new Buckets(children);
  }

  get #isDate(): boolean {
    return this.#options.kind !== "histogram";
  }

  open(scope: Scope): Collector {
    const { kind, path, rounding, missing, hardBounds } = this.#options;
    const found = valuesOf(scope, path, kind, FAMILIES[kind]);
    this.#fieldFormat ??= found?.field.format;
    const column = found?.column?.kind === "number" ? found.column : undefined;
    // A whole number taken for a date is milliseconds.
    const scale = found && this.#isDate && found.field.traits.family === "number" ? 1000 : 1;
    const children = this.#buckets.openChildren(scope);
    const below = new ChildRows();
    const buckets = this.#buckets;
    const keys = this.#keys;
    let lastStart = Number.NaN;
    let lastKey = -1;
    let lastOwner = -1;
    let lastBucket = -1;
    const bucketOf = (owner: number, value: number): number => {
      const start = rounding.round(value);
      if (start === lastStart && owner === lastOwner) return lastBucket;
      if (hardBounds && (start < rounding.round(hardBounds[0]) || value > hardBounds[1])) return -1;
      if (start !== lastStart) lastKey = keys.number(start);
      lastStart = start;
      lastOwner = owner;
      lastBucket = buckets.find(owner, lastKey);
      return lastBucket;
    };
    const add = (row: number, bucket: number): void => {
      if (bucket < 0) return;
      buckets.counts.add(bucket, 1);
      below.push(row, bucket);
    };
    return {
      collect: (rows, owners, length) => {
        below.reset(length);
        if (column && !column.offsets && missing === undefined) {
          const { values } = column;
          let m = 0;
          let counts = buckets.counts.values;
          for (let i = 0; i < length; i++) {
            const row = rows[i] as number;
            const value = values[row] as number;
            if (Number.isNaN(value)) continue;
            const bucket = bucketOf(owners ? (owners[i] as number) : 0, value * scale);
            if (bucket < 0) continue;
            if (bucket >= counts.length) counts = buckets.counts.reserve(bucket + 1);
            counts[bucket] = (counts[bucket] as number) + 1;
            below.rows[m] = row;
            below.buckets[m++] = bucket;
          }
          below.length = m;
        } else {
          for (let i = 0; i < length; i++) {
            const row = rows[i] as number;
            const owner = owners ? (owners[i] as number) : 0;
            const own = new Set<number>();
            const end = column ? (column.offsets ? (column.offsets[row + 1] as number) : row + 1) : 0;
            for (let place = column ? (column.offsets ? (column.offsets[row] as number) : row) : 0; place < end; place++) {
              const value = column?.values[place] as number;
              if (!Number.isNaN(value)) own.add(bucketOf(owner, value * scale));
            }
            if (own.size === 0 && missing !== undefined) own.add(bucketOf(owner, missing));
            for (const bucket of own) add(row, bucket);
          }
        }
        for (const child of children) child.collect(below.rows, below.buckets, below.length);
        if (buckets.size > 4 * this.#options.maxBuckets) throw tooManyBuckets(this.#options.maxBuckets);
      },
      close: () => {
        for (const child of children) child.close?.();
      },
    };
  }

  state(): HistogramState {
    return { keys: this.#keys.state(), buckets: this.#buckets.state() };
  }

  absorb(state: HistogramState, owners: OwnerMap): void {
    const ids = this.#keys.absorb(state.keys);
    this.#buckets.absorb(state.buckets, owners, (key) => ids[key] ?? 0);
  }

  result(owner: number): AggregationResult {
    const { rounding, minDocCount, order, keyed, extendedBounds, hardBounds, maxBuckets } = this.#options;
    const buckets = this.#buckets;
    const startOf = (bucket: number): number => Number(this.#keys.at(buckets.key(bucket)));
    const found = [...buckets.of(owner)]
      .filter((bucket) => buckets.count(bucket) >= Math.max(1, minDocCount))
      .sort((a, b) => startOf(a) - startOf(b));
    if (found.length > maxBuckets) throw tooManyBuckets(maxBuckets);
    if (this.#options.kind === "auto_date_histogram") return this.#auto(found, startOf);
    const byStart = new Map(found.map((bucket) => [startOf(bucket), bucket] as const));
    let starts = [...byStart.keys()];
    if (minDocCount === 0) {
      const clip = (value: number): number => (hardBounds ? Math.min(Math.max(value, hardBounds[0]), hardBounds[1]) : value);
      const low = Math.min(
        starts[0] ?? Number.POSITIVE_INFINITY,
        extendedBounds ? rounding.round(clip(extendedBounds[0])) : Number.POSITIVE_INFINITY,
      );
      const high = Math.max(
        starts.at(-1) ?? Number.NEGATIVE_INFINITY,
        extendedBounds ? rounding.round(clip(extendedBounds[1])) : Number.NEGATIVE_INFINITY,
      );
      const filled: number[] = [];
      for (let start = low; start <= high; ) {
        filled.push(start);
        if (filled.length > maxBuckets) throw tooManyBuckets(maxBuckets);
        const next = rounding.next(start);
        if (!(next > start)) break;
        // Steps of fractions: the start that was found is the one that counts.
        start = byStart.has(next) ? next : (starts.find((one) => Math.abs(one - next) < Math.abs(next - start) * 1e-9) ?? next);
      }
      starts = filled;
    }
    const isByKey = order.length === 1 && order[0]?.path === "_key";
    if (isByKey) {
      if (order[0]?.descending) starts.reverse();
    } else {
      const compare = bucketComparator(
        order,
        buckets.children,
        (index) => buckets.count(byStart.get(starts[index] ?? 0) ?? -1),
        (a, b) => (starts[a] ?? 0) - (starts[b] ?? 0),
      );
      // Buckets are ordered by place, since empty ones have no number.
      const byNumber = bucketComparator(
        order,
        buckets.children,
        (bucket) => buckets.count(bucket),
        (a, b) => startOf(a) - startOf(b),
      );
      const places = starts.map((_start, index) => index);
      places.sort((a, b) => {
        const x = byStart.get(starts[a] ?? 0);
        const y = byStart.get(starts[b] ?? 0);
        return x !== undefined && y !== undefined ? byNumber(x, y) : compare(a, b);
      });
      starts = places.map((place) => starts[place] ?? 0);
    }
    return {
      buckets: this.#shown(
        starts.map((start) => this.#bucket(start, byStart.get(start))),
        keyed,
      ),
    };
  }

  #bucket(start: number, bucket: number | undefined): AggregationResult {
    const { format, dateFormat, timeZone } = this.#options;
    const children = this.#buckets.childResults(bucket ?? -1);
    const count = bucket === undefined ? 0 : this.#buckets.count(bucket);
    if (!this.#isDate) {
      return { key: start, ...(format !== undefined && { key_as_string: formatNumber(start, format) }), doc_count: count, ...children };
    }
    const text = (dateFormat ?? this.#fieldFormat ?? DEFAULT_DATE_FORMAT).format(start, timeZone);
    return { key_as_string: text, key: Math.floor(start / 1000), doc_count: count, ...children };
  }

  #shown(list: readonly AggregationResult[], keyed: boolean): unknown {
    if (!keyed) return list;
    return Object.fromEntries(list.map((bucket) => [String(bucket["key_as_string"] ?? decimal(bucket["key"])), bucket]));
  }

  /** Joins seconds to the finest steps that are few enough. */
  #auto(found: readonly number[], startOf: (bucket: number) => number): AggregationResult {
    const { targetBuckets = 10, timeZone } = this.#options;
    const first = found[0];
    const last = found.at(-1);
    if (first === undefined || last === undefined) return { buckets: [], interval: "1s" };
    for (const { interval, unit, factors } of AUTO_STEPS) {
      const steps = calendarSteps(interval, timeZone, 0);
      const starts: number[] = [];
      const end = steps.round(startOf(last));
      for (let start = steps.round(startOf(first)); start <= end && starts.length <= targetBuckets * 100; start = steps.next(start))
        starts.push(start);
      for (const factor of factors) {
        if (Math.ceil(starts.length / factor) > targetBuckets) continue;
        const merged = starts.filter((_start, index) => index % factor === 0);
        const stepOf = (bucket: number): number => {
          const value = startOf(bucket);
          let at = merged.length - 1;
          while (at > 0 && (merged[at] as number) > value) at--;
          return at;
        };
        return { buckets: this.#merged(merged, found, stepOf), interval: `${factor}${unit}` };
      }
    }
    throw tooManyBuckets(targetBuckets);
  }

  /** Buckets joined to steps, with what is below them. */
  #merged(starts: readonly number[], found: readonly number[], stepOf: (bucket: number) => number): AggregationResult[] {
    const { dateFormat, timeZone } = this.#options;
    const first = this.#buckets.size;
    // Owners below are numbered after the buckets there are; those of other parents go to one that nobody reads.
    const owners = new Int32Array(first).fill(first + starts.length);
    const counts = starts.map(() => 0);
    for (const bucket of found) {
      const step = stepOf(bucket);
      owners[bucket] = first + step;
      counts[step] = (counts[step] ?? 0) + this.#buckets.count(bucket);
    }
    for (const child of this.#buckets.children) child.absorb(child.state() as never, owners);
    return starts.map((start, step) => ({
      key_as_string: (dateFormat ?? this.#fieldFormat ?? DEFAULT_DATE_FORMAT).format(start, timeZone),
      key: Math.floor(start / 1000),
      doc_count: counts[step],
      ...this.#buckets.childResults(first + step),
    }));
  }
}

const decimal = (key: unknown): string => (typeof key === "number" && Number.isInteger(key) ? key.toFixed(1) : String(key));
