// Imports a connection log into the log store, then times typical queries over it beside DuckDB, which runs the equivalent SQL over the same
// rows as Parquet: same threads, same process, one after the other in turn, answers compared. Medians and ratios; results go to results/.
//
//   npm run bench:query --workspace benchmarks -- [--rows 10000000] [--pairs 7] [--threads 2] [--keep]
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { LogEngine } from "@heliograph/runtime/logs";
import { generateConnLog } from "./generate-conn-log.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    pairs: { type: "string", default: "7" },
    threads: { type: "string", default: String(cpus().length) },
    keep: { type: "boolean", default: false },
  },
});
const rows = Number(values.rows);
const threads = Number(values.threads);
const folder = join(here, "data", `${rows}-query`);
const store = join(folder, "store");
const parquet = join(folder, "conn.parquet");

// Files of a quarter each, as Zeek's are of an hour, so that threads can import side by side.
const PARTS = 4;
const logs = Array.from({ length: PARTS }, (_zero, part) => join(folder, String(part), "conn.log"));
logs.forEach((log, part) => {
  if (!existsSync(log)) generateConnLog(join(folder, String(part)), rows / PARTS, 10, { gzip: false, seed: 1000 + part });
});

const fileOf = (path) => ({ name: path, path, size: statSync(path).size, stream: false });
const report = {
  rows,
  threads,
  machine: cpus()[0]?.model,
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: here, encoding: "utf8" }).trim(),
};

