import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { isConnLogName, planSearch } from "@heliograph/core";
import type { LogFile } from "@heliograph/runtime";
import { grouped, LIKELY_HARMLESS, printable, storyLine, storyOf } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { IMPORTED, importFiles, rowsOf, tellImports } from "./import-command.js";
import { configFrom } from "./read-logs.js";
import { searchesFrom } from "./search-options.js";
import { logsFolder } from "./store-options.js";
import { UsageError } from "./usage-error.js";

interface WatchOptions {
  readonly dataDir?: string;
  readonly config?: string;
  readonly every: string;
  readonly settle: string;
  readonly searches: string;
  readonly once?: boolean;
}

/** Names without a time: Zeek still writes to them, until it renames them. */
const UNROTATED = /^(?:json_streaming_)?[a-z]+\.(?:log|json|ndjson)$/;
const TAIL_BYTES = 256;

/** Whether a log is finished: a rotated one, or one that ends in `#close`. */
async function isFinished({ name, path, size }: LogFile): Promise<boolean> {
  if (!UNROTATED.test(basename(name))) return true;
  const handle = await open(path);
  try {
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("latin1").trimEnd().split("\n").at(-1)?.startsWith("#close") ?? false;
  } finally {
    await handle.close();
  }
}

function seconds(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 86_400)) throw new UsageError(`--${name} must be seconds from 0 to 86400, got ${text}`);
  return value;
}

/** Adds `heliograph watch`. */
export function addWatchCommand(program: Command, signal: AbortSignal): void {
  program
    .command("watch")
    .description("Import logs as Zeek rotates them, hunt again, and say which beacons are new")
    .argument("<folder>", "folder of logs, such as Zeek's")
    .option("--data-dir <folder>", "Folder for data (default: HELIOGRAPH_DATA_DIR, else heliograph in the user's data home)")
    .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)")
    .option("--searches <names>", "Searches to hunt with", "adaptive")
    .option("--every <seconds>", "How often to look", "30")
    .option("--settle <seconds>", "How long a file must have been left alone", "5")
    .option("--once", "Look once and end")
    .action(async (folder: string, options: WatchOptions) => {
      const every = seconds("every", options.every);
      const settle = seconds("settle", options.settle);
      const config = await configFrom(options);
      const searches =
        options.searches === "adaptive" && !config.searches ? [planSearch("adaptive")] : searchesFrom(options.searches, {}, config);
      const { findLogs, investigate, MAX_THREADS } = await import("@heliograph/runtime");
      const { LogEngine } = await import("@heliograph/runtime/logs");
      const { availableParallelism } = await import("node:os");
      const threads = config.threads ?? Math.min(MAX_THREADS, availableParallelism());
      const engine = new LogEngine(await logsFolder(options), { threads });
      /** Files that were dealt with, as they were then. */
      const seen = new Map<string, string>();
      const told = new Set<string>();
      const say = (text: string): void => void process.stdout.write(`${new Date().toISOString()} ${printable(text, 2000)}\n`);
      try {
        for (;;) {
          const found = await findLogs([folder], { names: IMPORTED });
          const missing = found.problems.find(({ reason }) => reason === "no such file or folder");
          if (missing) throw new UsageError(`${missing.name}: ${missing.reason}`);
          const ready: LogFile[] = [];
          for (const file of found.files) {
            const { mtimeMs, size } = await stat(file.path);
            const mark = `${size} ${mtimeMs}`;
            if (seen.get(file.path) === mark || Date.now() - mtimeMs < settle * 1000 || !(await isFinished(file))) continue;
            seen.set(file.path, mark);
            ready.push(file);
          }
          if (ready.length > 0) {
            const outcomes = await importFiles(engine, ready, { internal: config.filter?.internal_networks, threads, signal });
            tellImports(outcomes);
            for (const outcome of outcomes)
              if (!outcome.isKnown && rowsOf(outcome) > 0) say(`imported ${grouped(rowsOf(outcome))} rows of ${outcome.name}`);
            if (ready.some(({ name }) => isConnLogName(name))) {
              const logs = await findLogs([folder]);
              const { results } = await investigate(logs.files, { searches, filter: config.filter ?? {}, bounds: {}, threads, signal });
              for (const { beacons } of results) {
                for (const beacon of beacons) {
                  const { source, destination, port, protocol, score, connectionCount } = beacon;
                  const story = storyOf(beacon);
                  if (story && score < LIKELY_HARMLESS) continue;
                  const key = `${source} ${destination} ${port} ${protocol}`;
                  if (told.has(key)) continue;
                  told.add(key);
                  say(
                    `beacon ${source} to ${destination} port ${port}/${protocol}: score ${score.toFixed(1)}, ${story ? storyLine(story) : `${grouped(connectionCount)} connections`}`,
                  );
                }
              }
            }
          }
          if (options.once) return;
          await wait(every * 1000, undefined, { signal });
        }
      } finally {
        await engine.close();
      }
    });
}
