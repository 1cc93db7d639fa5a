// Times each insight beside DuckDB, which runs the equivalent SQL over the same rows as Parquet: same threads, same process, in turn, answers compared.
//
//   npm run bench:insights --workspace benchmarks -- [--rows 10000000] [--pairs 5] [--threads 2]
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { INSIGHTS, insightAnswer, insightBody, isAggregation } from "@heliograph/core/insights";
import { LogEngine } from "@heliograph/runtime/logs";
import { generateConnLog } from "./generate-conn-log.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000000" },
    "trail-rows": { type: "string", default: "1000000" },
    pairs: { type: "string", default: "5" },
    threads: { type: "string", default: String(cpus().length) },
  },
});
const rows = Number(values.rows);
const threads = Number(values.threads);
const folder = join(here, "data", `${rows}-insights`);
mkdirSync(folder, { recursive: true });
const PARTS = 4;

/** Numbers that look random and are the same everywhere. */
function randoms(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes a log of so many lines, a part at a time. */
function write(path, head, count, line) {
  if (existsSync(path)) return;
  mkdirSync(join(path, ".."), { recursive: true });
  const fd = openSync(path, "w");
  writeSync(fd, head);
  for (let at = 0; at < count; ) {
    let text = "";
    for (const end = Math.min(count, at + 20_000); at < end; at++) text += line(at);
    writeSync(fd, text);
  }
  closeSync(fd);
}

const files = { conn: [], dns: [], ssl: [], trail: [] };
for (let part = 0; part < PARTS; part++) {
  const place = join(folder, String(part));
  const count = rows / PARTS;
  const conn = join(here, "data", `${rows}-query`, String(part), "conn.log");
  if (!existsSync(conn)) generateConnLog(join(conn, ".."), count, 10, { gzip: false, seed: 1000 + part });
  files.conn.push(conn);
  const random = randoms(part + 1);
  const skewed = (most) => Math.floor(most * random() ** 3);
  const id = (i) =>
    `${1_700_006_400 + (part * count + i) / 500}\tC${part}x${i}\t10.${skewed(4)}.${skewed(200)}.${1 + skewed(250)}\t${1024 + skewed(60_000)}`;
  files.dns.push(join(place, "dns.log"));
  write(
    join(place, "dns.log"),
    "#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\trcode\trcode_name\trejected\n",
    count,
    (i) => {
      const failed = random() < 0.1;
      return `${id(i)}\t10.0.0.${skewed(40)}\t${random() < 0.95 ? 53 : 5353}\tudp\thost${skewed(300)}.name${skewed(50_000)}.${["com", "net", "org", "co.uk"][skewed(4)]}\t${failed ? 3 : 0}\t${failed ? "NXDOMAIN" : "NOERROR"}\tF\n`;
    },
  );
  files.ssl.push(join(place, "ssl.log"));
  write(
    join(place, "ssl.log"),
    "#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tversion\tserver_name\tja3\tcert_chain_fps\tsubject\tissuer\n",
    count,
    (i) => {
      const certificate = skewed(20_000);
      return `${id(i)}\t198.51.${skewed(100)}.${skewed(250)}\t443\tTLSv12\thost${certificate}.example\t${random() < 0.9 ? `ja3hash${skewed(3000)}` : "-"}\t${random() < 0.9 ? `fp${certificate},ca` : "-"}\t-\t-\n`;
    },
  );
  files.trail.push(join(place, "trail.json"));
  const EVENTS = [
    "GetObject",
    "DescribeInstances",
    "ConsoleLogin",
    "PutRolePolicy",
    "StopLogging",
    "PutBucketAcl",
    "CreateVpc",
    "AuthorizeSecurityGroupIngress",
    "CreateNetworkAcl",
    "HeadBucket",
  ];
  const SERVICES = ["s3.amazonaws.com", "ec2.amazonaws.com", "iam.amazonaws.com", "cloudtrail.amazonaws.com", "signin.amazonaws.com"];
  write(join(place, "trail.json"), "", Number(values["trail-rows"]) / PARTS, (i) => {
    const event = {
      eventTime: new Date(1_700_006_400_000 + i * 100).toISOString(),
      eventID: `e${part}-${i}`,
      eventName: EVENTS[skewed(10)],
      eventSource: SERVICES[skewed(5)],
      sourceIPAddress: `192.0.2.${skewed(250)}`,
      ...(random() < 0.05 && { errorCode: ["AccessDenied", "Client.UnauthorizedOperation", "Throttling"][skewed(3)] }),
      ...(random() < 0.02 && { errorMessage: "Failed authentication" }),
    };
    return `${JSON.stringify(event)}\n`;
  });
}

const store = join(folder, "store");
const engine = new LogEngine(store, { threads });
if (!existsSync(join(store, "catalog.db"))) {
  const all = Object.values(files).flat();
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: threads }, async () => {
      for (let at = next++; at < all.length; at = next++) {
        const path = all[at];
        const { failure } = await engine.importFile({ name: path, path, size: statSync(path).size, stream: false });
        if (failure) throw new Error(failure);
      }
    }),
  );
  console.error(`imported in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

const instance = await DuckDBInstance.create(":memory:", { threads: String(threads) });
const duck = await instance.connect();
const list = (paths) => paths.map((path) => `'${path}'`).join(",");
const read = (paths, names, types) =>
  `read_csv([${list(paths)}], delim='\t', header=false, comment='#', quote='', escape='', nullstr='-', auto_detect=false, columns={${names
    .split(" ")
    .map((name) => `'${name}':'${types[name] ?? "VARCHAR"}'`)
    .join(",")}})`;
// What is internal is known at import, here as there.
const inside = (name) =>
  `regexp_matches(${name}, '^(10\\.|127\\.|192\\.168\\.|169\\.254\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.|f[cd]|fe[89ab])')`;
const multicast = "regexp_matches(resp_h, '^(22[4-9]\\\\.|23[0-9]\\\\.|255\\\\.255\\\\.255\\\\.255|ff)')".replaceAll("\\\\", "\\");
const tables = {
  conn: `select *, ${inside("orig_h")} orig_internal, ${inside("resp_h")} resp_internal, ${multicast} resp_multicast from ${read(files.conn, "ts uid orig_h orig_p resp_h resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents", { ts: "DOUBLE", duration: "DOUBLE", orig_bytes: "BIGINT", resp_bytes: "BIGINT", orig_ip_bytes: "BIGINT", resp_ip_bytes: "BIGINT", resp_p: "USMALLINT" })}`,
  // The registered domain is made at import; here by the one rule that the made-up names need.
  dns: `select *, length(query) query_length, case when query like '%.co.uk' then split_part(query, '.', 2) || '.co.uk' else split_part(query, '.', 2) || '.' || split_part(query, '.', 3) end registered_domain from ${read(files.dns, "ts uid orig_h orig_p resp_h resp_p proto query rcode rcode_name rejected", { ts: "DOUBLE", rcode: "INTEGER", resp_p: "USMALLINT" })}`,
  ssl: `select *, split_part(cert_chain_fps, ',', 1) cert_fp from ${read(files.ssl, "ts uid orig_h orig_p resp_h resp_p version server_name ja3 cert_chain_fps subject issuer", { ts: "DOUBLE" })}`,
  trail: `select * from read_json([${list(files.trail)}], format='newline_delimited', columns={eventTime:'VARCHAR',eventID:'VARCHAR',eventName:'VARCHAR',eventSource:'VARCHAR',sourceIPAddress:'VARCHAR',errorCode:'VARCHAR',errorMessage:'VARCHAR'})`,
};
for (const [name, sql] of Object.entries(tables)) {
  const path = join(folder, `${name}.parquet`);
  if (!existsSync(path)) await duck.run(`copy (${sql}) to '${path}' (format parquet)`);
  await duck.run(`create view ${name} as select * from read_parquet('${path}')`);
}

const top = (table, key, figure, where = "true", order = "desc") =>
  `select ${key} k, ${figure} f from ${table} where ${where} and ${key} is not null group by 1 order by f ${order} nulls ${order === "desc" ? "last" : "first"} limit 100`;
const outbound = "orig_internal and not resp_internal and not resp_multicast";
const hits = (where) => `select * from trail where ${where} order by eventTime desc limit 100`;
const named = (names, source) =>
  `eventName in (${names.map((name) => `'${name}'`).join(",")})${source ? ` and eventSource = '${source}'` : ""}`;
const events = (insight) =>
  JSON.stringify(insight.body)
    .match(/"eventName":\[([^\]]+)\]/)?.[1]
    .split(",")
    .map((name) => name.slice(1, -1));
const SQL = {
  top_dns_servers: top("dns", "resp_h", "count(*)", "resp_p in (53, 853)"),
  rare_dns_servers: top("dns", "resp_h", "count(*)", "resp_p in (53, 853)", "asc"),
  least_queried_domains: `select registered_domain k, count(*) f, count(distinct orig_h) from dns where query like '%_._%' and query not like '%.arpa' group by 1 order by f limit 100`,
  top_querying_clients: top("dns", "orig_h", "count(*)"),
  top_clients_with_dns_errors: top("dns", "orig_h", "count(*)", "(rcode <> 0 or rejected = 'T')"),
  top_dns_data_uploaders: top("dns", "orig_h", "sum(query_length)"),
  longest_connections_by_orig_h: top("conn", "orig_h", "max(duration)", "duration is not null"),
  longest_connections_by_resp_h: top("conn", "resp_h", "max(duration)", "duration is not null"),
  max_connections_by_orig_h: top("conn", "orig_h", "count(*)"),
  max_connections_by_resp_h: top("conn", "resp_h", "count(*)"),
  top_downloaders_by_orig_h: top("conn", "orig_h", "sum(resp_bytes)"),
  top_downloaders_by_resp_h: top("conn", "resp_h", "sum(resp_bytes)"),
  top_uploaders_by_orig_h: top("conn", "orig_h", "sum(orig_bytes)"),
  top_uploaders_by_resp_h: top("conn", "resp_h", "sum(orig_bytes)"),
  top_external_downloaders_by_orig_h: top("conn", "orig_h", "sum(resp_bytes)", outbound),
  top_external_uploaders_by_orig_h: top("conn", "orig_h", "sum(orig_bytes)", outbound),
  rare_certificates: `select cert_fp k, count(*) f, count(distinct orig_h), min(ts), min_by(server_name, ts) from ssl where cert_fp is not null group by 1 order by f limit 100`,
  rare_ja3_hash: `select ja3 k, count(*) f, count(distinct orig_h), min_by(server_name, ts) from ssl where ja3 is not null group by 1 order by f limit 100`,
  console_login_failures: hits("eventName = 'ConsoleLogin' and errorMessage = 'Failed authentication'"),
  unauthorized_activity: hits(
    "(errorCode like '%UnauthorizedOperation' or errorCode like 'AccessDenied%') and sourceIPAddress <> 'delivery.logs.amazonaws.com' and eventName <> 'HeadBucket'",
  ),
  erroneous_activity: hits("errorCode is not null"),
};
const SOURCES = {
  iam_policy_changes: "iam.amazonaws.com",
  cloudtrail_changes: "cloudtrail.amazonaws.com",
  s3_bucket_activity: "s3.amazonaws.com",
};

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const results = [];
for (const insight of INSIGHTS) {
  const sql = SQL[insight.name] ?? hits(named(events(insight) ?? [], SOURCES[insight.name]));
  const times = { ours: [], theirs: [] };
  let mine;
  let peer;
  for (let pair = -1; pair < Number(values.pairs); pair++) {
    let started = performance.now();
    const json = await engine.search({
      indexes: insight.index,
      body: JSON.stringify(insightBody(insight)),
      now: Date.now(),
      totalAsInteger: true,
    });
    if (pair >= 0) times.ours.push(performance.now() - started);
    const answer = insightAnswer(insight, JSON.parse(json));
    mine = isAggregation(insight)
      ? answer[insight.name].buckets.map((bucket) => Number(bucket[Object.keys(insight.body.aggs[insight.name].aggs)[0]].value))
      : answer.hits.hits.length;
    started = performance.now();
    const reader = await duck.runAndReadAll(sql);
    if (pair >= 0) times.theirs.push(performance.now() - started);
    peer = isAggregation(insight) ? reader.getRows().map((row) => Number(row[1])) : reader.getRows().length;
  }
  const same = Array.isArray(mine)
    ? mine.length === peer.length && mine.every((value, place) => Math.abs(value - peer[place]) <= 1e-6 * Math.abs(value))
    : mine === peer;
  if (!same) throw new Error(`${insight.name}: ${JSON.stringify(mine).slice(0, 200)} is not ${JSON.stringify(peer).slice(0, 200)}`);
  const [a, b] = [median(times.ours), median(times.theirs)];
  results.push({
    name: insight.name,
    heliographMs: Number(a.toFixed(1)),
    duckdbMs: Number(b.toFixed(1)),
    ratio: Number((a / b).toFixed(2)),
  });
  console.error(
    `${insight.name.padEnd(36)} ${a.toFixed(0).padStart(6)} ms  DuckDB ${b.toFixed(0).padStart(6)} ms  ratio ${(a / b).toFixed(2)}`,
  );
}
await engine.close();
const report = {
  rows,
  trailRows: Number(values["trail-rows"]),
  threads,
  machine: cpus()[0]?.model,
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: here, encoding: "utf8" }).trim(),
  insights: results,
};
writeFileSync(join(here, "results", `${new Date().toISOString().slice(0, 10)}-insights.json`), `${JSON.stringify(report, undefined, 2)}\n`);
console.log(JSON.stringify(report, undefined, 2));
process.exit(0);
