import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryIndex, PreparedSearch, plain, QueryError, readBody, type SearchableIndex, search, searchIndexes } from "./index.js";

const NOW = Date.UTC(2021, 6, 15, 12);
const find = (index: SearchableIndex, body: unknown): ReturnType<typeof search> => search(index, body, { now: NOW });
const ids = (index: SearchableIndex, query: unknown): number[] =>
  find(index, { query, size: 1000 })
    .hits.hits.map((hit) => Number(hit["_id"]))
    .sort((a, b) => a - b);
const aggregations = (index: SearchableIndex, aggs: unknown, query: unknown = { match_all: {} }): Record<string, unknown> =>
  find(index, { size: 0, query, aggs }).aggregations ?? {};
const refusal = (index: SearchableIndex, body: unknown): QueryError => {
  try {
    find(index, body);
  } catch (cause) {
    if (cause instanceof QueryError) return cause;
    throw cause;
  }
  throw new Error("the search was answered");
};

const books = memoryIndex(
  [
    {
      title: "Quick brown fox",
      year: 1999,
      price: 10.5,
      tags: ["animal", "fast"],
      ip: "10.0.0.1",
      at: "2021-07-15T01:02:03Z",
      ok: true,
      author: { name: "Ann" },
    },
    {
      title: "The lazy dog jumped over the quick fox",
      year: 2005,
      price: 7,
      tags: ["animal"],
      ip: "192.168.1.7",
      at: "2021-07-14",
      ok: false,
    },
    { title: "Gardening for nobody", year: 2012, tags: [], ip: "2001:db8::1", at: "2021-06-30T23:59:59.999Z", author: { name: "Bo" } },
    { title: null, year: 72057594037927936n, price: 99, tags: ["rare"], at: 1626307200000, hash: "AbC" },
  ],
  {
    mappings: {
      properties: {
        ip: { type: "ip" },
        at: { type: "date" },
        hash: { type: "keyword", normalizer: "lowercase" },
        tags: { type: "keyword" },
      },
    },
  },
);

