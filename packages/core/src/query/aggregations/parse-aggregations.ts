import { isTimeZone } from "../../time/calendar.js";
import type { QueryContext } from "../clauses/clause.js";
import { type QueryValue, queryNumber } from "../clauses/field-terms.js";
import { asObject, itemsOf, Params, scalarValue } from "../clauses/params.js";
import { didYouMean, parseQuery } from "../clauses/parse-query.js";
import { addressWords, neighbour, networkRange } from "../columns/ip-address.js";
import { exactValue, type JsonNode, type JsonObject } from "../json/json-tree.js";
import type { TextTest } from "../lucene/regexp.js";
import { DateFormat, DEFAULT_DATE_FORMAT } from "../mapping/date-format.js";
import { parseHitParts } from "../parse-hits.js";
import { illegalArgument, parsingError, QueryError } from "../query-error.js";
import { type Aggregator, type BucketsPipeline, Level, type SiblingPipeline } from "./aggregator.js";
import { CardinalityAggregator } from "./cardinality.js";
import { CompositeAggregator, type KeyPart, MultiTermsAggregator } from "./composite.js";
import { FilterAggregator, FiltersAggregator, GlobalAggregator, MissingAggregator } from "./filters.js";
import { HistogramAggregator } from "./histogram.js";
import { KeySource } from "./key-source.js";
import {
  MedianDeviationAggregator,
  type MetricKind,
  type MetricSource,
  PercentileRanksAggregator,
  PercentilesAggregator,
  StatsAggregator,
} from "./metrics.js";
import { type BucketOrder, checkOrder, parseOrder } from "./order.js";
import { bucketSort, cumulativeSum, derivative, type GapPolicy, type SiblingKind, serialDifference, siblingPipeline } from "./pipeline.js";
import { AddressRangeAggregator, type AddressSpan, type NumberSpan, RangeAggregator } from "./ranges.js";
import { calendarSteps, EqualSteps, fixedSteps, type Rounding, spanMicros } from "./rounding.js";
import type { Scope } from "./scope.js";
import { type KeyFilter, keyPattern, TermsAggregator } from "./terms.js";
import { type FindSegment, TopHitsAggregator } from "./top-hits.js";

/** What the aggregations of a search share. */
export interface AggregationContext {
  /** One a searched index; at least one. */
  readonly contexts: readonly QueryContext[];
  readonly find: FindSegment;
  readonly numberOf: (scope: Scope) => number;
  /** Whether answers stand under names with their type, such as `sterms#hosts`. */
  readonly typedKeys: boolean;
  /** Aggregations made so far. */
  readonly made: { aggregations: number };
}

/** Where an aggregation stands: its name, parameters, and what is below it. */
interface Place {
  readonly name: string;
  readonly meta: unknown;
  readonly type: string;
  readonly params: Params;
  readonly children: Level;
  /** Whether all rows come with owner 0. */
  readonly isTop: boolean;
  readonly context: AggregationContext;
}

type Make = (place: Place) => Aggregator;

const DEEPEST = 20;
const MOST_AGGREGATIONS = 1000;
const MOST_BUCKETS_ASKED = 2 ** 31 - 1;

const first = (context: AggregationContext): QueryContext => context.contexts[0] as QueryContext;
const limitsOf = (place: Place): QueryContext["limits"] => first(place.context).limits;

function fieldPath({ params, type, name }: Place): string {
  const path = params.text("field");
  if (params.get("script")) throw parsingError(`[${type}] scripts are not supported here`, params.node.at);
  params.text("value_type");
  if (path === undefined) throw illegalArgument(`Required one of fields [field, script], but none were specified. [${name}]`);
  return path;
}

function zoneOf(params: Params): string {
  const zone = params.text("time_zone") ?? "UTC";
  if (!isTimeZone(zone))
    throw parsingError(
      `[${params.clause}] failed to parse field [time_zone]`,
      params.node.at,
      illegalArgument(`Unknown time-zone ID: ${zone.slice(0, 60)}`),
    );
  return zone;
}

function sizeOf(params: Params, name: string, otherwise: number, least: number): number {
  const size = params.whole(name, otherwise);
  if (size < least)
    throw illegalArgument(`[${name}] must be greater than ${least === 0 ? "or equal to 0" : "0"}. Found [${size}] in [${params.clause}]`);
  return Math.min(size, MOST_BUCKETS_ASKED);
}

