// How long the server takes to say that it lives while it searches: clients ask all the time, until a search of the large log ends.
//
//   npm run bench:serve --workspace benchmarks -- [--clients 200] [--rows 5000000]
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values } = parseArgs({ options: { clients: { type: "string", default: "200" }, rows: { type: "string", default: "5000000" } } });
const logs = join(here, "data", `${values.rows}-1500000`);
if (!existsSync(join(logs, "conn.log"))) throw new Error(`${logs} has no log: run npm run bench first, which makes it`);
const data = mkdtempSync(join(tmpdir(), "bench-serve-"));
const bin = join(here, "../apps/cli/bin/heliograph.js");
const args = ["serve", "--port", "0", "--data-dir", data, "--root", `logs=${logs}`, "--log-level", "off"];
const server = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "inherit"] });
const line = await new Promise((resolve) => server.stdout.once("data", (text) => resolve(String(text))));
const url = /http:\S+?(?=,)/.exec(line)[0];

const times = [];
let searching = true;
const started = performance.now();
const search = fetch(`${url}/api/searches/quick_cluster`, { method: "POST", body: JSON.stringify({ log_dir: "/logs/conn.log" }) }).then(
  async (answer) => {
    searching = false;
    return { status: answer.status, body: await answer.json(), seconds: (performance.now() - started) / 1000 };
  },
);
let failed = 0;
const client = async () => {
  while (searching) {
    const from = performance.now();
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    await answer?.text();
    if (answer?.status !== 200) failed++;
    times.push(performance.now() - from);
  }
};
await Promise.all(Array.from({ length: Number(values.clients) }, client));
const { status, body, seconds } = await search;
server.kill("SIGTERM");
await new Promise((resolve) => server.once("exit", resolve));
rmSync(data, { recursive: true });
if (status !== 200 || !(body.cnt > 0)) throw new Error(`the search answered ${status}: ${JSON.stringify(body)}`);
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(0);
console.log(
  `${values.clients} clients, ${times.length} answers during a search of ${values.rows} rows (${seconds.toFixed(2)} s), ${failed} failed`,
);
console.log(`health: median ${at(0.5)} ms, 99 % within ${at(0.99)} ms, longest ${at(1)} ms`);
