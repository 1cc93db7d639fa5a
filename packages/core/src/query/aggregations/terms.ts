import type { QueryValue } from "../clauses/field-terms.js";
import { luceneRegexp, type TextTest } from "../lucene/regexp.js";
import { illegalArgument, QueryError } from "../query-error.js";
import { type AggregationResult, Aggregator, Buckets, ChildRows, type Collector, type Level, type OwnerMap } from "./aggregator.js";
import type { KeySource } from "./key-source.js";
import type { KeyState } from "./key-table.js";
import { type BucketOrder, bucketComparator } from "./order.js";
import type { Scope } from "./scope.js";
import { firstBy } from "./top-buckets.js";

/** Which values become buckets: those that match, or the share of them that one partition has. */
export interface KeyFilter {
  readonly include?: TextTest | undefined;
  readonly exclude?: TextTest | undefined;
  /** Values themselves, as the request has them. */
  readonly includeValues?: readonly QueryValue[] | undefined;
  readonly excludeValues?: readonly QueryValue[] | undefined;
  readonly partition?: { readonly partition: number; readonly partitions: number } | undefined;
}

export interface TermsOptions {
  readonly size: number;
  readonly minDocCount: number;
  readonly order: readonly BucketOrder[];
  readonly filter: KeyFilter;
  readonly maxBuckets: number;
  /** `rare_terms`: buckets with at most so many rows. */
  readonly maxDocCount?: number;
}

/** Numbers below it are looked up in a table. */
const SMALL_NUMBERS = 1 << 16;

/** A stable number of a text. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 16;
  return hash >>> 0;
}

/** A text of `include` or `exclude`, as a regular expression. */
export const keyPattern = (pattern: string, maxLength: number): TextTest => {
  if (pattern.length > maxLength)
    throw illegalArgument(`The length of regex [${pattern.length}] has exceeded the allowed maximum of [${maxLength}]`);
  return luceneRegexp(pattern);
};

interface TermsState {
  readonly keys: KeyState;
  readonly kind: KeySource["kind"];
  readonly buckets: unknown;
}

/** A bucket a distinct value: `terms` and `rare_terms`. */
export class TermsAggregator extends Aggregator {
  readonly #source: KeySource;
  readonly #options: TermsOptions;
  readonly #buckets: Buckets;
  readonly #isTop: boolean;
  /** By key: 1 kept, 2 left out; 0 not asked yet. */
  #kept = new Uint8Array(64);
  #otherCounts = 0;

  /** @param isTop whether all rows have owner 0 */
  constructor(name: string, meta: unknown, source: KeySource, options: TermsOptions, children: Level, isTop: boolean) {
    super(name, meta);
    this.#source = source;
    this.#options = options;
    this.#buckets = new Buckets(children);
    this.#isTop = isTop;
  }

  override get typeName(): string {
    const { kind } = this.#source;
    const letter = kind === undefined ? "um" : kind === "text" || kind === "ip" ? "s" : kind === "decimal" ? "d" : "l";
    return this.type === "rare_terms" ? `${letter}rareterms` : `${letter}terms`;
  }