describe("a search", () => {
  it.each<[string, unknown, number[]]>([
    ["match_all", { match_all: {} }, [1, 2, 3, 4]],
    ["match_none", { match_none: {} }, []],
    ["term on a keyword's array", { term: { tags: "animal" } }, [1, 2]],
    ["term on text takes words only", { term: { title: "Quick" } }, []],
    ["term with its parameters", { term: { tags: { value: "ANIMAL", case_insensitive: true } } }, [1, 2]],
    ["a number as a text", { term: { year: "1999" } }, [1]],
    ["a number beyond 2^53", { term: { year: 72057594037927936n } }, [4]],
    ["its neighbour", { term: { year: 72057594037927937n } }, []],
    ["a network", { term: { ip: "10.0.0.0/8" } }, [1]],
    ["terms of networks", { terms: { ip: ["192.168.0.0/16", "2001:db8::/32"] } }, [2, 3]],
    ["a normalized keyword", { term: { hash: "ABC" } }, [4]],
    ["match takes any word", { match: { title: "dog gardening" } }, [2, 3]],
    ["match and", { match: { title: { query: "quick fox", operator: "and" } } }, [1, 2]],
    ["match at least", { match: { title: { query: "quick lazy nobody", minimum_should_match: 2 } } }, [2]],
    ["fuzzy words", { match: { title: { query: "quikc", fuzziness: "AUTO" } } }, [1, 2]],
    ["a phrase", { match_phrase: { title: "quick fox" } }, [2]],
    ["a sloppy phrase", { match_phrase: { title: { query: "quick fox", slop: 1 } } }, [1, 2]],
    ["a phrase's beginning", { match_phrase_prefix: { title: "lazy dog ju" } }, [2]],
    ["multi_match over all fields", { multi_match: { query: "Ann" } }, [1]],
    ["multi_match over named ones", { multi_match: { query: "fox", fields: ["title^3", "nothing"] } }, [1, 2]],
    ["range of numbers", { range: { year: { gt: 1999, lte: 2012 } } }, [2, 3]],
    ["range of numbers in old words", { range: { year: { from: 1999, to: 2012, include_lower: false, include_upper: false } } }, [2]],
    ["range of days rounds up", { range: { at: { lte: "2021-07-14" } } }, [2, 3]],
    ["range by date math", { range: { at: { gte: "now/d" } } }, [1, 4]],
    ["range in a zone", { range: { at: { lt: "2021-07-01", time_zone: "+01:00" } } }, []],
    ["range of addresses", { range: { ip: { gte: "10.0.0.0", lt: "192.168.1.7" } } }, [1]],
    ["range of keywords", { range: { tags: { gte: "b", lt: "rare" } } }, [1]],
    ["exists", { exists: { field: "tags" } }, [1, 2, 4]],
    ["exists in an object", { exists: { field: "author" } }, [1, 3]],
    ["prefix", { prefix: { tags: "an" } }, [1, 2]],
    ["wildcard", { wildcard: { "title.keyword": "*fox" } }, [1, 2]],
    ["wildcard in other letters", { wildcard: { "title.keyword": { value: "QUICK*", case_insensitive: true } } }, [1]],
    ["regexp is anchored", { regexp: { "title.keyword": "Quick" } }, []],
    ["regexp with Lucene's operators", { regexp: { tags: "r<0-9>*are|f.{2}t" } }, [1, 4]],
    ["regexp: a complement", { regexp: { tags: "~(animal)" } }, [1, 4]],
    ["ids", { ids: { values: [2, "3", "nobody"] } }, [2, 3]],
    [
      "bool",
      { bool: { must: { match: { title: "fox" } }, must_not: [{ term: { ok: false } }], filter: { exists: { field: "price" } } } },
      [1],
    ],
    ["bool: must_not alone", { bool: { must_not: { exists: { field: "ip" } } } }, [4]],
    ["bool: should beside filter is optional", { bool: { filter: { term: { tags: "animal" } }, should: { term: { ok: true } } } }, [1, 2]],
    [
      "bool: should of which two",
      { bool: { should: [{ term: { ok: true } }, { term: { tags: "animal" } }, { term: { year: 2012 } }], minimum_should_match: "-1" } },
      [1],
    ],
    ["empty bool", { bool: {} }, [1, 2, 3, 4]],
    ["constant_score", { constant_score: { filter: { term: { ok: true } } } }, [1]],
    ["dis_max", { dis_max: { queries: [{ term: { ok: true } }, { term: { year: 2012 } }] } }, [1, 3]],
    ["boosting", { boosting: { positive: { match: { title: "fox" } }, negative: { term: { ok: true } }, negative_boost: 0.1 } }, [1, 2]],
    ["query_string", { query_string: { query: "title:(fox AND NOT lazy) OR year:>=2012", default_operator: "AND" } }, [1, 3, 4]],
    ["query_string: a range and a wildcard", { query_string: { query: "year:[1999 TO 2005} AND tags:an*l" } }, [1]],
    ["query_string: a phrase over all fields", { query_string: { query: '"lazy dog"' } }, [2]],
    ["query_string: exists", { query_string: { query: "_exists_:author.name" } }, [1, 3]],
    ["query_string: a regular expression", { query_string: { query: "tags:/f[a-z]+/" } }, [1]],
    ["query_string: escaped", { query_string: { query: "ip:2001\\:db8\\:\\:1" } }, [3]],
    ["simple_query_string", { simple_query_string: { query: '"lazy dog" | gard*', fields: ["title"] } }, [2, 3]],
    ["simple_query_string: not", { simple_query_string: { query: "fox + -lazy", fields: ["title"] } }, [1]],
    ["simple_query_string never fails", { simple_query_string: { query: '((("fox" ~ + |', fields: ["title"] } }, [1, 2]],
    ["a field that nobody has", { term: { nothing: 1 } }, []],
  ])("%s", (_name, query, expected) => {
    expect(ids(books, query)).toEqual(expected);
  });

  it("scores as BM25 has it", () => {
    const one = memoryIndex([{ t: "quick" }]);
    // ln(1 + 0.5 / 1.5), the score of the one document that has the one word.
    expect(find(one, { query: { match: { t: "quick" } } }).hits.max_score).toBeCloseTo(0.2876821, 6);
    const [first, second] = find(books, { query: { match: { title: "fox" } } }).hits.hits;
    expect(first?.["_id"]).toBe("1");
    expect(Number(first?.["_score"])).toBeGreaterThan(Number(second?.["_score"]));
  });

  it("sorts, pages and goes on after a hit", () => {
    const sorted = find(books, { sort: [{ price: "desc" }, "_doc"] }).hits.hits;
    expect(sorted.map((hit) => hit["_id"])).toEqual(["4", "1", "2", "3"]);
    // A hit without a value shows the end of the order that it stands at.
    expect(sorted.map((hit) => (hit["sort"] as unknown[])[0])).toEqual([99, 10.5, 7, "-Infinity"]);
    expect(find(books, { sort: { price: { order: "asc", missing: "_first" } }, size: 1 }).hits.hits[0]?.["_id"]).toBe("3");
    const page = find(books, { sort: [{ year: "asc" }], size: 2 }).hits.hits;
    const rest = find(books, { sort: [{ year: "asc" }], search_after: page[1]?.["sort"] }).hits.hits;
    expect([...page, ...rest].map((hit) => hit["_id"])).toEqual(["1", "2", "3", "4"]);
    expect(find(books, { sort: "tags", query: { exists: { field: "tags" } } }).hits.hits.map((hit) => hit["sort"])).toEqual([
      ["animal"],
      ["animal"],
      ["rare"],
    ]);
  });

  it("keeps every digit of a document, and shows what is asked for", () => {
    const [hit] = find(books, { query: { ids: { values: [4] } } }).hits.hits;
    expect(hit?.["_source"]).toMatchObject({ year: 72057594037927936n });
    const [part] = find(books, { query: { ids: { values: [1] } }, _source: { includes: ["author", "ti*"], excludes: "title" } }).hits.hits;
    expect(part?.["_source"]).toEqual({ author: { name: "Ann" } });
    const [fields] = find(books, {
      query: { ids: { values: [1] } },
      _source: false,
      fields: ["tags", { field: "at", format: "yyyy/MM/dd" }],
      docvalue_fields: ["ip"],
    }).hits.hits;
    expect(fields).toMatchObject({ fields: { tags: ["animal", "fast"], at: ["2021/07/15"], ip: ["10.0.0.1"] } });
    expect(fields).not.toHaveProperty("_source");
  });

  it("aggregates", () => {
    const found = aggregations(books, {
      tags: { terms: { field: "tags" }, aggs: { dearest: { max: { field: "price" } } } },
      by_price: { terms: { field: "tags", order: { dearest: "desc" }, size: 1 }, aggs: { dearest: { max: { field: "price" } } } },
      days: { date_histogram: { field: "at", calendar_interval: "day", min_doc_count: 1 } },
      prices: { histogram: { field: "price", interval: 5 } },
      spans: { range: { field: "price", ranges: [{ to: 10 }, { from: 10, key: "dear" }] } },
      nets: { ip_range: { field: "ip", ranges: [{ mask: "10.0.0.0/8" }, { from: "192.0.0.0" }] } },
      all: { stats: { field: "price" } },
      distinct: { cardinality: { field: "tags" } },
      none: { missing: { field: "price" } },
      total: { sum_bucket: { buckets_path: "tags>_count" } },
      truth: { terms: { field: "ok" } },
    });
    expect(found["tags"]).toEqual({
      doc_count_error_upper_bound: 0,
      sum_other_doc_count: 0,
      buckets: [
        { key: "animal", doc_count: 2, dearest: { value: 10.5 } },
        { key: "fast", doc_count: 1, dearest: { value: 10.5 } },
        { key: "rare", doc_count: 1, dearest: { value: 99 } },
      ],
    });
    expect(found["by_price"]).toMatchObject({ sum_other_doc_count: 3, buckets: [{ key: "rare" }] });
    expect(found["days"]).toEqual({
      buckets: [
        { key_as_string: "2021-06-30T00:00:00.000Z", key: Date.UTC(2021, 5, 30), doc_count: 1 },
        { key_as_string: "2021-07-14T00:00:00.000Z", key: Date.UTC(2021, 6, 14), doc_count: 1 },
        { key_as_string: "2021-07-15T00:00:00.000Z", key: Date.UTC(2021, 6, 15), doc_count: 2 },
      ],
    });
    expect((found["prices"] as { buckets: unknown[] }).buckets).toHaveLength(19);
    expect(found["spans"]).toEqual({
      buckets: [
        { key: "*-10.0", to: 10, doc_count: 1 },
        { key: "dear", from: 10, doc_count: 2 },
      ],
    });
    expect(found["nets"]).toEqual({
      buckets: [
        { key: "10.0.0.0/8", from: "10.0.0.0", to: "11.0.0.0", doc_count: 1 },
        { key: "192.0.0.0-*", from: "192.0.0.0", doc_count: 2 },
      ],
    });
    expect(found["all"]).toEqual({ count: 3, min: 7, max: 99, avg: 38.833333333333336, sum: 116.5 });
    expect(found["distinct"]).toEqual({ value: 3 });
    expect(found["none"]).toEqual({ doc_count: 1 });
    expect(found["total"]).toEqual({ value: 4 });
    expect(found["truth"]).toMatchObject({
      buckets: [
        { key: 0, key_as_string: "false", doc_count: 1 },
        { key: 1, key_as_string: "true", doc_count: 1 },
      ],
    });
  });

  it("answers with types before the names, where they are asked for", () => {
    const body = {
      size: 0,
      aggs: {
        t: { terms: { field: "tags" }, aggs: { a: { avg: { field: "price" } } } },
        y: { terms: { field: "year" } },
        s: { max_bucket: { buckets_path: "t>a" } },
      },
    };
    const { aggregations } = search(books, body, { now: NOW, typedKeys: true });
    expect(Object.keys(aggregations ?? {})).toEqual(["sterms#t", "lterms#y", "bucket_metric_value#s"]);
    expect(aggregations).toMatchObject({
      "sterms#t": { buckets: [{ "avg#a": { value: 8.75 } }, {}, {}] },
      "bucket_metric_value#s": { value: 99, keys: ["rare"] },
    });
  });

  it.each<[string, unknown, unknown[]]>([
    ["include by a pattern", { field: "tags", include: "a.*|f.*", exclude: "fast" }, ["animal"]],
    ["include by values", { field: "tags", include: ["rare", "fast"] }, ["fast", "rare"]],
    ["include dates as they are written", { field: "at", include: ["2021-07-14"] }, [Date.UTC(2021, 6, 14)]],
    ["include numbers", { field: "price", exclude: [7.0] }, [10.5, 99]],
    ["exclude addresses", { field: "ip", exclude: ["10.0.0.1"] }, ["192.168.1.7", "2001:db8::1"]],
    [
      "a value for those without one",
      { field: "ip", missing: "192.0.2.1", order: { _key: "asc" } },
      ["10.0.0.1", "192.0.2.1", "192.168.1.7", "2001:db8::1"],
    ],
    ["one share of the values", { field: "tags", include: { partition: 0, num_partitions: 1 } }, ["animal", "fast", "rare"]],
  ])("takes of terms %s", (_name, terms, keys) => {
    const { buckets } = aggregations(books, { a: { terms } })["a"] as { buckets: { key: unknown }[] };
    expect(buckets.map(({ key }) => key)).toEqual(keys);
  });

  it("steps by a zone's clock, over its changes", () => {
    const hours = memoryIndex(Array.from({ length: 48 }, (_zero, i) => ({ at: new Date(Date.UTC(2021, 2, 27, 12 + i)).toISOString() })));
    const days = aggregations(hours, { d: { date_histogram: { field: "at", calendar_interval: "day", time_zone: "Europe/Berlin" } } })[
      "d"
    ] as { buckets: { key_as_string: string; doc_count: number }[] };
    // The 28th of March had 23 hours there.
    expect(days.buckets.map(({ key_as_string: text, doc_count: count }) => [text, count])).toEqual([
      ["2021-03-27T00:00:00.000+01:00", 11],
      ["2021-03-28T00:00:00.000+01:00", 23],
      ["2021-03-29T00:00:00.000+02:00", 14],
    ]);
    const fixed = aggregations(hours, {
      d: { date_histogram: { field: "at", fixed_interval: "12h", offset: "+6h", format: "yyyy-MM-dd HH:mm" } },
    })["d"] as { buckets: { key_as_string: string; doc_count: number }[] };
    expect(fixed.buckets.map(({ key_as_string: text, doc_count: count }) => [text, count])).toEqual([
      ["2021-03-27 06:00", 6],
      ["2021-03-27 18:00", 12],
      ["2021-03-28 06:00", 12],
      ["2021-03-28 18:00", 12],
      ["2021-03-29 06:00", 6],
    ]);
    expect(aggregations(hours, { d: { auto_date_histogram: { field: "at", buckets: 5 } } })["d"]).toMatchObject({
      interval: "12h",
      buckets: [{ doc_count: 12 }, { doc_count: 12 }, { doc_count: 12 }, { doc_count: 12 }],
    });
  });

  it("collapses, boosts indexes and takes slices", () => {
    const collapsed = find(books, { collapse: { field: "tags" }, sort: ["year"], query: { exists: { field: "tags" } }, size: 10 }).hits
      .hits;
    expect(collapsed.map((hit) => [hit["_id"], hit["fields"]])).toEqual([
      ["1", { tags: ["animal"] }],
      ["4", { tags: ["rare"] }],
    ]);
    const both = [memoryIndex([{ a: 1 }], { name: "first" }), memoryIndex([{ a: 2 }], { name: "second" })];
    const boosted = plain(searchIndexes(both, { indices_boost: [{ "sec*": 3 }] }, { now: NOW })) as ReturnType<typeof search>;
    expect(boosted.hits.hits.map((hit) => [hit["_index"], hit["_score"]])).toEqual([
      ["second", 3],
      ["first", 1],
    ]);
    const slices = [0, 1, 2].map((id) => find(books, { slice: { id, max: 3 } }).hits.hits.map((hit) => hit["_id"]));
    expect(slices.flat().sort()).toEqual(["1", "2", "3", "4"]);
  });

  it("takes any name for a name", () => {
    const odd = memoryIndex(['{"__proto__": "x", "constructor": 1}']);
    const answer = JSON.stringify(
      find(
        odd,
        '{"aggs": {"__proto__": {"max": {"field": "constructor"}}, "toString": {"terms": {"field": "__proto__.keyword"}}}, "fields": ["__proto__"]}',
      ),
    );
    expect(answer).toContain('"__proto__":{"value":1}');
    expect(answer).toContain('"toString":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"x","doc_count":1}]}');
    expect(answer).toContain('"fields":{"__proto__":["x"]}');
  });

  it("pages through combinations of keys", () => {
    const sources = [{ tag: { terms: { field: "tags" } } }, { year: { histogram: { field: "year", interval: 10 } } }];
    const keys: unknown[] = [];
    let after: unknown;
    for (let page = 0; page < 10; page++) {
      const answer = aggregations(books, { c: { composite: { size: 1, sources, ...(after !== undefined && { after }) } } })["c"] as {
        after_key?: unknown;
        buckets: { key: unknown }[];
      };
      keys.push(...answer.buckets.map(({ key }) => key));
      if (answer.after_key === undefined) break;
      after = answer.after_key;
    }
    expect(keys).toEqual([
      { tag: "animal", year: 1990 },
      { tag: "animal", year: 2000 },
      { tag: "fast", year: 1990 },
      { tag: "rare", year: 72057594037927940 },
    ]);
  });

  it.each<[string, unknown, string, string, number?]>([
    ["an unknown query", { query: { mtach: {} } }, "parsing_exception", "unknown query [mtach] did you mean [match]?", 19],
    ["an unknown key", { foo: {} }, "parsing_exception", "Unknown key for a START_OBJECT in [foo].", 8],
    ["no JSON", '{"query": {', "json_parse_exception", "was expecting"],
    ["a key twice", '{"size": 1, "size": 2}', "json_parse_exception", "Duplicate field 'size'", 13],
    [
      "two queries in one",
      { query: { match_all: {}, term: {} } },
      "parsing_exception",
      "[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME]",
    ],
    [
      "two fields",
      { query: { term: { a: 1, b: 2 } } },
      "parsing_exception",
      "[term] query doesn't support multiple fields, found [a] and [b]",
    ],
    ["terms without a list", { query: { terms: { a: 1 } } }, "parsing_exception", "[terms] query does not support [a]"],
    ["exists as a text", { query: { exists: "a" } }, "parsing_exception", "[exists] query malformed, no start_object after query name"],
    ["a wrong number", { query: { match: { year: "abc" } } }, "query_shard_exception", 'failed to create query: For input string: "abc"'],
    ["a wrong date", { query: { range: { at: { gte: "yesterday" } } } }, "query_shard_exception", "failed to parse date field [yesterday]"],
    ["a wrong address", { query: { term: { ip: "10.0.0.0/99" } } }, "query_shard_exception", "is not an IP string literal"],
    [
      "a page too deep",
      { from: 10_000, size: 10 },
      "illegal_argument_exception",
      "Result window is too large, from + size must be less than or equal to: [10000] but was [10010]. See the scroll api",
    ],
    ["a negative page", { from: -1 }, "illegal_argument_exception", "[from] parameter cannot be negative"],
    ["a sort by nothing", { sort: "nothing" }, "query_shard_exception", "No mapping found for [nothing] in order to sort on"],
    ["words counted", { aggs: { a: { terms: { field: "title" } } } }, "illegal_argument_exception", "Fielddata is disabled on [title]"],
    [
      "an unknown aggregation",
      { aggs: { a: { trems: { field: "tags" } } } },
      "parsing_exception",
      "Unknown aggregation type [trems] did you mean [terms]?",
    ],
    [
      "a sum of texts",
      { aggs: { a: { sum: { field: "tags" } } } },
      "illegal_argument_exception",
      "Field [tags] of type [keyword] is not supported for aggregation [sum]",
    ],
    [
      "too many buckets",
      { aggs: { a: { histogram: { field: "year", interval: 1 } } } },
      "too_many_buckets_exception",
      "Trying to create too many buckets",
    ],
    [
      "scripts",
      { aggs: { a: { terms: { field: "tags" }, aggs: { b: { bucket_script: { buckets_path: {} } } } } } },
      "parsing_exception",
      "they need scripts",
    ],
    [
      "a query string that is broken",
      { query: { query_string: { query: "a AND (b" } } },
      "query_shard_exception",
      "Failed to parse query [a AND (b]",
    ],
    [
      "both default_field and fields",
      { query: { query_string: { query: "a", fields: ["x"], default_field: "y" } } },
      "illegal_argument_exception",
      "cannot use [fields] parameter in conjunction",
    ],
    [
      "a regular expression too long",
      { query: { regexp: { tags: "a".repeat(1001) } } },
      "query_shard_exception",
      "The length of regex [1001]",
    ],
    ["a regular expression that is broken", { query: { regexp: { tags: "(a" } } }, "query_shard_exception", "failed to parse regexp"],
  ])("refuses %s", (_name, body, type, reason, column) => {
    const error = refusal(books, body);
    expect(error.type).toBe(type);
    expect(error.reason).toContain(reason);
    expect(error.status).toBe(400);
    if (column !== undefined) expect(error.response().error).toMatchObject({ line: 1, col: column });
    expect(error.response().error["root_cause"]).toHaveLength(1);
  });

  it("reads a mapping strictly and infers what it lacks", () => {
    expect(() => memoryIndex([], { mappings: { properties: { a: { type: "keywrod" } } } })).toThrow(
      "No handler for type [keywrod] declared on field [a]",
    );
    expect(() => memoryIndex([{ a: "x" }], { mappings: { properties: { a: { type: "long" } } } })).toThrow(
      "document 1: failed to parse field [a] of type [long]",
    );
    expect(() => memoryIndex([{ b: 1 }], { mappings: { dynamic: "strict" } })).toThrow(
      "mapping set to strict, dynamic introduction of [b] within [_doc] is not allowed",
    );
    const { mapping } = memoryIndex([{ s: "text", n: 1, f: 0.5, d: "2020-01-01", b: true, o: { x: [1, 2] }, "p.q": "z" }]);
    expect(mapping.toJSON()["properties"]).toMatchObject({
      s: { type: "text", fields: { keyword: { type: "keyword", ignore_above: 256 } } },
      n: { type: "long" },
      f: { type: "float" },
      d: { type: "date" },
      b: { type: "boolean" },
      o: { properties: { x: { type: "long" } } },
      p: { properties: { q: { type: "text" } } },
    });
  });
});

