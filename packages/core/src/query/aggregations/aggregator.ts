import { KeyTable, NumberList } from "./key-table.js";
import type { Scope } from "./scope.js";

/** What an aggregation answers: the object that stands under its name. */
export type AggregationResult = Record<string, unknown>;

/** Takes rows of one segment, some at a time. */
export interface Collector {
  /**
   * @param rows rows in order; `length` of them count
   * @param owners the bucket of the parent that each row is in; undefined: bucket 0 all
   */
  collect(rows: Int32Array, owners: Int32Array | undefined, length: number): void;
  /** Called after the last rows of the segment. */
  close?(): void;
}

/** A bucket of another thread's parent as it is numbered here. */
export type OwnerMap = ArrayLike<number>;

/**
 * Computes one aggregation over all segments: its figures are kept by the number of the parent's bucket (the owner), so that a whole tree of buckets
 * costs typed arrays and no objects until the answer is written.
 */
export abstract class Aggregator {
  readonly name: string;
  readonly meta: unknown;
  /** Its name in a request. */
  type = "";
  /** What is computed from its buckets afterwards. */
  pipelines: readonly BucketsPipeline[] = [];

  constructor(name: string, meta: unknown) {
    this.name = name;
    this.meta = meta;
  }

  /** The name of its answer's type, which depends on the field for some. */
  get typeName(): string {
    return this.type.startsWith("percentile") ? `tdigest_${this.type}` : this.type;
  }

  abstract open(scope: Scope): Collector;
  /** The number that every row of a segment adds, where they all add the same; then rows need not be seen one by one, see `addRows`. */
  perRow(_scope: Scope): number | undefined {
    return undefined;
  }
  /** Adds so many rows, of `value` each, to an owner. */
  addRows(_owner: number, _rows: number, _value: number): void {}
  /** What another thread needs to add this one's figures to its own: a structure that can be cloned. */
  abstract state(): unknown;
  /** Adds what `state` of the same aggregation elsewhere gave. */
  abstract absorb(state: never, owners: OwnerMap): void;
  /** The answer for one bucket of the parent. */
  abstract result(owner: number): AggregationResult;
  /** A figure that buckets can be ordered by; undefined when there is no such. */
  metric(_owner: number, _name: string | undefined): number | undefined {
    return undefined;
  }
  /** The aggregation below this one, for an order such as `a>b`; only of one-bucket aggregations. */
  child(_owner: number, _name: string): { readonly aggregator: Aggregator; readonly owner: number } | undefined {
    return undefined;
  }
}

/** Computes on the buckets of an answer; may change, add to, sort or drop them. */
export type BucketsPipeline = (buckets: AggregationResult[]) => AggregationResult[];

/** Computes from the answers beside it. */
export interface SiblingPipeline {
  readonly name: string;
  readonly type?: string;
  readonly meta: unknown;
  compute(beside: AggregationResult): AggregationResult;
}

/** Types of the answers of pipelines, where they are not their own. */
const SIBLING_TYPES: Readonly<Record<string, string>> = {
  avg_bucket: "simple_value",
  sum_bucket: "simple_value",
  min_bucket: "bucket_metric_value",
  max_bucket: "bucket_metric_value",
};

/** The aggregations that stand beside each other. */
export class Level {
  readonly aggregators: readonly Aggregator[];
  readonly siblings: readonly SiblingPipeline[];
  readonly #typedKeys: boolean;

  constructor(aggregators: readonly Aggregator[] = [], siblings: readonly SiblingPipeline[] = [], typedKeys = false) {
    this.#typedKeys = typedKeys;
    this.aggregators = aggregators;
    this.siblings = siblings;
  }

  /** The answers for one bucket, by name. */
  results(bucket: number): AggregationResult {
    // Without a prototype, so that no name means anything but itself.
    const results: AggregationResult = Object.create(null) as AggregationResult;
    for (const aggregator of this.aggregators) results[aggregator.name] = answerOf(aggregator, bucket);
    for (const sibling of this.siblings) results[sibling.name] = withMeta(sibling.meta, sibling.compute(results));
    if (!this.#typedKeys) return results;
    const types = new Map([
      ...this.aggregators.map((aggregator) => [aggregator.name, aggregator.typeName] as const),
      ...this.siblings.map(({ name, type = "" }) => [name, SIBLING_TYPES[type] ?? type] as const),
    ]);
    return Object.fromEntries(Object.entries(results).map(([name, result]) => [`${types.get(name) ?? ""}#${name}`, result]));
  }
}

function answerOf(aggregator: Aggregator, bucket: number): AggregationResult {
  const result = aggregator.result(bucket);
  if (aggregator.pipelines.length > 0) {
    const { buckets } = result;
    const isList = Array.isArray(buckets);
    let list = isList ? (buckets as AggregationResult[]) : Object.values(buckets as Record<string, AggregationResult>);
    for (const pipeline of aggregator.pipelines) list = pipeline(list);
    if (isList) result["buckets"] = list;
  }
  return withMeta(aggregator.meta, result);
}

/** Rows that go on to the aggregations below, with the bucket of each. */
export class ChildRows {
  rows = new Int32Array(0);
  buckets = new Int32Array(0);
  length = 0;

  /** Empties it, with room for `most` rows. */
  reset(most: number): void {
    this.length = 0;
    if (this.rows.length < most) {
      this.rows = new Int32Array(most);
      this.buckets = new Int32Array(most);
    }
  }