if (!values.keep || !existsSync(store)) {
  rmSync(store, { recursive: true, force: true });
  const engine = new LogEngine(store, { threads });
  const started = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: threads }, async () => {
      for (let at = next++; at < logs.length; at = next++) await engine.importFile(fileOf(logs[at]));
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  report.importRowsPerSecond = Math.round(rows / seconds);
  console.error(
    `imported ${rows.toLocaleString("en-US")} rows in ${seconds.toFixed(1)} s: ${report.importRowsPerSecond.toLocaleString("en-US")} rows/s`,
  );
  await engine.close();
}
const instance = await DuckDBInstance.create(":memory:", { threads: String(threads) });
const duck = await instance.connect();
if (!existsSync(parquet)) {
  const names =
    "ts uid orig_h orig_p resp_h resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents".split(
      " ",
    );
  const types = {
    ts: "DOUBLE",
    orig_p: "USMALLINT",
    resp_p: "USMALLINT",
    duration: "DOUBLE",
    orig_bytes: "BIGINT",
    resp_bytes: "BIGINT",
    missed_bytes: "BIGINT",
    orig_pkts: "BIGINT",
    orig_ip_bytes: "BIGINT",
    resp_pkts: "BIGINT",
    resp_ip_bytes: "BIGINT",
  };
  const columns = `{${names.map((name) => `'${name}':'${types[name] ?? "VARCHAR"}'`).join(",")}}`;
  const list = logs.map((log) => `'${log}'`).join(",");
  const started = performance.now();
  await duck.run(
    `copy (select * replace (make_timestamp(cast(round(ts * 1e6) as bigint)) as ts) from read_csv([${list}], delim='\t', header=false, comment='#', quote='', escape='', nullstr='-', auto_detect=false, columns=${columns})) to '${parquet}' (format parquet)`,
  );
  console.error(`DuckDB wrote Parquet in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const MID = "2023-11-15T12:00:00Z";
const host = "10.1.106.183";
/** [name, index body, SQL over `t`, what to compare of either]. */
const total = (answer) => answer.hits.total;
const firstCell = (table) => Number(table[0][0]);
const keyCounts = (name) => (answer) => answer.aggregations[name].buckets.map(({ doc_count: count }) => count);
const second = (table) => table.map((row) => Number(row[1]));
const QUERIES = [
  [
    "count in a time range",
    { size: 0, query: { range: { ts: { gte: "2023-11-15T06:00:00Z", lt: MID } } } },
    `select count(*) from t where ts >= '2023-11-15 06:00:00' and ts < '2023-11-15 12:00:00'`,
    total,
    firstCell,
  ],
  [
    "newest 10 of a host",
    { query: { term: { orig_h: host } }, sort: [{ ts: "desc" }] },
    `select * from t where orig_h = '${host}' order by ts desc limit 10`,
    (answer) => answer.hits.hits.length,
    (table) => table.length,
  ],
  [
    "top 10 destinations",
    { size: 0, aggs: { a: { terms: { field: "resp_h" } } } },
    "select resp_h, count(*) n from t group by 1 order by n desc, 1 limit 10",
    keyCounts("a"),
    second,
  ],
  [
    "top 10 services",
    { size: 0, aggs: { a: { terms: { field: "service" } } } },
    "select service, count(*) n from t where service is not null group by 1 order by n desc, 1 limit 10",
    keyCounts("a"),
    second,
  ],
  [
    "top 10 uploaders by bytes",
    { size: 0, aggs: { a: { terms: { field: "orig_h", order: { s: "desc" } }, aggs: { s: { sum: { field: "orig_bytes" } } } } } },
    "select orig_h, sum(orig_bytes) s from t group by 1 order by s desc nulls last, 1 limit 10",
    (answer) => answer.aggregations.a.buckets.map(({ s }) => s.value),
    second,
  ],
  [
    "connections an hour",
    { size: 0, aggs: { a: { date_histogram: { field: "ts", fixed_interval: "1h", min_doc_count: 1 } } } },
    "select date_trunc('hour', ts) h, count(*) from t group by 1 order by 1",
    keyCounts("a"),
    second,
  ],
  [
    "states an hour",
    {
      size: 0,
      aggs: {
        a: {
          date_histogram: { field: "ts", fixed_interval: "1h", min_doc_count: 1 },
          aggs: { b: { terms: { field: "conn_state", size: 20 } } },
        },
      },
    },
    "select date_trunc('hour', ts) h, conn_state, count(*) from t group by 1, 2 order by 1",
    (answer) => answer.aggregations.a.buckets.reduce((sum, { b }) => sum + b.buckets.length, 0),
    (table) => table.length,
  ],
  [
    "distinct destinations",
    { size: 0, aggs: { a: { cardinality: { field: "resp_h" } } } },
    "select count(distinct resp_h) from t",
    (answer) => answer.aggregations.a.value,
    firstCell,
  ],
  [
    "bytes of long TLS connections",
    {
      size: 0,
      query: {
        bool: { filter: [{ term: { service: "ssl" } }, { range: { duration: { gt: 60 } } }, { terms: { conn_state: ["SF", "S1"] } }] },
      },
      aggs: { a: { stats: { field: "resp_bytes" } } },
    },
    "select count(resp_bytes), min(resp_bytes), max(resp_bytes), avg(resp_bytes), sum(resp_bytes) from t where service = 'ssl' and duration > 60 and conn_state in ('SF', 'S1')",
    (answer) => answer.aggregations.a.count,
    firstCell,
  ],
  [
    "largest 10 uploads out of a network",
    {
      query: { bool: { filter: [{ term: { orig_h: "10.1.0.0/16" } }], must_not: [{ term: { resp_h: "10.0.0.0/8" } }] } },
      sort: [{ orig_bytes: "desc" }],
    },
    "select * from t where starts_with(orig_h, '10.1.') and not starts_with(resp_h, '10.') order by orig_bytes desc nulls last limit 10",
    (answer) => answer.hits.hits.length,
    (table) => table.length,
  ],
  [
    "histories that begin with S",
    { size: 0, query: { prefix: { history: "S" } }, aggs: { a: { terms: { field: "resp_p" } } } },
    "select resp_p, count(*) n from t where starts_with(history, 'S') group by 1 order by n desc, 1 limit 10",
    keyCounts("a"),
    second,
  ],
];

await duck.run(`create view t as select * from read_parquet('${parquet}')`);
const engine = new LogEngine(store, { threads });
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const results = [];
for (const [name, body, sql, ours, theirs] of QUERIES) {
  const times = { heliograph: [], duckdb: [] };
  let mine;
  let peer;
  for (let pair = -1; pair < Number(values.pairs); pair++) {
    let started = performance.now();
    const json = await engine.search({ indexes: "conn_logs", body: JSON.stringify(body), now: Date.now(), totalAsInteger: true });
    if (pair >= 0) times.heliograph.push(performance.now() - started);
    mine = ours(JSON.parse(json));
    started = performance.now();
    const reader = await duck.runAndReadAll(sql);
    if (pair >= 0) times.duckdb.push(performance.now() - started);
    peer = theirs(reader.getRows());
  }
  if (JSON.stringify(mine) !== JSON.stringify(peer))
    throw new Error(`${name}: ${JSON.stringify(mine).slice(0, 300)} is not ${JSON.stringify(peer).slice(0, 300)}`);
  const [a, b] = [median(times.heliograph), median(times.duckdb)];
  results.push({ name, heliographMs: Number(a.toFixed(1)), duckdbMs: Number(b.toFixed(1)), ratio: Number((a / b).toFixed(2)) });
  console.error(`${name.padEnd(38)} ${a.toFixed(0).padStart(6)} ms  DuckDB ${b.toFixed(0).padStart(6)} ms  ratio ${(a / b).toFixed(2)}`);
}
await engine.close();
report.peakMemoryMiB = Math.round(process.resourceUsage().maxRSS / 1024);
report.queries = results;
mkdirSync(join(here, "results"), { recursive: true });
writeFileSync(join(here, "results", `${new Date().toISOString().slice(0, 10)}-query.json`), `${JSON.stringify(report, undefined, 2)}\n`);
console.log(JSON.stringify(report, undefined, 2));
process.exit(0);
