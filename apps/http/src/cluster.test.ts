import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresPrograms, startPostgres } from "@heliograph/runtime/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, start } from "./index.js";
import { ask } from "./testing/ask.js";

/** What a cluster was asked, and how it is told to answer. */
interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: ReturnType<JSON["parse"]>;
}

let asked: Asked[] = [];
let searchAnswer: { status: number; body: object } = { status: 200, body: {} };
const caps = (type: string): object => ({ [type]: { type, searchable: true, aggregatable: true } });
const FIELDS: Readonly<Record<string, object>> = {
  ts: caps("date"),
  "id.orig_h": caps("ip"),
  "id.resp_h": caps("ip"),
  "id.resp_p": caps("long"),
  orig_bytes: caps("long"),
};
const cluster = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const path = request.url?.split("?")[0] ?? "";
    const text = Buffer.concat(chunks).toString();
    const body = text === "" ? undefined : JSON.parse(text);
    asked.push({ path, authorization: request.headers.authorization, body });
    const answer = ((): { status: number; body: object } => {
      if (path === "/") return { status: 200, body: { cluster_name: "fake", version: { number: "2.19.0" } } };
      if (path.endsWith("/_field_caps")) {
        const fields = Object.fromEntries((body.fields as string[]).flatMap((name) => (FIELDS[name] ? [[name, FIELDS[name]]] : [])));
        return { status: 200, body: { fields } };
      }
      if (path.endsWith("/_count")) return { status: 200, body: { count: 12_345 } };
      return searchAnswer;
    })();
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
});
let url = "";
let folder = "";
const servers: RunningServer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cluster-http-"));
  await new Promise<void>((resolve) => cluster.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`;
});
afterEach(async () => {
  asked = [];
  for (const server of servers.splice(0)) await server.close();
});
afterAll(async () => {
  cluster.closeAllConnections();
  await new Promise((resolve) => cluster.close(resolve));
  rmSync(folder, { recursive: true });
});

async function served(options: Partial<Parameters<typeof start>[0]> = {}): Promise<RunningServer> {
  const server = await start({ port: 0, store: join(folder, "store"), version: "1.2.3", log: false, ...options });
  servers.push(server);
  return server;
}

const SOURCE = { name: "siem", kind: "opensearch", indexes: { conn_logs: "zeek-*" }, username: "hunter", password: "hunter2" };

describe("clusters as data sources", () => {
  it("are saved with sealed credentials that nobody gets back, tested, and forgotten", async () => {
    const server = await served();
    const saved = await ask(server, "POST", "/api/data_sources", { ...SOURCE, url });
    expect(saved).toEqual({
      status: 200,
      headers: expect.any(Headers),
      body: { name: "siem", kind: "opensearch", url, indexes: { conn_logs: "zeek-*" }, preset: "zeek", filter: {} },
    });
    expect((await ask(server, "POST", "/api/data_sources", { ...SOURCE, url })).status).toBe(409);
    expect((await ask(server, "GET", "/api/data_sources")).body).toEqual([saved.body]);
    const kept = readdirSync(join(folder, "store")).map((name) => readFileSync(join(folder, "store", name), "latin1"));
    expect(kept.some((text) => text.includes("zeek-*"))).toBe(true);
    expect(kept.some((text) => text.includes("hunter2"))).toBe(false);
    const tested = await ask(server, "POST", "/api/data_sources/siem/test");
    expect(tested.body).toMatchObject({ cluster: "fake", version: "2.19.0", connections: 12_345, fields: { ts: "ts", proto: null } });
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from("hunter:hunter2").toString("base64")}`);
    expect((await ask(server, "DELETE", "/api/data_sources?name=siem")).body.Deleted).toBe(true);
    expect((await ask(server, "POST", "/api/data_sources/siem/test")).status).toBe(404);
  });

  it.each([
    [{ kind: "mysql" }, 400],
    [{ url: "ftp://host" }, 400],
    [{ url: "http://me:secret@host" }, 400],
    [{ indexes: {} }, 400],
    [{ preset: "own" }, 400],
    [{ password: undefined }, 400],
    [{ api_key: "key" }, 400],
    [{ path: "/office" }, 400],
    [{ ca: "no certificate" }, 400],
    [{ nothing: 1 }, 400],
  ])("with %j are refused", async (change, status) => {
    const server = await served();
    const answer = await ask(server, "POST", "/api/data_sources", { ...SOURCE, url, name: "wrong", ...change });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.not.stringContaining("hunter2")]);
    expect((await ask(server, "GET", "/api/data_sources")).body).toEqual([]);
  });

  it("answer /data and the insights in the API's shapes, and say what they cannot", async () => {
    const first = await served();
    await ask(first, "POST", "/api/data_sources", { ...SOURCE, url });
    await first.close();
    servers.length = 0;
    const server = await served({ documents: "siem" });
    const shards = { timed_out: false, _shards: { total: 1, successful: 1, failed: 0 } };
    const source = { ts: "2026-01-02T03:04:05.678901Z", id: { orig_h: "10.0.0.1", resp_h: "192.0.2.1", resp_p: 443 } };
    searchAnswer = {
      status: 200,
      body: { ...shards, hits: { total: { value: 7, relation: "eq" }, hits: [{ _index: "zeek-1", _id: "a", _source: source }] } },
    };
    const query = await ask(server, "POST", "/data/query", {
      index: "conn_logs",
      q: { query: { match: { resp_h: "192.0.2.1" } } },
      time_from: "2026-01-01",
      time_to: "2026-01-03",
      size: 1,
    });
    expect(query.status).toBe(200);
    expect(query.body.hits).toMatchObject({
      total: 7,
      hits: [{ _source: { orig_h: "10.0.0.1", resp_p: 443, ts: "2026-01-02 03:04:05.678901" } }],
    });
    const { path, body } = asked.at(-1) as Asked;
    expect(path).toBe("/zeek-*/_search");
    expect(body.query.bool.must).toEqual([{ match: { "id.resp_h": "192.0.2.1" } }]);
    expect(body.query.bool.filter[0].range.ts).toMatchObject({ gte: "2026-01-01T00:00:00.000Z" });
    expect(body.size).toBe(1);
    const buckets = [{ key: "10.0.0.1", doc_count: 7, sum_count: { value: 7 } }];
    searchAnswer = {
      status: 200,
      body: {
        ...shards,
        hits: { total: { value: 7 }, hits: [] },
        aggregations: { max_connections_by_orig_h: { doc_count_error_upper_bound: 0, sum_other_doc_count: 0, buckets } },
      },
    };
    const insight = await ask(server, "POST", "/data/insight", { index: "conn_logs", insight: "max_connections_by_orig_h" });
    expect(insight).toMatchObject({ status: 200, body: { max_connections_by_orig_h: { buckets } } });
    expect(JSON.stringify(asked.at(-1)?.body)).toContain('"value_count":{"field":"_index"}');
    const lacking = await ask(server, "POST", "/data/insight", { index: "conn_logs", insight: "top_external_uploaders_by_orig_h" });
    expect(lacking).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("orig_internal (whether the source is internal") },
    });
    expect((await ask(server, "POST", "/data/query", { index: "dns_logs" })).status).toBe(404);
    searchAnswer = { status: 401, body: { error: { type: "security_exception", reason: "unable to authenticate" }, status: 401 } };
    const refused = await ask(server, "POST", "/data/query", { index: "conn_logs" });
    expect(refused).toMatchObject({
      status: 502,
      body: { code: "cluster_failed", message: "the cluster refused the credentials (unable to authenticate)" },
    });
    await expect(served({ documents: "nothing", store: join(folder, "other") })).rejects.toThrow('there is no cluster "nothing"');
  });

  it("fail a run with what the cluster said", async () => {
    const server = await served({ store: join(folder, "runs") });
    await ask(server, "POST", "/api/data_sources", { ...SOURCE, url });
    searchAnswer = {
      status: 400,
      body: { error: { root_cause: [{ type: "x", reason: "no such thing" }], type: "x", reason: "no" }, status: 400 },
    };
    const run = await ask(server, "POST", "/api/searches/adaptive", { data_source: "siem" });
    expect([run.status, run.body.detail]).toEqual([422, expect.stringContaining("the cluster answered 400: no such thing")]);
  });
});

