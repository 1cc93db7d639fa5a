import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { plain, type SearchResponse, searchIndexes, writeJson } from "@heliograph/core/query";
import { afterAll, describe, expect, it } from "vitest";
import type { LogFile } from "../files/find-logs.js";
import { bulk } from "./bulk.js";
import { importFile } from "./import-logs.js";
import { type LogEngine as Engine, LogStore } from "./index.js";

/** The built one: threads need files that Node can load. */
const { LogEngine, LogRefusal } = (await import(new URL("../../dist/logs/index.js", import.meta.url).href)) as {
  LogEngine: typeof Engine;
  LogRefusal: ErrorConstructor;
};

const root = mkdtempSync(join(tmpdir(), "log-store-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let number = 0;
const folder = (): string => join(root, `store-${number++}`);

function fileOf(name: string, content: string | Uint8Array): LogFile {
  const path = join(root, `${number++}-${name}`);
  writeFileSync(path, content);
  return { name: path, path, size: statSync(path).size, stream: false };
}

const CONN =
  "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tnote.color\ttags\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tcount\tstring\tset[string]\n";

function connLog(rows: number, first = 0): string {
  const lines = Array.from({ length: rows }, (_zero, i) => {
    const n = first + i;
    return `${1_700_000_000 + n}.000250\tC${n}\t10.0.${(n >> 8) & 255}.${n & 255}\t${n % 65_536}\t${n % 3 === 0 ? "2001:db8::7" : `192.0.2.${n % 50}`}\t443\ttcp\t${n % 10 === 0 ? "-" : n}\t${n % 2 === 0 ? "red" : "-"}\ta${n % 4},b\n`;
  });
  return CONN + lines.join("");
}

const find = (store: LogStore, index: string, body: unknown): SearchResponse =>
  plain(searchIndexes(store.searchable(store.resolve(index)), body, { now: Date.now(), totalAsInteger: true })) as SearchResponse;
const sources = (response: SearchResponse): Record<string, unknown>[] =>
  response.hits.hits.map((hit) => hit["_source"] as Record<string, unknown>);

describe("an import", () => {
  it("keeps every field of a Zeek log, with what is known besides, and takes a content once", async () => {
    const store = new LogStore(folder());
    const file = fileOf("conn.log.gz", gzipSync(connLog(100)));
    const outcome = await importFile(store, file);
    expect(outcome).toMatchObject({ rows: { conn_logs: 100 }, isKnown: false, malformedRows: 0, problems: [] });
    expect(await importFile(store, { ...file, name: "another name" })).toMatchObject({ rows: {}, isKnown: true });
    expect(store.count("conn_logs")).toBe(100);
    const [row] = sources(find(store, "conn_logs", { query: { term: { uid: "C7" } } }));
    expect(row).toEqual({
      ts: "2023-11-14 22:13:27.000250",
      uid: "C7",
      orig_h: "10.0.0.7",
      orig_internal: true,
      orig_p: 7,
      resp_h: "192.0.2.7",
      resp_internal: false,
      resp_p: 443,
      proto: "tcp",
      orig_bytes: 7,
      tags: ["a3", "b"],
      count: 1,
    });
    expect(
      find(store, "conn_logs", {
        query: { bool: { filter: [{ term: { "id.resp_h": "2001:db8::/32" } }, { term: { "note.color": "red" } }] } },
      }).hits.total,
    ).toBe(17);
    expect(find(store, "conn_logs", { query: { bool: { must_not: { exists: { field: "orig_bytes" } } } } }).hits.total).toBe(10);
    // A column that the log lacks is in no row.
    for (const field of ["service", "duration", "missed_bytes", "local_orig", "history"]) {
      expect(find(store, "conn_logs", { query: { exists: { field } } }).hits.total).toBe(0);
    }
    const { aggregations } = find(store, "conn_logs", {
      size: 0,
      aggs: { tags: { terms: { field: "tags" } }, sent: { sum: { field: "orig_bytes" } } },
    });
    expect(aggregations).toMatchObject({
      tags: { buckets: [{ key: "b", doc_count: 100 }, { key: "a0", doc_count: 25 }, {}, {}, {}] },
      sent: { value: 4500 },
    });
    store.close();
  });

  it("reads JSON of every shape, and loses no record for a value that does not fit", async () => {
    const store = new LogStore(folder());
    const zeek = [
      {
        _path: "dns",
        ts: 1700000000.5,
        uid: "D1",
        id: { orig_h: "10.0.0.1", resp_h: "10.0.0.53", resp_p: 53 },
        query: "www.example.co.uk.",
        rcode: 0,
        answers: ["192.0.2.1"],
        big: 1,
      },
      {
        _path: "dns",
        ts: "2023-11-14T22:13:21.250000Z",
        "id.orig_h": "10.0.0.1",
        "id.resp_h": "10.0.0.53",
        query: "x.github.io",
        big: { deep: "now an object" },
      },
      { _path: "weird", ts: 1, "id.orig_h": "10.0.0.1" },
      { _path: "dns", ts: "whenever", "id.orig_h": "10.0.0.1" },
    ];
    const lines = `${zeek.map((one) => JSON.stringify(one)).join("\n")}\nno json\n`;
    const outcome = await importFile(store, fileOf("json_streaming_dns.log", lines));
    expect(outcome).toMatchObject({ rows: { dns_logs: 2 }, malformedRows: 2, otherRows: 1, invalidValues: 1 });
    expect(outcome.problems.map(({ line }) => line)).toEqual([2, 4, 5]);
    const rows = sources(find(store, "dns_logs", { sort: "ts" }));
    expect(rows[0]).toMatchObject({
      ts: "2023-11-14 22:13:20.500000",
      orig_h: "10.0.0.1",
      query_length: 17,
      registered_domain: "example.co.uk",
    });
    expect(rows[1]).toMatchObject({ registered_domain: "x.github.io", big: { deep: "now an object" } });
    const event = {
      eventTime: "2023-11-14T22:13:20Z",
      eventName: "ConsoleLogin",
      eventSource: "signin.amazonaws.com",
      sourceIPAddress: "192.0.2.9",
      responseElements: { ConsoleLogin: "Failure" },
      id: "big",
    };
    const text = JSON.stringify(event).replace('"big"', "72057594037927937");
    for (const content of [`{"Records": [${text},${text}]}`, `[${text}]`, `${text}\n${text}\n${text}`, `{\n "Records": [\n${text}\n]\n}`])
      await importFile(store, fileOf("trail.json", content));
    const trail = find(store, "cloudtrail_logs", {
      query: { bool: { filter: [{ term: { "responseElements.ConsoleLogin": "Failure" } }, { term: { id: "72057594037927937" } }] } },
    });
    expect(trail.hits.total).toBe(7);
    expect(sources(trail)[0]).toMatchObject({ ts: "2023-11-14 22:13:20.000000", id: 72057594037927937n, count: 1 });
    const verdict = { hash: "ab", filename: "mal.exe", prediction: "malicious", ts: "2021-07-15 17:20:18.181152", resp_h: "52.11.127.211" };
    await importFile(store, fileOf("objects.ndjson", JSON.stringify(verdict)));
    expect(sources(find(store, "object_logs", { query: { match: { "filename.text": "MAL.exe" } } }))).toEqual([{ ...verdict, count: 1 }]);
    store.close();
  });

  it("says why a file gives nothing, and keeps the rows before a damage", async () => {
    const store = new LogStore(folder());
    expect(await importFile(store, fileOf("notes.txt", "hello\nworld\n"))).toMatchObject({
      rows: {},
      failure: expect.stringContaining("no Zeek log, CloudTrail or verdict records"),
    });
    expect(await importFile(store, fileOf("weird.log", "#path\tweird\n#fields\tts\tname\n1.0\tx\n"))).toMatchObject({
      failure: expect.stringContaining("a log of type weird, which no index keeps"),
    });
    const packed = gzipSync(connLog(5000));
    const cut = await importFile(store, fileOf("conn.log.gz", packed.subarray(0, packed.length >> 1)));
    expect(cut.failure).toContain("ends in the middle of its compressed data");
    expect(cut.rows["conn_logs"]).toBeGreaterThan(100);
    const broken = await importFile(store, fileOf("conn.log", `${connLog(3)}only\tthree\tcolumns\n`));
    expect(broken).toMatchObject({
      rows: { conn_logs: 3 },
      malformedRows: 1,
      problems: [{ line: 11, reason: expect.stringContaining("3 columns where the header has 10") }],
    });
    store.close();
  });

  const data = fileURLToPath(new URL("../../../../../shared/data/", import.meta.url));
  it.skipIf(!existsSync(data))("agrees with a plain reading of real logs (skipped without ../shared/data)", async () => {
    const store = new LogStore(folder());
    const path = join(data, "m57/conn.log");
    await importFile(store, { name: path, path, size: statSync(path).size, stream: false });
    const lines = readFileSync(path, "latin1").split("\n");
    const fields = (lines.find((line) => line.startsWith("#fields")) ?? "").split("\t").slice(1);
    const rows = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split("\t"));
    const place = (name: string): number => fields.indexOf(name);
    const sums = new Map<string, { rows: number; bytes: number }>();
    for (const row of rows) {
      const key = row[place("id.resp_h")] ?? "";
      const sum = sums.get(key) ?? { rows: 0, bytes: 0 };
      const bytes = row[place("orig_bytes")] ?? "-";
      sums.set(key, { rows: sum.rows + 1, bytes: sum.bytes + (bytes === "-" ? 0 : Number(bytes)) });
    }
    const { aggregations } = find(store, "conn_logs", {
      size: 0,
      aggs: { hosts: { terms: { field: "resp_h", size: 10_000 }, aggs: { bytes: { sum: { field: "orig_bytes" } } } } },
    });
    const { buckets } = (aggregations as Record<string, unknown>)["hosts"] as {
      buckets: { key: string; doc_count: number; bytes: { value: number } }[];
    };
    expect(new Map(buckets.map(({ key, doc_count, bytes }) => [key, { rows: doc_count, bytes: bytes.value }]))).toEqual(sums);
    const udp = rows.filter((row) => row[place("proto")] === "udp" && row[place("id.resp_p")] === "53").length;
    expect(
      find(store, "conn_logs", { query: { bool: { filter: [{ term: { proto: "udp" } }, { term: { resp_p: 53 } }] } } }).hits.total,
    ).toBe(udp);
    store.close();
  });
});

describe("documents by bulk", () => {
  const lines = (...actions: readonly unknown[]): string => actions.map((action) => `${writeJson(action)}\n`).join("");

  it("are created, replaced and deleted, before and after they are in a segment", () => {
    const store = new LogStore(folder());
    const first = bulk(
      store,
      lines(
        { index: { _index: "a", _id: "1" } },
        { n: 1 },
        { create: { _index: "a", _id: "2" } },
        { n: 2 },
        { create: { _id: "1" } },
        { n: 3 },
        { index: {} },
        { n: "x" },
        { delete: { _id: "9" } },
      ),
      "a",
    );
    expect(first.errors).toBe(true);
    expect(first.items.map((item) => Object.entries(item).map(([action, { status }]) => [action, status])[0])).toEqual([
      ["index", 201],
      ["create", 201],
      ["create", 409],
      ["index", 400],
      ["delete", 404],
    ]);
    expect(first.items[3]).toMatchObject({
      index: { error: { type: "document_parsing_exception", reason: expect.stringContaining("failed to parse field [n] of type [long]") } },
    });
    for (const state of ["buffered", "in a segment"]) {
      if (state === "in a segment") store.flush("a");
      bulk(store, lines({ index: { _index: "a", _id: "1" } }, { n: 10, state }));
      expect(sources(find(store, "a", { sort: "n" }))).toEqual([{ n: 2 }, { n: 10, state }]);
    }
    store.flush("a");
    expect(bulk(store, lines({ delete: { _index: "a", _id: "2" } })).items[0]).toMatchObject({
      delete: { result: "deleted", status: 200 },
    });
    expect(store.count("a")).toBe(1);
    expect(store.compact()).toBeGreaterThan(1);
    const [hit] = find(store, "a", { version: true }).hits.hits;
    expect(hit).toMatchObject({ _id: "1", _version: 3, _source: { n: 10 } });
    // What was put together is still found by its name.
    expect(bulk(store, lines({ create: { _index: "a", _id: "1" } }, {})).items[0]).toMatchObject({ create: { status: 409 } });
    store.close();
  });

  it("are gone with their index, also for who has them at hand", () => {
    const place = folder();
    const [one, other] = [new LogStore(place), new LogStore(place)];
    bulk(one, lines({ index: { _index: "a" } }, { n: 1 }));
    expect(find(other, "a", {}).hits.total).toBe(1);
    one.deleteIndexes(["a"]);
    expect(() => find(other, "a", {})).toThrow("no such index [a]");
    bulk(one, lines({ index: { _index: "a" } }, { n: 2 }));
    expect(sources(find(other, "a", {}))).toEqual([{ n: 2 }]);
    one.flush("a");
    expect(sources(find(other, "a", {}))).toEqual([{ n: 2 }]);
    one.close();
    other.close();
  });

  it.each<[string, string, string]>([
    ["no newline at the end", '{"index":{"_index":"a"}}\n{"a":1}', "must be terminated by a newline"],
    ["no action", '{"a":1}\n', "Malformed action/metadata line [1]"],
    ["no JSON", "hello\n", "Malformed action/metadata line [1]"],
    ["an array", "[]\n", "expected START_OBJECT"],
    ["no index", '{"index":{}}\n{}\n', "index is missing"],
    ["no document", '{"index":{"_index":"a"}}\n', "lacks the document"],
    ["an unknown parameter", '{"index":{"_index":"a","foo":1}}\n{}\n', "unknown parameter [foo]"],
    ["nothing", "", "request body is required"],
  ])("are refused: %s", (_name, body, reason) => {
    const store = new LogStore(folder());
    expect(() => bulk(store, body)).toThrow(reason);
    expect(store.names()).not.toContain("a");
    store.close();
  });

  it("may hold anything without harm", () => {
    const store = new LogStore(folder());
    const odd = [
      '{"__proto__":{"x":1},"constructor":2,"toString":"t"}',
      `${'{"a":'.repeat(150)}1${"}".repeat(150)}`,
      `{"${"k".repeat(600)}":1}`,
      '{"":1}',
      '{"a.":1}',
      "[1]",
      "null",
      "{",
      `{"n":${"9".repeat(400)}}`,
      '{"d":1e999}',
      JSON.stringify(Object.fromEntries(Array.from({ length: 1500 }, (_zero, i) => [`f${i}`, i]))),
    ];
    const { items } = bulk(store, odd.map((text) => `{"index":{"_index":"odd"}}\n${text}\n`).join(""));
    const statuses = items.map((item) => item["index"]?.["status"]);
    expect(statuses).toHaveLength(odd.length);
    expect(statuses[0]).toBe(201);
    for (const status of statuses.slice(1)) expect([201, 400]).toContain(status);
    expect(find(store, "odd", { query: { term: { constructor: 2 } } }).hits.total).toBe(1);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    store.close();
  });
});

describe("a store", () => {
  it("puts small segments of a day together, removes old ones, and cleans up", async () => {
    const store = new LogStore(folder());
    for (let i = 0; i < 4; i++) await importFile(store, fileOf("conn.log", connLog(50, i * 50)));
    const before = find(store, "conn_logs", {
      size: 0,
      aggs: {
        hosts: {
          terms: { field: "resp_h", size: 100 },
          aggs: { tags: { terms: { field: "tags" } }, sum: { sum: { field: "orig_bytes" } } },
        },
      },
    });
    const ids = find(store, "conn_logs", { size: 200, sort: "uid", _source: false }).hits.hits.map((hit) => hit["_id"]);
    expect(store.compact()).toBe(4);
    expect(store.status(["conn_logs"]).indexes[0]).toMatchObject({ documents: 200, segments: 1 });
    const after = find(store, "conn_logs", {
      size: 0,
      aggs: {
        hosts: {
          terms: { field: "resp_h", size: 100 },
          aggs: { tags: { terms: { field: "tags" } }, sum: { sum: { field: "orig_bytes" } } },
        },
      },
    });
    expect(after.aggregations).toEqual(before.aggregations);
    expect(find(store, "conn_logs", { size: 200, sort: "uid", _source: false }).hits.hits.map((hit) => hit["_id"])).toEqual(ids);
    // Each is deleted by its name, wherever it is now; the name is free for another one.
    expect(bulk(store, `{"delete":{"_index":"conn_logs","_id":"${String(ids[3])}"}}\n`).items[0]).toMatchObject({
      delete: { result: "deleted" },
    });
    expect(bulk(store, `{"delete":{"_index":"conn_logs","_id":"${String(ids[3])}"}}\n`).items[0]).toMatchObject({
      delete: { result: "not_found" },
    });
    expect(store.count("conn_logs")).toBe(199);
    await importFile(store, fileOf("conn.log", connLog(10, 5_000_000)));
    expect(store.prune({ before: 1_701_000_000_000_000 })).toEqual({ segments: 1, rows: 200 });
    expect(store.count("conn_logs")).toBe(10);
    // Readers may hold the files for a while; then they go.
    expect(readdirSync(store.segmentsFolder).length).toBeGreaterThan(1);
    store.collectGarbage(Date.now() + 3_600_000);
    expect(readdirSync(store.segmentsFolder)).toHaveLength(1);
    expect(store.prune({ mostBytes: 0 })).toEqual({ segments: 1, rows: 10 });
    store.close();
  });

  it("searches by several threads as by one, and stops when told", async () => {
    const place = folder();
    const store = new LogStore(place);
    for (let i = 0; i < 3; i++) await importFile(store, fileOf("conn.log", connLog(90_000, i * 90_000)));
    store.close();
    const body = JSON.stringify({
      size: 5,
      query: { range: { orig_bytes: { gte: 1000 } } },
      sort: [{ orig_bytes: "desc" }, "_doc"],
      aggs: {
        hosts: {
          terms: { field: "resp_h", size: 7 },
          aggs: { sent: { sum: { field: "orig_bytes" } }, sources: { cardinality: { field: "orig_h" } } },
        },
        hours: { date_histogram: { field: "ts", fixed_interval: "1h" } },
      },
    });
    const answers = [];
    for (const threads of [1, 3]) {
      const engine = new LogEngine(place, { threads });
      const answer = JSON.parse(await engine.search({ indexes: "conn_logs", body, now: Date.now() })) as { took?: number };
      delete answer.took;
      answers.push(answer);
      const refused = engine.search({ indexes: "conn_logs", body: '{"query":{"mtach":{}}}', now: Date.now() });
      await expect(refused).rejects.toMatchObject({ name: "LogRefusal", status: 400, response: { error: { type: "parsing_exception" } } });
      await expect(engine.search({ indexes: "conn_logs", body, now: Date.now() }, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
        LogRefusal,
      );
      await expect(engine.search({ indexes: "conn_logs", body, now: Date.now() }, { seconds: -1 })).rejects.toMatchObject({ status: 504 });
      await engine.close();
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ hits: { total: { value: 242_100 } } });
  });

  /** Starts a script in a process of its own, which can be killed. */
  function script(code: string): ChildProcess {
    return spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  }
  const built = new URL("../../dist/logs/", import.meta.url).href;

  it("loses nothing that was said to be kept, whenever the process dies", async () => {
    const place = folder();
    const kept = new Set<string>();
    for (let round = 0; round < 6; round++) {
      const child = script(`
        import { LogStore } from ${JSON.stringify(`${built}index.js`)};
        import { bulk } from ${JSON.stringify(`${built}bulk.js`)};
        const store = new LogStore(${JSON.stringify(place)});
        for (let n = 0; ; n++) {
          const ids = Array.from({ length: 20 }, (_, i) => "${round}-" + n + "-" + i);
          bulk(store, ids.map((id) => JSON.stringify({ index: { _index: "docs", _id: id } }) + "\\n" + JSON.stringify({ id, text: "x".repeat(200) }) + "\\n").join(""));
          if (n % 7 === 6) store.flush("docs");
          console.log(ids.join(","));
        }`);
      const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      output.on("line", (line) => {
        for (const id of line.split(",")) kept.add(id);
      });
      await once(output, "line");
      await wait(Math.random() * 250);
      child.kill("SIGKILL");
      await once(child, "close");
    }
    const store = new LogStore(place);
    expect(kept.size).toBeGreaterThan(100);
    const there = new Set<string>();
    for (const index of store.searchable(["docs"])) {
      for (const segment of index.segments) {
        for (let row = 0; row < segment.rows; row++) {
          if (segment.deleted?.has(row)) continue;
          expect(there.has(segment.id(row))).toBe(false);
          there.add(segment.id(row));
          expect(JSON.parse(segment.source(row))).toMatchObject({ id: segment.id(row) });
        }
      }
    }
    expect([...kept].filter((id) => !there.has(id))).toEqual([]);
    store.close();
  }, 60_000);

  it("loses an import that dies, and nothing else of it stays", async () => {
    const place = folder();
    const logs = Array.from({ length: 40 }, (_zero, i) => fileOf("conn.log", connLog(2000, i * 2000)));
    for (let round = 0; round < 6; round++) {
      const child = script(`
        import { LogStore, importFile } from ${JSON.stringify(`${built}index.js`)};
        const store = new LogStore(${JSON.stringify(place)});
        console.log("ready");
        for (const file of ${JSON.stringify(logs)}) console.log(JSON.stringify(await importFile(store, file)));`);
      await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line");
      await wait(Math.random() * 200);
      child.kill("SIGKILL");
      await once(child, "close");
      const store = new LogStore(place);
      const imported = Number(store.catalog.one("select coalesce(sum(rows), 0) as n from imports")?.["n"]);
      expect(imported % 2000).toBe(0);
      expect(find(store, "conn_logs", { size: 0, aggs: { uids: { cardinality: { field: "uid" } } } })).toMatchObject({
        hits: { total: imported },
        aggregations: { uids: { value: imported } },
      });
      store.close();
    }
    const store = new LogStore(place);
    for (const file of logs) await importFile(store, file);
    expect(store.count("conn_logs")).toBe(80_000);
    // What the dead left goes: nobody writes under their numbers any more.
    store.collectGarbage();
    expect(readdirSync(store.segmentsFolder).filter((name) => name.startsWith("new-"))).toEqual([]);
    store.close();
  }, 60_000);
});