interface Row {
  readonly n?: number | number[];
  readonly k?: string | string[];
  readonly ip?: string;
  readonly at?: string;
  readonly b?: boolean;
}

const many = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> => fc.oneof(one, fc.array(one, { maxLength: 3 }));
const anyNumber = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: -80, max: 80 }).map((quarters) => quarters / 4),
);
const anyKey: fc.Arbitrary<string> = fc.constantFrom("a", "ab", "abc", "b", "ba", "é", "𝒳", "");
const anyAddress = fc.constantFrom("10.0.0.1", "10.0.0.2", "10.1.0.1", "192.168.0.1", "2001:db8::1", "::1");
const anyTime = fc.integer({ min: 0, max: 40 }).map((hours) => new Date(Date.UTC(2021, 0, 1, hours, (hours * 7) % 60)).toISOString());
const anyRow: fc.Arbitrary<Row> = fc.record(
  { n: many(anyNumber), k: many(anyKey), ip: anyAddress, at: anyTime, b: fc.boolean() },
  { requiredKeys: [] },
);
const MAPPINGS = {
  properties: { n: { type: "double" }, k: { type: "keyword" }, ip: { type: "ip" }, at: { type: "date" }, b: { type: "boolean" } },
};

const listOf = <T>(value: T | T[] | undefined): T[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const utf8 = new TextEncoder();
const byBytes = (a: string, b: string): number => {
  const x = utf8.encode(a);
  const y = utf8.encode(b);
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0);
  return x.length - y.length;
};