function keyFilter({ params, context }: Place): KeyFilter {
  const { maxRegexLength } = first(context).limits;
  const patternOf = (name: string): TextTest | undefined => {
    const node = params.get(name);
    return node?.kind === "string" ? keyPattern(node.text, maxRegexLength) : undefined;
  };
  const valuesOf = (name: string): QueryValue[] | undefined => {
    const node = params.get(name);
    if (node?.kind !== "array") return undefined;
    return node.items.map((item) => {
      if (item.kind === "object" || item.kind === "array" || item.kind === "null")
        throw parsingError("values of [include] and [exclude] must be texts or numbers", item.at);
      return scalarValue(item);
    });
  };
  const node = params.get("include");
  let partition: KeyFilter["partition"];
  if (node?.kind === "object") {
    const inner = new Params("include", node);
    partition = { partition: inner.whole("partition", 0), partitions: inner.whole("num_partitions", 0) };
    inner.done();
    if (partition.partitions < 1 || partition.partition < 0 || partition.partition >= partition.partitions)
      throw illegalArgument("Missing or wrong [num_partitions] and [partition] in [include]");
  }
  return {
    include: patternOf("include"),
    exclude: patternOf("exclude"),
    includeValues: valuesOf("include"),
    excludeValues: valuesOf("exclude"),
    partition,
  };
}

const COUNT_DESCENDING: readonly BucketOrder[] = [{ path: "_count", descending: true }];
const KEY_ASCENDING: readonly BucketOrder[] = [{ path: "_key", descending: false }];

const terms: Make = (place) => {
  const { name, meta, params, children, isTop } = place;
  const source = new KeySource(fieldPath(place), "terms", params.value("missing"), params.text("format"));
  const options = {
    size: sizeOf(params, "size", 10, 1),
    minDocCount: Math.max(0, params.whole("min_doc_count", 1)),
    order: parseOrder(params.get("order"), COUNT_DESCENDING),
    filter: keyFilter(place),
    maxBuckets: limitsOf(place).maxBuckets,
  };
  for (const accepted of ["shard_size", "shard_min_doc_count"]) params.whole(accepted, 0);
  for (const accepted of ["execution_hint", "collect_mode"]) params.text(accepted);
  params.boolean("show_term_doc_count_error", false);
  checkOrder(options.order, children.aggregators, name);
  return new TermsAggregator(name, meta, source, options, children, isTop);
};

const rareTerms: Make = (place) => {
  const { name, meta, params, children, isTop } = place;
  const maxDocCount = params.whole("max_doc_count", 1);
  if (maxDocCount < 1 || maxDocCount > 100)
    throw illegalArgument(
      `[max_doc_count] must be ${maxDocCount < 1 ? "greater than 0" : "smaller than 100"} in [rare_terms], and is [${maxDocCount}]`,
    );
  params.number("precision", 0.001);
  const source = new KeySource(fieldPath(place), "rare_terms", params.value("missing"), params.text("format"));
  const order: BucketOrder[] = [{ path: "_count", descending: false }];
  const options = {
    size: MOST_BUCKETS_ASKED,
    minDocCount: 1,
    order,
    filter: keyFilter(place),
    maxBuckets: limitsOf(place).maxBuckets,
    maxDocCount,
  };
  return new TermsAggregator(name, meta, source, options, children, isTop);
};

const multiTerms: Make = (place) => {
  const { name, meta, params, children } = place;
  const node = params.get("terms");
  if (node?.kind !== "array" || node.items.length < 2)
    throw illegalArgument("The [terms] parameter in the aggregation [multi_terms] must be an array of at least two fields");
  const parts = node.items.map((item): KeyPart => {
    const inner = new Params("multi_terms", asObject(item, "multi_terms"));
    const path = inner.text("field");
    if (path === undefined) throw illegalArgument("a part of [multi_terms] lacks its [field]");
    const missing = inner.value("missing");
    const format = inner.text("format");
    for (const accepted of ["value_type", "time_zone"]) inner.text(accepted);
    inner.done();
    return {
      name: path,
      source: new KeySource(path, "multi_terms", missing, format),
      descending: false,
      missingBucket: false,
      missingFirst: false,
    };
  });
  const options = {
    size: sizeOf(params, "size", 10, 1),
    minDocCount: Math.max(0, params.whole("min_doc_count", 1)),
    order: parseOrder(params.get("order"), COUNT_DESCENDING),
    maxBuckets: limitsOf(place).maxBuckets,
  };
  for (const accepted of ["shard_size", "shard_min_doc_count"]) params.whole(accepted, 0);
  params.text("collect_mode");
  params.boolean("show_term_doc_count_error", false);
  checkOrder(options.order, children.aggregators, name);
  return new MultiTermsAggregator(name, meta, parts, options, children);
};

/** A number of a request; of a date field its text too, in milliseconds. */
function missingNumber({ params, context }: Place, path: string): number | undefined {
  const value = params.value("missing");
  if (value === undefined) return undefined;
  const field = first(context).mapping.field(path);
  if (field?.traits.family === "date")
    return Number(field.format?.parse(typeof value === "boolean" ? String(value) : value, { now: 0n }) ?? 0n) / 1000;
  if (typeof value === "boolean") return value ? 1 : 0;
  return Number(queryNumber(value));
}

