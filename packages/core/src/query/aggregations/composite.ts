import { illegalArgument } from "../query-error.js";
import { type AggregationResult, Aggregator, Buckets, ChildRows, type Collector, type Level, type OwnerMap } from "./aggregator.js";
import type { KeySource, RowKeys } from "./key-source.js";
import { type KeyState, KeyTable, type KeyValue } from "./key-table.js";
import { type BucketOrder, bucketComparator } from "./order.js";
import type { Rounding } from "./rounding.js";
import type { Scope } from "./scope.js";
import { tooManyBuckets } from "./terms.js";
import { firstBy } from "./top-buckets.js";

/** One part of a composed key. */
export interface KeyPart {
  readonly name: string;
  readonly source: KeySource;
  /** Values are rounded to the start of their step. */
  readonly rounding?: Rounding | undefined;
  readonly descending: boolean;
  /** Rows without a value are in buckets of their own, whose key is null. */
  readonly missingBucket: boolean;
  /** Where those come. */
  readonly missingFirst: boolean;
  /** A date as text, by this format; undefined: milliseconds. */
  readonly write?: ((micros: number) => string) | undefined;
  /** Reads such a text. */
  readonly read?: ((text: string) => number) | undefined;
}

/** Stands for no value. */
const NONE = -1;

/** Numbers lists of keys, by numbering pairs again and again. */
class TupleTable {
  readonly #tables: readonly KeyTable[];

  constructor(parts: number) {
    this.#tables = Array.from({ length: Math.max(1, parts - 1) }, () => new KeyTable());
  }

  find(keys: readonly number[]): number {
    let id = keys[0] ?? NONE;
    if (keys.length === 1) return this.#tables[0]?.find(id, 0) ?? 0;
    for (let i = 1; i < keys.length; i++) id = this.#tables[i - 1]?.find(id, keys[i] ?? NONE) ?? 0;
    return id;
  }

  /** The keys of a number. */
  keys(id: number): number[] {
    const keys: number[] = [];
    let at = id;
    for (let i = this.#tables.length - 1; i >= 0; i--) {
      const table = this.#tables[i];
      if (!table) continue;
      keys.unshift(table.second(at));
      at = table.first(at);
      if (i === 0) keys.unshift(at);
    }
    return keys;
  }
}

interface ComposedState {
  readonly parts: readonly { readonly keys: KeyState; readonly kind: KeySource["kind"] }[];
  readonly tuples: readonly (readonly number[])[];
  readonly buckets: unknown;
}

/** Buckets by several keys at once: `composite` and `multi_terms`. */
abstract class ComposedAggregator extends Aggregator {
  protected readonly parts: readonly KeyPart[];
  protected readonly buckets: Buckets;
  readonly #tuples: TupleTable;

  constructor(name: string, meta: unknown, parts: readonly KeyPart[], children: Level) {
    super(name, meta);
    this.parts = parts;
    this.buckets = new Buckets(children);
    this.#tuples = new TupleTable(parts.length);
  }

