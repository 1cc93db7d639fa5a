import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresPrograms, startPostgres, type TestPostgres } from "../testing/postgres.js";
import { HostStore } from "./host-store.js";
import { KeyStore } from "./key-store.js";
import { defaultDataDir, openStore, type Store } from "./open-store.js";
import { type RunResult, RunStore } from "./run-store.js";
import { SourceStore } from "./source-store.js";

const folders: string[] = [];
const programs = postgresPrograms();
let postgres: TestPostgres | undefined;
beforeAll(async () => {
  if (programs) postgres = await startPostgres(programs);
});
afterAll(async () => {
  await postgres?.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const BEACONS = 1500;
const result = (count: number): RunResult => ({
  beacons: Array.from({ length: count }, (_, i) => ({
    source: `10.0.${i >> 8}.${i & 255}`,
    destination: "192.0.2.1",
    port: 443,
    protocol: "tcp",
    score: 90 + i / count,
    name: i === 0 ? "c2.example" : "UNKNOWN",
    connectionCount: 100 + i,
    firstOccurrence: "2024-01-01T00:00:00.000001Z",
    lastOccurrence: "2024-01-02T00:00:00.000000Z",
    evidence: { n: i, deep: { list: [1, 2, 3] } },
  })),
  talkers: [{ source: "10.0.0.1", destination: "192.0.2.1", port: 443, connectionCount: 2 ** 31 - 1 }],
  summary: { rows: 12 },
});

/** A program that keeps runs until it is killed. */
const KEEPER = `
const { openStore, RunStore } = await import(process.env.RUNS);
const store = await openStore(process.env.STORE);
const runs = new RunStore(store);
const result = ${result.toString()};
console.log("ready");
for (;;) {
  const run = await runs.create("quick", { delta: 1 }, { name: "x", paths: [] });
  await runs.start(run.id);
  await runs.addLog(run.logFile, ["a line"]);
  await runs.finish(run.id, result(${BEACONS}));
}`;

describe.each(["sqlite", "postgres"] as const)("a store in %s", (kind) => {
  const skip = kind === "postgres" && programs === undefined;
  const place = async (): Promise<string> => {
    if (kind === "postgres") return (await postgres?.database()) ?? "";
    folders.push(mkdtempSync(join(tmpdir(), "store-")));
    return folders.at(-1) ?? "";
  };

  it.skipIf(skip)("keeps runs whole, in order, under names of their own", async () => {
    const store = await openStore(await place());
    const runs = new RunStore(store);
    const [one, two] = await Promise.all([1, 2].map((delta) => runs.create("quick", { delta }, { name: "x", paths: ["/x"] })));
    if (!one || !two) throw new Error("no runs");
    expect(one.logFile).toMatch(/^log_\d+$/);
    expect(two.logFile).not.toBe(one.logFile);
    expect(await runs.start(one.id)).toBe(true);
    expect(await runs.start(one.id)).toBe(false);
    await runs.progress(one.id, 0.5);
    expect(await runs.get(one.id)).toMatchObject({ state: "running", progress: 0.5, parameters: { delta: 1 }, source: { paths: ["/x"] } });
    await runs.addLog(one.logFile, ["first", "second"]);
    expect(await runs.finish(one.id, result(2450))).toBe(true);
    expect(await runs.finish(one.id, result(1))).toBe(false);
    expect(await runs.get(one.id)).toMatchObject({ state: "done", progress: 1, beaconCount: 2450, summary: { rows: 12 }, error: null });
    const beacons = await runs.beacons(one.id);
    expect(beacons.map(({ n }) => n)).toEqual(Array.from({ length: 2450 }, (_, i) => i + 1));
    const kept = { n: 8, ...result(2450).beacons[7] };
    const { evidence: _, ...listed } = kept;
    expect(beacons[7]).toEqual(listed);
    const pages = [];
    for await (const page of runs.beaconPages(one.id)) pages.push(page);
    expect(pages.map(({ length }) => length)).toEqual([1000, 1000, 450]);
    expect(pages[0]?.[7]).toEqual(kept);
    expect(await runs.talkers(one.id)).toEqual([{ n: 1, ...result(1).talkers[0] }]);
    expect(await runs.log(one.logFile)).toBe("first\nsecond\n");
    expect(await runs.delete(two.id)).toBeUndefined();
    expect(await runs.end(two.id, "cancelled", null)).toBe(true);
    expect(await runs.start(two.id)).toBe(false);
    expect(await runs.end(one.id, "failed", "late")).toBe(false);
    expect((await runs.list()).map(({ state }) => state).sort()).toEqual(["cancelled", "done"]);
    expect(await runs.delete(one.id)).toEqual({ data: true, log: true });
    expect([await runs.get(one.id), await runs.beacons(one.id), await runs.log(one.logFile)]).toEqual([undefined, [], undefined]);
    await store.close();
  });

  it.skipIf(skip)("keeps hosts, data sources and keys", async () => {
    const store = await openStore(await place());
    const runs = new RunStore(store);
    const run = await runs.create("quick", {}, { name: "x", paths: [] });
    await runs.start(run.id);
    await runs.finish(run.id, result(3));
    const hosts = new HostStore(store);
    expect([await hosts.add("192.0.2.1", "ours"), await hosts.add("192.0.2.1"), await hosts.add("10.0.0.9")]).toEqual([true, false, true]);
    expect((await hosts.list()).map(({ ip, dns, description }) => [ip, dns, description])).toEqual([
      ["192.0.2.1", "c2.example", "ours"],
      ["10.0.0.9", "UNKNOWN", ""],
    ]);
    expect(await runs.beacons(run.id)).toEqual([]);
    expect([await hosts.remove("192.0.2.1"), await hosts.remove("192.0.2.1")]).toEqual([true, false]);
    expect(await runs.beacons(run.id)).toHaveLength(3);
    const sources = new SourceStore(store);
    const source = { name: "a", path: "/a", filter: { ports: { include: [443] } } };
    expect([await sources.add(source), await sources.add(source), await sources.get("a")]).toEqual([true, false, source]);
    expect([await sources.remove("a"), await sources.remove("a")]).toEqual([true, false]);
    const keys = new KeyStore(store);
    expect(await keys.required()).toBe(false);
    const { id, key } = await keys.create("x");
    expect([(await keys.find(key))?.id, await keys.find("hg_other"), await keys.required()]).toEqual([id, undefined, true]);
    expect([await keys.revoke("x"), await keys.revoke("x"), await keys.find(key), await keys.required()]).toEqual([1, 0, undefined, true]);
    await store.close();
  });

  it.skipIf(skip)("opens at once in several processes, and two of them write", async () => {
    const location = await place();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(location)));
    const ids = await Promise.all(
      stores.map(async (store) => {
        const runs = new RunStore(store);
        const run = await runs.create("quick", {}, { name: "x", paths: [] });
        await runs.start(run.id);
        await runs.finish(run.id, result(300));
        return run.id;
      }),
    );
    const seen = await new RunStore(stores[0] as Store).list();
    expect(seen.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(new Set(seen.map(({ logFile }) => logFile)).size).toBe(4);
    await Promise.all(stores.map((store) => store.close()));
  });

  it.skipIf(skip)(
    "knows the runs of processes that are gone: another start of the same number, and one of elsewhere that is silent",
    async () => {
      const location = await place();
      const [one, two] = await Promise.all([openStore(location), openStore(location)]);
      const runs = new RunStore(one);
      const own = await runs.create("quick", {}, { name: "x", paths: [] });
      const others = await new RunStore(two).create("quick", {}, { name: "x", paths: [] });
      // Both are of this process.
      expect([await runs.failInterrupted(), await new RunStore(two).failInterrupted()]).toEqual([0, 0]);
      const change = (values: object): Promise<unknown> =>
        one.write.updateTable("instances").set(values).where("id", "=", two.instance).execute();
      await change({ host: "elsewhere", seen_at: new Date(Date.now() - 20_000).toISOString() });
      expect(await runs.failInterrupted()).toBe(0);
      await change({ seen_at: new Date(Date.now() - 40_000).toISOString() });
      expect(await runs.failInterrupted()).toBe(1);
      expect([(await runs.get(others.id))?.state, (await runs.get(own.id))?.state]).toEqual(["failed", "queued"]);
      await one.write.updateTable("instances").set({ started: "1" }).where("id", "=", one.instance).execute();
      const again = await openStore(location);
      expect(await new RunStore(again).failInterrupted()).toBe(1);
      await Promise.all([one, two, again].map((store) => store.close()));
    },
  );

  it.skipIf(skip)("survives a process that is killed at any moment: a run is whole or failed", async () => {
    const location = await place();
    const runsUrl = new URL("../../dist/runs/index.js", import.meta.url).href;
    let whole = 0;
    let interrupted = 0;
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", KEEPER], {
        env: { ...process.env, RUNS: runsUrl, STORE: location },
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await wait(Math.random() * 250);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      const store = await openStore(location);
      if (kind === "sqlite")
        expect((await sql<{ integrity_check: string }>`pragma integrity_check`.execute(store.read)).rows).toEqual([
          { integrity_check: "ok" },
        ]);
      const runs = new RunStore(store);
      // PostgreSQL may still be ending what the process had begun.
      if (kind === "postgres") await wait(50);
      interrupted += await runs.failInterrupted();
      const kept = await store.read
        .selectFrom("runs")
        .leftJoin("beacons", "beacons.run_id", "runs.id")
        .select(["runs.id", "runs.state", "runs.error", "runs.beacon_count", ({ fn }) => fn.count("beacons.n").as("beacons")])
        .groupBy(["runs.id", "runs.state", "runs.error", "runs.beacon_count"])
        .execute();
      for (const { state, error, beacon_count, beacons } of kept) {
        if (state === "done") expect([beacon_count, Number(beacons)]).toEqual([BEACONS, BEACONS]);
        else expect([state, error, beacon_count, Number(beacons)]).toEqual(["failed", expect.stringContaining("interrupted"), 0, 0]);
      }
      whole = kept.filter(({ state }) => state === "done").length;
      await store.close();
    }
    // Both must have been met, or nothing was tested.
    expect(whole).toBeGreaterThan(0);
    expect(interrupted).toBeGreaterThan(0);
  });
});

describe("openStore", () => {
  it("says what is wrong with a folder, and where data goes by default", async () => {
    await expect(openStore("/dev/null/data")).rejects.toMatchObject({
      code: "bad-parameter",
      message: expect.stringContaining("/dev/null/data"),
    });
    await expect(openStore("postgres://user:secret@127.0.0.1:1/x")).rejects.toThrow("postgres://user@127.0.0.1:1/x: connect ECONNREFUSED");
    await expect(openStore("mysql://user:secret@host/x")).rejects.toThrow("is no URL such as postgres://");
    expect(defaultDataDir({ HELIOGRAPH_DATA_DIR: "/a" })).toBe("/a");
    expect(defaultDataDir({ XDG_DATA_HOME: "/b" })).toBe(join("/b", "heliograph"));
  });

  it("keeps no key in the clear", async () => {
    folders.push(mkdtempSync(join(tmpdir(), "store-")));
    const folder = folders.at(-1) ?? "";
    const store = await openStore(folder);
    const { key } = await new KeyStore(store).create("x");
    await store.close();
    expect(readFileSync(join(folder, "heliograph.db")).includes(key)).toBe(false);
  });
});
