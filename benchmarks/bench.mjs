// Times whole processes, ours beside peers on the same files, interleaved, and checks what they print before it believes a
// time. Medians, ratios of pairs, rows/s, MB/s and peak memory; results go to results/ with machine and commit.
//
//   npm run bench -- [--rows 5000000] [--json-rows 1500000] [--pairs 5] [--only tsv,json,gzip] [--slow-peers] [--scale] [--variants]
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { generateConnLog } from "./generate-conn-log.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const bin = join(here, "../apps/cli/bin/heliograph.js");
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "5000000" },
    "json-rows": { type: "string", default: "1500000" },
    pairs: { type: "string", default: "5" },
    only: { type: "string", default: "tsv,json,gzip" },
    "slow-peers": { type: "boolean", default: false },
    scale: { type: "boolean", default: false },
    variants: { type: "boolean", default: false },
  },
});
const pairs = Number(values.pairs);

/** The logs for so many rows, made when they are not there. */
function logs(rows, jsonRows, gzip = true) {
  const folder = join(here, "data", `${rows}-${jsonRows}`);
  const manifest = join(folder, "manifest.json");
  if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, "utf8"));
  console.error(`writing ${rows.toLocaleString("en-US")} rows to ${folder} …`);
  return generateConnLog(folder, rows, jsonRows, { gzip });
}

/** Runs a process to its end: wall seconds, peak memory in MiB, and what it printed. */
function timed(args) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, ["--import", join(here, "peak-memory.mjs"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (data) => {
      out += data;
    });
    child.stderr.on("data", (data) => {
      err += data;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const seconds = (performance.now() - started) / 1000;
      // Threads load the hook too; the process speaks last and for all.
      const peak = Math.max(...[...err.matchAll(/peak-memory-kib (\d+)/g)].map((match) => Number(match[1])));
      if (code !== 0) reject(new Error(`${args.join(" ")} ended with ${code}: ${err}`));
      else resolve({ seconds, memory: peak / 1024, result: JSON.parse(out) });
    });
  });
}

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Our command on a file; what it must find stands in the manifest. */
// The default filters are off: the peers group every row.
function ours(file, threads, expected) {
  return {
    name: `heliograph, ${threads} ${threads === 1 ? "thread" : "threads"}`,
    args: [bin, "hunt", "quick", "--json", "--no-default-filters", "--threads", String(threads), file],
    check({ summary, beacons }) {
      if (summary.rows !== expected.rows || summary.groups !== expected.groups || summary.malformedRows !== 0) {
        throw new Error(`heliograph found ${JSON.stringify(summary)}, expected ${JSON.stringify(expected)}`);
      }
      if (beacons.length === 0) throw new Error("heliograph found no beacon");
    },
  };
}

function peer(name, args, expected) {
  return {
    name,
    args,
    check({ largeGroups, rowsOfLargeGroups }) {
      if (largeGroups !== expected.largeGroups || rowsOfLargeGroups !== expected.rowsOfLargeGroups) {
        throw new Error(`${name} found ${largeGroups} groups of ${rowsOfLargeGroups} rows, expected ${JSON.stringify(expected)}`);
      }
    },
  };
}

/** Runs the contestants in turn, `pairs` times; the last one is what the others are compared with. */
async function contest(title, contestants, bytes, rows) {
  const runs = contestants.map(() => []);
  for (let round = 0; round < pairs; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const run = await timed(contestant.args);
      contestant.check(run.result);
      runs[index].push(run);
    }
  }
  const base = runs.at(-1) ?? [];
  const lines = contestants.map(({ name }, index) => {
    const own = runs[index] ?? [];
    const seconds = median(own.map((run) => run.seconds));
    const ratios = own.map((run, round) => run.seconds / (base[round]?.seconds ?? Number.NaN));
    const memory = median(own.map((run) => run.memory));
    return {
      name,
      seconds,
      rowsPerSecond: rows / seconds,
      megabytesPerSecond: bytes / 1e6 / seconds,
      memoryMiB: memory,
      ratio: median(ratios),
      ratioRange: [Math.min(...ratios), Math.max(...ratios)],
      memoryRatio: memory / median(base.map((run) => run.memory)),
    };
  });
  console.log(`\n### ${title}\n`);
  console.log("| what | s | rows/s | MB/s | peak MiB | time ratio (range) | memory ratio |");
  console.log("|---|--:|--:|--:|--:|--:|--:|");
  for (const line of lines) {
    const range = line.ratioRange.map((ratio) => ratio.toFixed(2)).join("–");
    console.log(
      `| ${line.name} | ${line.seconds.toFixed(2)} | ${Math.round(line.rowsPerSecond).toLocaleString("en-US")} | ${line.megabytesPerSecond.toFixed(0)} | ${line.memoryMiB.toFixed(0)} | ${line.ratio.toFixed(2)} (${range}) | ${line.memoryRatio.toFixed(2)} |`,
    );
  }
  return { title, rows, bytes, lines };
}

