import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Client as ElasticClient, errors } from "@elastic/elasticsearch";
import { KeyStore, openStore } from "@heliograph/runtime/runs";
import { Client as OpenSearchClient } from "@opensearch-project/opensearch";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, start } from "../index.js";

const folder = mkdtempSync(join(tmpdir(), "es-"));
let server: RunningServer;
let elastic: ElasticClient;
let search: OpenSearchClient;
beforeAll(async () => {
  writeFileSync(
    join(folder, "conn.log"),
    `#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\n${Array.from({ length: 20 }, (_zero, i) => `${1_626_369_600 + i}.181152\tC${i}\t10.0.0.${i % 3}\t${i}\t192.0.2.1\t443\ttcp\t${i}\n`).join("")}`,
  );
  server = await start({ port: 0, store: join(folder, "store"), roots: { logs: folder }, version: "1.2.3", log: false });
  elastic = new ElasticClient({ node: `${server.url}/es` });
  search = new OpenSearchClient({ node: `${server.url}/es` });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, looked into freely. */
  readonly body: ReturnType<JSON["parse"]>;
  readonly text: string;
}

async function ask(method: string, path: string, body?: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(server.url + path, { method, headers, ...(body !== undefined && { body: body as string }) });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, headers: response.headers, body: parsed, text };
}

describe("the Elasticsearch client", () => {
  it("makes an index, fills it, and finds what it put in", async () => {
    expect((await elastic.info()).tagline).toBe("You Know, for Search");
    expect(
      await elastic.indices.create({ index: "books", mappings: { properties: { title: { type: "text" }, year: { type: "integer" } } } }),
    ).toMatchObject({ acknowledged: true });
    await expect(elastic.indices.create({ index: "books" })).rejects.toMatchObject({
      statusCode: 400,
      body: { error: { type: "resource_already_exists_exception" } },
    });
    const dropped: unknown[] = [];
    const loaded = await elastic.helpers.bulk<{ title: string; year: unknown }>({
      datasource: [
        { title: "The quick fox", year: 1999 },
        { title: "A lazy dog", year: 2005 },
        { title: "Neither", year: "never" },
      ],
      onDocument: () => ({ index: { _index: "books" } }),
      onDrop: ({ error }) => dropped.push(error),
      refreshOnCompletion: true,
    });
    expect(loaded).toMatchObject({ total: 3, failed: 1, successful: 2 });
    expect(dropped).toMatchObject([{ type: "document_parsing_exception" }]);
    const found = await elastic.search({
      index: "books",
      query: { match: { title: "fox" } },
      aggs: { years: { terms: { field: "year" } } },
    });
    expect(found.hits).toMatchObject({ total: { value: 1, relation: "eq" }, hits: [{ _source: { title: "The quick fox" } }] });
    expect(found.aggregations).toMatchObject({ years: { buckets: [{ key: 1999, doc_count: 1 }] } });
    expect(await elastic.count({ index: "boo*" })).toMatchObject({ count: 2 });
    expect((await elastic.cat.indices({ index: "books", format: "json" }))[0]).toMatchObject({ index: "books", "docs.count": "2" });
    expect(await elastic.indices.exists({ index: "books" })).toBe(true);
    expect(await elastic.indices.exists({ index: "nothing" })).toBe(false);
    expect(await elastic.cluster.health()).toMatchObject({ status: "green" });
    expect((await elastic.fieldCaps({ index: "books", fields: "*" })).fields).toMatchObject({
      year: { integer: { aggregatable: true } },
      title: { text: { aggregatable: false } },
    });
  });

  it("replaces, conflicts and deletes by id", async () => {
    await elastic.index({ index: "ids", id: "a/b 1", document: { n: 1 } });
    expect(await elastic.index({ index: "ids", id: "a/b 1", document: { n: 2 }, refresh: true })).toMatchObject({
      result: "updated",
      _version: 2,
    });
    await expect(elastic.create({ index: "ids", id: "a/b 1", document: {} })).rejects.toMatchObject({
      statusCode: 409,
      body: { error: { type: "version_conflict_engine_exception" } },
    });
    expect(await elastic.get({ index: "ids", id: "a/b 1" })).toMatchObject({ found: true, _source: { n: 2 }, _version: 2 });
    await expect(elastic.update({ index: "ids", id: "a/b 1", doc: { n: 3 } })).rejects.toMatchObject({ statusCode: 400 });
    expect(await elastic.delete({ index: "ids", id: "a/b 1" })).toMatchObject({ result: "deleted" });
    await expect(elastic.get({ index: "ids", id: "a/b 1" })).rejects.toMatchObject({ statusCode: 404 });
    await expect(elastic.search({ index: "nothing" })).rejects.toBeInstanceOf(errors.ResponseError);
    expect(await elastic.search({ index: "nothing", ignore_unavailable: true })).toMatchObject({ hits: { hits: [] } });
  });

  it("scrolls and looks at a point in time, whatever is written meanwhile", async () => {
    await elastic.helpers.bulk({
      datasource: Array.from({ length: 25 }, (_zero, n) => ({ n })),
      onDocument: () => ({ index: { _index: "many" } }),
    });
    const { id } = await elastic.openPointInTime({ index: "many", keep_alive: "1m" });
    const first = await elastic.search({ index: "many", size: 10, scroll: "1m", sort: [{ n: "desc" }] });
    await elastic.helpers.bulk({
      datasource: Array.from({ length: 25 }, (_zero, n) => ({ n: n + 100 })),
      onDocument: () => ({ index: { _index: "many" } }),
    });
    const seen = first.hits.hits.map((hit) => (hit._source as { n: number }).n);
    let scroll = first._scroll_id;
    for (;;) {
      const page = await elastic.scroll({ scroll_id: scroll as string, scroll: "1m" });
      if (page.hits.hits.length === 0) break;
      seen.push(...page.hits.hits.map((hit) => (hit._source as { n: number }).n));
      scroll = page._scroll_id;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_zero, n) => 24 - n));
    expect(await elastic.clearScroll({ scroll_id: scroll as string })).toMatchObject({ succeeded: true, num_freed: 1 });
    await expect(elastic.scroll({ scroll_id: scroll as string })).rejects.toMatchObject({ statusCode: 404 });
    const page = await elastic.search({ pit: { id }, size: 3, sort: [{ n: "asc" }], search_after: [20] });
    expect(page.hits).toMatchObject({ total: { value: 25 }, hits: [{ sort: [21] }, { sort: [22] }, { sort: [23] }] });
    expect(await elastic.closePointInTime({ id })).toMatchObject({ succeeded: true });
    expect(await elastic.count({ index: "many" })).toMatchObject({ count: 50 });
  });
});

