import type { JsonNode } from "../json/json-tree.js";
import { illegalArgument, parsingError } from "../query-error.js";
import { type Aggregator, figureOf } from "./aggregator.js";

/** By what buckets are ordered: `_count`, `_key`, or a figure of an aggregation below. */
export interface BucketOrder {
  readonly path: string;
  readonly descending: boolean;
}

/** Reads `{path: "asc"}`, or a list of such. */
export function parseOrder(node: JsonNode | undefined, otherwise: readonly BucketOrder[]): readonly BucketOrder[] {
  if (!node) return otherwise;
  const one = (item: JsonNode): BucketOrder[] => {
    if (item.kind !== "object") throw parsingError("Order must be an object or an array of objects", item.at);
    const [first, second] = item.members;
    if (!first || second) throw parsingError("Must specify at least one field for [order]", item.at);
    const direction = first.value.kind === "string" ? first.value.text.toLowerCase() : "";
    if (direction !== "asc" && direction !== "desc") throw parsingError("Unknown order direction", first.value.at);
    const path = first.key === "_term" || first.key === "_time" ? "_key" : first.key;
    return [{ path, descending: direction === "desc" }];
  };
  const orders = node.kind === "array" ? node.items.flatMap(one) : one(node);
  return orders.length === 0 ? otherwise : orders;
}

/** An order of buckets; equal ones by key, ascending. Missing figures come last. */
export function bucketComparator(
  orders: readonly BucketOrder[],
  children: readonly Aggregator[],
  countOf: (bucket: number) => number,
  compareByKey: (a: number, b: number) => number,
): (a: number, b: number) => number {
  const steps = orders.map(({ path, descending }) => {
    const sign = descending ? -1 : 1;
    if (path === "_count") return (a: number, b: number) => sign * (countOf(a) - countOf(b));
    if (path === "_key") return (a: number, b: number) => sign * compareByKey(a, b);
    const figure = figureOf(children, path);
    return (a: number, b: number) => {
      const x = figure(a);
      const y = figure(b);
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? (Number.isNaN(y) ? 0 : 1) : -1;
      return sign * (x < y ? -1 : x > y ? 1 : 0);
    };
  });
  return (a, b) => {
    for (const step of steps) {
      const order = step(a, b);
      if (order !== 0) return order;
    }
    return compareByKey(a, b);
  };
}

/** @throws QueryError for an order by an aggregation that is not below */
export function checkOrder(orders: readonly BucketOrder[], children: readonly Aggregator[], name: string): void {
  for (const { path } of orders) {
    if (path === "_count" || path === "_key") continue;
    const first = path.split(">")[0] ?? "";
    const plain = first.replace(/[.[].*$/, "");
    const child = children.find((one) => one.name === first) ?? children.find((one) => one.name === plain);
    if (!child) {
      throw illegalArgument(
        `Invalid aggregation order path [${path}]. The provided aggregation [${plain}] either does not exist, or is a pipeline aggregation and cannot be used to sort the buckets of [${name}].`,
        { atRun: true },
      );
    }
  }
}
