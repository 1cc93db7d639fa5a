// Installs what the lock file says, unless that is what lies there already.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const mark = `${root}node_modules/.heliograph-lock`;

/** Runs a command of this repository; ends the process when it fails. */
export function must(command, args, options = {}) {
  const shell = process.platform === "win32";
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", ...options.env };
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell, ...options, env });
  if (error) console.error(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs dependencies when the lock file changed since the last time. */
export function setup() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Heliograph needs Node 20.19 or later; this is ${process.versions.node}`);
    process.exit(1);
  }
  const lock = createHash("sha256")
    .update(readFileSync(`${root}package-lock.json`))
    .digest("hex");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  must("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(mark, lock);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup();