  /** Adds a row; more than one bucket may have it. */
  push(row: number, bucket: number): void {
    if (this.length === this.rows.length) {
      const grow = (old: Int32Array): Int32Array => {
        const grown = new Int32Array(Math.max(64, 2 * old.length));
        grown.set(old);
        return grown;
      };
      this.rows = grow(this.rows) as Int32Array<ArrayBuffer>;
      this.buckets = grow(this.buckets) as Int32Array<ArrayBuffer>;
    }
    this.rows[this.length] = row;
    this.buckets[this.length++] = bucket;
  }
}

interface BucketState {
  readonly owners: Int32Array;
  readonly keys: Int32Array;
  readonly counts: Float64Array;
  readonly children: readonly unknown[];
}

/** Buckets by the parent's bucket and a key, with the aggregations below them. */
export class Buckets {
  readonly level: Level;
  readonly table = new KeyTable();
  readonly counts = new NumberList();
  #byOwner: { readonly starts: Int32Array; readonly order: Int32Array; readonly size: number } | undefined;

  constructor(level: Level) {
    this.level = level;
  }

  get children(): readonly Aggregator[] {
    return this.level.aggregators;
  }

  get size(): number {
    return this.table.size;
  }

  /** The bucket of an owner and a key. */
  find(owner: number, key: number): number {
    return this.table.find(owner, key);
  }

  key(bucket: number): number {
    return this.table.second(bucket);
  }

  count(bucket: number): number {
    return this.counts.get(bucket);
  }

  /** The buckets of an owner, in order of first sight. */
  of(owner: number): Int32Array {
    const { size } = this.table;
    if (this.#byOwner?.size !== size) {
      let owners = 0;
      for (let bucket = 0; bucket < size; bucket++) owners = Math.max(owners, this.table.first(bucket) + 1);
      const starts = new Int32Array(owners + 1);
      for (let bucket = 0; bucket < size; bucket++) {
        const at = this.table.first(bucket) + 1;
        starts[at] = (starts[at] as number) + 1;
      }
      for (let at = 0; at < owners; at++) starts[at + 1] = (starts[at + 1] as number) + (starts[at] as number);
      const next = starts.slice();
      const order = new Int32Array(size);
      for (let bucket = 0; bucket < size; bucket++) {
        const at = this.table.first(bucket);
        const place = next[at] as number;
        order[place] = bucket;
        next[at] = place + 1;
      }
      this.#byOwner = { starts, order, size };
    }
    const { starts, order } = this.#byOwner;
    return owner + 1 < starts.length ? order.subarray(starts[owner], starts[owner + 1]) : new Int32Array(0);
  }

  openChildren(scope: Scope): Collector[] {
    return this.children.map((child) => child.open(scope));
  }

  /** The answers of the aggregations below a bucket, by name. */
  childResults(bucket: number): AggregationResult {
    return this.level.results(bucket);
  }

  state(): BucketState {
    const { size } = this.table;
    return {
      owners: this.table.firsts(),
      keys: this.table.seconds(),
      counts: this.counts.reserve(size).slice(0, size),
      children: this.children.map((child) => child.state()),
    };
  }

  absorb(state: unknown, owners: OwnerMap, keyOf: (key: number) => number): void {
    const { owners: theirs, keys, counts, children } = state as BucketState;
    const map = new Int32Array(theirs.length);
    for (let i = 0; i < theirs.length; i++) {
      const bucket = this.find(owners[theirs[i] as number] ?? 0, keyOf(keys[i] as number));
      this.counts.add(bucket, counts[i] as number);
      map[i] = bucket;
    }
    this.children.forEach((child, index) => {
      child.absorb(children[index] as never, map);
    });
  }
}

function withMeta(meta: unknown, result: AggregationResult): AggregationResult {
  return meta === undefined ? result : { meta, ...result };
}

/** Looks up a figure of an aggregation below buckets, by a path such as `a>b.value`; the path is read once. */
export function figureOf(children: readonly Aggregator[], path: string): (bucket: number) => number {
  const plain = children.find((one) => one.name === path);
  if (plain) return (bucket) => plain.metric(bucket, undefined) ?? Number.NaN;
  return (bucket) => metricAt(children, bucket, path) ?? Number.NaN;
}

/** A figure of an aggregation below a bucket by a path such as `a>b.value`; undefined when the path leads nowhere. */
function metricAt(children: readonly Aggregator[], bucket: number, path: string): number | undefined {
  const [step = "", ...rest] = path.split(">");
  const dot = rest.length === 0 ? step.indexOf(".") : -1;
  const bracket = rest.length === 0 ? /^(.+)\[(.+)\]$/.exec(step) : null;
  const name = bracket?.[1] ?? (dot === -1 ? step : step.slice(0, dot));
  const child = children.find((one) => one.name === name) ?? children.find((one) => one.name === step);
  if (!child) return undefined;
  if (rest.length === 0) return child.metric(bucket, bracket?.[2] ?? (dot === -1 || child.name === step ? undefined : step.slice(dot + 1)));
  const [next = "", ...more] = rest;
  const nextName = next.split(".")[0] ?? "";
  const below = child.child(bucket, nextName.replace(/\[.*$/, ""));
  return below ? metricAt([below.aggregator], below.owner, [next, ...more].join(">")) : undefined;
}
