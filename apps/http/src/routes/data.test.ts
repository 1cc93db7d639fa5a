import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeyStore, openStore } from "@heliograph/runtime/runs";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type RunningServer, start } from "../index.js";
import { type Answer, ask } from "../testing/ask.js";

const folder = mkdtempSync(join(tmpdir(), "data-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

let stores = 0;
const newStore = (): string => join(folder, `store-${stores++}`);

async function served(store = newStore()): Promise<RunningServer> {
  const server = await start({ port: 0, store, version: "1.2.3", log: false });
  servers.push(server);
  return server;
}

const SERVERS: readonly (readonly [address: string, queries: number])[] = [
  ["169.254.169.254", 42_990],
  ["10.203.0.2", 31_307],
  ["10.201.0.2", 31_145],
  ["10.192.0.2", 12_315],
  ["172.16.0.2", 56],
];

describe("the Insights API", () => {
  it("lists the insights of the API page", async () => {
    const { status, body } = await ask(await served(), "GET", "/data/insights");
    expect(status).toBe(200);
    expect(Object.entries(body).map(([index, names]) => [index, (names as string[]).length])).toEqual([
      ["dns_logs", 6],
      ["conn_logs", 10],
      ["ssl_logs", 2],
      ["cloudtrail_logs", 9],
    ]);
    expect(body["dns_logs"]).toEqual([
      "least_queried_domains",
      "rare_dns_servers",
      "top_clients_with_dns_errors",
      "top_dns_data_uploaders",
      "top_dns_servers",
      "top_querying_clients",
    ]);
  });

  it("answers the page's example with the page's five lines", async () => {
    const server = await served();
    const now = Date.now() / 1000;
    // Rolled-up records: `count` says how many queries each stands for.
    const lines = SERVERS.flatMap(([address, queries]) => {
      const parts = [Math.floor(queries / 2), Math.ceil(queries / 2)];
      return parts.map((count, i) =>
        JSON.stringify({
          _path: "dns",
          ts: now - 3600 - i,
          "id.orig_h": "10.0.0.1",
          "id.resp_h": address,
          "id.resp_p": 53,
          query: "example.com",
          count,
        }),
      );
    });
    const old = JSON.stringify({
      _path: "dns",
      ts: now - 3 * 86_400,
      "id.orig_h": "10.0.0.1",
      "id.resp_h": "192.0.2.1",
      "id.resp_p": 53,
      query: "example.com",
      count: 1_000_000,
    });
    expect((await ask(server, "POST", "/api/imports/upload?name=dns.json", [...lines, old].join("\n"))).body).toMatchObject({
      rows: { dns_logs: 11 },
    });
    const { body } = await ask(
      server,
      "POST",
      "/data/insight",
      '{"index": "dns_logs", "insight": "top_dns_servers", "time_from": "now-1d", "time_to": "now"}',
      { "Content-Type": "application/json" },
    );
    // jq -r '.top_dns_servers.buckets[] | [ .key, .sum_count.value ] | @csv'
    const csv = body.top_dns_servers.buckets.map(
      (bucket: { key: string; sum_count: { value: number } }) => `${JSON.stringify(bucket.key)},${bucket.sum_count.value}`,
    );
    expect(csv).toEqual(SERVERS.map(([address, queries]) => `"${address}",${queries}`));
    expect(Object.keys(body)).toEqual(["top_dns_servers"]);
    const sized = await ask(server, "POST", "/data/insight", '{"index": "dns_logs", "insight": "top_dns_servers", "size": 2}');
    expect(sized.body.top_dns_servers).toMatchObject({ buckets: [{}, {}], sum_other_doc_count: 6 });
    const event = { eventTime: new Date().toISOString(), eventName: "StopLogging", eventSource: "cloudtrail.amazonaws.com" };
    await ask(server, "POST", "/api/imports/upload?name=trail.json", JSON.stringify({ Records: [event] }));
    const trail = await ask(server, "POST", "/data/insight", '{"index": "cloudtrail_logs", "insight": "cloudtrail_changes"}');
    expect(trail.body).toMatchObject({ hits: { total: 1, hits: [{ _source: event }] } });
  });

  it.each<[string, unknown, number, string]>([
    ["no insight", { index: "dns_logs" }, 400, "insight is missing"],
    ["no index", { insight: "top_dns_servers" }, 400, "index is missing"],
    [
      "an insight of another index",
      { index: "conn_logs", insight: "top_dns_servers" },
      400,
      "there is no insight top_dns_servers of conn_logs; there are longest_connections_by_orig_h",
    ],
    ["an index without insights", { index: "object_logs", insight: "x" }, 400, "there are insights of dns_logs, conn_logs"],
    ["a size that is too large", { index: "dns_logs", insight: "top_dns_servers", size: 10_001 }, 400, "size must be from 1 to 10000"],
    ["a wrong time", { index: "dns_logs", insight: "top_dns_servers", time_to: "07/08/2021" }, 400, "time_to"],
    ["what is no parameter", { index: "dns_logs", insight: "top_dns_servers", q: {} }, 400, "q is no parameter"],
  ])("refuses %s", async (_name, body, status, message) => {
    expect(await ask(await served(), "POST", "/data/insight", JSON.stringify(body))).toMatchObject({
      status,
      body: { message: expect.stringContaining(message), status },
    });
  });
});

describe("paths and methods that there are not", () => {
  it.each([
    ["DELETE", "/data/query", 405, "POST"],
    ["GET", "/data/insight", 405, "POST"],
    ["POST", "/data/insights", 405, "GET, HEAD"],
    ["GET", "/data/nothing", 404, null],
  ])("%s %s", async (method, path, status, allow) => {
    const { headers, ...answer } = await ask(await served(), method, path);
    expect(answer).toMatchObject({ status, body: { status, code: status === 405 ? "method_not_allowed" : "not_found" } });
    expect(headers.get("allow")).toBe(allow);
  });
});

describe("a key", () => {
  async function keyed(limits: Parameters<KeyStore["create"]>[1]): Promise<{ readonly store: string; readonly key: string }> {
    const place = newStore();
    const store = await openStore(place);
    const { key } = await new KeyStore(store).create("one", limits);
    await store.close();
    return { store: place, key };
  }

  it("is asked for, and its allowance is told and kept", async () => {
    const { store, key } = await keyed({});
    const server = await served(store);
    const without = await ask(server, "GET", "/data/insights");
    expect(without).toMatchObject({ status: 401, body: { code: "unauthorized", status: 401 } });
    expect(without.headers.get("www-authenticate")).toBe("ApiKey");
    expect(await ask(server, "GET", "/data/insights", undefined, { "x-api-key": "hg_wrong" })).toMatchObject({
      status: 403,
      body: { code: "forbidden" },
    });
    const first = await ask(server, "GET", "/data/insights", undefined, { "x-api-key": key });
    expect(first.status).toBe(200);
    expect(first.headers.get("ratelimit-policy")).toBe("1;w=60, 1000;w=86400");
    expect(first.headers.get("ratelimit-remaining")).toBe("0");
    const second = await ask(server, "GET", "/data/insights", undefined, { "x-api-key": key });
    expect(second).toMatchObject({ status: 429, body: { code: "rate_limited" } });
    expect(Number(second.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(Number(second.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    // It counts under /data alone; health needs no key.
    expect((await ask(server, "GET", "/api/app/version", undefined, { "x-api-key": key })).status).not.toBe(429);
    expect((await ask(server, "GET", "/healthz")).status).toBe(200);
    await server.close();
    servers.pop();
    // A restart gives nothing back.
    expect((await ask(await served(store), "GET", "/data/insights", undefined, { "x-api-key": key })).status).toBe(429);
  });

  it("has a number of requests a day", async () => {
    const { store, key } = await keyed({ perDay: 2, perMinute: null });
    const server = await served(store);
    const ask1 = (): Promise<Answer> => ask(server, "POST", "/data/insight", "{}", { "x-api-key": key });
    // What was asked wrongly counts too.
    expect([(await ask1()).status, (await ask1()).status]).toEqual([400, 400]);
    const third = await ask1();
    expect(third).toMatchObject({ status: 429, body: { code: "quota_exceeded" } });
    expect(Number(third.headers.get("retry-after"))).toBeLessThanOrEqual(86_400);
  });

  it("may be for some indexes only, and is revoked while in use", async () => {
    const { store, key } = await keyed({ perDay: null, perMinute: null, indexes: ["dns_logs"] });
    const server = await served(store);
    const headers = { "x-api-key": key };
    expect(Object.keys((await ask(server, "GET", "/data/insights", undefined, headers)).body)).toEqual(["dns_logs"]);
    expect((await ask(server, "POST", "/data/query", '{"index":"dns_logs"}', headers)).status).toBe(200);
    expect(await ask(server, "POST", "/data/query", '{"index":"conn_logs"}', headers)).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("it may ask dns_logs") },
    });
    expect((await ask(server, "POST", "/data/insight", '{"index":"conn_logs","insight":"top_uploaders_by_orig_h"}', headers)).status).toBe(
      403,
    );
    const opened = await openStore(store);
    await new KeyStore(opened).revoke("one");
    await opened.close();
    expect((await ask(server, "POST", "/data/query", '{"index":"dns_logs"}', headers)).status).toBe(403);
  });

  it("is not over-granted by two servers and 200 requests at once", async () => {
    const { store, key } = await keyed({ perDay: 20, perMinute: 1000 });
    const both = [await served(store), await served(store)];
    const statuses = await Promise.all(
      Array.from(
        { length: 200 },
        async (_zero, i) => (await ask(both[i % 2] as RunningServer, "GET", "/data/insights", undefined, { "x-api-key": key })).status,
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(180);
  }, 60_000);
});