function metricSource(place: Place): MetricSource {
  const path = fieldPath(place);
  return {
    path,
    missing: place.type === "value_count" ? (place.params.value("missing") === undefined ? undefined : 1) : missingNumber(place, path),
    format: place.params.text("format"),
  };
}

const stats =
  (kind: MetricKind): Make =>
  (place) => {
    const sigma = kind === "extended_stats" ? place.params.number("sigma", 2) : 2;
    if (sigma < 0) throw illegalArgument(`[sigma] must be greater than or equal to 0. Found [${sigma}] in [${place.name}]`);
    return new StatsAggregator(place.name, place.meta, kind, metricSource(place), sigma);
  };

const DEFAULT_PERCENTS = [1, 5, 25, 50, 75, 95, 99];

function numbersOf(params: Params, name: string): number[] | undefined {
  const node = params.get(name);
  if (!node) return undefined;
  return itemsOf(node).map((item) => {
    const number = item.kind === "object" || item.kind === "array" || item.kind === "null" ? Number.NaN : Number(item.value);
    if (Number.isNaN(number)) throw parsingError(`[${params.clause}] failed to parse field [${name}]`, item.at);
    return number;
  });
}

const percentiles: Make = (place) => {
  const { params, name, meta } = place;
  const percents = numbersOf(params, "percents") ?? DEFAULT_PERCENTS;
  if (percents.length === 0) throw illegalArgument(`[percents] must not be empty: [${name}]`);
  for (const percent of percents)
    if (!(percent >= 0 && percent <= 100)) throw illegalArgument(`percent must be in [0,100], got [${percent}]: [${name}]`);
  const keyed = params.boolean("keyed", true);
  digestOptions(params);
  return new PercentilesAggregator(name, meta, metricSource(place), percents, keyed);
};

/** How to approximate: what is computed here is exact. */
function digestOptions(params: Params): void {
  const tdigest = params.get("tdigest");
  const hdr = params.get("hdr");
  for (const node of [tdigest, hdr])
    if (node)
      for (const { value } of asObject(node, params.clause).members)
        if (value.kind !== "number" && value.kind !== "string") throw parsingError(`[${params.clause}] failed to parse`, value.at);
  const compression = tdigest?.kind === "object" ? tdigest.members.find(({ key }) => key === "compression")?.value : undefined;
  if (compression && compression.kind === "number" && Number(compression.value) < 0)
    throw illegalArgument(`[compression] must be greater than or equal to 0. Found [${compression.text}]`);
  const digits = hdr?.kind === "object" ? hdr.members.find(({ key }) => key === "number_of_significant_value_digits")?.value : undefined;
  if (digits && digits.kind === "number" && (Number(digits.value) < 0 || Number(digits.value) > 5))
    throw illegalArgument("[numberOfSignificantValueDigits] must be between 0 and 5");
}

const percentileRanks: Make = (place) => {
  const { params, name, meta } = place;
  const values = numbersOf(params, "values");
  if (!values || values.length === 0) throw illegalArgument(`[values] must not be an empty array: [${name}]`);
  const keyed = params.boolean("keyed", true);
  digestOptions(params);
  return new PercentileRanksAggregator(name, meta, metricSource(place), values, keyed);
};

const medianDeviation: Make = (place) => {
  place.params.number("compression", 1000);
  return new MedianDeviationAggregator(place.name, place.meta, metricSource(place));
};

const cardinality: Make = (place) => {
  const { params, name, meta, isTop } = place;
  const threshold = params.whole("precision_threshold", 3000);
  if (threshold < 0) throw illegalArgument(`[precisionThreshold] must be greater than or equal to 0. Found [${threshold}] in [${name}]`);
  params.text("execution_hint");
  params.whole("rehash", 0);
  return new CardinalityAggregator(name, meta, new KeySource(fieldPath(place), "cardinality", params.value("missing")), isTop);
};

function bounds(params: Params, name: string, read: (value: QueryValue, up: boolean) => number): readonly [number, number] | undefined {
  const node = params.get(name);
  if (!node || node.kind === "null") return undefined;
  const inner = new Params(name, asObject(node, name));
  const low = inner.value("min");
  const high = inner.value("max");
  inner.done();
  const found = [
    low === undefined ? Number.NEGATIVE_INFINITY : read(low, false),
    high === undefined ? Number.POSITIVE_INFINITY : read(high, false),
  ] as const;
  if (found[0] > found[1]) throw illegalArgument(`[${name}.min][${String(low)}] cannot be greater than [${name}.max][${String(high)}]`);
  if (name === "extended_bounds" && (!Number.isFinite(found[0]) || !Number.isFinite(found[1]))) {
    // Open on one side it goes as far as the values do.
    return [Number.isFinite(found[0]) ? found[0] : found[1], Number.isFinite(found[1]) ? found[1] : found[0]];
  }
  return found;
}