/** Our command with other searches and filters; compared with the quick search alone. */
function variant(name, args, file, expected) {
  return {
    name,
    args: [bin, "hunt", ...args, "--json", file],
    check({ summary, beacons, searches = [{ beacons }] }) {
      if (summary.rows !== expected.rows || summary.malformedRows !== 0) throw new Error(`${name} read ${JSON.stringify(summary)}`);
      if (searches.some((search) => search.beacons.length === 0)) throw new Error(`${name} found no beacon`);
    },
  };
}

const CIDR = ["--source", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16", "--not-destination", "198.51.100.0/24,203.0.113.0/24,2001:db8::/32"];

const results = [];
const duck = (file, kind, expected) => peer("DuckDB, 2 threads (no search)", [join(here, "peers/duckdb.mjs"), "2", file, kind], expected);
if (values.scale) {
  // Time and memory as rows grow, groups staying at 300,000 from 5 million rows on.
  for (const rows of [1_000_000, 5_000_000, 20_000_000]) {
    const { tsv, files } = logs(rows, 1000, false);
    results.push(
      await contest(
        `TSV, ${rows.toLocaleString("en-US")} rows`,
        [ours(files.tsv, 2, tsv), duck(files.tsv, "tsv", tsv)],
        statSync(files.tsv).size,
        rows,
      ),
    );
  }
} else if (values.variants) {
  const { tsv, files } = logs(Number(values.rows), Number(values["json-rows"]));
  const contestants = [
    variant("quick, detailed and hierarchical", ["quick,detailed,hierarchical"], files.tsv, tsv),
    variant("adaptive", ["adaptive"], files.tsv, tsv),
    variant("quick, filtered by networks", ["quick", ...CIDR], files.tsv, tsv),
    variant("quick without the default filters", ["quick", "--no-default-filters"], files.tsv, tsv),
    variant("quick", ["quick"], files.tsv, tsv),
  ];
  results.push(
    await contest(`searches and filters, ${tsv.rows.toLocaleString("en-US")} rows`, contestants, statSync(files.tsv).size, tsv.rows),
  );
} else {
  const manifest = logs(Number(values.rows), Number(values["json-rows"]));
  for (const kind of values.only.split(",")) {
    const file = manifest.files[kind];
    const expected = manifest[kind];
    const contestants = [ours(file, 2, expected), ours(file, 1, expected), duck(file, kind, expected)];
    if (values["slow-peers"] && kind !== "gzip") {
      contestants.unshift(peer("split by line and tab", [join(here, "peers/split-lines.mjs"), file, kind], expected));
      if (kind === "tsv") contestants.unshift(peer("fast-csv", [join(here, "peers/fast-csv.mjs"), file], expected));
    }
    results.push(await contest(`${kind}, ${expected.rows.toLocaleString("en-US")} rows`, contestants, statSync(file).size, expected.rows));
  }
}
const git = (...args) => execFileSync("git", args, { cwd: here, encoding: "utf8" }).trim();
const machine = { cpu: cpus()[0]?.model.trim(), cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version };
const commit = `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain") === "" ? "" : "+changes"}`;
mkdirSync(join(here, "results"), { recursive: true });
const target = join(
  here,
  "results",
  `${new Date().toISOString().slice(0, 10)}-${values.scale ? "scale" : values.variants ? "variants" : "hunt"}.json`,
);
writeFileSync(target, `${JSON.stringify({ machine, commit, pairs, results }, undefined, 2)}\n`);
console.log(`\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, commit ${commit}`);