const programs = postgresPrograms();
describe.skipIf(programs === undefined)("a server that leaves runs to workers", () => {
  it("queues them, shows them, cancels them, and answers 503 to who waits when it stops", async () => {
    const postgres = await startPostgres(programs ?? "");
    try {
      const server = await served({ store: await postgres.database(), roots: { logs: folder }, queue: { queued: 2 }, graceSeconds: 0 });
      const submit = (): ReturnType<typeof ask> => ask(server, "POST", "/api/searches/adaptive?async=true", { log_dir: "/logs" });
      const first = await submit();
      expect([first.status, first.body.state]).toEqual([202, "queued"]);
      const second = await submit();
      expect((await submit()).status).toBe(503);
      expect((await ask(server, "GET", `/api/runs/${first.body.beacon_group}`)).body).toMatchObject({
        state: "queued",
        source: "/logs",
        search: "adaptive",
      });
      expect((await ask(server, "POST", `/api/runs/${first.body.beacon_group}/cancel`)).body).toEqual({ cancelled: true });
      expect((await ask(server, "POST", `/api/runs/${first.body.beacon_group}/cancel`)).status).toBe(409);
      const waits = ask(server, "POST", "/api/searches/adaptive", { log_dir: "/logs" });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await server.close();
      servers.length = 0;
      expect((await waits).status).toBe(503);
      // What was queued is not lost with the server.
      const next = await served({ store: await postgres.database(), graceSeconds: 0 });
      expect((await ask(next, "GET", "/api/runs")).body).toEqual([]);
      expect(second.status).toBe(202);
    } finally {
      for (const server of servers.splice(0)) await server.close();
      await postgres.stop();
    }
  });

  it("needs PostgreSQL", async () => {
    await expect(served({ queue: {}, store: join(folder, "sqlite") })).rejects.toThrow("workers need runs in PostgreSQL");
  });
});