const histogram: Make = (place) => {
  const { params, name, meta, children } = place;
  const path = fieldPath(place);
  const interval = params.number("interval", Number.NaN);
  const offset = params.number("offset", 0);
  if (!(interval > 0)) throw illegalArgument(`[interval] must be >0 for histogram aggregation [${name}]`);
  const order = parseOrder(params.get("order"), KEY_ASCENDING);
  checkOrder(order, children.aggregators, name);
  return new HistogramAggregator(
    name,
    meta,
    {
      kind: "histogram",
      path,
      rounding: new EqualSteps(interval, ((offset % interval) + interval) % interval),
      missing: missingNumber(place, path),
      minDocCount: Math.max(0, params.whole("min_doc_count", 0)),
      order,
      keyed: params.boolean("keyed", false),
      extendedBounds: bounds(params, "extended_bounds", (value) => Number(queryNumber(value))),
      hardBounds: bounds(params, "hard_bounds", (value) => Number(queryNumber(value))),
      format: params.text("format"),
      dateFormat: undefined,
      timeZone: "UTC",
      maxBuckets: limitsOf(place).maxBuckets,
    },
    children,
  );
};

/** The steps of a date histogram, from its one interval. */
function dateSteps(params: Params, timeZone: string): Rounding {
  const calendar = params.text("calendar_interval");
  const fixed = params.text("fixed_interval");
  const legacy = params.text("interval");
  const given = [calendar, fixed, legacy].filter((one) => one !== undefined);
  if (given.length === 0) throw illegalArgument("Invalid interval specified, must be non-null and non-empty");
  if (given.length > 1)
    throw illegalArgument(
      "Cannot use more than one of [interval], [fixed_interval] and [calendar_interval] configuration options in the same aggregation.",
    );
  const offsetText = params.text("offset") ?? "0s";
  const offset = /^[+-]?0+$/.test(offsetText) ? 0 : /^[+-]?\d+$/.test(offsetText) ? Number(offsetText) * 1000 : spanMicros(offsetText);
  if (offset === undefined)
    throw parsingError(
      `[date_histogram] failed to parse field [offset]`,
      params.node.at,
      illegalArgument(`failed to parse [${offsetText.slice(0, 40)}]`),
    );
  if (calendar !== undefined) return calendarSteps(calendar, timeZone, offset);
  if (fixed !== undefined) return fixedSteps(fixed, timeZone, offset);
  const text = legacy ?? "";
  if (/^\d+$/.test(text)) return fixedSteps(`${text}ms`, timeZone, offset);
  try {
    return calendarSteps(text, timeZone, offset);
  } catch {
    return fixedSteps(text, timeZone, offset);
  }
}

function dateReader(
  { context }: Place,
  path: string,
  format: DateFormat | undefined,
  timeZone: string,
): (value: QueryValue, roundUp: boolean) => number {
  return (value, roundUp) => {
    const { mapping, now } = first(context);
    const read = format ?? mapping.field(path)?.format ?? DEFAULT_DATE_FORMAT;
    if (typeof value === "boolean") throw new QueryError("parse_exception", `failed to parse date field [${value}]`);
    if (typeof value === "number" || typeof value === "bigint") return Number(value) * 1000;
    return Number(read.parseMath(value, { now, roundUp, timeZone }));
  };
}

const dateHistogram: Make = (place) => {
  const { params, name, meta, children } = place;
  const path = fieldPath(place);
  const timeZone = zoneOf(params);
  const formatText = params.text("format");
  const dateFormat = formatText === undefined ? undefined : new DateFormat(formatText);
  const read = dateReader(place, path, dateFormat, timeZone);
  const order = parseOrder(params.get("order"), KEY_ASCENDING);
  checkOrder(order, children.aggregators, name);
  const missing = missingNumber(place, path);
  return new HistogramAggregator(
    name,
    meta,
    {
      kind: "date_histogram",
      path,
      rounding: dateSteps(params, timeZone),
      missing: missing === undefined ? undefined : missing * 1000,
      minDocCount: Math.max(0, params.whole("min_doc_count", 0)),
      order,
      keyed: params.boolean("keyed", false),
      extendedBounds: bounds(params, "extended_bounds", read),
      hardBounds: bounds(params, "hard_bounds", read),
      format: undefined,
      dateFormat,
      timeZone,
      maxBuckets: limitsOf(place).maxBuckets,
    },
    children,
  );
};

const autoDateHistogram: Make = (place) => {
  const { params, name, meta, children } = place;
  const path = fieldPath(place);
  const timeZone = zoneOf(params);
  const formatText = params.text("format");
  params.text("minimum_interval");
  const missing = missingNumber(place, path);
  return new HistogramAggregator(
    name,
    meta,
    {
      kind: "auto_date_histogram",
      path,
      rounding: calendarSteps("second", timeZone, 0),
      missing: missing === undefined ? undefined : missing * 1000,
      minDocCount: 0,
      order: KEY_ASCENDING,
      keyed: false,
      extendedBounds: undefined,
      hardBounds: undefined,
      format: undefined,
      dateFormat: formatText === undefined ? undefined : new DateFormat(formatText),
      timeZone,
      // Seconds are joined at the end.
      maxBuckets: 2 ** 24,
      targetBuckets: sizeOf(params, "buckets", 10, 1),
    },
    children,
  );
};

