import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  type ConnectionFilter,
  CoreError,
  checkFilter,
  DEFAULT_INTERNAL_NETWORKS,
  detectors,
  type ParameterValues,
  planFilter,
  planSearch,
} from "@heliograph/core";
import { configSchema } from "./config-schema.js";

/** What a configuration file says; what it leaves open has its default. */
export interface Config {
  /** Parameters by search, as given. */
  readonly searches?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly filter?: ConnectionFilter;
  /** Files of hosts to leave out as destinations; relative to the configuration file. */
  readonly allow_lists?: readonly string[];
  readonly names?: boolean;
  /** Folders that the server may search, by name; relative to the configuration file. */
  readonly roots?: Readonly<Record<string, string>>;
  /** Folder of insights of one's own. */
  readonly insights?: string;
  readonly threads?: number;
}

/** The configuration in force: every search with all its parameters, and the filter. */
export interface EffectiveConfig {
  /** The file it comes from; absent when there is none. */
  readonly file?: string;
  readonly searches: Readonly<Record<string, ParameterValues>>;
  readonly filter: ConnectionFilter;
  readonly allow_lists: readonly string[];
  readonly names: boolean;
  readonly threads?: number;
}

/** A configuration file of this name in the working folder is found without being named. */
export const CONFIG_FILE = "heliograph.config.json";

const MOST_BYTES = 64 * 2 ** 20;

const bad = (file: string, reason: string, cause?: unknown): CoreError =>
  new CoreError("bad-parameter", `${file}: ${reason}`, { source: file, cause });

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MOST_BYTES) throw bad(file, "is larger than 64 MiB");
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw bad(file, missing ? "no such file" : cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Line and column of a JSON error, where the engine tells a position. */
function jsonReason(text: string, cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const position = /position (\d+)/.exec(message)?.[1];
  if (position === undefined) return `is no JSON: ${message}`;
  const before = text.slice(0, Number(position)).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: is no JSON: ${message}`;
}

/**
 * Reads and checks a configuration file. Without a name `heliograph.config.json` of the working folder is read where there is one.
 * @throws CoreError `bad-parameter` that names the file, the place in it and the reason
 */
export async function loadConfig(named?: string): Promise<{ readonly file?: string; readonly config: Config }> {
  const file = named ?? CONFIG_FILE;
  if (named === undefined && !(await stat(file).catch(() => undefined))) return { config: {} };
  const text = await textOf(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw bad(file, jsonReason(text, cause), cause);
  }
  const { Ajv } = await import("ajv");
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  if (!ajv.validate(configSchema(), json)) {
    const reasons = (ajv.errors ?? []).slice(0, 5).map(({ instancePath, message, params }) => {
      const extra = "additionalProperty" in params ? ` (${String(params["additionalProperty"])})` : "";
      return `${instancePath === "" ? "the file" : instancePath.slice(1).replaceAll("/", ".")} ${message ?? "is wrong"}${extra}`;
    });
    throw bad(file, reasons.join("; "));
  }
  const given = json as Config;
  const lists = given.allow_lists?.map((list) => resolve(dirname(file), list));
  const roots = given.roots && Object.fromEntries(Object.entries(given.roots).map(([name, path]) => [name, resolve(dirname(file), path)]));
  const insights = given.insights === undefined ? undefined : resolve(dirname(file), given.insights);
  const config: Config = {
    ...given,
    ...(insights !== undefined && { insights }),
    ...(lists && { allow_lists: lists }),
    ...(roots && { roots }),
  };
  try {
    effectiveConfig(config);
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    throw bad(file, cause.message, cause);
  }
  return { file, config };
}

/** What a configuration means, with all defaults filled in. */
export function effectiveConfig(config: Config, file?: string): EffectiveConfig {
  const filter = checkFilter(config.filter ?? {});
  planFilter(filter);
  return {
    ...(file !== undefined && { file }),
    searches: Object.fromEntries(detectors.map(({ name }) => [name, planSearch(name, config.searches?.[name] ?? {}).parameters])),
    filter: { internal_networks: DEFAULT_INTERNAL_NETWORKS, direction: "any", default_filters: true, ...filter },
    allow_lists: config.allow_lists ?? [],
    names: config.names ?? false,
    ...(config.threads !== undefined && { threads: config.threads }),
  };
}
