import { existsClause } from "../clauses/term.js";
import { Bitmap } from "../columns/bitmap.js";
import { selectPresent } from "../columns/select.js";
import type { JsonNode } from "../json/json-tree.js";
import type { AggregationResult, Aggregator, Collector, Level } from "./aggregator.js";
import { FixedBuckets } from "./ranges.js";
import type { Scope } from "./scope.js";

/** One bucket of the rows that `rowsOf` names. */
abstract class OneBucket extends FixedBuckets {
  override child(owner: number, name: string): { readonly aggregator: Aggregator; readonly owner: number } | undefined {
    const aggregator = this.buckets.children.find((child) => child.name === name);
    return aggregator && { aggregator, owner: this.bucketOf(owner, 0) };
  }

  override metric(owner: number, name: string | undefined): number | undefined {
    if (name !== undefined && name !== "_count" && name !== "doc_count") return undefined;
    const bucket = this.bucketOf(owner, 0);
    return bucket === -1 ? 0 : this.buckets.count(bucket);
  }

  result(owner: number): AggregationResult {
    return this.counted(owner, 0);
  }

  protected rowsIn(scope: Scope, rows: Bitmap): Collector {
    return this.collector(scope, (row, into) => {
      if (!rows.has(row)) return 0;
      into[0] = 0;
      return 1;
    });
  }
}

export class FilterAggregator extends OneBucket {
  readonly #filter: JsonNode;

  constructor(name: string, meta: unknown, filter: JsonNode, children: Level) {
    super(name, meta, children);
    this.#filter = filter;
  }

  open(scope: Scope): Collector {
    return this.rowsIn(scope, scope.filter(this.#filter).match(scope.segment));
  }
}

/** Rows without a value of a field. */
export class MissingAggregator extends OneBucket {
  readonly #path: string;

  constructor(name: string, meta: unknown, path: string, children: Level) {
    super(name, meta, children);
    this.#path = path;
  }

  open(scope: Scope): Collector {
    const field = scope.context.mapping.field(this.#path);
    const column = field && scope.segment.column(field.column);
    const rows = Bitmap.full(scope.segment.rows);
    if (field && column)
      rows.andNot(field.ignoreAbove === undefined ? selectPresent(column) : existsClause([field], 1).match(scope.segment));
    return this.rowsIn(scope, rows);
  }
}

/** All rows, whatever the query matches: it is fed apart. */
export class GlobalAggregator extends OneBucket {
  open(scope: Scope): Collector {
    return this.rowsIn(scope, Bitmap.full(scope.segment.rows));
  }
}

/** A bucket a filter; a row may be in several. */
export class FiltersAggregator extends FixedBuckets {
  readonly #filters: readonly { readonly key: string | undefined; readonly node: JsonNode }[];
  readonly #otherKey: string | undefined;
  readonly #keyed: boolean;

  /** @param otherKey name of the bucket of rows that no filter matches; undefined: there is none */
  constructor(
    name: string,
    meta: unknown,
    filters: readonly { readonly key: string | undefined; readonly node: JsonNode }[],
    otherKey: string | undefined,
    keyed: boolean,
    children: Level,
  ) {
    super(name, meta, children);
    this.#filters = filters;
    this.#otherKey = otherKey;
    this.#keyed = keyed;
  }

  open(scope: Scope): Collector {
    const found = this.#filters.map(({ node }) => scope.filter(node).match(scope.segment));
    const other = this.#otherKey === undefined ? -1 : found.length;
    return this.collector(scope, (row, into) => {
      let count = 0;
      for (let index = 0; index < found.length; index++) if (found[index]?.has(row)) into[count++] = index;
      if (count === 0 && other !== -1) into[count++] = other;
      return count;
    });
  }

  result(owner: number): AggregationResult {
    const list = this.#filters.map(({ key }, index) => [key ?? String(index), this.counted(owner, index)] as const);
    if (this.#otherKey !== undefined) list.push([this.#otherKey, this.counted(owner, this.#filters.length)]);
    return { buckets: this.#keyed ? Object.fromEntries(list) : list.map(([, bucket]) => bucket) };
  }
}