type Test = (row: Row) => boolean;
type Pair = { readonly query: unknown; readonly test: Test };

const { query: anyQuery } = fc.letrec<{ query: Pair; leaf: Pair }>((tie) => ({
  leaf: fc.oneof(
    anyNumber.map((n): Pair => ({ query: { term: { n } }, test: (row) => listOf(row.n).includes(n) })),
    fc
      .array(anyKey, { maxLength: 3 })
      .map((keys): Pair => ({ query: { terms: { k: keys } }, test: (row) => listOf(row.k).some((key) => keys.includes(key)) })),
    anyKey.map((k): Pair => ({ query: { prefix: { k } }, test: (row) => listOf(row.k).some((key) => key.startsWith(k)) })),
    fc.tuple(anyNumber, anyNumber, fc.boolean()).map(
      ([low, high, open]): Pair => ({
        query: { range: { n: open ? { gt: low, lt: high } : { gte: low, lte: high } } },
        test: (row) => listOf(row.n).some((n) => (open ? n > low && n < high : n >= low && n <= high)),
      }),
    ),
    fc.tuple(anyKey, anyKey).map(
      ([low, high]): Pair => ({
        query: { range: { k: { gte: low, lt: high } } },
        test: (row) => listOf(row.k).some((key) => byBytes(key, low) >= 0 && byBytes(key, high) < 0),
      }),
    ),
    anyTime.map(
      (at): Pair => ({
        query: { range: { at: { gte: at } } },
        test: (row) => row.at !== undefined && Date.parse(row.at) >= Date.parse(at),
      }),
    ),
    fc
      .constantFrom("n", "k", "ip", "at", "b")
      .map((field): Pair => ({ query: { exists: { field } }, test: (row) => listOf((row as Record<string, unknown>)[field]).length > 0 })),
    fc.constant<Pair>({ query: { term: { ip: "10.0.0.0/16" } }, test: (row) => row.ip?.startsWith("10.0.") ?? false }),
    fc.boolean().map((b): Pair => ({ query: { term: { b } }, test: (row) => row.b === b })),
    fc.constant<Pair>({ query: { wildcard: { k: "?b*" } }, test: (row) => listOf(row.k).some((key) => [...key][1] === "b") }),
    fc.constant<Pair>({
      query: { regexp: { k: "a(b|bc)?" } },
      test: (row) => listOf(row.k).some((key) => ["a", "ab", "abc"].includes(key)),
    }),
  ),
  query: fc.oneof(
    { maxDepth: 3 },
    tie("leaf"),
    fc
      .record({
        must: fc.array(tie("query"), { maxLength: 2 }),
        filter: fc.array(tie("query"), { maxLength: 2 }),
        should: fc.array(tie("query"), { maxLength: 3 }),
        not: fc.array(tie("query"), { maxLength: 2 }),
        least: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
      })
      .map(({ must, filter, should, not, least }): Pair => {
        const needed = should.length === 0 ? (least ?? 0) : Math.max(least ?? 0, must.length + filter.length === 0 ? 1 : 0);
        const isEmpty = must.length + filter.length + should.length + not.length === 0;
        const queries = (pairs: readonly Pair[]): unknown[] => pairs.map(({ query }) => query);
        return {
          query: {
            bool: {
              must: queries(must),
              filter: queries(filter),
              should: queries(should),
              must_not: queries(not),
              ...(least !== undefined && { minimum_should_match: least }),
            },
          },
          test: (row) =>
            isEmpty ||
            ([...must, ...filter].every(({ test }) => test(row)) &&
              should.filter(({ test }) => test(row)).length >= needed &&
              !not.some(({ test }) => test(row))),
        };
      }),
  ),
}));

