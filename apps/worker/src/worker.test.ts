import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { planSearch } from "@heliograph/core";
import {
  openStore,
  QueuedRuns,
  type Retries,
  type Run,
  type RunOrder,
  RunQueue,
  SecretBox,
  SourceStore,
  type Store,
  TASK_VERSION,
} from "@heliograph/runtime/runs";
import {
  openSearchJars,
  postgresPrograms,
  startOpenSearch,
  startPostgres,
  type TestOpenSearch,
  type TestPostgres,
} from "@heliograph/runtime/testing";
import PgBoss from "pg-boss";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorker, start } from "./index.js";

const programs = postgresPrograms();
let postgres: TestPostgres;
let logs = "";
const opened: (() => Promise<unknown>)[] = [];
const HEADER = "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
const flow = (source: string, calls: number): string =>
  Array.from({ length: calls }, (_, i) => `${1_700_000_000 + i * 600}.25\t${source}\t${i}\t192.0.2.1\t443\ttcp\n`).join("");

beforeAll(async () => {
  logs = mkdtempSync(join(tmpdir(), "worker-"));
  for (const name of ["small", "big", "broken"]) mkdirSync(join(logs, name));
  writeFileSync(join(logs, "small", "conn.log"), HEADER + flow("10.0.0.1", 40) + flow("10.0.0.2", 40));
  const many = Array.from({ length: 2000 }, (_, i) => flow(`10.1.${i >> 8}.${i & 255}`, 150)).join("");
  writeFileSync(join(logs, "big", "conn.log"), HEADER + many);
  writeFileSync(join(logs, "broken", "conn.log"), "this is no log\n");
  if (programs) postgres = await startPostgres(programs);
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(logs, { recursive: true });
});

interface Setting {
  readonly url: string;
  readonly store: Store;
  readonly service: QueuedRuns;
  submit(place?: string): Promise<Run>;
  worker(options?: {
    concurrent?: number;
    leaseMs?: number;
    seconds?: number;
    port?: number;
    graceSeconds?: number;
  }): Promise<RunningWorker>;
}

/** A database with what a server does with it, and workers as asked for. */
async function setting(retries: Partial<Retries> = {}): Promise<Setting> {
  const url = await postgres.database();
  const store = await openStore(url);
  const service = new QueuedRuns(store, await RunQueue.open(store), { retries: { backoffSeconds: 0.1, ...retries } });
  opened.push(
    () => store.close(),
    () => service.close(0),
  );
  return {
    url,
    store,
    service,
    submit: (place = "/logs/small") => service.submit(orderOf(), { name: place, paths: [] }),
    worker: async (options = {}) => {
      const worker = await start({ store: url, roots: { logs }, pollMs: 50, leaseMs: 1000, log: false, ...options });
      opened.push(() => worker.close());
      return worker;
    },
  };
}

const orderOf = (): RunOrder => ({
  search: planSearch("quick"),
  paths: [],
  bounds: {},
  filter: {},
  names: false,
  archives: false,
  verbose: false,
  threads: 1,
});

/** A worker in a process of its own, which can be killed. */
function spawnWorker(url: string, concurrent = 2): ChildProcess {
  const options = JSON.stringify({ store: url, roots: { logs }, pollMs: 20, leaseMs: 400, concurrent, log: false });
  const program = join(logs, "worker.mjs");
  const module = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
  writeFileSync(program, `import { start } from ${module};\nawait start(JSON.parse(process.argv[2]));\n`);
  return spawn(process.execPath, [program, options], { stdio: ["ignore", "ignore", "inherit"] });
}

const beaconsOf = async ({ service }: Setting, id: string): Promise<string[]> =>
  (await service.runs.beacons(id)).map(({ n, source, score }) => `${n} ${source} ${score}`);
const SMALL = ["1 10.0.0.1 100", "2 10.0.0.2 100"];

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let left = 400; !(await holds()); left--) {
    if (left === 0) throw new Error("it never came to be");
    await wait(25);
  }
}

