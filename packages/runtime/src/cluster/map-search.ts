import { ClusterError } from "./cluster-client.js";
import type { FieldMap } from "./field-map.js";

type Plain = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);

/** What the log store calls Zeek's fields that have other names there. */
const OUR_NAMES: Readonly<Record<string, string>> = {
  orig_h: "id.orig_h",
  orig_p: "id.orig_p",
  resp_h: "id.resp_h",
  resp_p: "id.resp_p",
};

/** Fields that the log store adds to what Zeek wrote: an index has them only where somebody put them there. */
export const ADDED_FIELDS: Readonly<Record<string, string>> = {
  count: "1 for each record",
  orig_internal: "whether the source is internal",
  resp_internal: "whether the destination is internal",
  registered_domain: "the registered domain of a query",
  query_length: "the length of a query",
  cert_fp: "the fingerprint of a certificate",
};

/** Clauses whose one member is a field. */
const FIELD_CLAUSES = new Set([
  "term",
  "terms",
  "range",
  "prefix",
  "wildcard",
  "regexp",
  "fuzzy",
  "match",
  "match_phrase",
  "match_phrase_prefix",
  "match_bool_prefix",
]);
/** Those that look for words: a field of texts is asked, not its keyword. */
const WORD_CLAUSES = new Set(["match", "match_phrase", "match_phrase_prefix", "match_bool_prefix"]);
/** Members of such a clause that are no field. */
const NO_FIELD = new Set(["boost", "_name"]);
const LISTS = ["must", "filter", "should", "must_not"] as const;
/** Buckets that a shard sends where the order could be another one overall. */
const SHARD_BUCKETS = 10_000;
/** Figures of a bucket. */
const FIGURES = new Set(["sum", "max", "min", "avg", "stats", "cardinality", "value_count", "percentiles", "terms"]);
const HAVE_QUERY = new Set(["filter", "filters"]);

/** A path in the index, and whether it is to be grouped by or compared as a whole. */
export type Resolve = (path: string, whole: boolean) => string;

/**
 * Writes a search of ours in the names of an index. `used` is told every path; the names of an index may differ by what they are used for, which
 * `resolve` knows.
 */
export class SearchMapper {
  readonly #map: FieldMap;
  readonly #resolve: Resolve;

  constructor(map: FieldMap, resolve: Resolve) {
    this.#map = map;
    this.#resolve = resolve;
  }

  /** The path of a field of ours. */
  path(name: string): string {
    const zeek = OUR_NAMES[name] ?? name;
    return this.#map.fields[zeek] ?? zeek;
  }