interface WrittenSpan {
  readonly key: string | undefined;
  readonly from: QueryValue | undefined;
  readonly to: QueryValue | undefined;
  readonly mask: string | undefined;
}

function spansOf({ params, type }: Place): readonly WrittenSpan[] {
  const node = params.get("ranges");
  if (node?.kind !== "array" || node.items.length === 0) throw illegalArgument(`No [ranges] specified for the [${type}] aggregation`);
  return node.items.map((item) => {
    if (item.kind === "string" && type === "ip_range") return { key: undefined, from: undefined, to: undefined, mask: item.text };
    const inner = new Params(type, asObject(item, type));
    const span = {
      key: inner.text("key"),
      from: inner.value("from"),
      to: inner.value("to"),
      mask: type === "ip_range" ? inner.text("mask") : undefined,
    };
    inner.done();
    return span;
  });
}

const range: Make = (place) => {
  const { params, name, meta, children } = place;
  const path = fieldPath(place);
  const spans = spansOf(place);
  const number = (value: QueryValue | undefined): number | undefined => (value === undefined ? undefined : Number(queryNumber(value)));
  params.text("format");
  return new RangeAggregator(
    name,
    meta,
    {
      kind: "range",
      path,
      keyed: params.boolean("keyed", false),
      missing: missingNumber(place, path),
      dateFormat: undefined,
      timeZone: "UTC",
    },
    () => spans.map(({ key, from, to }): NumberSpan => ({ key, from: number(from), to: number(to) })),
    children,
  );
};

const dateRange: Make = (place) => {
  const { params, name, meta, children } = place;
  const path = fieldPath(place);
  const timeZone = zoneOf(params);
  const formatText = params.text("format");
  const dateFormat = formatText === undefined ? undefined : new DateFormat(formatText);
  const spans = spansOf(place);
  const read = dateReader(place, path, dateFormat, timeZone);
  const at = (value: QueryValue | undefined): number | undefined => (value === undefined ? undefined : read(value, false));
  const missing = missingNumber(place, path);
  return new RangeAggregator(
    name,
    meta,
    {
      kind: "date_range",
      path,
      keyed: params.boolean("keyed", false),
      missing: missing === undefined ? undefined : missing * 1000,
      dateFormat,
      timeZone,
    },
    () => spans.map(({ key, from, to }): NumberSpan => ({ key, from: at(from), to: at(to) })),
    children,
  );
};

const ipRange: Make = (place) => {
  const { params, name, meta, children } = place;
  const path = fieldPath(place);
  const word = (value: QueryValue | undefined): ReturnType<typeof addressWords> => {
    if (value === undefined) return undefined;
    const words = addressWords(String(value));
    if (!words) throw illegalArgument(`'${String(value)}' is not an IP string literal.`);
    return words;
  };
  const spans = spansOf(place).map(({ key, from, to, mask }): AddressSpan => {
    if (mask === undefined) return { key, from: word(from), to: word(to), mask };
    const network = networkRange(mask);
    if (!network) throw illegalArgument(`invalid CIDR [${mask.slice(0, 60)}]`);
    return { key, from: network.first.some((one) => one !== 0) ? network.first : undefined, to: neighbour(network.last, 1), mask };
  });
  return new AddressRangeAggregator(name, meta, path, spans, params.boolean("keyed", false), children);
};

/** The clause that stands where an aggregation has a filter; read once now, for its errors. */
function filterNode({ context }: Place, node: JsonNode): JsonNode {
  for (const one of context.contexts) parseQuery(one, node);
  return node;
}

const filter: Make = (place) => new FilterAggregator(place.name, place.meta, filterNode(place, place.params.node), place.children);

const filters: Make = (place) => {
  const { params, name, meta, children } = place;
  const node = params.get("filters");
  if (!node) throw illegalArgument(`[filters] cannot be empty. [${name}]`);
  const isKeyed = node.kind === "object";
  if (!isKeyed && node.kind !== "array") throw parsingError(`Unknown key for a VALUE in [${name}]: [filters].`, node.at);
  const list =
    node.kind === "object"
      ? node.members.map(({ key, value }) => ({ key, node: filterNode(place, value) }))
      : itemsOf(node).map((item) => ({ key: undefined, node: filterNode(place, item) }));
  if (list.length === 0) throw illegalArgument(`[filters] cannot be empty. [${name}]`);
  const otherKey = params.text("other_bucket_key");
  const other = params.boolean("other_bucket", otherKey !== undefined);
  return new FiltersAggregator(
    name,
    meta,
    list,
    other ? (otherKey ?? "_other_") : undefined,
    isKeyed && params.boolean("keyed", true),
    children,
  );
};

