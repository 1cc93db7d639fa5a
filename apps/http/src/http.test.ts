import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { KeyStore, openStore } from "@heliograph/runtime/runs";
import { postgresPrograms, startPostgres, type TestPostgres } from "@heliograph/runtime/testing";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, type StartOptions, start } from "./index.js";
import { type Answer, ask } from "./testing/ask.js";
import { makeOffice } from "./testing/office.js";

const folders: string[] = [];
const folderNamed = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  folders.push(folder);
  return folder;
};
let office: ReturnType<typeof makeOffice>;
const programs = postgresPrograms();
let postgres: TestPostgres | undefined;
beforeAll(async () => {
  office = makeOffice();
  folders.push(dirname(office.root));
  if (programs) postgres = await startPostgres(programs);
});
afterAll(async () => {
  await postgres?.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const servers: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function served(options: Partial<StartOptions> = {}): Promise<RunningServer> {
  const server = await start({
    port: 0,
    store: folderNamed("store"),
    roots: { office: office.root },
    version: "1.2.3",
    log: false,
    graceSeconds: 10,
    ...options,
  });
  servers.push(server);
  return server;
}

/** A request as bytes, for what fetch would set right. */
function raw(server: RunningServer, text: string): Promise<string> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (data) => {
      answer += String(data);
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

const QUICK = {
  log_type: "conn",
  log_dir: "/office/logs",
  delta: 20,
  call_back: 10,
  percent: 85,
  span_avg: 12,
  variance: 15,
  start_dte: "",
  end_dte: "",
  zip: false,
  verbose: false,
};
const search = async (server: RunningServer, path = "quick_cluster", body: object = QUICK): Promise<string> => {
  const { status, body: answer } = await ask(server, "POST", `/api/searches/${path}`, body);
  expect([status, answer]).toEqual([200, expect.objectContaining({ beacon_group: expect.any(String) })]);
  return answer.beacon_group;
};

describe.each(["sqlite", "postgres"] as const)("the beacon API over %s", (kind) => {
  const skip = kind === "postgres" && programs === undefined;
  const store = async (): Promise<string> => (kind === "postgres" ? ((await postgres?.database()) ?? "") : folderNamed("store"));

  it.skipIf(skip)("says what it is and how it is set", async () => {
    const server = await served({ store: await store(), config: { searches: { quick: { delta: 7 } } } });
    expect((await ask(server, "GET", "/api/application/version")).body).toEqual({
      title: "Heliograph",
      version: "1.2.3",
      description: expect.stringContaining("Zeek"),
    });
    const { body } = await ask(server, "GET", "/api/application/configuration");
    expect(body).toMatchObject({ searches: { quick: { delta: 7, percent: 85 } }, roots: ["office"], store: kind });
    expect(JSON.stringify(body)).not.toContain(office.root);
  });

  it.skipIf(skip)("searches, and gives results, talkers and the log back until they are deleted", async () => {
    const server = await served({ store: await store(), config: { names: true } });
    const answer = await ask(server, "POST", "/api/searches/quick_cluster", { ...QUICK, delta: 60 });
    expect(answer).toMatchObject({ status: 200, body: { cnt: 2, log_file: expect.stringMatching(/^log_\d+$/) } });
    const { beacon_group, log_file } = answer.body;
    const results = `/api/results/beacon_results?beacon_group=${beacon_group}`;
    expect((await ask(server, "GET", results)).body).toEqual([
      {
        ID: 1,
        "Source IP": "10.0.0.1",
        "Destination IP": "192.0.2.1",
        Port: 443,
        Score: 100,
        DNS: "c2.example",
        "Connection Count": 100,
        "First Occurrence": "2023-11-14T22:13:20.250000Z",
        "Last Occurrence": "2023-11-15T14:43:20.250000Z",
      },
      expect.objectContaining({ ID: 2, "Source IP": "10.0.0.2", DNS: "UNKNOWN", "Connection Count": 60 }),
    ]);
    expect((await ask(server, "GET", "/api/results/beacon_groups")).body).toEqual([
      { beacon_group, date: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), beacon_count: 2, log_file },
    ]);
    expect((await ask(server, "GET", `/api/results/top_talkers?beacon_group=${beacon_group}`)).body[0]).toEqual({
      ID: 1,
      "Source IP": "10.0.0.1",
      "Destination IP": "192.0.2.1",
      Port: 443,
      "Total Number of Connections": 100,
    });
    const log = (await ask(server, "GET", `/api/results/log_file?log_file=${log_file}`)).body.file_content;
    expect(log).toContain("163 rows, 0 malformed");
    expect(log).toContain("found 2 potential beacons");
    expect(log).toContain("read /office/logs/conn.log: ");
    expect(log).not.toContain(office.root);
    expect((await ask(server, "DELETE", `/api/results/log_file?log_file=${log_file}`)).body).toEqual({
      Deleted: true,
      Message: expect.any(String),
    });
    expect((await ask(server, "GET", `/api/results/log_file?log_file=${log_file}`)).status).toBe(404);
    expect((await ask(server, "DELETE", results)).body).toEqual({
      Data: { Deleted: true, Message: expect.any(String) },
      Log: { Deleted: false, Message: expect.any(String) },
    });
    expect((await ask(server, "GET", results)).status).toBe(404);
    expect((await ask(server, "GET", "/api/results/beacon_groups")).body).toEqual([]);
  });

  it.skipIf(skip)("runs the other searches, with their own parameters and either name of the spans", async () => {
    const server = await served({ store: await store() });
    const spans = [
      [0, 5],
      [2, 15],
      [15, 35],
      [30, 60],
    ];
    const detailed = {
      log_dir: "/office/logs",
      delta: 20,
      call_back: 10,
      percent: 85,
      start_dte: "",
      end_dte: "",
      zip: false,
      verbose: false,
    };
    for (const [path, body] of [
      ["detailed_cluster", { ...detailed, time_spans: spans }],
      ["detailed_cluster", { ...detailed, spans }],
      ["detailed_cluster", { log_dir: "/office/logs" }],
      ["hierarchical", { ...detailed, line_amounts: [1], variance: 15 }],
    ] as const) {
      const group = await search(server, path, body);
      const { body: found } = await ask(server, "GET", `/api/results/beacon_results?beacon_group=${group}`);
      expect(found.map((row: Record<string, unknown>) => [row["Destination IP"], row["Score"]])).toEqual([["192.0.2.2", 100]]);
    }
    const both = await ask(server, "POST", "/api/searches/detailed_cluster", { ...detailed, spans, time_spans: spans });
    expect([both.status, both.body.parameter]).toEqual([400, expect.stringMatching(/spans/)]);
  });

  it.skipIf(skip)("leaves filtered hosts out of past and future results, and leaves gaps", async () => {
    const server = await served({ store: await store() });
    const group = await search(server, "quick_cluster", { ...QUICK, delta: 60 });
    const host = "/api/results/filter_host";
    expect((await ask(server, "POST", `${host}?ip=192.0.2.1&description=ours`)).body).toEqual({
      Filtered: true,
      Message: expect.any(String),
    });
    expect((await ask(server, "POST", host, { ip: "192.0.2.1" })).body.Filtered).toBe(true);
    expect((await ask(server, "GET", host)).body).toEqual([
      { IP: "192.0.2.1", DNS: "UNKNOWN", Description: "ours", Filtered_Date: expect.stringMatching(/Z$/) },
    ]);
    const left = async (of: string): Promise<number[]> =>
      (await ask(server, "GET", `/api/results/beacon_results?beacon_group=${of}`)).body.map((row: { ID: number }) => row.ID);
    expect(await left(group)).toEqual([2]);
    expect(await left(await search(server, "quick_cluster", { ...QUICK, delta: 60 }))).toEqual([2]);
    expect((await ask(server, "GET", "/api/results/beacon_groups")).body.map((one: { beacon_count: number }) => one.beacon_count)).toEqual([
      2, 2,
    ]);
    expect((await ask(server, "DELETE", `${host}?ip=192.0.2.1`)).body.Deleted).toBe(true);
    expect((await ask(server, "DELETE", `${host}?ip=192.0.2.1`)).body.Deleted).toBe(false);
    expect(await left(group)).toEqual([1, 2]);
    for (const ip of ["", "10.0.0.0/8", "10.*", "example.com", "1.2.3.4'; drop table runs"]) {
      const wrong = await ask(server, "POST", `${host}?ip=${encodeURIComponent(ip)}`);
      expect([wrong.status, wrong.body.parameter]).toEqual([400, "ip"]);
    }
  });

  it.skipIf(skip)("shows runs with progress, evidence and exports, and saves data sources", async () => {
    const server = await served({ store: await store() });
    const source = { name: "mine", path: "/office/logs", filter: { ports: { exclude: [80] }, source: { exclude: ["10.0.0.2"] } } };
    expect((await ask(server, "POST", "/api/data_sources", source)).status).toBe(200);
    expect((await ask(server, "POST", "/api/data_sources", source)).status).toBe(409);
    expect((await ask(server, "GET", "/api/data_sources")).body).toEqual([source]);
    const started = await ask(server, "POST", "/api/searches/quick_cluster?async=true", { data_source: "mine", delta: 60 });
    expect([started.status, started.headers.get("location")]).toEqual([202, `/api/runs/${started.body.beacon_group}`]);
    const events = await (await fetch(`${server.url}/api/runs/${started.body.beacon_group}/events`)).text();
    expect(events).toMatch(/event: ended\ndata: \{.*"state":"done"/);
    const run = (await ask(server, "GET", `/api/runs/${started.body.beacon_group}`)).body;
    expect(run).toMatchObject({ search: "quick", source: "/office/logs", state: "done", progress: 1, beaconCount: 1, error: null });
    expect(run.summary.removedRows).toEqual({ source: 60 });
    expect((await ask(server, "GET", "/api/runs")).body).toEqual([run]);
    const beacon = (await ask(server, "GET", `/api/runs/${run.id}/beacons/1`)).body;
    expect(beacon.evidence).toMatchObject({ n: 99, intervalMinutes: { counts: [99] }, prevalence: 1 });
    expect((await ask(server, "GET", `/api/runs/${run.id}/beacons/2`)).status).toBe(404);
    expect((await ask(server, "GET", `/api/runs/${run.id}/beacons/x`)).status).toBe(400);
    const csv = await fetch(`${server.url}/api/runs/${run.id}/export?format=csv`);
    expect([csv.headers.get("content-disposition"), (await csv.text()).split("\n").slice(0, 2)]).toEqual([
      `attachment; filename="beacons-${run.id}.csv"`,
      [
        "ID,Source IP,Destination IP,Port,Score,DNS,Connection Count,First Occurrence,Last Occurrence",
        expect.stringMatching(/^1,10\.0\.0\.1,/),
      ],
    ]);
    const lines = await (await fetch(`${server.url}/api/runs/${run.id}/export?format=ndjson`)).text();
    expect(JSON.parse(lines)).toEqual(beacon);
    const report = await fetch(`${server.url}/api/runs/${run.id}/export?format=html`);
    expect(report.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const page = await report.text();
    expect(page).toContain("1 potential beacon (quick)");
    expect(page).toContain("163 connections in 2 groups from 1 file");
    expect(page).toContain("median 10min, mean 10min");
    expect((await ask(server, "GET", `/api/runs/${run.id}/export?format=exe`)).status).toBe(400);
    expect((await ask(server, "POST", `/api/runs/${run.id}/cancel`)).status).toBe(409);
    expect((await ask(server, "DELETE", "/api/data_sources?name=mine")).body.Deleted).toBe(true);
    expect((await ask(server, "POST", "/api/searches/quick_cluster", { data_source: "mine" })).status).toBe(404);
  });

  it.skipIf(skip)("answers 200 clients while it searches", async () => {
    const server = await served({ store: await store() });
    const group = await search(server);
    const long = ask(server, "POST", "/api/searches/quick_cluster", { log_dir: "/office/big", delta: 2, variance: 1000, verbose: true });
    const paths = ["/healthz", "/api/results/beacon_groups", `/api/results/beacon_results?beacon_group=${group}`, "/api/runs", "/readyz"];
    const all = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(server, "GET", paths[i % paths.length] ?? "")));
    expect(all.map(({ status }) => status)).toEqual(new Array(200).fill(200));
    const done = await long;
    expect([done.status, done.body.cnt]).toEqual([200, 400]);
    const log = (await ask(server, "GET", `/api/results/log_file?log_file=${done.body.log_file}`)).body.file_content as string;
    expect(log.split("\n").filter((line) => line.includes(" group 10.1."))).toHaveLength(400);
  });
});

it.skipIf(programs === undefined)("two servers share one PostgreSQL", async () => {
  const store = (await postgres?.database()) ?? "";
  const [one, two] = await Promise.all([served({ store }), served({ store })]);
  const groups = await Promise.all([one, two, one, two].map((server) => search(server)));
  for (const server of [one, two]) {
    const { body } = await ask(server, "GET", "/api/results/beacon_groups");
    expect(body.map((run: { beacon_group: string }) => run.beacon_group).sort()).toEqual([...groups].sort());
    expect(new Set(body.map((run: { log_file: string }) => run.log_file)).size).toBe(4);
  }
});

describe("errors", () => {
  let server: RunningServer;
  const asked = (body: unknown, path = "quick_cluster"): Promise<Answer> => ask(server, "POST", `/api/searches/${path}`, body);
  beforeAll(async () => {
    server = await served();
    // Kept for all tests here.
    servers.pop();
  });
  afterAll(() => server.close());

  it.each<[unknown, number, string | undefined]>([
    [{ ...QUICK, delta: null }, 400, "delta"],
    [{ ...QUICK, delta: "20" }, 400, "delta"],
    [{ ...QUICK, delta: -1 }, 400, "delta"],
    [{ ...QUICK, call_back: 1.5 }, 400, "call_back"],
    [{ ...QUICK, percent: 101 }, 400, "percent"],
    [{ ...QUICK, zip: "no" }, 400, "zip"],
    [{ ...QUICK, verbose: null }, 400, "verbose"],
    [{ ...QUICK, log_dir: null }, 400, "log_dir"],
    [{ ...QUICK, log_dir: 7 }, 400, "log_dir"],
    [{ ...QUICK, log_dir: "" }, 400, "log_dir"],
    [{ ...QUICK, log_type: "dns" }, 400, "log_type"],
    [{ ...QUICK, start_dte: "yesterday-ish" }, 400, "start"],
    [{ ...QUICK, start_dte: "2024-05-06", end_dte: "2024-05-05" }, 400, undefined],
    [{ ...QUICK, dleta: 3 }, 400, "dleta"],
    [{ ...QUICK, filter: [] }, 400, "filter"],
    [{ ...QUICK, filter: { ports: { include: ["http"] } } }, 400, "ports"],
    [{ ...QUICK, filter: { source: { include: ["10.0.0.0/99"] } } }, 400, "source"],
    [{ ...QUICK, filter: { colour: "red" } }, 400, "filter"],
    [{ ...QUICK, __proto__: null, constructor: 1 }, 400, "constructor"],
    [{ ...QUICK, log_dir: "/office/empty" }, 422, "log_dir"],
    [{ ...QUICK, log_dir: "/office/broken" }, 422, "log_dir"],
    [{ ...QUICK, log_dir: "/office/none" }, 422, "log_dir"],
    [[], 400, undefined],
    ["{", 400, undefined],
    ['"text"', 400, undefined],
  ])("%j is %i and names %s", async (body, status, parameter) => {
    const answer = await asked(body);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "application/problem+json; charset=utf-8"]);
    expect(answer.body).toMatchObject({ status, detail: expect.any(String), request_id: answer.headers.get("x-request-id") });
    if (parameter !== undefined) expect(answer.body.parameter).toContain(parameter);
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.js:\d+|at Object/);
    expect(JSON.stringify(answer.body)).not.toContain(office.root);
  });

  it("takes a body of any type, and none", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json", "application/octet-stream"]) {
      expect((await ask(server, "POST", "/api/searches/quick_cluster", QUICK, { "content-type": type })).status).toBe(200);
    }
    const none = `POST /api/searches/quick_cluster HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n`;
    const body = JSON.stringify(QUICK);
    expect(await raw(server, `${none}Content-Length: ${body.length}\r\n\r\n${body}`)).toMatch(/^HTTP\/1\.1 200/);
    expect(await raw(server, `${none}Content-Length: 0\r\n\r\n`)).toContain('"parameter":"log_dir"');
  });

  it.each([
    "/etc",
    "/office/../secret",
    "/office/../../etc",
    "..",
    "/",
    "",
    "office\\..\\..\\secret",
    "/office/%2e%2e/secret",
    "/office/way-out",
    "/office/way-out/conn.log",
    "/office/logs/../../secret/conn.log",
    "/office\0/logs",
    "//etc/passwd",
    "file:///etc/passwd",
  ])("no path leads out: %j", async (log_dir) => {
    for (const path of [log_dir, log_dir.replace("/office", office.root)]) {
      const answer = await asked({ ...QUICK, log_dir: path });
      expect([400, 403, 422]).toContain(answer.status);
      if (answer.status === 422) expect(answer.body.detail).toContain("no such file or folder");
      const source = await ask(server, "POST", "/api/data_sources", { name: "out", path });
      expect([400, 403, 422]).toContain(source.status);
    }
    const secret = await asked({ ...QUICK, log_dir: office.secret });
    expect([secret.status, secret.body.detail]).toEqual([403, expect.stringContaining("--root NAME=PATH")]);
    for (const name of ["log_file", "beacon_group", "ip"]) {
      const route = { log_file: "log_file", beacon_group: "beacon_results", ip: "filter_host" }[name] ?? "";
      for (const value of [encodeURIComponent(log_dir), encodeURIComponent(encodeURIComponent(log_dir))]) {
        expect([400, 404]).toContain((await ask(server, "GET", `/api/results/${route}?${name}=${value}`)).status);
      }
    }
  });

  it("a path inside a root by its real name is as good as by the root's", async () => {
    expect((await asked({ ...QUICK, log_dir: join(office.root, "logs") })).status).toBe(200);
    expect((await asked({ ...QUICK, log_dir: "/office/logs/conn.log" })).status).toBe(200);
    expect((await asked({ ...QUICK, log_dir: "office/logs" })).status).toBe(200);
  });

  it.each(["/api/results/beacon_results", "/api/results/log_file", "/api/results/top_talkers"])(
    "%s wants its parameter and knows what there is",
    async (path) => {
      const missing = await ask(server, "GET", path);
      expect([missing.status, missing.body.parameter]).toEqual([400, path.endsWith("log_file") ? "log_file" : "beacon_group"]);
      const name = path.endsWith("log_file") ? "log_file" : "beacon_group";
      expect((await ask(server, "GET", `${path}?${name}=00000000-0000-4000-8000-000000000000`)).status).toBe(404);
      expect((await ask(server, "GET", `${path}?${name}=x&more=1`)).status).toBe(400);
    },
  );

  it("refuses what is too large, too long and unknown", async () => {
    expect((await asked({ ...QUICK, log_dir: "x".repeat(2 ** 20) })).status).toBe(413);
    expect((await ask(server, "GET", `/api/runs/${"x".repeat(300)}`)).status).toBe(404);
    expect((await ask(server, "GET", "/api/none")).body).toMatchObject({ status: 404, title: "Not Found" });
    expect((await ask(server, "PUT", "/api/searches/quick_cluster", QUICK)).status).toBe(404);
    expect((await asked("[".repeat(100_000))).status).toBe(400);
    expect(await raw(server, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nBad Header\r\n\r\n")).toMatch(/^HTTP\/1\.1 400/);
  });

  it("answers no page of another site, and no other name of this machine", async () => {
    for (const headers of [{ origin: "http://evil.example" }, { "sec-fetch-site": "cross-site" }, { origin: "null" }]) {
      expect((await ask(server, "POST", "/api/results/filter_host?ip=192.0.2.1", undefined, headers)).status).toBe(403);
    }
    expect(await raw(server, "GET /api/runs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 403/);
    expect((await ask(server, "GET", "/api/results/filter_host")).body).toEqual([]);
    expect((await ask(server, "GET", "/api/runs", undefined, { origin: server.url })).status).toBe(200);
  });
});

describe("API keys", () => {
  it("are wanted by everything but health and documentation once there is one, and not after they are revoked", async () => {
    const store = folderNamed("store");
    const server = await served({ store });
    expect((await ask(server, "GET", "/api/runs")).status).toBe(200);
    const own = await openStore(store);
    const keys = new KeyStore(own);
    const { key } = await keys.create("test");
    expect((await ask(server, "GET", "/api/runs")).status).toBe(401);
    expect((await ask(server, "GET", "/metrics")).status).toBe(401);
    expect((await ask(server, "GET", "/api/runs", undefined, { "x-api-key": `${key}x` })).status).toBe(401);
    expect((await ask(server, "GET", "/api/runs", undefined, { "x-api-key": key })).status).toBe(200);
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/api/openapi.json"])
      expect((await ask(server, "GET", path)).status).toBe(200);
    expect(await (await fetch(`${server.url}/api/docs/`)).text()).toContain("swagger-ui");
    expect(await keys.revoke("test")).toBe(1);
    expect((await ask(server, "GET", "/api/runs", undefined, { "x-api-key": key })).status).toBe(401);
    await own.close();
    expect(readFileSync(join(store, "heliograph.db")).includes(key)).toBe(false);
  });

  it("are a condition of an address of the network", async () => {
    const store = folderNamed("store");
    await expect(start({ host: "0.0.0.0", port: 0, store, version: "1", log: false })).rejects.toThrow("heliograph keys create");
    const open = await served({ host: "0.0.0.0", store, withoutKey: true });
    expect((await fetch(`${open.url.replace("0.0.0.0", "127.0.0.1")}/healthz`)).status).toBe(200);
  });
});

describe("running and stopping", () => {
  it("cancels a run, and lets no more wait than may", async () => {
    execFileSync("mkfifo", [join(office.root, "never.log")]);
    const server = await served({ limits: { concurrent: 1, queued: 1 }, graceSeconds: 1 });
    const slow = { ...QUICK, log_dir: "/office/never.log" };
    const all = await Promise.all(
      Array.from({ length: 6 }, () => ask(server, "POST", "/api/searches/quick_cluster", slow, { prefer: "respond-async" })),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([202, 202, 503, 503, 503, 503]);
    const first = all.find(({ status }) => status === 202)?.body.beacon_group;
    expect((await ask(server, "DELETE", `/api/results/beacon_results?beacon_group=${first}`)).status).toBe(409);
    expect((await ask(server, "POST", `/api/runs/${first}/cancel`)).body).toEqual({ cancelled: true });
    expect((await ask(server, "GET", `/api/runs/${first}`)).body.state).toBe("cancelled");
    // The other one is cut off when the server stops.
    await server.close();
    const hasty = await served({ limits: { seconds: 1 }, graceSeconds: 1 });
    const late = await ask(hasty, "POST", "/api/searches/quick_cluster", slow);
    expect([late.status, late.body.detail]).toEqual([504, expect.stringContaining("took longer than 1 seconds")]);
    await hasty.close();
    // Whoever still waits for somebody to write is let go.
    writeFileSync(join(office.root, "never.log"), "", { flag: "r+" });
    rmSync(join(office.root, "never.log"));
  });

  it("ends what is under way before it stops", async () => {
    const store = folderNamed("store");
    const server = await served({ store });
    const pending = ask(server, "POST", "/api/searches/quick_cluster", { log_dir: "/office/big", delta: 2, variance: 1000 });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await server.close();
    expect(await pending).toMatchObject({ status: 200, body: { cnt: 400 } });
    const again = await served({ store });
    expect((await ask(again, "GET", "/api/results/beacon_groups")).body).toMatchObject([{ beacon_count: 400 }]);
  });
});

describe("the OpenAPI document", () => {
  it("is valid, and what it says of answers holds", async () => {
    const server = await served();
    const group = await search(server);
    const { body: document } = await ask(server, "GET", "/api/openapi.json");
    expect(document.openapi).toBe("3.1.0");
    const checked = await new Validator().validate(structuredClone(document));
    expect(checked).toMatchObject({ valid: true });
    const ajv = new Ajv({ strict: false });
    ajv.addSchema(document, "api");
    const check = (path: string, method: string, { status, body }: Answer): void => {
      const place = `api#/paths/${path.replaceAll("/", "~1")}/${method}/responses/${status}/content/application~1json/schema`;
      const validate = ajv.getSchema(place);
      expect(validate, place).toBeDefined();
      expect([validate?.(body), validate?.errors]).toEqual([true, null]);
    };
    const paths: [string, string][] = [
      ["/api/application/version", ""],
      ["/api/application/configuration", ""],
      ["/api/results/beacon_groups", ""],
      ["/api/results/beacon_results", `?beacon_group=${group}`],
      ["/api/results/beacon_results", "?beacon_group=none"],
      ["/api/results/top_talkers", `?beacon_group=${group}`],
      ["/api/results/log_file", "?log_file=none"],
      ["/api/results/filter_host", ""],
      ["/api/runs", ""],
      ["/api/data_sources", ""],
    ];
    for (const [path, question] of paths) check(path, "get", await ask(server, "GET", path + question));
    check("/api/searches/quick_cluster", "post", await ask(server, "POST", "/api/searches/quick_cluster", QUICK));
    check("/api/searches/quick_cluster", "post", await ask(server, "POST", "/api/searches/quick_cluster?async=true", QUICK));
    check("/api/searches/quick_cluster", "post", await ask(server, "POST", "/api/searches/quick_cluster", { delta: null }));
    const described = Object.keys(document.paths);
    for (const path of ["/api/searches/detailed_cluster", "/api/searches/hierarchical", "/api/runs/{id}/events", "/api/runs/{id}/cancel"])
      expect(described).toContain(path);
  });

  it("has a page that needs nothing from elsewhere", async () => {
    const server = await served();
    const page = await (await fetch(`${server.url}/api/docs/`)).text();
    expect(page).toContain("swagger-ui");
    const sources = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? "");
    expect(sources.length).toBeGreaterThan(2);
    for (const source of sources) {
      expect(source).not.toMatch(/^(?:https?:)?\/\//);
      const answer = await fetch(new URL(source, `${server.url}/api/docs/`));
      expect([answer.status, (await answer.arrayBuffer()).byteLength > 0]).toEqual([200, true]);
    }
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain("heliograph_runs_active 0");
  });
});

const seed = process.env["HELIOGRAPH_SHARED"] ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url));
const page = join(dirname(seed), "seeds", "beacon-api.txt");
const python = ((): string | undefined => {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return "python3";
  } catch {
    console.warn("skipped: python3 is not installed");
    return undefined;
  }
})();
if (!existsSync(page)) console.warn("skipped: the API page is not beside the repository (../shared/seeds)");

