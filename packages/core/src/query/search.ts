import { type Aggregator, Level } from "./aggregations/aggregator.js";
import { GlobalAggregator } from "./aggregations/filters.js";
import { parseAggregations } from "./aggregations/parse-aggregations.js";
import type { Scope } from "./aggregations/scope.js";
import { BoolClause } from "./clauses/bool.js";
import { type Clause, DEFAULT_LIMITS, matchAll, type QueryContext, type QueryLimits, type Scores, scoreAt } from "./clauses/clause.js";
import { asObject, Params } from "./clauses/params.js";
import { parseQuery } from "./clauses/parse-query.js";
import { Statistics } from "./clauses/statistics.js";
import { Bitmap } from "./columns/bitmap.js";
import type { Segment } from "./columns/segment.js";
import { type Candidate, CandidateHeap, compareCandidates, hitOf } from "./hits.js";
import { exactValue, type JsonNode, parseJson } from "./json/json-tree.js";
import { RawJson, writeJson } from "./json/write-json.js";
import { matchesSimple } from "./mapping/mapping.js";
import type { SearchableIndex } from "./memory-index.js";
import { type HitParts, parseHitParts } from "./parse-hits.js";
import { illegalArgument, parsingError, QueryError } from "./query-error.js";
import { BY_SCORE, parseAfter, type SortValue } from "./sort.js";

/** What a search needs besides its body. */
export interface SearchOptions {
  /** What `now` means: milliseconds since 1970-01-01 UTC. */
  readonly now: number;
  readonly limits?: Partial<QueryLimits>;
  /** Rows that count besides what the body's query matches, as a query of its own: it changes no score. */
  readonly filter?: unknown;
  /** Whether aggregations stand under names with their type, such as `sterms#hosts`. */
  readonly typedKeys?: boolean;
  /** Whether `hits.total` is a number, as `rest_total_hits_as_int` asks, instead of `{value, relation}`. */
  readonly totalAsInteger?: boolean;
  /** Called now and then; throws to stop the search. */
  readonly check?: () => void;
  /** How many milliseconds the search took, asked for at its end; default 0. */
  readonly took?: () => number;
}

/** An answer in Elasticsearch's shape; documents in it are `RawJson`. */
export interface SearchResponse {
  readonly took: number;
  readonly timed_out: boolean;
  readonly _shards: { readonly total: number; readonly successful: number; readonly skipped: number; readonly failed: number };
  readonly hits: {
    readonly total?: number | { readonly value: number; readonly relation: string };
    readonly max_score: number | null;
    readonly hits: readonly Record<string, unknown>[];
  };
  readonly aggregations?: Record<string, unknown>;
}

/** What one of several workers found in its share of the segments: a structure that can be cloned. */
export interface PartialSearch {
  readonly total: number;
  readonly maxScore: number;
  readonly candidates: readonly Candidate[];
  readonly aggregations: readonly unknown[];
}

const MOST_SLICES = 1024;

/** Rows at a time. */
const BATCH = 16_384;

const TOP_LEVEL = new Set(
  (
    "query from size sort _source aggs aggregations track_total_hits track_scores min_score post_filter search_after version seq_no_primary_term explain timeout preference " +
    "stored_fields docvalue_fields fields terminate_after collapse highlight script_fields profile stats indices_boost pit slice ext rescore suggest knn runtime_mappings point_in_time"
  ).split(" "),
);
const REFUSED: Readonly<Record<string, string>> = {
  rescore: "[rescore] is not supported here",
  suggest: "[suggest] is not supported here",
  knn: "[knn] is not supported here",
};

interface Located {
  readonly index: SearchableIndex;
  readonly context: QueryContext;
  readonly segment: Segment;
  readonly number: number;
}

/** A search, read and fitted to the indexes it runs over. */
export class PreparedSearch {
  readonly #segments: readonly Located[];
  readonly #contexts: readonly QueryContext[];
  readonly #clauses = new Map<QueryContext, Clause>();
  readonly #postFilters = new Map<QueryContext, Clause>();
  readonly #parts: HitParts;
  readonly #level: Level;
  readonly #after: readonly SortValue[] | undefined;
  readonly #minScore: number | undefined;
  readonly #trackTotal: boolean | number;
  readonly #collapse: string | undefined;
  readonly #options: SearchOptions;
  readonly #slice: { readonly id: number; readonly max: number } | undefined;