describe.skipIf(programs === undefined)("workers on PostgreSQL", () => {
  it("do what servers queue, with progress, log and results as a server's own", async () => {
    const place = await setting();
    const run = await place.submit();
    expect((await place.service.runs.get(run.id))?.state).toBe("queued");
    const worker = await place.worker();
    const { run: ended, unreadable } = await place.service.ended(run.id);
    expect([ended.state, ended.progress, ended.beaconCount, ended.error, unreadable]).toEqual(["done", 1, 2, null, false]);
    expect(await beaconsOf(place, run.id)).toEqual(SMALL);
    expect(ended.summary).toMatchObject({ rows: 80, files: 1 });
    const log = (await place.service.runs.log(run.logFile)) ?? "";
    expect(log).toContain(`worker ${worker.name} takes it, attempt 1`);
    expect(log).toContain("read ");
    // Where the folder lies on the worker's machine is nobody's business.
    expect(log).not.toContain(logs);
  });

  it("fail at once what cannot be done, with the reason, and do the others", async () => {
    const place = await setting();
    const outside = await place.submit("/etc");
    const missing = await place.submit("/logs/nothing");
    const broken = await place.submit("/logs/broken");
    const fine = await place.submit();
    await place.worker();
    expect((await place.service.ended(fine.id)).run.state).toBe("done");
    for (const [run, reason] of [
      [outside, "lies in none of the folders"],
      [missing, "no such file or folder"],
      [broken, "no log has a readable row"],
    ] as const) {
      const { run: ended, unreadable } = await place.service.ended(run.id);
      expect([ended.state, unreadable]).toEqual(["failed", true]);
      expect(ended.error).toContain(reason);
      expect(ended.error).not.toContain(logs);
    }
  });

  it("end what takes too long", async () => {
    const place = await setting();
    const run = await place.submit("/logs/big");
    // The order is right, the time is not.
    await place.worker({ seconds: 0.05 });
    const { run: ended } = await place.service.ended(run.id);
    expect([ended.state, ended.error]).toEqual(["failed", "took longer than 0.05 seconds"]);
  });

  it("can be cancelled while they wait, while they are done, and no more when they are over", async () => {
    const place = await setting();
    const waiting = await place.submit();
    expect(await place.service.cancel(waiting.id)).toBe(true);
    const busy = await place.submit("/logs/big");
    const worker = await place.worker({ leaseMs: 400 });
    await until(async () => (await place.service.runs.get(busy.id))?.state === "running");
    expect(await place.service.cancel(busy.id)).toBe(true);
    await until(async () => worker.url === undefined && (await place.service.runs.get(busy.id))?.state === "cancelled");
    const after = await place.submit();
    expect((await place.service.ended(after.id)).run.state).toBe("done");
    expect(await place.service.cancel(after.id)).toBe(false);
    expect(await place.service.cancel("no-such-run")).toBe(false);
    for (const { id } of [waiting, busy]) {
      const run = await place.service.runs.get(id);
      expect([run?.state, await beaconsOf(place, id)]).toEqual(["cancelled", []]);
    }
  });

  it("lose nothing and double nothing when they are killed at any time, fifty times", async () => {
    const place = await setting({ attempts: 60, backoffSeconds: 0.01 });
    const runs: Run[] = [];
    let workers = [spawnWorker(place.url), spawnWorker(place.url)];
    let state = 7;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    for (let kill = 0; kill < 50; kill++) {
      runs.push(await place.submit(kill % 5 === 0 ? "/logs/big" : "/logs/small"));
      await wait(random() * 700);
      const victim = workers[kill % 2];
      victim?.kill("SIGKILL");
      workers = workers.map((worker) => (worker === victim ? spawnWorker(place.url) : worker));
    }
    const ends = await Promise.all(runs.map((run) => place.service.ended(run.id)));
    for (const worker of workers) worker.kill("SIGKILL");
    expect(ends.map(({ run }) => run.state)).toEqual(runs.map(() => "done"));
    for (const [i, { run }] of ends.entries()) {
      const beacons = await beaconsOf(place, run.id);
      if (i % 5 === 0) expect([beacons.length, run.beaconCount]).toEqual([2000, 2000]);
      else expect(beacons).toEqual(SMALL);
    }
    const left = await place.store.read.selectFrom("run_tasks").selectAll().where("state", "!=", "done").execute();
    expect(left).toEqual([]);
  }, 120_000);

  it("give up a run that kills its workers, and go on with the others", async () => {
    const place = await setting({ attempts: 2 });
    const poisoned = await place.submit("/logs/big");
    for (let attempt = 1; attempt <= 2; attempt++) {
      const victim = spawnWorker(place.url, 1);
      await until(async () => {
        const task = await place.store.read
          .selectFrom("run_tasks")
          .select(["state", "attempts"])
          .where("run_id", "=", poisoned.id)
          .executeTakeFirst();
        return task?.state === "running" && task.attempts === attempt;
      });
      victim.kill("SIGKILL");
    }
    await place.worker();
    const fine = await place.submit();
    const { run } = await place.service.ended(poisoned.id);
    expect(run.state).toBe("failed");
    expect(run.error).toMatch(/^the worker that did it ended without a word \(.+\); tried 2 times$/);
    expect((await place.service.ended(fine.id)).run.state).toBe("done");
  });

  it("write nothing under a lease that is another's", async () => {
    const place = await setting();
    const run = await place.submit();
    const queue = await RunQueue.open(place.store);
    opened.push(() => queue.close());
    const claim = (worker: string, leaseMs: number) =>
      place.store.write.transaction().execute((tx) => queue.tasks.claimIn(tx, run.id, 0, worker, leaseMs));
    const first = await claim("first", 1);
    if (!first) throw new Error("not claimed");
    expect(await claim("second", 1000)).toBeUndefined();
    await wait(20);
    expect(await queue.tasks.reap()).toBe(1);
    expect(await queue.tasks.reap()).toBe(0);
    const second = await claim("second", 5000);
    if (!second) throw new Error("not claimed again");
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(await queue.tasks.renew(first, 1000)).toBe(false);
    const empty = { beacons: [], talkers: [], summary: {} };
    await expect(queue.tasks.finish(first, empty)).rejects.toThrow("another worker's");
    expect(await queue.tasks.giveUp(first, "too late")).toBe("lost");
    await queue.tasks.finish(second, empty);
    await expect(queue.tasks.finish(second, empty)).rejects.toThrow("over");
    expect((await place.service.runs.get(run.id))?.state).toBe("done");
  });

  it("leave tasks of a newer version to newer workers", async () => {
    const place = await setting();
    const boss = new PgBoss({ connectionString: place.url, schedule: false });
    await boss.start();
    opened.push(() => boss.stop({ graceful: false }));
    const run = await place.submit();
    // As a newer server would say it.
    const sent = await boss.fetch<{ runId: string; n: number; version: number }>("heliograph-tasks");
    await boss.send("heliograph-tasks", { ...sent[0]?.data, version: TASK_VERSION + 1 });
    const fine = await place.submit();
    await place.worker();
    expect((await place.service.ended(fine.id)).run.state).toBe("done");
    await wait(300);
    expect((await place.service.runs.get(run.id))?.state).toBe("queued");
  });

  it("do a thousand small runs that are queued at once", async () => {
    const place = await setting();
    const runs = await Promise.all(Array.from({ length: 1000 }, () => place.submit()));
    await place.worker({ concurrent: 4 });
    await place.worker({ concurrent: 4 });
    const ends = await Promise.all(runs.map(({ id }) => place.service.ended(id)));
    expect(new Set(ends.map(({ run }) => run.state))).toEqual(new Set(["done"]));
    const { total } = await place.store.read
      .selectFrom("beacons")
      .select((count) => count.fn.countAll().as("total"))
      .executeTakeFirstOrThrow();
    expect(Number(total)).toBe(2000);
  }, 180_000);

  it("go on when the database was away", async () => {
    const place = await setting({ attempts: 10 });
    const runs = await Promise.all(Array.from({ length: 30 }, (_, i) => place.submit(i % 10 === 0 ? "/logs/big" : "/logs/small")));
    const worker = await place.worker({ concurrent: 2, port: 0 });
    await wait(300);
    await postgres.restart(700);
    const ends = await Promise.all(runs.map(({ id }) => place.service.ended(id)));
    expect(ends.map(({ run }) => run.state)).toEqual(runs.map(() => "done"));
    for (const [i, { run }] of ends.entries()) expect((await beaconsOf(place, run.id)).length).toBe(i % 10 === 0 ? 2000 : 2);
    const health = await fetch(`${worker.url}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).toMatch(/heliograph_worker_tasks_total\{outcome="done"\} \d+/);
    expect(metrics).toMatch(/heliograph_worker_tasks_active 0/);
    expect((await fetch(`${worker.url}/nothing`)).status).toBe(404);
  }, 120_000);

  it("let tasks under way end when they are told to stop, and give up what takes longer for others", async () => {
    const place = await setting({ attempts: 5 });
    const small = await place.submit();
    const first = await place.worker({ graceSeconds: 20 });
    await until(async () => (await place.service.runs.get(small.id))?.state !== "queued");
    await first.close();
    expect((await place.service.runs.get(small.id))?.state).toBe("done");
    const big = await place.submit("/logs/big");
    const hasty = await place.worker({ graceSeconds: 0 });
    await until(async () => (await place.service.runs.get(big.id))?.state === "running");
    await hasty.close();
    expect((await place.service.runs.get(big.id))?.state).toBe("running");
    await place.worker();
    expect((await place.service.ended(big.id)).run).toMatchObject({ state: "done", beaconCount: 2000 });
  });
});

const jars = programs === undefined ? undefined : openSearchJars();

describe.skipIf(jars === undefined)("workers on a cluster", () => {
  let node: TestOpenSearch;
  beforeAll(async () => {
    node = await startOpenSearch(jars ?? "");
    // 1,600 sources: more than one part looks at. Each third is a beacon.
    const documents = Array.from({ length: 1600 }, (_, host) =>
      Array.from({ length: host % 3 === 0 ? 20 : 3 }, (__, call) => ({
        ts: 1_700_000_000 + call * 600,
        id: { orig_h: `10.1.${host >> 8}.${host & 255}`, orig_p: call, resp_h: "192.0.2.1", resp_p: 443 },
        proto: "tcp",
      })),
    ).flat();
    const ip = { type: "ip" };
    await node.fill("zeek", { properties: { id: { properties: { orig_h: ip, resp_h: ip } }, proto: { type: "keyword" } } }, documents);
  }, 120_000);
  afterAll(() => node.stop());

  const hunted = async (place: Setting, index = "zeek"): Promise<Run> => {
    process.env["HELIOGRAPH_SECRET"] = "a secret of the tests";
    const sources = new SourceStore(place.store, () => SecretBox.open(logs));
    const name = `siem-${index}`;
    await sources.addCluster(name, {
      kind: "opensearch",
      url: node.url,
      indexes: { conn_logs: index },
      preset: "zeek",
      credentials: { username: "hunter", password: "hunter2" },
    });
    return place.service.submit({ ...orderOf(), cluster: name }, { name, paths: [] });
  };

  it("share the parts of a hunt, and join them to one result", async () => {
    const place = await setting();
    const run = await hunted(place);
    await place.worker();
    await place.worker();
    const { run: ended } = await place.service.ended(run.id);
    expect([ended.state, ended.error, ended.beaconCount]).toEqual(["done", null, 534]);
    expect(ended.summary).toMatchObject({ parts: 4, groups: 1600, rows: 534 * 20 + 1066 * 3, fetchedRows: 534 * 20 });
    const [first] = await place.service.runs.beacons(run.id);
    expect(first).toMatchObject({ destination: "192.0.2.1", port: 443, score: 100, connectionCount: 20 });
    expect((await place.service.runs.beacon(run.id, 1))?.evidence).toMatchObject({ prevalence: 1600 });
    const log = (await place.service.runs.log(run.logFile)) ?? "";
    for (const said of ["task 0 (plan), attempt 1", "task 4 (part) done", "task 5 (join), attempt 1", "found 534 potential beacons"])
      expect(log).toContain(said);
    expect(log).not.toContain("hunter2");
    const kept =
      JSON.stringify(await place.store.read.selectFrom("run_tasks").selectAll().execute()) +
      JSON.stringify(await place.store.read.selectFrom("cluster_sources").selectAll().execute());
    expect(kept).not.toContain("hunter2");
    // What the parts left is not kept beside the result.
    expect(
      await place.store.read.selectFrom("run_tasks").selectAll().where("run_id", "=", run.id).where("kind", "=", "part").execute(),
    ).toEqual([]);
  });

  it("lose no part when they are killed in one", async () => {
    const place = await setting({ attempts: 40, backoffSeconds: 0.01 });
    const runs = [await hunted(place)];
    runs.push(await place.service.submit({ ...orderOf(), cluster: "siem-zeek" }, { name: "siem-zeek", paths: [] }));
    let worker = spawnWorker(place.url, 1);
    for (let kill = 0; kill < 6; kill++) {
      await wait(400 + 150 * kill);
      worker.kill("SIGKILL");
      worker = spawnWorker(place.url, 1);
    }
    for (const { id } of runs) expect((await place.service.ended(id)).run).toMatchObject({ state: "done", beaconCount: 534 });
    worker.kill("SIGKILL");
  }, 120_000);

  it("fail at once what an index cannot answer, and try again what a cluster that is away may", async () => {
    const place = await setting({ attempts: 2 });
    const run = await hunted(place, "nothing");
    await place.worker();
    expect((await place.service.ended(run.id)).run).toMatchObject({ state: "failed", error: expect.stringContaining("nothing") });
    const sources = new SourceStore(place.store);
    await sources.addCluster("away", { kind: "opensearch", url: "http://127.0.0.1:1", indexes: { conn_logs: "zeek" }, preset: "zeek" });
    const away = await place.service.submit({ ...orderOf(), cluster: "away" }, { name: "away", paths: [] });
    const { run: ended } = await place.service.ended(away.id);
    expect(ended.error).toMatch(/^127\.0\.0\.1:1 does not answer: .*; tried 2 times$/);
    const unknown = await place.service.submit({ ...orderOf(), cluster: "unknown" }, { name: "unknown", paths: [] });
    expect((await place.service.ended(unknown.id)).run.error).toBe('there is no cluster "unknown" among the data sources');
  }, 120_000);
});

it("say what they need", async () => {
  const folder = mkdtempSync(join(tmpdir(), "worker-store-"));
  await expect(start({ store: folder, log: false })).rejects.toThrow("workers need runs in PostgreSQL");
  rmSync(folder, { recursive: true });
  await expect(start({ store: "postgres://test@127.0.0.1:1/nothing", log: false })).rejects.toThrow("127.0.0.1:1");
  await expect(start({ store: folder, roots: { none: join(folder, "none") }, log: false })).rejects.toThrow("root none");
});