/** As much of the `requests` package as the page uses, over Python's own library. */
const REQUESTS = `
import json as _json, os, urllib.error, urllib.parse, urllib.request
class Response:
    def __init__(self, status, text): self.status_code, self.text = status, text
    def json(self): return _json.loads(self.text)
def _ask(method, url, data=None, params=None, headers=None):
    url = url.replace("127.0.0.1:8000", os.environ["SERVER"]).replace("https://api.gobluehexagon.ai", "http://" + os.environ["SERVER"])
    if params: url += "?" + urllib.parse.urlencode(params)
    request = urllib.request.Request(url, data=data.encode() if data is not None else None, method=method)
    request.add_unredirected_header("Content-Type", "")
    for name, value in (headers or {}).items(): request.add_header(name, value)
    try:
        with urllib.request.urlopen(request) as answer: return Response(answer.status, answer.read().decode())
    except urllib.error.HTTPError as error: return Response(error.code, error.read().decode())
def get(url, params=None): return _ask("GET", url, params=params)
def post(url, data=None, params=None, headers=None): return _ask("POST", url, data=data, params=params, headers=headers)
def delete(url, params=None): return _ask("DELETE", url, params=params)
`;

describe.skipIf(python === undefined || !existsSync(page))("the API page's own Python examples", () => {
  /** Runs a program; what it prints. */
  function run(code: string, server: RunningServer, ...args: readonly string[]): Promise<string> {
    const folder = folderNamed("python");
    writeFileSync(join(folder, "requests.py"), REQUESTS);
    return new Promise((resolve, reject) => {
      const child = spawn(python ?? "", ["-c", code, ...args], {
        env: { ...process.env, PYTHONPATH: folder, SERVER: new URL(server.url).host },
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (data) => {
        out += String(data);
      });
      child.stderr.on("data", (data) => {
        err += String(data);
      });
      child.on("close", (status) => (status === 0 ? resolve(out) : reject(new Error(err))));
    });
  }

  it("run unchanged", async () => {
    const server = await served({ roots: { tutorial: join(seed, "tutorial") } });
    const text = readFileSync(page, "utf8");
    const blocks = text.split(/\n(?=[ ]*import requests)/).slice(1);
    const examples = blocks.map((block) => {
      const lines = block.split("\n");
      const indent = /^ */.exec(lines[0] ?? "")?.[0].length ?? 0;
      const end = lines.findIndex((line) => line.trim() !== "" && (/^ */.exec(line)?.[0].length ?? 0) < indent);
      return lines
        .slice(0, end === -1 ? undefined : end)
        .map((line) => line.slice(indent))
        .join("\n");
    });
    expect(examples.length).toBeGreaterThanOrEqual(9);
    const printed: string[] = [];
    for (const example of examples) printed.push(await run(example, server));
    const all = printed.join("\n");
    expect(all).toContain("'title': 'Heliograph'");
    expect(printed.filter((out) => /'cnt': \d+/.test(out)).map((out) => /'cnt': (\d+)/.exec(out)?.[1])).toEqual(["2", "1", "1"]);
    expect(printed.at(-1)).toContain('"Destination IP":"7.7.7.1","Port":80,"Score":100');
    expect(all).toContain("there is no run");
    expect(all).toContain("there is no log");
  });

  it("of the Insights API runs unchanged", async () => {
    const store = folderNamed("store");
    const opened = await openStore(store);
    const { key } = await new KeyStore(opened).create("python");
    await opened.close();
    const server = await served({ store });
    const verdict = {
      filesize: 14336,
      http_host: "s3.amazonaws.com",
      prediction: "malicious",
      filename: "mal2.exe",
      cve: [],
      resp_p: 443,
      resp_h: "52.11.127.211",
      score: 1,
    };
    const lines = Array.from({ length: 12 }, (_zero, i) =>
      JSON.stringify({
        ...verdict,
        ts: new Date(Date.now() - (i + 1) * 86_400_000).toISOString(),
        resp_h: i === 11 ? "192.0.2.1" : verdict.resp_h,
      }),
    );
    const upload = await ask(server, "POST", "/api/imports/upload?name=objects.json", lines.join("\n"), { "x-api-key": key });
    expect(upload.body).toMatchObject({ rows: { object_logs: 12 } });
    const insights = readFileSync(join(dirname(page), "insights-api.txt"), "utf8");
    // The page's blanks are partly ones that do not break a line, which Python does not take.
    const code = (/import json[\s\S]*?print\(json\.dumps\(r\.json\(\)\)\)/.exec(insights)?.[0] ?? "").replaceAll("\u00a0", " ");
    const answer = JSON.parse(await run(code, server, key)) as { hits: { total: number; hits: { _source: Record<string, unknown> }[] } };
    expect(answer.hits.total).toBe(11);
    expect(answer.hits.hits).toHaveLength(10);
    expect(answer.hits.hits[0]?._source).toMatchObject(verdict);
    expect(answer.hits.hits[0]?._source["ts"]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
  });
});