describe("the OpenSearch client", () => {
  it("searches, several searches at once too", async () => {
    await search.bulk({
      body: [{ index: { _index: "os", _id: "1" } }, { a: 1 }, { create: { _index: "os", _id: "1" } }, { a: 2 }],
      refresh: true,
    });
    const { body } = await search.search({ index: "os", body: { query: { range: { a: { gte: 1 } } } } });
    expect(body.hits).toMatchObject({ total: { value: 1 }, hits: [{ _id: "1" }] });
    const several = await search.msearch({
      body: [{ index: "os" }, { size: 0 }, { index: "nothing" }, {}, {}, { query: { mtach: {} } as object }],
    });
    expect(several.body.responses).toMatchObject([
      { status: 200 },
      { status: 404, error: { type: "index_not_found_exception" } },
      { status: 400, error: { type: "parsing_exception" } },
    ]);
    const mapping = await search.indices.getMapping({ index: "os" });
    expect(mapping.body).toMatchObject({ os: { mappings: { properties: { a: { type: "long" } } } } });
    await search.indices.delete({ index: "os" });
    expect((await search.indices.exists({ index: "os" })).body).toBe(false);
  });
});

describe("/es", () => {
  it("takes what shippers send and answers as they expect", async () => {
    const lines = `${JSON.stringify({ index: { _index: "shipped" } })}\n{"@timestamp":"2021-07-15T17:20:18Z","big":72057594037927937}\n`;
    const packed = await ask("POST", "/es/_bulk", gzipSync(lines), {
      "content-encoding": "gzip",
      "content-type": "application/vnd.elasticsearch+x-ndjson; compatible-with=8",
      accept: "application/vnd.elasticsearch+json; compatible-with=8",
    });
    expect(packed).toMatchObject({ status: 200, body: { errors: false } });
    expect(packed.headers.get("x-elastic-product")).toBe("Elasticsearch");
    expect(packed.headers.get("content-type")).toBe("application/vnd.elasticsearch+json; compatible-with=8");
    expect((await ask("GET", "/es/shipped/_search?q=big:72057594037927937&rest_total_hits_as_int=true")).text).toContain('"total":1,');
    expect((await ask("POST", "/es/shipped/_search")).text).toContain('"big":72057594037927937');
    const withBody = await new Promise<string>((resolve) => {
      const { port } = new URL(server.url);
      const body = '{"size":0,"query":{"match_none":{}}}';
      const socket = connect(Number(port), "127.0.0.1", () =>
        socket.write(
          `GET /es/shipped/_search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        ),
      );
      let answer = "";
      socket.on("data", (data) => (answer += String(data)));
      socket.on("close", () => resolve(answer));
    });
    expect(withBody).toContain('"total":{"value":0,"relation":"eq"}');
    expect(await ask("GET", "/es/shipped/_search?filter_path=hits.total.value")).toMatchObject({ text: '{"hits":{"total":{"value":1}}}' });
    expect((await ask("GET", "/es/_cat/indices/shipped?v&h=index,docs.count")).text).toBe("index   docs.count\nshipped 1\n");
  });

  it.each<[string, string, string, string | undefined, number, string]>([
    ["an unknown parameter", "GET", "/es/_search?foo=1", undefined, 400, "request [/_search] contains unrecognized parameter: [foo]"],
    [
      "an unknown path",
      "GET",
      "/es/_nothing/here/at/all",
      undefined,
      400,
      "no handler found for uri [/_nothing/here/at/all] and method [GET]",
    ],
    ["a body that is no JSON", "POST", "/es/_search", "{", 400, "json_parse_exception"],
    ["a body that is none of a bulk", "POST", "/es/_bulk", "{}\n", 400, "Malformed action/metadata line [1]"],
    ["a packed body that is broken", "POST", "/es/_bulk", "no gzip", 400, "the body cannot be unpacked"],
    ["an index name", "PUT", "/es/UPPER", "{}", 400, "must be lowercase"],
    [
      "a mapping",
      "PUT",
      "/es/wrong",
      '{"mappings":{"properties":{"a":{"type":"nothing"}}}}',
      400,
      "No handler for type [nothing] declared on field [a]",
    ],
    ["all indexes at once", "DELETE", "/es/*", undefined, 400, "not allowed"],
    ["a page too deep", "GET", "/es/_search?from=10000&size=1", undefined, 400, "Result window is too large"],
  ])("refuses %s in Elasticsearch's shape", async (name, method, path, body, status, reason) => {
    const answer = await ask(method, path, body, name.startsWith("a packed") ? { "content-encoding": "gzip" } : {});
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(reason);
    expect(answer.body).toMatchObject({
      status,
      error: { type: expect.any(String), root_cause: [{ type: expect.any(String), reason: expect.any(String) }] },
    });
    expect(answer.text).not.toMatch(/node_modules|\.js:\d+/);
  });

  it("answers any bulk body with a status below 500", async () => {
    const line = fc.oneof(
      fc.constantFrom(
        '{"index":{"_index":"fuzz"}}',
        '{"create":{"_index":"fuzz","_id":"1"}}',
        '{"delete":{"_index":"fuzz","_id":"1"}}',
        '{"index":{"_index":"__proto__"}}',
        '{"update":{}}',
        "",
        "null",
        "[]",
      ),
      fc.json({ maxDepth: 4 }),
      fc.string({ maxLength: 30 }).map((text) => text.replaceAll("\n", " ")),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const { status, body } = await ask("POST", "/es/_bulk", `${lines.join("\n")}\n`);
        expect([200, 400]).toContain(status);
        expect(body).toBeDefined();
      }),
      { numRuns: 150 },
    );
  });
});

describe("POST /data/query", () => {
  it("answers as the API page has it, whatever type the body says to have", async () => {
    const { body: started } = await ask("POST", "/api/imports", JSON.stringify({ paths: ["/logs/conn.log"] }));
    for (let tries = 0; tries < 200; tries++) {
      const { body } = await ask("GET", `/api/import?id=${started.id}`);
      if (body.state !== "running") break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await ask("GET", `/api/import?id=${started.id}`)).body).toMatchObject({
      state: "done",
      files: [{ name: "/logs/conn.log", rows: { conn_logs: 20 } }],
    });
    const query = {
      index: "conn_logs",
      q: { query: { match: { orig_h: "10.0.0.1" } }, sort: [{ ts: "asc" }] },
      time_from: "2021-07-15",
      time_to: "2021-07-16",
    };
    for (const type of ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]) {
      const { status, body, headers } = await ask(
        "POST",
        "/data/query",
        JSON.stringify(query),
        type === "" ? {} : { "content-type": type },
      );
      expect(status).toBe(200);
      expect(body.hits.total).toBe(7);
      expect(body.hits.hits[0]._source).toMatchObject({ ts: "2021-07-15 17:20:01.181152", orig_h: "10.0.0.1", resp_p: 443 });
      expect(headers.get("x-time-from")).toBe("2021-07-15T00:00:00.000000Z");
      expect(headers.get("x-time-to")).toBe("2021-07-16T23:59:59.999999Z");
    }
    const paged = await ask("POST", "/data/query", JSON.stringify({ ...query, from: 5, size: 10 }));
    expect(paged.body.hits.hits).toHaveLength(2);
    // Nothing is that young.
    expect((await ask("POST", "/data/query", '{"index":"conn_logs"}')).body.hits).toMatchObject({ total: 0, hits: [] });
    const bounds = await ask(
      "POST",
      "/data/query",
      JSON.stringify({ ...query, q: {}, time_from: "2021-07-15 17:20:03.181152", time_to: "2021-07-15 17:20:05.181152" }),
    );
    expect(bounds.body.hits.total).toBe(3);
  });

  it.each<[string, unknown, number, string]>([
    ["no index", {}, 400, "index is missing"],
    ["an index that there is not", { index: "nothing" }, 404, "no such index [nothing]"],
    ["several indexes", { index: "conn_logs,dns_logs" }, 404, "one is named at a time"],
    ["a wrong query", { index: "conn_logs", q: { query: { mtach: {} } } }, 400, "unknown query [mtach] did you mean [match]?"],
    ["a wrong time", { index: "conn_logs", time_from: "the day of the dog" }, 400, "time_from"],
    ["times the wrong way round", { index: "conn_logs", time_from: "now", time_to: "now-1d" }, 400, "time_from is after time_to"],
    ["a size that is none", { index: "conn_logs", size: "many" }, 400, "size must be a whole number"],
    ["what is no parameter", { index: "conn_logs", foo: 1 }, 400, "foo is no parameter"],
  ])("refuses %s", async (_name, body, status, reason) => {
    const answer = await ask("POST", "/data/query", JSON.stringify(body));
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({
      message: expect.stringContaining(reason),
      code: expect.any(String),
      request_id: expect.any(String),
      status,
    });
  });
});

describe("imports", () => {
  it("take uploads, and no path outside the folders", async () => {
    const log = "#path\tdns\n#fields\tts\tid.orig_h\tid.resp_h\tquery\n1.0\t10.0.0.1\t10.0.0.2\texample.com\n";
    expect(await ask("POST", "/api/imports/upload?name=dns.log.gz", gzipSync(log))).toMatchObject({
      status: 200,
      body: { rows: { dns_logs: 1 }, isKnown: false },
    });
    expect(await ask("POST", "/api/imports/upload?name=..%2Fdns.log", log)).toMatchObject({ status: 400 });
    expect(await ask("POST", "/api/imports", JSON.stringify({ paths: ["/etc"] }))).toMatchObject({ status: 403 });
    expect(await ask("POST", "/api/imports", JSON.stringify({ paths: ["/logs/nothing.log"] }))).toMatchObject({ status: 422 });
  });
});

describe("a key", () => {
  it("is taken as Elasticsearch's clients send it", async () => {
    const place = join(folder, "keyed");
    const store = await openStore(place);
    const { key } = await new KeyStore(store).create("shipper");
    await store.close();
    const keyed = await start({ port: 0, store: place, version: "1.2.3", log: false });
    try {
      expect((await fetch(`${keyed.url}/es/`)).status).toBe(401);
      expect((await new ElasticClient({ node: `${keyed.url}/es`, auth: { apiKey: key } }).info()).name).toBe("heliograph");
      expect((await new ElasticClient({ node: `${keyed.url}/es`, auth: { apiKey: { id: "any", api_key: key } } }).info()).name).toBe(
        "heliograph",
      );
    } finally {
      await keyed.close();
    }
  });
});