const missing: Make = (place) => new MissingAggregator(place.name, place.meta, fieldPath(place), place.children);

const topHits: Make = (place) => {
  const { params, name, meta, context } = place;
  const parts = parseHitParts(params, 3);
  if (parts.from + parts.size > 100) {
    throw illegalArgument(
      `Top hits result window is too large, the top hits aggregator [${name}]'s from + size must be less than or equal to: [100] but was [${parts.from + parts.size}]. This limit can be set by changing the [index.max_inner_result_window] index level setting.`,
      { atRun: true },
    );
  }
  return new TopHitsAggregator(
    name,
    meta,
    { from: parts.from, size: parts.size, keys: parts.keys, hit: parts.hit },
    context.find,
    context.numberOf,
  );
};

const composite: Make = (place) => {
  const { params, name, meta, children, isTop } = place;
  if (!isTop) throw illegalArgument("[composite] aggregation cannot be used with a parent aggregation");
  const node = params.get("sources");
  if (node?.kind !== "array" || node.items.length === 0) throw illegalArgument("Composite [sources] cannot be null or empty");
  const names = new Set<string>();
  const parts = node.items.flatMap((item) =>
    asObject(item, "composite").members.map(({ key, value }) => {
      if (names.has(key)) throw illegalArgument(`Composite source names must be unique, found duplicates: [${key}]`);
      names.add(key);
      return compositePart(place, key, asObject(value, "composite"));
    }),
  );
  const afterNode = params.get("after");
  let after: (string | number | bigint | boolean | null)[] | undefined;
  if (afterNode) {
    const object = asObject(afterNode, "composite");
    if (object.members.length !== parts.length)
      throw illegalArgument(`[after] has ${object.members.length} value(s) but [sources] has ${parts.length}`);
    after = parts.map((part) => {
      const member = object.members.find(({ key }) => key === part.name);
      if (!member) throw illegalArgument(`Missing value for [after.${part.name}]`);
      const { value } = member;
      if (value.kind === "object" || value.kind === "array") throw parsingError(`Invalid value for [after.${part.name}]`, value.at);
      return value.kind === "null" ? null : scalarValue(value);
    });
  }
  return new CompositeAggregator(
    name,
    meta,
    parts,
    { size: sizeOf(params, "size", 10, 1), after, maxBuckets: limitsOf(place).maxBuckets },
    children,
  );
};

function compositePart(place: Place, name: string, node: JsonObject): KeyPart {
  const [member, second] = node.members;
  if (!member || second) throw parsingError(`Composite source [${name}] must have one type`, node.at);
  const { key: type, value } = member;
  if (!["terms", "histogram", "date_histogram"].includes(type)) throw parsingError(`invalid source type: ${type.slice(0, 60)}`, value.at);
  const params = new Params(type, asObject(value, type));
  const path = fieldPath({ ...place, params, type, name });
  const order = (params.text("order") ?? "asc").toLowerCase();
  if (order !== "asc" && order !== "desc") throw illegalArgument(`Order must be one of asc or desc in composite source [${name}]`);
  const missingOrder = (params.text("missing_order") ?? "default").toLowerCase();
  const missingBucket = params.boolean("missing_bucket", false);
  let rounding: Rounding | undefined;
  let write: ((micros: number) => string) | undefined;
  let read: ((text: string) => number) | undefined;
  if (type === "histogram") {
    const interval = params.number("interval", Number.NaN);
    if (!(interval > 0)) throw illegalArgument("[interval] must be greater than 0 for [histogram] source");
    rounding = new EqualSteps(interval, 0);
  }
  if (type === "date_histogram") {
    const timeZone = zoneOf(params);
    rounding = dateSteps(params, timeZone);
    const format = params.text("format");
    if (format !== undefined) {
      const written = new DateFormat(format);
      write = (micros) => written.format(micros, timeZone);
      read = (text) => Number(written.parse(text, { now: 0n, timeZone }));
    }
  }
  params.done();
  const descending = order === "desc";
  return {
    name,
    source: new KeySource(path, "composite", undefined),
    rounding,
    descending,
    missingBucket,
    missingFirst: missingOrder === "first" || (missingOrder === "default" && !descending),
    write,
    read,
  };
}

const MAKERS: Readonly<Record<string, Make>> = {
  terms,
  rare_terms: rareTerms,
  multi_terms: multiTerms,
  sum: stats("sum"),
  avg: stats("avg"),
  min: stats("min"),
  max: stats("max"),
  value_count: stats("value_count"),
  stats: stats("stats"),
  extended_stats: stats("extended_stats"),
  cardinality,
  percentiles,
  percentile_ranks: percentileRanks,
  median_absolute_deviation: medianDeviation,
  histogram,
  date_histogram: dateHistogram,
  auto_date_histogram: autoDateHistogram,
  range,
  date_range: dateRange,
  ip_range: ipRange,
  filter,
  filters,
  missing,
  global: (place) => {
    if (!place.isTop)
      throw illegalArgument(`Aggregation [${place.name}] cannot have a global sub-aggregation: a global aggregation stands at the top`);
    return new GlobalAggregator(place.name, place.meta, place.children);
  },
  top_hits: topHits,
  composite,
};