  #field(name: string, whole = true): string {
    const at = name.indexOf("^");
    const bare = at === -1 ? name : name.slice(0, at);
    // Names with patterns stand for what the index has; metadata fields are everywhere the same.
    if (bare.includes("*") || bare.startsWith("_")) return name;
    return `${this.#resolve(this.path(bare), whole)}${at === -1 ? "" : name.slice(at)}`;
  }

  /** A search body. */
  body(search: Plain): Plain {
    const { query, post_filter, aggs, aggregations, sort, _source, fields, docvalue_fields, ...rest } = search;
    for (const name of ["runtime_mappings", "script_fields", "suggest", "knn", "rescore", "collapse", "highlight"]) {
      if (name in rest) throw new ClusterError(`${name} cannot be asked of a cluster by our names`, 400, "unsupported");
    }
    const groups = aggs ?? aggregations;
    return {
      ...rest,
      ...(query !== undefined && { query: this.query(query) }),
      ...(post_filter !== undefined && { post_filter: this.query(post_filter) }),
      ...(groups !== undefined && { aggs: this.#aggregations(groups) }),
      ...(sort !== undefined && { sort: this.#sort(sort) }),
      ...(_source !== undefined && { _source: this.#source(_source) }),
      ...(fields !== undefined && { fields: this.#names(fields) }),
      ...(docvalue_fields !== undefined && { docvalue_fields: this.#names(docvalue_fields) }),
    };
  }

  /** A query clause. */
  query(clause: unknown): unknown {
    if (!isObject(clause)) return clause;
    return Object.fromEntries(Object.entries(clause).map(([type, value]) => [type, this.#clause(type, value)]));
  }

  #clause(type: string, value: unknown): unknown {
    if (!isObject(value)) return value;
    if (FIELD_CLAUSES.has(type)) {
      const whole = !WORD_CLAUSES.has(type);
      return Object.fromEntries(Object.entries(value).map(([name, body]) => [NO_FIELD.has(name) ? name : this.#field(name, whole), body]));
    }
    switch (type) {
      case "bool": {
        const lists = LISTS.flatMap((name) => {
          const own = value[name];
          return own === undefined ? [] : [[name, Array.isArray(own) ? own.map((one) => this.query(one)) : this.query(own)]];
        });
        return { ...value, ...(Object.fromEntries(lists) as Plain) };
      }
      case "constant_score":
        return { ...value, filter: this.query(value["filter"]) };
      case "boosting":
        return { ...value, positive: this.query(value["positive"]), negative: this.query(value["negative"]) };
      case "dis_max":
        return { ...value, queries: (value["queries"] as readonly unknown[] | undefined)?.map((one) => this.query(one)) };
      case "exists":
        return { ...value, field: this.#field(String(value["field"]), false) };
      case "multi_match":
      case "simple_query_string":
      case "query_string": {
        const { fields, default_field, query } = value;
        return {
          ...value,
          ...(fields !== undefined && { fields: this.#names(fields, false) }),
          ...(typeof default_field === "string" && { default_field: this.#field(default_field, false) }),
          ...(type === "query_string" && typeof query === "string" && { query: this.#queryText(query) }),
        };
      }
      case "match_all":
      case "match_none":
      case "ids":
        return value;
      default:
        throw new ClusterError(`the clause ${type} cannot be asked of a cluster by our names`, 400, "unsupported");
    }
  }

  /** Lucene's query syntax with the names before the colons changed, outside of quotes and regular expressions. */
  #queryText(query: string): string {
    return query.replace(
      /"(?:[^"\\]|\\.)*"|\/(?:[^/\\]|\\.)*\/|(^|[\s(+\-!])(_exists_:)?([A-Za-z_][\w.]*)(:|(?=\s|\)|$))/g,
      (whole: string, before: string | undefined, exists: string | undefined, name: string | undefined, colon: string | undefined) => {
        if (name === undefined) return whole;
        if (exists) return `${before ?? ""}${exists}${this.#field(name, false)}${colon ?? ""}`;
        return colon === ":" ? `${before ?? ""}${this.#field(name, false)}:` : whole;
      },
    );
  }

  #names(names: unknown, whole = true): unknown {
    if (!Array.isArray(names)) return names;
    return names.map((one: unknown) =>
      typeof one === "string"
        ? this.#field(one, whole)
        : isObject(one) && typeof one["field"] === "string"
          ? { ...one, field: this.#field(one["field"], whole) }
          : one,
    );
  }

  #source(source: unknown): unknown {
    if (typeof source === "string") return this.#sourceName(source);
    if (Array.isArray(source)) return source.map((one: unknown) => (typeof one === "string" ? this.#sourceName(one) : one));
    if (!isObject(source)) return source;
    return Object.fromEntries(Object.entries(source).map(([name, list]) => [name, this.#source(list)]));
  }

  /** Documents hold a field under its own path, whatever is beside it to group by. */
  #sourceName(name: string): string {
    return name.includes("*") ? name : this.path(name);
  }

  #sort(sort: unknown): unknown {
    const one = (entry: unknown): unknown => {
      if (typeof entry === "string") return entry.startsWith("_") ? entry : this.#field(entry);
      return isObject(entry)
        ? Object.fromEntries(Object.entries(entry).map(([name, order]) => [name.startsWith("_") ? name : this.#field(name), order]))
        : entry;
    };
    return Array.isArray(sort) ? sort.map(one) : one(sort);
  }

  /**
   * The search without figures of buckets that nothing is ordered by and whose field the index lacks: what was asked is answered, less what goes with
   * it.
   */
  withoutExtras(search: Plain, isThere: (path: string) => boolean): Plain {
    const lean = (aggs: unknown, ordered: ReadonlySet<string>): unknown => {
      if (!isObject(aggs)) return aggs;
      const kept = Object.entries(aggs).filter(([name, definition]) => {
        if (!isObject(definition) || ordered.has(name)) return true;
        const body = Object.entries(definition).find(([type]) => FIGURES.has(type))?.[1];
        const field = isObject(body) ? body["field"] : undefined;
        return typeof field !== "string" || field === "count" || isThere(this.path(field));
      });
      return Object.fromEntries(kept.map(([name, definition]) => [name, isObject(definition) ? leanOne(definition) : definition]));
    };
    const leanOne = (definition: Plain): Plain => {
      const orders = Object.values(definition).flatMap((body) => (isObject(body) ? [body["order"]] : []).flat());
      const ordered = new Set(
        orders.flatMap((order) => (isObject(order) ? Object.keys(order).map((key) => key.split(/[.>]/)[0] ?? "") : [])),
      );
      const inner = definition["aggs"] ?? definition["aggregations"];
      const { aggs: _, aggregations: __, ...rest } = definition;
      return inner === undefined ? rest : { ...rest, aggs: lean(inner, ordered) };
    };
    const { aggs, aggregations, ...rest } = search;
    const groups = aggs ?? aggregations;
    if (!isObject(groups)) return search;
    return { ...rest, aggs: Object.fromEntries(Object.entries(groups).map(([name, one]) => [name, isObject(one) ? leanOne(one) : one])) };
  }

  #aggregations(aggs: unknown): unknown {
    if (!isObject(aggs)) return aggs;
    return Object.fromEntries(
      Object.entries(aggs).map(([name, definition]) => [name, isObject(definition) ? this.#aggregation(definition) : definition]),
    );
  }

  #aggregation(definition: Plain): Plain {
    return Object.fromEntries(
      Object.entries(definition).map(([type, body]) => {
        if (type === "aggs" || type === "aggregations") return [type, this.#aggregations(body)];
        if (type === "meta" || !isObject(body)) return [type, body];
        // A record counts once: there is no need for the index to have a field that says so.
        if (type === "sum" && body["field"] === "count") return ["value_count", { field: "_index" }];
        if (type === "filter") return [type, this.query(body)];
        if (HAVE_QUERY.has(type)) return [type, this.#filters(body)];
        if (type === "composite")
          return [type, { ...body, sources: (body["sources"] as readonly unknown[] | undefined)?.map((one) => this.#aggregations(one)) }];
        const { field, sort, _source, order } = body;
        // Shards that order by anything but the count send more than they are asked for: what is rare or large overall need not be first on any.
        const size = typeof body["size"] === "number" ? body["size"] : 10;
        const widened =
          type === "terms" && order !== undefined && body["shard_size"] === undefined
            ? { shard_size: Math.max(SHARD_BUCKETS, 2 * size) }
            : {};
        return [
          type,
          {
            ...body,
            ...widened,
            ...(typeof field === "string" && { field: this.#field(field) }),
            ...(type === "top_hits" && sort !== undefined && { sort: this.#sort(sort) }),
            ...(type === "top_hits" && _source !== undefined && { _source: this.#source(_source) }),
          },
        ];
      }),
    );
  }

  #filters(body: Plain): Plain {
    const { filters } = body;
    if (Array.isArray(filters)) return { ...body, filters: filters.map((one) => this.query(one)) };
    if (!isObject(filters)) return body;
    return { ...body, filters: Object.fromEntries(Object.entries(filters).map(([name, one]) => [name, this.query(one)])) };
  }

  /** A document of the index with our names beside its own. */
  document(source: unknown, valueAt: (document: unknown, path: string) => unknown): unknown {
    if (!isObject(source)) return source;
    const ours: Record<string, unknown> = { ...source };
    for (const name of new Set([...Object.keys(OUR_NAMES), ...Object.keys(this.#map.fields).map((zeek) => NAMES_OF[zeek] ?? zeek)])) {
      const value = valueAt(source, this.path(name));
      if (value !== undefined) ours[name] = value;
    }
    return ours;
  }
}

const NAMES_OF: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(OUR_NAMES).map(([ours, zeek]) => [zeek, ours]));