  /** @throws QueryError for a body that cannot be answered */
  constructor(indexes: readonly SearchableIndex[], body: JsonNode, options: SearchOptions) {
    this.#options = options;
    const limits: QueryLimits = { ...DEFAULT_LIMITS, ...options.limits };
    const now = BigInt(Math.floor(options.now)) * 1000n;
    const made = { clauses: 0 };
    const check = options.check ?? (() => {});
    const contextOf = ({ name, mapping, segments, limits: own }: SearchableIndex): QueryContext => ({
      index: name,
      mapping,
      now,
      statistics: new Statistics(segments),
      limits: { ...limits, ...own },
      made,
      check,
    });
    const contexts = indexes.map(contextOf);
    this.#contexts = contexts;
    let number = 0;
    this.#segments = indexes.flatMap((index, place) =>
      index.segments.map((segment) => ({ index, context: contexts[place] as QueryContext, segment, number: number++ })),
    );
    if (body.kind !== "object")
      throw parsingError(
        `Expected [START_OBJECT] but found [${body.kind === "array" ? "START_ARRAY" : `VALUE_${body.kind.toUpperCase()}`}]`,
        body.at,
      );
    for (const { key, value } of body.members) {
      const refused = Object.hasOwn(REFUSED, key) ? REFUSED[key] : undefined;
      if (refused !== undefined) throw parsingError(refused, value.at);
      if (!TOP_LEVEL.has(key)) {
        const token =
          value.kind === "object" ? "START_OBJECT" : value.kind === "array" ? "START_ARRAY" : `VALUE_${value.kind.toUpperCase()}`;
        throw parsingError(`Unknown key for a ${token} in [${key.slice(0, 100)}].`, value.at);
      }
    }
    const params = new Params("search", body);
    for (const accepted of ["timeout", "preference", "profile", "stats", "pit", "point_in_time", "ext", "terminate_after"])
      params.get(accepted);
    const runtime = params.get("runtime_mappings");
    if (runtime?.kind === "object" && runtime.members.length > 0)
      throw parsingError("[runtime_mappings] are not supported here: they need scripts", runtime.at);
    this.#parts = parseHitParts(params, 10);
    const { from, size, keys } = this.#parts;
    const total = params.get("track_total_hits");
    this.#trackTotal = trackTotal(total);
    if (options.totalAsInteger && typeof this.#trackTotal === "number") {
      throw illegalArgument(
        `[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got ${this.#trackTotal}`,
      );
    }
    this.#minScore = params.get("min_score") ? params.number("min_score", 0) : undefined;
    this.#slice = sliceOf(params.get("slice"));
    const collapse = params.get("collapse");
    if (collapse) {
      const inner = new Params("collapse", asObject(collapse, "collapse"));
      this.#collapse = inner.text("field");
      if (inner.get("inner_hits")) throw parsingError("[inner_hits] are not supported here", collapse.at);
      inner.whole("max_concurrent_group_searches", 0);
      inner.done();
      if (this.#collapse === undefined) throw parsingError("[collapse] requires a [field]", collapse.at);
      for (const context of contexts) {
        const field = context.mapping.field(this.#collapse);
        if (field && (field.traits.analyzed || field.traits.family === "none"))
          throw illegalArgument(`unknown type for collapse field \`${this.#collapse}\`, only keywords and numbers are accepted`, {
            atRun: true,
          });
        if (!field) throw illegalArgument(`no mapping found for \`${this.#collapse}\` in order to collapse on`, { atRun: true });
      }
    }
    const after = params.get("search_after");
    const window = contexts.reduce(
      (least, context) => Math.min(least, context.limits.maxResultWindow),
      contexts.length > 0 ? Number.POSITIVE_INFINITY : limits.maxResultWindow,
    );
    if (from + size > window) {
      throw illegalArgument(
        `Result window is too large, from + size must be less than or equal to: [${window}] but was [${from + size}]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.`,
        { atRun: true },
      );
    }
    const query = params.get("query");
    const post = params.get("post_filter");
    const boosts = indexBoosts(params.get("indices_boost"));
    const filterNode = options.filter === undefined ? undefined : parseJson(writeJson(options.filter));
    for (const context of contexts) {
      const asked = query && query.kind !== "null" ? parseQuery(context, query) : matchAll();
      const boost = boosts.find(({ pattern }) => matchesSimple(pattern, context.index))?.boost;
      const own = boost === undefined ? asked : new BoolClause({ must: [asked], filter: [], should: [], mustNot: [], least: 0 }, boost);
      const extra = filterNode && parseQuery(context, filterNode);
      this.#clauses.set(context, extra ? new BoolClause({ must: [own], filter: [extra], should: [], mustNot: [], least: 0 }) : own);
      if (post && post.kind !== "null") this.#postFilters.set(context, parseQuery(context, post));
    }
    if (contexts.length === 0 && query && query.kind !== "null") checkWithoutIndex(query);
    const aggs = params.get("aggs") ?? params.get("aggregations");
    params.get("aggregations");
    this.#level =
      aggs && contexts.length > 0
        ? parseAggregations(
            {
              contexts,
              made: { aggregations: 0 },
              typedKeys: options.typedKeys ?? false,
              find: (one) => this.#segments[one] as Located,
              numberOf: (scope) => this.#segments.find(({ segment }) => segment === scope.segment)?.number ?? 0,
            },
            aggs,
          ).level
        : new Level();
    params.done();
    if (after) {
      if (from > 0) throw illegalArgument("`from` parameter must be set to 0 when `search_after` is used.");
      if (!this.#parts.hit.showSort) throw illegalArgument("Sort must contain at least one field.", { atRun: true });
      this.#after = contexts[0] ? parseAfter(after, keys, contexts[0]) : undefined;
    }
    // A wrong sort is an error also where there is nothing to sort.
    if (size > 0)
      for (const context of contexts)
        for (const key of keys) checkSortKey(context, key.kind === "field" ? key.path : undefined, key.unmappedType);
  }

  /** How many segments it runs over. */
  get segments(): number {
    return this.#segments.length;
  }

  /** Whether the rows' order depends on figures of all segments, such as how rare a word is. */
  get isScored(): boolean {
    return this.#parts.keys.some((key) => key.kind === "score") && [...this.#clauses.values()].some((clause) => clause.isScored);
  }

  /** Runs over some segments, by number; default: all. */
  run(numbers?: readonly number[]): PartialSearch {
    const { from, size, keys } = this.#parts;
    // Collapsed hits are chosen at the end, from all.
    const wanted = this.#collapse === undefined ? from + size : Math.max(from + size, 10_000);
    const heap = new CandidateHeap(keys, size === 0 ? 0 : wanted, this.#after);
    let total = 0;
    let maxScore = Number.NEGATIVE_INFINITY;
    const chosen = numbers ? numbers.map((number) => this.#segments[number] as Located) : this.#segments;
    const rows = new Int32Array(BATCH);
    for (const located of chosen) {
      this.#options.check?.();
      const { context, segment, number } = located;
      const clause = this.#clauses.get(context) as Clause;
      const matched = clause.match(segment);
      if (segment.deleted) matched.andNot(segment.deleted);
      if (this.#slice) keepSlice(matched, this.#slice, segment);
      let known: Scores | undefined;
      const scores = (): Scores => {
        known ??= clause.scores(segment);
        return known;
      };
      if (this.#minScore !== undefined) {
        const all = scores();
        const least = this.#minScore;
        matched.copy().each((row) => {
          if (scoreAt(all, row) < least) matched.andNot(only(matched.rows, row));
        });
      }
      this.#aggregate(located, matched, rows, scores);
      const post = this.#postFilters.get(context);
      const shown = post ? matched.and(post.match(segment)) : matched;
      const count = shown.count();
      total += count;
      if (count === 0 || size === 0) continue;
      const offer = heap.open(context, segment, number, scores);
      const isByScore = keys[0]?.kind === "score";
      if (isByScore && !this.#after && typeof scores() === "number" && keys.length === 1) {
        // All score the same: the first rows are the first hits.
        maxScore = Math.max(maxScore, scores() as number);
        this.#offerFirst(shown, wanted, rows, offer);
        continue;
      }
      for (let at = 0; at < segment.rows; at += BATCH) {
        this.#options.check?.();
        const length = shown.list(at, Math.min(segment.rows, at + BATCH), rows);
        for (let i = 0; i < length; i++) offer(rows[i] as number);
      }
      if (isByScore || this.#parts.hit.showScore) {
        const all = scores();
        shown.each((row) => {
          const score = scoreAt(all, row);
          if (score > maxScore) maxScore = score;
        });
      }
    }
    return {
      total,
      maxScore,
      candidates: heap.sorted(),
      aggregations: this.#level.aggregators.map((one) => (numbers ? one.state() : undefined)),
    };
  }

  #offerFirst(shown: Bitmap, wanted: number, rows: Int32Array, offer: (row: number) => void): void {
    let left = wanted;
    for (let at = 0; at < shown.rows && left > 0; at += BATCH) {
      const length = Math.min(left, shown.list(at, Math.min(shown.rows, at + BATCH), rows));
      for (let i = 0; i < length; i++) offer(rows[i] as number);
      left -= length;
    }
  }

  #aggregate({ context, segment }: Located, matched: Bitmap, rows: Int32Array, scores: () => Scores): void {
    if (this.#level.aggregators.length === 0) return;
    const scope: Scope = { segment, context, scores, filter: (node) => parseQuery(context, node) };
    const feed = (aggregators: readonly Aggregator[], chosen: Bitmap): void => {
      if (aggregators.length === 0) return;
      const collectors = aggregators.map((aggregator) => aggregator.open(scope));
      for (let at = 0; at < segment.rows; at += BATCH) {
        this.#options.check?.();
        const length = chosen.list(at, Math.min(segment.rows, at + BATCH), rows);
        if (length > 0) for (const collector of collectors) collector.collect(rows, undefined, length);
      }
      for (const collector of collectors) collector.close?.();
    };
    const isGlobal = (aggregator: Aggregator): boolean => aggregator instanceof GlobalAggregator;
    feed(
      this.#level.aggregators.filter((one) => !isGlobal(one)),
      matched,
    );
    const all = Bitmap.full(segment.rows);
    if (segment.deleted) all.andNot(segment.deleted);
    feed(this.#level.aggregators.filter(isGlobal), all);
  }

  /** Adds what other workers found in their shares: their figures, and the best of all candidates. */
  absorb(found: PartialSearch, others: readonly PartialSearch[]): PartialSearch {
    for (const other of others) {
      this.#level.aggregators.forEach((aggregator, index) => {
        // At the top there is one owner.
        aggregator.absorb(other.aggregations[index] as never, [0]);
      });
    }
    const all = [found, ...others];
    const { from, size, keys } = this.#parts;
    const wanted = this.#collapse === undefined ? from + size : 10_000;
    return {
      total: all.reduce((sum, { total }) => sum + total, 0),
      maxScore: Math.max(...all.map(({ maxScore }) => maxScore)),
      candidates: all
        .flatMap(({ candidates }) => candidates)
        .sort((a, b) => compareCandidates(keys, a, b))
        .slice(0, Math.max(wanted, 0)),
      aggregations: [],
    };
  }

  /** The answer. */
  finish(found: PartialSearch): SearchResponse {
    const { from, size, keys, hit } = this.#parts;
    const collapsed = this.#collapse === undefined ? found.candidates : this.#collapsed(found.candidates);
    const hits = collapsed.slice(from, from + size).map((candidate) => {
      const { context, segment } = this.#segments[candidate.segment] as Located;
      const shown = hitOf(context, segment, candidate, hit);
      if (this.#collapse !== undefined)
        shown["fields"] = { ...(shown["fields"] as object | undefined), [this.#collapse]: [this.#collapseValue(candidate)] };
      return shown;
    });
    const isScored = hit.showScore && keys.length > 0 && found.total > 0 && Number.isFinite(found.maxScore) && size > 0;
    return {
      took: this.#options.took?.() ?? 0,
      timed_out: false,
      _shards: { total: this.#contexts.length, successful: this.#contexts.length, skipped: 0, failed: 0 },
      hits: {
        ...((this.#trackTotal !== false || this.#options.totalAsInteger === true) && { total: this.#total(found.total) }),
        max_score: isScored ? Math.fround(found.maxScore) : null,
        hits,
      },
      ...((this.#level.aggregators.length > 0 || this.#level.siblings.length > 0) && { aggregations: this.#level.results(0) }),
    };
  }

  #total(count: number): number | { value: number; relation: string } {
    if (this.#options.totalAsInteger) return this.#trackTotal === false ? -1 : count;
    const most = typeof this.#trackTotal === "number" ? this.#trackTotal : undefined;
    return most !== undefined && count > most ? { value: most, relation: "gte" } : { value: count, relation: "eq" };
  }

  #collapseValue({ segment: number, row }: Candidate): unknown {
    const { context, segment } = this.#segments[number] as Located;
    const key = { ...(BY_SCORE[0] as (typeof BY_SCORE)[0]), kind: "field" as const, path: this.#collapse ?? "" };
    const shown = hitOf(
      context,
      segment,
      { segment: number, row, score: 0, values: [] },
      {
        ...this.#parts.hit,
        source: { enabled: false, includes: [], excludes: [] },
        fields: [],
        docValues: [{ pattern: key.path, format: undefined }],
        showSort: false,
      },
    );
    return (shown["fields"] as Record<string, unknown[]> | undefined)?.[key.path]?.[0] ?? null;
  }

  /** The first hit of each value. */
  #collapsed(candidates: readonly Candidate[]): Candidate[] {
    const seen = new Set<unknown>();
    return candidates.filter((candidate) => {
      const value = this.#collapseValue(candidate);
      if (seen.has(value)) return false;
      seen.add(value);
      return true;
    });
  }
}

const only = (rows: number, row: number): Bitmap => {
  const bitmap = new Bitmap(rows);
  bitmap.add(row);
  return bitmap;
};

function keepSlice(matched: Bitmap, { id, max }: { id: number; max: number }, segment: Segment): void {
  matched.copy().each((row) => {
    let hash = 0;
    for (const character of segment.id(row)) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0;
    if (hash % max !== id) matched.andNot(only(matched.rows, row));
  });
}

/** How much more the scores of some indexes count, by name or pattern. */
function indexBoosts(node: JsonNode | undefined): readonly { readonly pattern: string; readonly boost: number }[] {
  if (!node || node.kind === "null") return [];
  const members = (node.kind === "array" ? node.items : [node]).flatMap((item) => asObject(item, "indices_boost").members);
  return members.map(({ key, value }) => {
    const boost = value.kind === "number" || value.kind === "string" ? Number(value.value) : Number.NaN;
    if (!(boost >= 0)) throw parsingError("[indices_boost] takes names of indexes with numbers", value.at);
    return { pattern: key, boost };
  });
}

function sliceOf(node: JsonNode | undefined): { readonly id: number; readonly max: number } | undefined {
  if (!node) return undefined;
  const params = new Params("slice", asObject(node, "slice"));
  const id = params.whole("id", -1);
  const max = params.whole("max", 0);
  params.text("field");
  params.done();
  if (max > MOST_SLICES)
    throw illegalArgument(
      `The number of slices [${max}] is too large. It must be less than [${MOST_SLICES}]. This limit can be set by changing the [index.max_slices_per_scroll] index level setting.`,
      { atRun: true },
    );
  if (max < 2 || id < 0 || id >= max) throw illegalArgument("max must be greater than 1, and id between 0 and max");
  return { id, max };
}

function trackTotal(node: JsonNode | undefined): boolean | number {
  if (!node || node.kind === "null") return true;
  if (node.kind === "boolean" || node.kind === "string") {
    if (node.value === true || node.value === "true") return true;
    if (node.value === false || node.value === "false") return false;
  }
  const number = node.kind === "number" || node.kind === "string" ? Number(node.value) : Number.NaN;
  if (!Number.isInteger(number) || number < -1)
    throw illegalArgument(
      `[track_total_hits] parameter must be positive or equals to -1, got ${node.kind === "object" || node.kind === "array" ? node.kind : node.text}`,
    );
  return number === -1 ? false : number;
}

function checkSortKey(context: QueryContext, path: string | undefined, unmappedType: string | undefined): void {
  if (path === undefined || ["_id", "_index", "_seq_no"].includes(path) || context.mapping.field(path) || unmappedType !== undefined)
    return;
  throw new QueryError("query_shard_exception", `No mapping found for [${path}] in order to sort on`, { atRun: true });
}

/** Reads a query where there is no index to run it over, for its errors alone. */
function checkWithoutIndex(query: JsonNode): void {
  if (query.kind !== "object") throw parsingError("[_na] query malformed, must start with start_object", query.at);
}

/** Reads the body of a search: a text of JSON, or a plain object. */
export function readBody(body: unknown): JsonNode {
  return parseJson(typeof body === "string" ? (body.trim() === "" ? "{}" : body) : writeJson(body ?? {}));
}

/**
 * Runs a search over indexes, and answers in Elasticsearch's shape. Documents in the answer are `RawJson`: `writeJson` writes the answer with
 * every digit, `plain` makes objects of it.
 * @throws QueryError with Elasticsearch's type and reason; `response()` is the body of the error's answer
 */
export function searchIndexes(indexes: readonly SearchableIndex[], body: unknown, options: SearchOptions): SearchResponse {
  const prepared = new PreparedSearch(indexes, readBody(body), options);
  return prepared.finish(prepared.run());
}

/** An answer as plain objects: whole numbers beyond 2^53 are bigints. */
export function plain(value: unknown): unknown {
  if (value instanceof RawJson) return exactValue(parseJson(value.text));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, plain(member)]])));
}

/**
 * Runs a search over one index: the full answer as Elasticsearch gives it, as plain objects; whole numbers of documents beyond 2^53 are bigints.
 * @param body the search, as an object or a text of JSON, such as `{query: {match: {resp_h: "10.0.0.1"}}, aggs: …}`
 * @throws QueryError with Elasticsearch's type and reason, line and column
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/search-search.html
 */
export function search(index: SearchableIndex, body: unknown, options: SearchOptions): SearchResponse {
  return plain(searchIndexes([index], body, options)) as SearchResponse;
}
