import { type AddressWords, compareWords, wordsText } from "../columns/ip-address.js";
import type { DateFormat } from "../mapping/date-format.js";
import { DEFAULT_DATE_FORMAT } from "../mapping/date-format.js";
import type { Field, FieldFamily } from "../mapping/field.js";
import { type AggregationResult, Aggregator, Buckets, ChildRows, type Collector, type Level, type OwnerMap } from "./aggregator.js";
import { type Scope, valuesOf } from "./scope.js";

/** A range as asked for: `from` is in it, `to` is not. */
export interface NumberSpan {
  readonly key: string | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Ends as they were written, for the answer. */
  readonly fromText?: string | undefined;
  readonly toText?: string | undefined;
}

export interface AddressSpan {
  readonly key: string | undefined;
  readonly from: AddressWords | undefined;
  readonly to: AddressWords | undefined;
  readonly mask: string | undefined;
}

const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** Buckets that are known before any row is seen, by number. */
abstract class FixedBuckets extends Aggregator {
  protected readonly buckets: Buckets;

  constructor(name: string, meta: unknown, children: Level) {
    super(name, meta);
    this.buckets = new Buckets(children);
  }

  /** Sends each row to the buckets that `keysOf` names. */
  protected collector(scope: Scope, keysOf: (row: number, into: number[]) => number): Collector {
    const children = this.buckets.openChildren(scope);
    const below = new ChildRows();
    const into: number[] = [];
    return {
      collect: (rows, owners, length) => {
        below.reset(length);
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const count = keysOf(row, into);
          for (let k = 0; k < count; k++) {
            const bucket = this.buckets.find(owners ? (owners[i] as number) : 0, into[k] as number);
            this.buckets.counts.add(bucket, 1);
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

  /** The bucket of an owner and a key; -1 when no row is in it. */
  protected bucketOf(owner: number, key: number): number {
    for (const bucket of this.buckets.of(owner)) if (this.buckets.key(bucket) === key) return bucket;
    return -1;
  }

  protected counted(owner: number, key: number): AggregationResult {
    const bucket = this.bucketOf(owner, key);
    return { doc_count: bucket === -1 ? 0 : this.buckets.count(bucket), ...this.buckets.childResults(bucket) };
  }

  state(): unknown {
    return this.buckets.state();
  }

  absorb(state: never, owners: OwnerMap): void {
    this.buckets.absorb(state, owners, (key) => key);
  }
}

export interface RangeOptions {
  readonly kind: "range" | "date_range";
  readonly path: string;
  readonly spans: readonly NumberSpan[];
  readonly keyed: boolean;
  readonly missing: number | undefined;
  readonly dateFormat: DateFormat | undefined;
  readonly timeZone: string;
}

/** Reads the ends of a date range once a field says how dates are written. */
export type SpansOf = (field: Field | undefined) => readonly NumberSpan[];

const RANGE_FAMILIES: Readonly<Record<RangeOptions["kind"], readonly FieldFamily[]>> = {
  range: ["number", "boolean", "date"],
  date_range: ["date", "number"],
};

/** A bucket a range of numbers or dates; ranges may overlap. */
export class RangeAggregator extends FixedBuckets {
  readonly #options: Omit<RangeOptions, "spans">;
  readonly #spansOf: SpansOf;
  #spans: readonly NumberSpan[] | undefined;
  #format: DateFormat | undefined;

  constructor(name: string, meta: unknown, options: Omit<RangeOptions, "spans">, spansOf: SpansOf, children: Level) {
    super(name, meta, children);
    this.#options = options;
    this.#spansOf = spansOf;
  }

  #sorted(field: Field | undefined): readonly NumberSpan[] {
    this.#spans ??= [...this.#spansOf(field)].sort(
      (a, b) =>
        (a.from ?? Number.NEGATIVE_INFINITY) - (b.from ?? Number.NEGATIVE_INFINITY) ||
        (a.to ?? Number.POSITIVE_INFINITY) - (b.to ?? Number.POSITIVE_INFINITY),
    );
    return this.#spans;
  }

  open(scope: Scope): Collector {
    const { path, kind, missing } = this.#options;
    const found = valuesOf(scope, path, kind, RANGE_FAMILIES[kind]);
    this.#format ??= found?.field.format;
    const spans = this.#sorted(found?.field ?? scope.context.mapping.field(path));
    const column = found?.column?.kind === "number" ? found.column : undefined;
    // Dates are compared in microseconds; a whole number taken for a date is milliseconds.
    const family = found?.field.traits.family;
    const scale = kind === "date_range" ? (family === "number" ? 1000 : 1) : family === "date" ? 0.001 : 1;
    return this.collector(scope, (row, into) => {
      let count = 0;
      let any = false;
      const test = (value: number): void => {
        any = true;
        spans.forEach(({ from, to }, index) => {
          if ((from === undefined || value >= from) && (to === undefined || value < to) && into.lastIndexOf(index, count - 1) === -1)
            into[count++] = index;
        });
      };
      into.length = 0;
      if (column) {
        const end = column.offsets ? (column.offsets[row + 1] as number) : row + 1;
        for (let place = column.offsets ? (column.offsets[row] as number) : row; place < end; place++) {
          const value = column.values[place] as number;
          if (!Number.isNaN(value)) test(value * scale);
        }
      }
      if (!any && missing !== undefined) test(missing);
      return count;
    });
  }

  result(owner: number): AggregationResult {
    const { kind, keyed, dateFormat, timeZone } = this.#options;
    const format = dateFormat ?? this.#format ?? DEFAULT_DATE_FORMAT;
    const list = this.#sorted(undefined).map((span, index) => {
      const { from, to } = span;
      if (kind === "range") {
        const key = span.key ?? `${from === undefined ? "*" : decimal(from)}-${to === undefined ? "*" : decimal(to)}`;
        return { key, ...(from !== undefined && { from }), ...(to !== undefined && { to }), ...this.counted(owner, index) };
      }
      const shown = (value: number): string => format.format(value, timeZone);
      const key = span.key ?? `${from === undefined ? "*" : shown(from)}-${to === undefined ? "*" : shown(to)}`;
      return {
        key,
        ...(from !== undefined && { from: from / 1000, from_as_string: shown(from) }),
        ...(to !== undefined && { to: to / 1000, to_as_string: shown(to) }),
        ...this.counted(owner, index),
      };
    });
    return { buckets: keyed ? byKey(list) : list };
  }
}

