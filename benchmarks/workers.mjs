// What a queue of runs costs, and what more worker processes bring: runs over a log with 1, 2 and 4 of them, then a hunt in a cluster.
//
//   node workers.mjs [--runs 16] [--rows 500000] [--small 300] [--documents 500000]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { planSearch } from "@heliograph/core";
import { openStore, QueuedRuns, RunQueue, SecretBox, SourceStore } from "@heliograph/runtime/runs";
import { openSearchJars, postgresPrograms, startOpenSearch, startPostgres } from "@heliograph/runtime/testing";
import { generateConnLog } from "./generate-conn-log.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "16" },
    rows: { type: "string", default: "500000" },
    small: { type: "string", default: "300" },
    documents: { type: "string", default: "500000" },
  },
});
const programs = postgresPrograms();
if (!programs) throw new Error("PostgreSQL is needed");
const folder = mkdtempSync(join(tmpdir(), "workers-"));
const here = fileURLToPath(new URL(".", import.meta.url));
const bin = join(here, "../apps/cli/bin/heliograph.js");
process.env.HELIOGRAPH_SECRET = "bench";
const order = (extra = {}) => ({
  search: planSearch("quick"),
  paths: [],
  bounds: {},
  filter: {},
  names: false,
  archives: false,
  verbose: false,
  threads: 1,
  ...extra,
});

const postgres = await startPostgres(programs);
const results = {
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  runs: [],
  queue: undefined,
  cluster: [],
};

/** Times `work` with so many worker processes over a database of their own. */
async function withWorkers(count, work) {
  const url = await postgres.database();
  const store = await openStore(url);
  const service = new QueuedRuns(store, await RunQueue.open(store));
  const sources = new SourceStore(store, () => SecretBox.open(folder));
  const workers = Array.from({ length: count }, () =>
    spawn(process.execPath, [bin, "worker", "--database", url, "--root", `logs=${folder}`, "--log-level", "off"], {
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.stdout.once("data", resolve))));
  try {
    return await work(service, sources);
  } finally {
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve) && worker.kill("SIGTERM"))));
    await service.close(0);
    await store.close();
  }
}

async function timed(service, makeRun, count) {
  const started = performance.now();
  const runs = await Promise.all(Array.from({ length: count }, () => makeRun()));
  const submitted = (performance.now() - started) / 1000;
  const ends = await Promise.all(runs.map(({ id }) => service.ended(id)));
  const failed = ends.filter(({ run }) => run.state !== "done");
  if (failed.length > 0) throw new Error(`failed: ${failed[0].run.error}`);
  return { submitted, seconds: (performance.now() - started) / 1000, run: ends[0].run };
}

const rows = Number(values.rows);
generateConnLog(folder, rows, 1000, { gzip: false });
for (const count of [1, 2, 4]) {
  const { seconds } = await withWorkers(count, (service) =>
    timed(service, () => service.submit(order(), { name: "/logs/conn.log", paths: [] }), Number(values.runs)),
  );
  results.runs.push({
    workers: count,
    runs: Number(values.runs),
    seconds,
    rowsPerSecond: Math.round((rows * Number(values.runs)) / seconds),
  });
  console.log(
    `${count} workers: ${values.runs} runs of ${rows} rows in ${seconds.toFixed(1)} s, ${Math.round((rows * Number(values.runs)) / seconds)} rows/s`,
  );
}
const tiny = join(folder, "tiny.log");
writeFileSync(
  tiny,
  "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n1700000000.1\t10.0.0.1\t1\t192.0.2.1\t443\ttcp\n",
);
results.queue = await withWorkers(1, async (service) => {
  const { submitted, seconds } = await timed(
    service,
    () => service.submit(order(), { name: "/logs/tiny.log", paths: [] }),
    Number(values.small),
  );
  return {
    runs: Number(values.small),
    submitMs: (1000 * submitted) / Number(values.small),
    runMs: (1000 * seconds) / Number(values.small),
  };
});
console.log(
  `queue and store: ${results.queue.submitMs.toFixed(1)} ms to submit a run, ${results.queue.runMs.toFixed(1)} ms in all for one of a single row`,
);

const jars = openSearchJars();
if (jars) {
  const node = await startOpenSearch(jars);
  const ip = { type: "ip" };
  const documents = Number(values.documents);
  const list = [];
  // 5,000 sources: a tenth beacons of 100 calls, the others ten connections to ten places.
  for (let host = 0; list.length < documents; host++) {
    const orig_h = `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
    const calls = host % 10 === 0 ? 100 : 90;
    for (let call = 0; call < calls; call++) {
      list.push({
        ts: 1_700_000_000 + call * 600,
        id: {
          orig_h,
          orig_p: call,
          resp_h: host % 10 === 0 ? "192.0.2.1" : `198.51.100.${call % 9}`,
          resp_p: host % 10 === 0 ? 443 : 1000 + (call % 9),
        },
        proto: "tcp",
      });
    }
  }
  await node.fill("zeek", { properties: { id: { properties: { orig_h: ip, resp_h: ip } }, proto: { type: "keyword" } } }, list);
  for (const count of [1, 2, 4]) {
    const { seconds, run } = await withWorkers(count, async (service, sources) => {
      await sources.addCluster("siem", { kind: "opensearch", url: node.url, indexes: { conn_logs: "zeek" }, preset: "zeek" });
      return timed(service, () => service.submit(order({ cluster: "siem" }), { name: "siem", paths: [] }), 1);
    });
    const { parts, groups, fetchedRows } = run.summary;
    results.cluster.push({ workers: count, documents: list.length, parts, groups, fetchedRows, seconds, beacons: run.beaconCount });
    console.log(
      `cluster, ${count} workers: ${list.length} records, ${groups} groups in ${parts} parts, ${fetchedRows} fetched, ${run.beaconCount} beacons in ${seconds.toFixed(1)} s`,
    );
  }
  await node.stop();
}
await postgres.stop();
rmSync(folder, { recursive: true });
writeFileSync(join(here, "results", `${results.date}-workers.json`), `${JSON.stringify(results, undefined, 2)}\n`);
