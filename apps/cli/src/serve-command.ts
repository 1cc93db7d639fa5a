import { once } from "node:events";
import type { Command } from "commander";
import { configFrom } from "./read-logs.js";
import { addStoreOptions, type StoreOptions, storeLocation } from "./store-options.js";
import { UsageError } from "./usage-error.js";

interface ServeOptions extends StoreOptions {
  readonly host: string;
  readonly port: string;
  readonly root: readonly string[];
  readonly config?: string;
  readonly withoutKey?: boolean;
  readonly concurrent?: string;
  readonly queued?: string;
  readonly searchSeconds?: string;
  readonly rules?: string;
  readonly documents?: string;
  readonly execute: boolean;
  readonly attempts?: string;
  readonly logLevel: string;
}

const LOG_LEVELS = ["info", "warn", "debug", "off"] as const;

export function whole(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, got ${text}`);
  return number;
}

/** Folders by name, from `NAME=PATH`. */
export function rootsOf(texts: readonly string[], configured: Readonly<Record<string, string>> = {}): Record<string, string> {
  const given = texts.map((text) => {
    const at = text.indexOf("=");
    if (at < 1 || at === text.length - 1) throw new UsageError(`--root must be NAME=PATH, got ${text}`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return { ...configured, ...Object.fromEntries(given) };
}

/** Adds `heliograph serve`. */
export function addServeCommand(program: Command, version: string, signal: AbortSignal): void {
  const command = program
    .command("serve")
    .description("Serve the HTTP API: searches, results, and their documentation at /api/docs")
    .option("--host <address>", "Address to listen on", "127.0.0.1")
    .option("--port <number>", "Port to listen on; 0: any free one", "8000")
    .option(
      "--root <name=path>",
      "A folder that may be searched, as log_dir /NAME; may be given again",
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)")
    .option("--without-key", "Serve an address of the network although there is no API key")
    .option("--concurrent <number>", "Searches at once (default: half of the processors)")
    .option("--queued <number>", "Searches that may wait (default: 100)")
    .option("--no-execute", "Leave all searches to workers (heliograph worker); needs --database postgres://…")
    .option("--attempts <number>", "With --no-execute: how often a search is tried when its worker dies (default: 3)")
    .option("--documents <source>", "A cluster among the data sources that answers /data instead of the log store")
    .option("--rules <folder>", "Folder of insights of your own, as JSON and YAML files")
    .option("--search-seconds <number>", "Longest time of a search (default: 3600)")
    .option("--log-level <level>", `How much to log, as JSON on standard error: ${LOG_LEVELS.join(", ")}`, "info");
  addStoreOptions(command);
  command.action(async (options: ServeOptions) => {
    const level = LOG_LEVELS.find((known) => known === options.logLevel);
    if (!level) throw new UsageError(`--log-level ${options.logLevel} is unknown; there are ${LOG_LEVELS.join(", ")}`);
    const concurrent = whole("concurrent", options.concurrent, 1, 64);
    const queued = whole("queued", options.queued, 0, 100_000);
    const seconds = whole("search-seconds", options.searchSeconds, 1, 7 * 86_400);
    const attempts = whole("attempts", options.attempts, 1, 100);
    const queue = { ...(queued !== undefined && { queued }), ...(attempts !== undefined && { retries: { attempts } }) };
    const config = await configFrom(options);
    const { start } = await import("@heliograph/http");
    const server = await start({
      host: options.host,
      port: whole("port", options.port, 0, 65_535) ?? 8000,
      store: await storeLocation(options),
      roots: rootsOf(options.root, config.roots),
      config,
      version,
      ...(options.documents !== undefined && { documents: options.documents }),
      ...(options.rules !== undefined && { insights: options.rules }),
      ...(!options.execute && { queue }),
      withoutKey: options.withoutKey ?? false,
      log: level === "off" ? false : level,
      limits: {
        ...(concurrent !== undefined && { concurrent }),
        ...(queued !== undefined && { queued }),
        ...(seconds !== undefined && { seconds }),
      },
    });
    process.stdout.write(`Heliograph serves ${server.url}, documentation at ${server.url}/api/docs\n`);
    if (!signal.aborted) await once(signal, "abort");
    await server.close();
    // Being told to stop is how a server ends.
    process.exitCode = 0;
  });
}