  /** The keys of a part of one row: rounded, and with the number of no value where that counts. */
  #rowKeys({ source, rounding, missingBucket }: KeyPart, scope: Scope): RowKeys {
    const plain = source.rowKeys(scope);
    const rounded: number[] = [];
    return (row, into) => {
      let count = plain(row, into);
      if (rounding) {
        for (let i = 0; i < count; i++) {
          const key = into[i] as number;
          rounded[key] ??= source.keys.number(rounding.round(Number(source.keys.at(key))));
          into[i] = rounded[key] as number;
        }
      }
      if (count === 0 && missingBucket) into[count++] = NONE;
      return count;
    };
  }

  open(scope: Scope): Collector {
    const readers = this.parts.map((part) => this.#rowKeys(part, scope));
    const lists = this.parts.map((): number[] => []);
    const counts = this.parts.map(() => 0);
    const children = this.buckets.openChildren(scope);
    const below = new ChildRows();
    const tuple: number[] = [];
    const emit = (row: number, owner: number, part: number): void => {
      if (part === readers.length) {
        const bucket = this.buckets.find(owner, this.#tuples.find(tuple));
        this.buckets.counts.add(bucket, 1);
        below.push(row, bucket);
        return;
      }
      for (let i = 0; i < (counts[part] as number); i++) {
        tuple[part] = lists[part]?.[i] as number;
        emit(row, owner, part + 1);
      }
    };
    return {
      collect: (rows, owners, length) => {
        below.reset(length);
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          let complete = true;
          for (let part = 0; part < readers.length && complete; part++) {
            counts[part] = readers[part]?.(row, lists[part] as number[]) ?? 0;
            complete = counts[part] !== 0;
          }
          if (complete) emit(row, owners ? (owners[i] as number) : 0, 0);
        }
        for (const child of children) child.collect(below.rows, below.buckets, below.length);
      },
      close: () => {
        for (const child of children) child.close?.();
      },
    };
  }

  state(): ComposedState {
    const tuples: number[][] = [];
    for (let bucket = 0; bucket < this.buckets.size; bucket++)
      tuples[this.buckets.key(bucket)] = this.#tuples.keys(this.buckets.key(bucket));
    return {
      parts: this.parts.map(({ source }) => ({ keys: source.keys.state(), kind: source.kind })),
      tuples,
      buckets: this.buckets.state(),
    };
  }

  absorb(state: ComposedState, owners: OwnerMap): void {
    const ids = state.parts.map(({ keys, kind }, index) => {
      const source = this.parts[index]?.source;
      if (source) source.kind ??= kind;
      return source?.keys.absorb(keys) ?? new Int32Array(0);
    });
    this.buckets.absorb(state.buckets, owners, (key) =>
      this.#tuples.find((state.tuples[key] ?? []).map((one, part) => (one === NONE ? NONE : (ids[part]?.[one] ?? 0)))),
    );
  }

  protected keysOf(bucket: number): number[] {
    return this.#tuples.keys(this.buckets.key(bucket));
  }

  protected compareTuples(a: readonly number[], b: readonly number[]): number {
    for (const [index, part] of this.parts.entries()) {
      const x = a[index] ?? NONE;
      const y = b[index] ?? NONE;
      if (x === y) continue;
      if (x === NONE || y === NONE) return (x === NONE) === part.missingFirst ? -1 : 1;
      const order = part.source.keys.compare(x, y);
      if (order !== 0) return part.descending ? -order : order;
    }
    return 0;
  }

  protected shownKey(part: KeyPart, key: number): KeyValue | boolean | null {
    if (key === NONE) return null;
    const { source, write } = part;
    if (write) return write(Number(source.keys.at(key)));
    const shown = source.shown(key);
    return source.kind === "boolean" ? shown.key === 1 : shown.key;
  }
}

/** Pages through all combinations of keys. */
export class CompositeAggregator extends ComposedAggregator {
  readonly #size: number;
  readonly #after: readonly (KeyValue | boolean | null)[] | undefined;
  readonly #maxBuckets: number;

  constructor(
    name: string,
    meta: unknown,
    parts: readonly KeyPart[],
    options: { readonly size: number; readonly after: readonly (KeyValue | boolean | null)[] | undefined; readonly maxBuckets: number },
    children: Level,
  ) {
    super(name, meta, parts, children);
    this.#size = options.size;
    this.#after = options.after;
    this.#maxBuckets = options.maxBuckets;
  }