  #isKept(key: number): boolean {
    if (key >= this.#kept.length) {
      const kept = new Uint8Array(Math.max(key + 1, 2 * this.#kept.length));
      kept.set(this.#kept);
      this.#kept = kept;
    }
    if (this.#kept[key] === 0) {
      const { include, exclude, partition, includeValues, excludeValues } = this.#options.filter;
      let passes = true;
      if (include || exclude || partition) {
        const text = String(this.#source.shown(key).key);
        passes = (!include || include(text)) && !exclude?.(text);
        if (partition) passes &&= hashOf(text) % partition.partitions === partition.partition;
      }
      if (includeValues) passes &&= this.#source.keysOf(includeValues).has(key);
      if (excludeValues) passes &&= !this.#source.keysOf(excludeValues).has(key);
      this.#kept[key] = passes ? 1 : 2;
    }
    return this.#kept[key] === 1;
  }

  open(scope: Scope): Collector {
    const { column, field, missing } = this.#source.open(scope);
    const { include, exclude } = this.#options.filter;
    if (field && field.traits.family !== "text" && (include || exclude)) {
      throw illegalArgument(
        `Aggregation [${this.name}] cannot support regular expression style include/exclude settings as they can only be applied to string fields. Use an array of values for include/exclude clauses`,
        { atRun: true },
      );
    }
    const isPlain = column && field && !column.offsets && missing === -1 && !field.traits.analyzed;
    if (this.#options.minDocCount === 0 && column) this.#addAll(scope);
    if (isPlain && column.kind !== "number") {
      const { codes } = column;
      const values = column.kind === "ip" ? column.addresses.length / 4 : column.dictionary.size;
      const keyOf = (code: number): number => {
        const key = this.#source.codeKey(column, field, code);
        return key >= 0 && this.#isKept(key) ? key : -2;
      };
      if (!this.#isTop) return this.#collectCodes(codes, values, keyOf, this.#buckets.openChildren(scope));
      // What every row adds alike is added when the rows of a bucket have been counted.
      const fixed = this.#buckets.children.map((child) => child.perRow(scope));
      const moving = this.#buckets.children.filter((_child, index) => fixed[index] === undefined).map((child) => child.open(scope));
      return moving.length === 0 ? this.#countCodes(codes, values, keyOf, fixed) : this.#collectTop(codes, values, keyOf, moving, fixed);
    }
    const children = this.#buckets.openChildren(scope);
    if (isPlain && column.kind === "number" && column.exact.size === 0) return this.#collectNumbers(column.values, children);
    const keys = this.#source.rowKeys(scope);
    return this.#collectRows(keys, children);
  }

  /** Counts numbers; the buckets of small ones are found once at the end. */
  #countNumbers(values: Float64Array): Collector {
    const buckets = this.#buckets;
    const local = new Uint32Array(SMALL_NUMBERS);
    const add = (value: number, count: number): void => {
      const key = this.#source.keys.number(value);
      if (this.#isKept(key)) buckets.counts.add(buckets.find(0, key), count);
    };
    return {
      collect: (rows, _owners, length) => {
        for (let i = 0; i < length; i++) {
          const value = values[rows[i] as number] as number;
          const small = value | 0;
          if (small === value && small >= 0 && small < SMALL_NUMBERS) local[small] = (local[small] as number) + 1;
          else if (!Number.isNaN(value)) add(value, 1);
        }
      },
      close: () => {
        for (let value = 0; value < SMALL_NUMBERS; value++) if (local[value] !== 0) add(value, local[value] as number);
      },
    };
  }

  /** At most one number a row; ports and other small ones are looked up in a table. */
  #collectNumbers(values: Float64Array, children: readonly Collector[]): Collector {
    const buckets = this.#buckets;
    const { keys } = this.#source;
    const isTop = this.#isTop;
    const known = new Int32Array(SMALL_NUMBERS).fill(-1);
    const below = new ChildRows();
    if (isTop && children.length === 0) return this.#countNumbers(values);
    const placeOf = (value: number): number => {
      const key = keys.number(value);
      if (!this.#isKept(key)) return -2;
      return isTop ? buckets.find(0, key) : key;
    };
    return {
      collect: (rows, owners, length) => {
        below.reset(length);
        let m = 0;
        let counts = buckets.counts.values;
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const value = values[row] as number;
          if (Number.isNaN(value)) continue;
          let place: number;
          const small = value | 0;
          if (small === value && small >= 0 && small < SMALL_NUMBERS) {
            place = known[small] as number;
            if (place === -1) {
              place = placeOf(value);
              known[small] = place;
            }
          } else place = placeOf(value);
          if (place < 0) continue;
          const bucket = isTop ? place : buckets.find(owners ? (owners[i] as number) : 0, place);
          if (bucket >= counts.length) counts = buckets.counts.reserve(bucket + 1);
          counts[bucket] = (counts[bucket] as number) + 1;
          below.rows[m] = row;
          below.buckets[m++] = bucket;
        }
        for (const child of children) child.collect(below.rows, below.buckets, m);
      },
      close: () => {
        for (const child of children) child.close?.();
      },
    };
  }

  /** Counts codes, and finds their buckets once at the end. */
  #countCodes(codes: Int32Array, values: number, keyOf: (code: number) => number, fixed: readonly (number | undefined)[]): Collector {
    const local = new Uint32Array(values + 1);
    return {
      collect(rows, _owners, length) {
        for (let i = 0; i < length; i++) {
          // Rows without a value count at place 0.
          const at = (codes[rows[i] as number] as number) + 1;
          local[at] = (local[at] as number) + 1;
        }
      },
      close: () => {
        for (let code = 0; code < values; code++) {
          const count = local[code + 1] as number;
          if (count === 0) continue;
          const key = keyOf(code);
          if (key >= 0) this.#addCounted(this.#buckets.find(0, key), count, fixed);
        }
      },
    };
  }

  /** Adds rows of a bucket that were counted, with what each of them adds. */
  #addCounted(bucket: number, rows: number, fixed: readonly (number | undefined)[]): void {
    this.#buckets.counts.add(bucket, rows);
    fixed.forEach((value, index) => {
      if (value !== undefined) this.#buckets.children[index]?.addRows(bucket, rows, value);
    });
  }

  /** Rows of owner 0, sent on to the aggregations below; they are counted by code, and their buckets once at the end. */
  #collectTop(
    codes: Int32Array,
    values: number,
    keyOf: (code: number) => number,
    children: readonly Collector[],
    fixed: readonly (number | undefined)[],
  ): Collector {
    const buckets = this.#buckets;
    // The bucket of each code; -1 not asked yet, -2 left out.
    const known = new Int32Array(values).fill(-1);
    const local = new Uint32Array(values);
    const below = new ChildRows();
    return {
      collect: (rows, _owners, length) => {
        below.reset(length);
        let m = 0;
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const code = codes[row] as number;
          if (code < 0) continue;
          let bucket = known[code] as number;
          if (bucket < 0) {
            if (bucket === -2) continue;
            const key = keyOf(code);
            bucket = key < 0 ? -2 : buckets.find(0, key);
            known[code] = bucket;
            if (bucket < 0) continue;
          }
          local[code] = (local[code] as number) + 1;
          below.rows[m] = row;
          below.buckets[m++] = bucket;
        }
        for (const child of children) child.collect(below.rows, below.buckets, m);
      },
      close: () => {
        for (let code = 0; code < values; code++)
          if (local[code] !== 0) this.#addCounted(known[code] as number, local[code] as number, fixed);
        for (const child of children) child.close?.();
      },
    };
  }