/** Those without aggregations below. */
const LEAVES = new Set(
  "sum avg min max value_count stats extended_stats cardinality percentiles percentile_ranks median_absolute_deviation top_hits".split(" "),
);
const SIBLINGS: ReadonlySet<string> = new Set([
  "avg_bucket",
  "sum_bucket",
  "min_bucket",
  "max_bucket",
  "stats_bucket",
  "extended_stats_bucket",
  "percentiles_bucket",
]);
const PARENTS = new Set(["derivative", "cumulative_sum", "serial_diff", "bucket_sort"]);
const REFUSED = new Set(
  (
    "bucket_selector bucket_script scripted_metric moving_fn moving_avg nested reverse_nested children parent geo_bounds geo_centroid geo_distance geohash_grid geotile_grid " +
    "significant_terms significant_text sampler diversified_sampler random_sampler adjacency_matrix variable_width_histogram weighted_avg top_metrics matrix_stats string_stats boxplot rate t_test " +
    "cumulative_cardinality normalize inference bucket_count_ks_test bucket_correlation change_point categorize_text ip_prefix time_series geo_line frequent_item_sets"
  ).split(" "),
);

function gapOf(params: Params): GapPolicy {
  const policy = (params.text("gap_policy") ?? "skip").toLowerCase();
  if (policy === "skip" || policy === "insert_zeros" || policy === "insert_zeroes" || policy === "keep_values")
    return policy.startsWith("insert") ? "insert_zeros" : "skip";
  throw illegalArgument(`No enum constant for the gap policy [${policy.slice(0, 40)}]: it is skip or insert_zeros`);
}

function pathOf(params: Params, name: string): string {
  const [path] = params.texts("buckets_path") ?? [];
  params.text("format");
  if (path === undefined) throw parsingError(`Required [buckets_path] not specified for pipeline aggregation [${name}]`, params.node.at);
  return path;
}

function parentPipeline(name: string, type: string, params: Params): BucketsPipeline {
  if (type === "bucket_sort") {
    const node = params.get("sort");
    const sort = (node ? itemsOf(node) : []).flatMap((item) => {
      if (item.kind === "string") return [{ path: item.text, descending: false }];
      return asObject(item, "bucket_sort").members.map(({ key, value }) => {
        const text =
          value.kind === "string"
            ? value.text
            : value.kind === "object"
              ? (new Params("bucket_sort", value).text("order") ?? "asc")
              : "asc";
        if (!/^(?:asc|desc)$/i.test(text)) throw parsingError("Unknown order direction in [bucket_sort]", value.at);
        return { path: key, descending: text.toLowerCase() === "desc" };
      });
    });
    const from = params.whole("from", 0);
    const size = params.get("size") ? params.whole("size", 0) : undefined;
    if (from < 0) throw illegalArgument(`[from] must be a non-negative integer: [${from}]`);
    if (size !== undefined && size < 1) throw illegalArgument(`[size] must be a positive integer: [${size}]`);
    if (sort.length === 0 && size === undefined && from === 0)
      throw illegalArgument(`[${name}] is configured to perform nothing. Please set either of [sort, size, from] to use bucket_sort`);
    return bucketSort({ sort, from, size, gap: gapOf(params) });
  }
  const path = pathOf(params, name);
  const gap = gapOf(params);
  if (type === "derivative") return derivative(name, path, gap, params.text("unit"));
  if (type === "serial_diff") {
    const lag = params.whole("lag", 1);
    if (lag < 1) throw illegalArgument("[lag] must be a positive integer");
    return serialDifference(name, path, gap, lag);
  }
  return cumulativeSum(name, path);
}

const KINDS_IN_ORDER = new Set(["histogram", "date_histogram", "auto_date_histogram"]);

interface Definition {
  readonly name: string;
  readonly type: string;
  readonly at: JsonNode;
  readonly body: JsonObject;
  readonly below: JsonObject | undefined;
  readonly meta: unknown;
}