  #afterKeys(): number[] | undefined {
    return this.#after?.map((value, index) => {
      const part = this.parts[index];
      if (!part || value === null) return NONE;
      if (part.source.kind === "date" && !part.write) return part.source.keys.number(Number(value) * 1000);
      if (part.write)
        return part.source.keys.number(typeof value === "string" && part.read ? readBack(value, part.read) : Number(value) * 1000);
      if (typeof value === "boolean") return part.source.keys.number(value ? 1 : 0);
      if (part.source.kind === "whole" || part.source.kind === "decimal") {
        const number = Number(value);
        if (Number.isNaN(number)) throw illegalArgument(`Invalid value for [after.${part.name}], expected a number`, { atRun: true });
        return typeof value === "bigint" ? part.source.keys.whole(value) : part.source.keys.number(number);
      }
      return part.source.textKey(String(value));
    });
  }

  result(owner: number): AggregationResult {
    if (this.#size > this.#maxBuckets) throw tooManyBuckets(this.#maxBuckets);
    const after = this.#afterKeys();
    const all = this.buckets.of(owner);
    const keysOf = new Map<number, number[]>();
    for (const bucket of all) keysOf.set(bucket, this.keysOf(bucket));
    const rest = after ? all.filter((bucket) => this.compareTuples(keysOf.get(bucket) ?? [], after) > 0) : all;
    const first = firstBy(rest, this.#size, (a, b) => this.compareTuples(keysOf.get(a) ?? [], keysOf.get(b) ?? []));
    const shown = first.map((bucket) => {
      const keys = keysOf.get(bucket) ?? [];
      const key = Object.fromEntries(this.parts.map((part, index) => [part.name, this.shownKey(part, keys[index] ?? NONE)]));
      return { key, doc_count: this.buckets.count(bucket), ...this.buckets.childResults(bucket) };
    });
    const last = shown.at(-1);
    return { ...(last && { after_key: last.key }), buckets: shown };
  }
}

function readBack(text: string, read: (text: string) => number): number {
  try {
    return read(text);
  } catch (cause) {
    throw illegalArgument(`Invalid date value [${text.slice(0, 60)}] in [after]`, { atRun: true, cause });
  }
}

/** A bucket a combination of values, ordered as `terms` are. */
export class MultiTermsAggregator extends ComposedAggregator {
  readonly #options: {
    readonly size: number;
    readonly minDocCount: number;
    readonly order: readonly BucketOrder[];
    readonly maxBuckets: number;
  };

  constructor(
    name: string,
    meta: unknown,
    parts: readonly KeyPart[],
    options: { readonly size: number; readonly minDocCount: number; readonly order: readonly BucketOrder[]; readonly maxBuckets: number },
    children: Level,
  ) {
    super(name, meta, parts, children);
    this.#options = options;
  }

  result(owner: number): AggregationResult {
    const { size, minDocCount, order, maxBuckets } = this.#options;
    const all = this.buckets.of(owner).filter((bucket) => this.buckets.count(bucket) >= minDocCount);
    const compare = bucketComparator(
      order,
      this.buckets.children,
      (bucket) => this.buckets.count(bucket),
      (a, b) => this.compareTuples(this.keysOf(a), this.keysOf(b)),
    );
    const first = firstBy(all, size, compare);
    if (first.length > maxBuckets) throw tooManyBuckets(maxBuckets);
    let others = 0;
    for (const bucket of this.buckets.of(owner)) others += this.buckets.count(bucket);
    const shown = first.map((bucket) => {
      others -= this.buckets.count(bucket);
      const keys = this.keysOf(bucket);
      const key = this.parts.map((part, index) => {
        const shown = part.source.shown(keys[index] ?? 0);
        return part.source.kind === "date" ? (shown.text ?? shown.key) : this.shownKey(part, keys[index] ?? NONE);
      });
      const text = this.parts.map((part, index) => {
        const one = part.source.shown(keys[index] ?? 0);
        const isDecimal = part.source.kind === "decimal" && Number.isInteger(one.key);
        return one.text ?? (isDecimal ? Number(one.key).toFixed(1) : String(one.key));
      });
      return { key, key_as_string: text.join("|"), doc_count: this.buckets.count(bucket), ...this.buckets.childResults(bucket) };
    });
    return { doc_count_error_upper_bound: 0, sum_other_doc_count: others, buckets: shown };
  }
}