  #collectCodes(codes: Int32Array, values: number, keyOf: (code: number) => number, children: readonly Collector[]): Collector {
    const buckets = this.#buckets;
    // The key of each code; -1 not asked yet, -2 left out.
    const known = new Int32Array(values).fill(-1);
    const below = new ChildRows();
    return {
      collect: (rows, owners, length) => {
        below.reset(length);
        let m = 0;
        let counts = buckets.counts.values;
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const code = codes[row] as number;
          if (code < 0) continue;
          let key = known[code] as number;
          if (key < 0) {
            if (key === -2) continue;
            key = keyOf(code);
            if (key < 0) key = -2;
            known[code] = key;
            if (key < 0) continue;
          }
          const bucket = buckets.find(owners ? (owners[i] as number) : 0, key);
          if (bucket >= counts.length) counts = buckets.counts.reserve(bucket + 1);
          counts[bucket] = (counts[bucket] as number) + 1;
          below.rows[m] = row;
          below.buckets[m++] = bucket;
        }
        for (const child of children) child.collect(below.rows, below.buckets, m);
      },
      close: () => {
        for (const child of children) child.close?.();
      },
    };
  }

  #collectRows(keys: (row: number, into: number[]) => number, children: readonly Collector[]): Collector {
    const buckets = this.#buckets;
    const into: number[] = [];
    const below = new ChildRows();
    return {
      collect: (rows, owners, length) => {
        below.reset(length);
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const count = keys(row, into);
          const owner = owners ? (owners[i] as number) : 0;
          for (let k = 0; k < count; k++) {
            const key = into[k] as number;
            if (!this.#isKept(key)) continue;
            const bucket = buckets.find(owner, key);
            buckets.counts.add(bucket, 1);
            below.push(row, bucket);
          }
        }
        for (const child of children) child.collect(below.rows, below.buckets, below.length);
      },
      close: () => {
        for (const child of children) child.close?.();
      },
    };
  }

  /** All values of the index, for `min_doc_count` 0; at the top only, as owners below are not all known. */
  #addAll(scope: Scope): void {
    const keys = this.#source.rowKeys(scope);
    const into: number[] = [];
    for (let row = 0; row < scope.segment.rows; row++) {
      if (scope.segment.deleted?.has(row)) continue;
      const count = keys(row, into);
      for (let k = 0; k < count; k++) if (this.#isKept(into[k] as number)) this.#buckets.find(0, into[k] as number);
    }
  }

  state(): TermsState {
    return { keys: this.#source.keys.state(), kind: this.#source.kind, buckets: this.#buckets.state() };
  }

  absorb(state: TermsState, owners: OwnerMap): void {
    this.#source.kind ??= state.kind;
    const ids = this.#source.keys.absorb(state.keys);
    this.#buckets.absorb(state.buckets, owners, (key) => ids[key] ?? 0);
  }

  result(owner: number): AggregationResult {
    const { size, minDocCount, order, maxBuckets, maxDocCount } = this.#options;
    const buckets = this.#buckets;
    const { keys } = this.#source;
    const all = buckets.of(owner).filter((bucket) => {
      const count = buckets.count(bucket);
      return count >= minDocCount && (maxDocCount === undefined || count <= maxDocCount);
    });
    const byKey = (a: number, b: number): number => keys.compare(buckets.key(a), buckets.key(b));
    const compare = bucketComparator(order, buckets.children, (bucket) => buckets.count(bucket), byKey);
    const first = firstBy(all, size, compare);
    if (first.length > maxBuckets) throw tooManyBuckets(maxBuckets);
    let others = 0;
    for (const bucket of buckets.of(owner)) others += buckets.count(bucket);
    for (const bucket of first) others -= buckets.count(bucket);
    this.#otherCounts = others;
    const shown = first.map((bucket) => {
      const { key, text } = this.#source.shown(buckets.key(bucket));
      return { key, ...(text !== undefined && { key_as_string: text }), doc_count: buckets.count(bucket), ...buckets.childResults(bucket) };
    });
    if (maxDocCount !== undefined) return { buckets: shown };
    return { doc_count_error_upper_bound: 0, sum_other_doc_count: this.#otherCounts, buckets: shown };
  }
}

export function tooManyBuckets(most: number): QueryError {
  return new QueryError(
    "too_many_buckets_exception",
    `Trying to create too many buckets. Must be less than or equal to: [${most}] but this number of buckets was exceeded. This limit can be set by changing the [search.max_buckets] cluster level setting.`,
    { atRun: true, more: { max_buckets: most } },
  );
}