function definitionOf(name: string, node: JsonNode): Definition {
  if (name === "" || /[[\]>]/.test(name)) {
    throw parsingError(
      `Invalid aggregation name [${name.slice(0, 100)}]. Aggregation names can contain any character except '[', ']', and '>'`,
      node.at,
    );
  }
  if (node.kind !== "object")
    throw parsingError(
      `Aggregation definition for [${name}] starts with a [${node.kind === "array" ? "START_ARRAY" : "VALUE"}], expected a [START_OBJECT].`,
      node.at,
    );
  let type: { readonly key: string; readonly value: JsonNode } | undefined;
  let below: JsonObject | undefined;
  let meta: unknown;
  for (const { key, value } of node.members) {
    if (key === "aggs" || key === "aggregations") {
      if (below) throw parsingError(`Found two sub aggregation definitions under [${name}]`, value.at);
      below = asObject(value, key);
    } else if (key === "meta") meta = exactValue(asObject(value, key));
    else {
      if (value.kind !== "object")
        throw parsingError(
          `Expected [START_OBJECT] under [${key.slice(0, 100)}], but got a [${value.kind === "array" ? "START_ARRAY" : `VALUE_${value.kind.toUpperCase()}`}] in [${name}]`,
          value.at,
        );
      if (type)
        throw parsingError(`Found two aggregation type definitions in [${name}]: [${type.key}] and [${key.slice(0, 100)}]`, value.at);
      type = { key, value };
    }
  }
  if (!type) throw parsingError(`Missing definition for aggregation [${name}]`, node.at);
  return { name, type: type.key, at: type.value, body: type.value as JsonObject, below, meta };
}

/**
 * Reads the aggregations of a search.
 * @throws QueryError with Elasticsearch's type and reason, and the place in the body
 */
export function parseAggregations(
  context: AggregationContext,
  node: JsonNode | undefined,
  parent?: string,
  depth = 0,
): { readonly level: Level; readonly pipelines: readonly BucketsPipeline[] } {
  if (!node) return { level: new Level(), pipelines: [] };
  if (node.kind !== "object") throw parsingError("Expected [START_OBJECT] under [aggs]", node.at);
  if (depth > DEEPEST) throw illegalArgument(`aggregations are nested deeper than ${DEEPEST} levels`);
  const aggregators: Aggregator[] = [];
  const siblings: SiblingPipeline[] = [];
  const pipelines: { readonly type: string; readonly run: BucketsPipeline }[] = [];
  const names = new Set<string>();
  for (const member of node.members) {
    const { name, type, at, body, below, meta } = definitionOf(member.key, member.value);
    if (names.has(name)) throw parsingError(`Two sibling aggregations cannot have the same name: [${name}]`, at.at);
    names.add(name);
    if (++context.made.aggregations > MOST_AGGREGATIONS)
      throw illegalArgument(`a search may have ${MOST_AGGREGATIONS} aggregations at most`);
    if (REFUSED.has(type))
      throw parsingError(
        `aggregations of type [${type}] are not supported here${/script|selector|_fn$/.test(type) ? ": they need scripts" : ""}`,
        at.at,
      );
    const params = new Params(type, body);
    if (SIBLINGS.has(type)) {
      const path = pathOf(params, name);
      const percents = type === "percentiles_bucket" ? (numbersOf(params, "percents") ?? DEFAULT_PERCENTS) : [];
      if (type === "percentiles_bucket") params.boolean("keyed", true);
      const sigma = type === "extended_stats_bucket" ? params.number("sigma", 2) : 2;
      siblings.push({ type, ...siblingPipeline(name, meta, type as SiblingKind, { path, gap: gapOf(params), percents, sigma }) });
    } else if (PARENTS.has(type)) {
      if (parent === undefined) throw illegalArgument(`${type} aggregation [${name}] must be declared inside of another aggregation`);
      if (type !== "bucket_sort" && !KINDS_IN_ORDER.has(parent))
        throw illegalArgument(`${type} aggregation [${name}] must have a histogram, date_histogram or auto_date_histogram as parent`);
      pipelines.push({ type, run: parentPipeline(name, type, params) });
    } else {
      const make = Object.hasOwn(MAKERS, type) ? MAKERS[type] : undefined;
      if (!make) {
        const known = [...Object.keys(MAKERS), ...SIBLINGS, ...PARENTS];
        const { line, column } = at.at;
        throw parsingError(
          `Unknown aggregation type [${type.slice(0, 100)}]${didYouMean(type, known)}`,
          at.at,
          new QueryError("named_object_not_found_exception", `[${line}:${column}] unknown field [${type.slice(0, 100)}]`),
        );
      }
      if (below && LEAVES.has(type) && below.members.length > 0) {
        throw new QueryError(
          "aggregation_initialization_exception",
          `Aggregator [${name}] of type [${type}] cannot accept sub-aggregations`,
        );
      }
      const inner = parseAggregations(context, below, type, depth + 1);
      const aggregator = make({ name, meta, type, params, children: inner.level, isTop: depth === 0, context });
      if (type !== "filter") params.done();
      aggregator.pipelines = inner.pipelines;
      aggregator.type = type;
      aggregators.push(aggregator);
      continue;
    }
    params.done();
  }
  // Buckets are sorted and dropped last.
  const ordered = [...pipelines.filter(({ type }) => type !== "bucket_sort"), ...pipelines.filter(({ type }) => type === "bucket_sort")];
  return { level: new Level(aggregators, siblings, context.typedKeys), pipelines: ordered.map(({ run }) => run) };
}
