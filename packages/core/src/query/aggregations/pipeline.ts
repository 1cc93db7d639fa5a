import { illegalArgument } from "../query-error.js";
import type { AggregationResult, BucketsPipeline, SiblingPipeline } from "./aggregator.js";
import { spanMicros } from "./rounding.js";

/** What a missing figure counts as: nothing, or zero. */
export type GapPolicy = "skip" | "insert_zeros";

/** A member of an answer, whose name may have its type before it. */
function own(object: unknown, key: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  const members = object as Record<string, unknown>;
  if (Object.hasOwn(members, key)) return members[key];
  const typed = Object.keys(members).find((name) => name.endsWith(`#${key}`));
  return typed === undefined ? undefined : members[typed];
}

/** A figure of an answer by a path such as `_count`, `sales`, `stats.avg`, `pct[50.0]` or `only>sales`; NaN where there is none. */
function figureAt(bucket: AggregationResult, path: string, gap: GapPolicy): number {
  const none = gap === "insert_zeros" ? 0 : Number.NaN;
  const count = own(bucket, "doc_count");
  if (path === "_count") return typeof count === "number" ? count : Number.NaN;
  if (path === "_key") return Number(own(bucket, "key"));
  const [step = "", ...rest] = path.split(">");
  if (rest.length > 0) {
    const below = own(bucket, step);
    return below === undefined ? none : figureAt(below as AggregationResult, rest.join(">"), gap);
  }
  const bracket = /^(.+)\[['"]?(.+?)['"]?\]$/.exec(step);
  const dot = step.indexOf(".");
  const whole = own(bucket, step);
  const name = bracket?.[1] ?? (whole !== undefined || dot === -1 ? step : step.slice(0, dot));
  const part = bracket?.[2] ?? (whole !== undefined || dot === -1 ? undefined : step.slice(dot + 1));
  const answer = own(bucket, name);
  if (answer === undefined) throw illegalArgument(`No aggregation found for path [${path}]`, { atRun: true });
  let value: unknown;
  if (part === undefined || part === "value") value = own(answer, "value") ?? own(answer, "doc_count");
  else if (part === "_count") value = own(answer, "doc_count");
  else {
    const values = own(answer, "values");
    value = own(answer, part) ?? own(values, part) ?? own(values, Number(part).toFixed(1));
  }
  // A bucket without rows has no figure, even where a sum over nothing is zero.
  if (count === 0 && gap === "skip") return Number.NaN;
  const number = typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
  return Number.isNaN(number) ? none : number;
}

const bucketsOf = (answer: unknown, path: string): AggregationResult[] => {
  const buckets = own(answer, "buckets");
  if (Array.isArray(buckets)) return buckets as AggregationResult[];
  if (typeof buckets === "object" && buckets !== null) {
    return Object.entries(buckets as Record<string, AggregationResult>).map(([key, bucket]) => ({ key, ...bucket }));
  }
  throw illegalArgument(`buckets_path must reference a multi-bucket aggregation, and [${path}] is none`, { atRun: true });
};

const keyText = (bucket: AggregationResult): string => String(bucket["key_as_string"] ?? bucket["key"]);

/** The figures of the buckets of an aggregation beside, with their keys. */
function figuresBeside(beside: AggregationResult, path: string, gap: GapPolicy): { readonly key: string; readonly value: number }[] {
  const steps = path.split(">");
  const first = steps[0] ?? "";
  let rest = steps.slice(1).join(">");
  let answer = own(beside, first);
  if (answer === undefined) throw illegalArgument(`No aggregation found for path [${path}]`, { atRun: true });
  // Aggregations of one bucket lead on to those below.
  while (own(answer, "buckets") === undefined && rest.includes(">")) {
    const [next = "", ...more] = rest.split(">");
    answer = own(answer, next);
    rest = more.join(">");
  }
  return bucketsOf(answer, path)
    .map((bucket) => ({ key: keyText(bucket), value: figureAt(bucket, rest === "" ? "_count" : rest, gap) }))
    .filter(({ value }) => !Number.isNaN(value));
}

export type SiblingKind =
  | "avg_bucket"
  | "sum_bucket"
  | "min_bucket"
  | "max_bucket"
  | "stats_bucket"
  | "extended_stats_bucket"
  | "percentiles_bucket";

export interface SiblingOptions {
  readonly path: string;
  readonly gap: GapPolicy;
  readonly percents: readonly number[];
  readonly sigma: number;
}

/** A pipeline over the buckets of an aggregation beside it. */
export function siblingPipeline(
  name: string,
  meta: unknown,
  kind: SiblingKind,
  { path, gap, percents, sigma }: SiblingOptions,
): SiblingPipeline {
  return {
    name,
    meta,
    compute(beside) {
      const figures = figuresBeside(beside, path, gap);
      const values = figures.map(({ value }) => value);
      const count = values.length;
      const sum = values.reduce((total, value) => total + value, 0);
      const least = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
      const most = values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
      switch (kind) {
        case "avg_bucket":
          return { value: count === 0 ? null : sum / count };
        case "sum_bucket":
          return { value: sum };
        case "min_bucket":
        case "max_bucket": {
          const value = kind === "min_bucket" ? least : most;
          return { value: count === 0 ? null : value, keys: figures.filter((one) => one.value === value).map(({ key }) => key) };
        }
        case "percentiles_bucket": {
          const sorted = [...values].sort((a, b) => a - b);
          // The nearest of the values themselves.
          const at = (percent: number): number | null => (count === 0 ? null : (sorted[Math.round((percent / 100) * (count - 1))] ?? null));
          return {
            values: Object.fromEntries(
              percents.map((percent) => [Number.isInteger(percent) ? percent.toFixed(1) : String(percent), at(percent)]),
            ),
          };
        }
        default: {
          const base: AggregationResult = {
            count,
            min: count === 0 ? null : least,
            max: count === 0 ? null : most,
            avg: count === 0 ? null : sum / count,
            sum,
          };
          if (kind === "stats_bucket") return base;
          const squares = values.reduce((total, value) => total + value * value, 0);
          const mean = sum / count;
          const variance = Math.max(0, squares / count - mean * mean);
          const deviation = Math.sqrt(variance);
          return {
            ...base,
            sum_of_squares: count === 0 ? null : squares,
            variance: count === 0 ? null : variance,
            std_deviation: count === 0 ? null : deviation,
            std_deviation_bounds: {
              upper: count === 0 ? null : mean + sigma * deviation,
              lower: count === 0 ? null : mean - sigma * deviation,
            },
          };
        }
      }
    },
  };
}

/** How much a figure changed since the bucket before; per `unit` too, where one is given. */
export function derivative(name: string, path: string, gap: GapPolicy, unit: string | undefined): BucketsPipeline {
  const unitMicros = unit === undefined ? undefined : unitOf(unit);
  return (buckets) => {
    let before: { readonly value: number; readonly key: number } | undefined;
    for (const bucket of buckets) {
      const value = figureAt(bucket, path, gap);
      if (Number.isNaN(value)) continue;
      const key = Number(bucket["key"]);
      if (before) {
        const change = value - before.value;
        bucket[name] = {
          value: change,
          ...(unitMicros !== undefined && { normalized_value: change / (((key - before.key) * 1000) / unitMicros) }),
        };
      }
      before = { value, key };
    }
    return buckets;
  };
}

const UNITS: Readonly<Record<string, string>> = {
  second: "1s",
  minute: "1m",
  hour: "1h",
  day: "1d",
  week: "7d",
  "1w": "7d",
  month: "30d",
  "1M": "30d",
  year: "365d",
  "1y": "365d",
};

function unitOf(unit: string): number {
  const micros = spanMicros((Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined) ?? unit);
  if (micros === undefined) throw illegalArgument(`unit [${unit.slice(0, 40)}] of [derivative] is no time unit`);
  return micros;
}

/** The sum of a figure up to each bucket. */
export function cumulativeSum(name: string, path: string): BucketsPipeline {
  return (buckets) => {
    let sum = 0;
    for (const bucket of buckets) {
      const value = figureAt(bucket, path, "insert_zeros");
      if (Number.isFinite(value)) sum += value;
      bucket[name] = { value: sum };
    }
    return buckets;
  };
}

/** How much a figure differs from that of the `lag`-th bucket before. */
export function serialDifference(name: string, path: string, gap: GapPolicy, lag: number): BucketsPipeline {
  return (buckets) => {
    const values = buckets.map((bucket) => figureAt(bucket, path, gap));
    buckets.forEach((bucket, index) => {
      const before = values[index - lag];
      const value = values[index];
      if (before !== undefined && value !== undefined && !Number.isNaN(before) && !Number.isNaN(value))
        bucket[name] = { value: value - before };
    });
    return buckets;
  };
}

export interface BucketSortOptions {
  readonly sort: readonly { readonly path: string; readonly descending: boolean }[];
  readonly from: number;
  readonly size: number | undefined;
  readonly gap: GapPolicy;
}

/** Sorts buckets by figures and takes some of them. */
export function bucketSort({ sort, from, size, gap }: BucketSortOptions): BucketsPipeline {
  return (buckets) => {
    let kept = buckets;
    if (sort.length > 0) {
      const figures = new Map(
        buckets.map(
          (bucket) =>
            [
              bucket,
              sort.map(({ path }) => (path === "_key" && typeof bucket["key"] === "string" ? bucket["key"] : figureAt(bucket, path, gap))),
            ] as const,
        ),
      );
      // A bucket without a figure is left out.
      kept = buckets.filter((bucket) => figures.get(bucket)?.every((value) => typeof value === "string" || !Number.isNaN(value)) ?? false);
      kept.sort((a, b) => {
        for (const [index, { descending }] of sort.entries()) {
          const x = figures.get(a)?.[index] ?? 0;
          const y = figures.get(b)?.[index] ?? 0;
          if (x !== y) return x < y === descending ? 1 : -1;
        }
        return 0;
      });
    }
    return kept.slice(from, size === undefined ? undefined : from + size);
  };
}