const byKey = (list: readonly (AggregationResult & { key: string })[]): AggregationResult =>
  Object.fromEntries(list.map(({ key, ...bucket }) => [key, bucket]));

/** A bucket a range of addresses. */
export class AddressRangeAggregator extends FixedBuckets {
  readonly #path: string;
  readonly #spans: readonly AddressSpan[];
  readonly #keyed: boolean;

  constructor(name: string, meta: unknown, path: string, spans: readonly AddressSpan[], keyed: boolean, children: Level) {
    super(name, meta, children);
    this.#path = path;
    const order = (a: AddressWords | undefined, b: AddressWords | undefined, open: number): number =>
      a && b ? compareWords(a, b) : a ? -open : b ? open : 0;
    this.#spans = [...spans].sort((a, b) => order(a.from, b.from, -1) || order(a.to, b.to, 1));
    this.#keyed = keyed;
  }

  open(scope: Scope): Collector {
    const found = valuesOf(scope, this.#path, "ip_range", ["ip"]);
    const column = found?.column?.kind === "ip" ? found.column : undefined;
    if (!column) return { collect: () => {} };
    const { addresses, codes, offsets } = column;
    const ofCode: (readonly number[] | undefined)[] = [];
    const spansOf = (code: number): readonly number[] => {
      const known = ofCode[code];
      if (known) return known;
      const at = 4 * code;
      const words: AddressWords = [addresses[at] ?? 0, addresses[at + 1] ?? 0, addresses[at + 2] ?? 0, addresses[at + 3] ?? 0];
      const inside = this.#spans.flatMap(({ from, to }, index) =>
        (!from || compareWords(words, from) >= 0) && (!to || compareWords(words, to) < 0) ? [index] : [],
      );
      ofCode[code] = inside;
      return inside;
    };
    return this.collector(scope, (row, into) => {
      into.length = 0;
      const end = offsets ? (offsets[row + 1] as number) : row + 1;
      for (let place = offsets ? (offsets[row] as number) : row; place < end; place++) {
        const code = codes[place] as number;
        if (code < 0) continue;
        for (const index of spansOf(code)) if (!into.includes(index)) into.push(index);
      }
      return into.length;
    });
  }

  result(owner: number): AggregationResult {
    const list = this.#spans.map(({ key, from, to, mask }, index) => {
      const low = from && wordsText(...from);
      const high = to && wordsText(...to);
      return {
        key: key ?? mask ?? `${low ?? "*"}-${high ?? "*"}`,
        ...(low !== undefined && { from: low }),
        ...(high !== undefined && { to: high }),
        ...this.counted(owner, index),
      };
    });
    return { buckets: this.#keyed ? byKey(list) : list };
  }
}

export { FixedBuckets };