describe("laws", () => {
  it("any query finds what a test of each row finds", () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 70 }), anyQuery, (rows, { query, test }) => {
        const index = memoryIndex(rows, { mappings: MAPPINGS });
        const expected = rows.flatMap((row, place) => (test(row) ? [place + 1] : []));
        expect(ids(index, query)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("any grouping counts what a walk over the rows counts", () => {
    const order = (a: readonly [unknown, unknown[]], b: readonly [unknown, unknown[]]): number => b[1].length - a[1].length;
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 60 }), anyQuery, (rows, { query, test }) => {
        const index = memoryIndex(rows, { mappings: MAPPINGS });
        const matching = rows.filter(test);
        const answer = aggregations(
          index,
          {
            keys: { terms: { field: "k", size: 100 }, aggs: { n: { stats: { field: "n" } }, ips: { cardinality: { field: "ip" } } } },
            distinct: { cardinality: { field: "k" } },
            steps: { histogram: { field: "n", interval: 3, min_doc_count: 1 } },
            hours: {
              date_histogram: { field: "at", fixed_interval: "5h", min_doc_count: 1 },
              aggs: { keys: { terms: { field: "k", size: 100, order: { _key: "asc" } } } },
            },
          },
          query,
        ) as Record<string, { buckets: Record<string, unknown>[] }>;
        expect(answer["distinct"]).toEqual({ value: new Set(matching.flatMap((row) => listOf(row.k))).size });
        const group = <K>(keysOf: (row: Row) => K[]): Map<K, Row[]> => {
          const groups = new Map<K, Row[]>();
          for (const row of matching) for (const key of new Set(keysOf(row))) groups.set(key, [...(groups.get(key) ?? []), row]);
          return groups;
        };
        const keys = [...group((row) => listOf(row.k))].sort((a, b) => order(a, b) || byBytes(a[0], b[0]));
        expect(answer["keys"]?.buckets.map((bucket) => [bucket["key"], bucket["doc_count"]])).toEqual(
          keys.map(([key, found]) => [key, found.length]),
        );
        keys.forEach(([, found], place) => {
          const numbers = found.flatMap((row) => listOf(row.n));
          const bucket = answer["keys"]?.buckets[place] as {
            n: { count: number; sum: number; min: number | null; max: number | null };
            ips: { value: number };
          };
          expect(bucket.n.count).toBe(numbers.length);
          expect(bucket.n.sum).toBeCloseTo(
            numbers.reduce((sum, n) => sum + n, 0),
            9,
          );
          expect(bucket.n.min).toBe(numbers.length === 0 ? null : Math.min(...numbers));
          expect(bucket.n.max).toBe(numbers.length === 0 ? null : Math.max(...numbers));
          expect(bucket.ips.value).toBe(new Set(found.flatMap((row) => listOf(row.ip))).size);
        });
        const steps = [...group((row) => listOf(row.n).map((n) => Math.floor(n / 3) * 3 + 0))].sort((a, b) => a[0] - b[0]);
        expect(answer["steps"]?.buckets.map((bucket) => [bucket["key"], bucket["doc_count"]])).toEqual(
          steps.map(([key, found]) => [key, found.length]),
        );
        const width = 5 * 3_600_000;
        const hours = [...group((row) => listOf(row.at).map((at) => Math.floor(Date.parse(at) / width) * width))].sort(
          (a, b) => a[0] - b[0],
        );
        expect(answer["hours"]?.buckets.map((bucket) => [bucket["key"], bucket["doc_count"]])).toEqual(
          hours.map(([key, found]) => [key, found.length]),
        );
        hours.forEach(([, found], place) => {
          const inner = answer["hours"]?.buckets[place]?.["keys"] as { buckets: { key: string; doc_count: number }[] };
          const counts = new Map<string, number>();
          for (const row of found) for (const key of new Set(listOf(row.k))) counts.set(key, (counts.get(key) ?? 0) + 1);
          expect(inner.buckets.map(({ key, doc_count }) => [key, doc_count])).toEqual([...counts].sort((a, b) => byBytes(a[0], b[0])));
        });
      }),
      { numRuns: 200 },
    );
  });

  it("shares of the segments together give what one segment gives", () => {
    const aggs = {
      keys: {
        terms: { field: "k", size: 3, order: { "n.sum": "desc" } },
        aggs: { n: { extended_stats: { field: "n" } }, best: { top_hits: { size: 1, sort: [{ at: "desc" }, "n"] } } },
      },
      rare: { rare_terms: { field: "ip" } },
      ips: { terms: { field: "ip" }, aggs: { first: { top_hits: { size: 1, sort: [{ at: "asc" }] } } } },
      steps: {
        histogram: { field: "n", interval: 4 },
        aggs: {
          ips: { cardinality: { field: "ip" } },
          middle: { percentiles: { field: "n" } },
          sum: { sum: { field: "n" } },
          change: { derivative: { buckets_path: "sum" } },
        },
      },
      auto: { auto_date_histogram: { field: "at", buckets: 4 }, aggs: { keys: { terms: { field: "k" } } } },
      pairs: {
        composite: {
          size: 5,
          sources: [
            { k: { terms: { field: "k", order: "desc", missing_bucket: true } } },
            { at: { date_histogram: { field: "at", calendar_interval: "day" } } },
          ],
        },
      },
      both: { multi_terms: { terms: [{ field: "k" }, { field: "b" }] } },
      filters: {
        filters: { filters: { low: { range: { n: { lt: 0 } } } }, other_bucket_key: "rest" },
        aggs: { ips: { terms: { field: "ip" } } },
      },
      spans: {
        date_range: { field: "at", ranges: [{ to: "2021-01-01T12:00:00Z" }, { from: "2021-01-01||+6h" }] },
        aggs: { n: { avg: { field: "n" } } },
      },
      distinct: { cardinality: { field: "k", missing: "none" } },
      everything: { global: {}, aggs: { count: { value_count: { field: "k" } } } },
    };
    fc.assert(
      fc.property(
        fc.array(fc.array(anyRow, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 5 }),
        anyQuery,
        (shares, { query }) => {
          const body = { query, aggs, size: 7, sort: [{ n: "desc" }, "_doc"] };
          const segments = shares.map((rows) => memoryIndex(rows, { mappings: MAPPINGS }));
          const split = {
            name: "documents",
            mapping: (segments[0] as SearchableIndex).mapping,
            segments: segments.flatMap((one) => one.segments),
          };
          const prepared = new PreparedSearch([split], readBody(body), { now: NOW });
          const other = new PreparedSearch([split], readBody(body), { now: NOW });
          const found = prepared.run([0, 2, 4].filter((number) => number < shares.length));
          const rest = structuredClone(other.run([1, 3].filter((number) => number < shares.length)));
          const answer = plain(prepared.finish(prepared.absorb(found, [rest]))) as ReturnType<typeof search>;
          const whole = find(memoryIndex(shares.flat(), { mappings: MAPPINGS }), body);
          expect(answer.hits.total).toEqual(whole.hits.total);
          const shown = (hits: readonly Record<string, unknown>[]): unknown[] =>
            hits.map((hit) => [hit["_source"], (hit["sort"] as unknown[])[0]]);
          expect(shown(answer.hits.hits)).toEqual(shown(whole.hits.hits));
          // Ids are places in a segment, and sums of fractions depend on their order.
          const settled = (value: unknown): unknown =>
            JSON.parse(
              JSON.stringify(value, (key, one: unknown) =>
                typeof one === "bigint"
                  ? String(one)
                  : key === "_id"
                    ? undefined
                    : typeof one === "number" && !Number.isInteger(one)
                      ? Number(one.toPrecision(9)) + 0
                      : one,
              ),
            );
          expect(settled(answer.aggregations)).toEqual(settled(whole.aggregations));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("any body is answered or refused with its reason", () => {
    const words = fc.constantFrom(
      "query",
      "bool",
      "must",
      "term",
      "terms",
      "match",
      "range",
      "aggs",
      "field",
      "n",
      "k",
      "at",
      "ip",
      "size",
      "from",
      "sort",
      "gte",
      "__proto__",
      "constructor",
      "toString",
      "regexp",
      "query_string",
      "date_histogram",
      "interval",
      "composite",
      "sources",
      "filters",
      "value",
      "exists",
      "wildcard",
      "top_hits",
      "percentiles",
      "percents",
    );
    const { body } = fc.letrec<{ body: unknown }>((tie) => ({
      body: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>("a*", "(", "[", "now-", 1, -1, 1e308, null, true, "", "k", "__proto__"),
        fc.array(tie("body"), { maxLength: 3 }),
        fc.array(fc.tuple(words, tie("body")), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs)),
      ),
    }));
    const index = memoryIndex([{ n: 1, k: "a", ip: "10.0.0.1", at: "2020-01-01" }, { n: [2, 3] }], { mappings: MAPPINGS });
    fc.assert(
      fc.property(body, fc.string(), (inner, text) => {
        for (const one of [
          inner,
          { query: inner },
          { aggs: inner },
          { aggs: { a: inner } },
          { query: { bool: { must: inner } } },
          { sort: inner },
          { query: { query_string: { query: text } } },
          { query: { simple_query_string: { query: text } } },
          { query: { regexp: { k: text } } },
          { query: { wildcard: { k: text } } },
        ]) {
          try {
            find(index, one);
          } catch (cause) {
            if (!(cause instanceof QueryError)) throw new Error(`${JSON.stringify(one)}: ${String(cause)}`, { cause });
            expect(cause.status).toBe(400);
            expect(cause.response().error["type"]).toBeTypeOf("string");
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
