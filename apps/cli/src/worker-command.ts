import { once } from "node:events";
import type { Command } from "commander";
import { configFrom } from "./read-logs.js";
import { rootsOf, whole } from "./serve-command.js";
import { addStoreOptions, type StoreOptions, storeLocation } from "./store-options.js";
import { UsageError } from "./usage-error.js";

interface WorkerOptions extends StoreOptions {
  readonly root: readonly string[];
  readonly config?: string;
  readonly concurrency: string;
  readonly port?: string;
  readonly host: string;
  readonly searchSeconds?: string;
  readonly grace: string;
  readonly logLevel: string;
}

const LOG_LEVELS = ["info", "warn", "debug", "off"] as const;

/** Adds `heliograph worker`. */
export function addWorkerCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("worker")
    .description("Do the searches that heliograph serve --no-execute leaves in the queue; needs --database postgres://…")
    .option(
      "--root <name=path>",
      "A folder that may be searched, under the name that the servers have for it; may be given again",
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)")
    .option("--concurrency <number>", "Searches at once", "1")
    .option("--port <number>", "Port for /healthz and /metrics; 0: any free one (default: none)")
    .option("--host <address>", "Address for /healthz and /metrics", "127.0.0.1")
    .option("--search-seconds <number>", "Longest time of a search (default: 3600)")
    .option("--grace <seconds>", "How long searches under way may take when the worker is told to stop", "30")
    .option("--log-level <level>", `How much to log, as JSON on standard error: ${LOG_LEVELS.join(", ")}`, "info");
  addStoreOptions(command);
  command.action(async (options: WorkerOptions) => {
    const level = LOG_LEVELS.find((known) => known === options.logLevel);
    if (!level) throw new UsageError(`--log-level ${options.logLevel} is unknown; there are ${LOG_LEVELS.join(", ")}`);
    const concurrent = whole("concurrency", options.concurrency, 1, 64) ?? 1;
    const graceSeconds = whole("grace", options.grace, 0, 86_400) ?? 30;
    const seconds = whole("search-seconds", options.searchSeconds, 1, 7 * 86_400);
    const port = whole("port", options.port, 0, 65_535);
    const config = await configFrom(options);
    const { start } = await import("@heliograph/worker");
    const worker = await start({
      store: await storeLocation(options),
      roots: rootsOf(options.root, config.roots),
      concurrent,
      graceSeconds,
      host: options.host,
      ...(seconds !== undefined && { seconds }),
      ...(port !== undefined && { port }),
      log: level === "off" ? false : level,
    });
    process.stdout.write(`Heliograph worker ${worker.name}${worker.url ? `, health and metrics at ${worker.url}` : ""}\n`);
    if (!signal.aborted) await once(signal, "abort");
    await worker.close();
    // Being told to stop is how a worker ends.
    process.exitCode = 0;
  });
}
