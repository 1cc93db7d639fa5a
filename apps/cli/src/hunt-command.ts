import { existsSync } from "node:fs";
import { detectors } from "@heliograph/core";
import type { Command } from "commander";
import type { BeaconFormat } from "./beacon-report.js";
import { addFilterOptions, filterWithLists } from "./filter-options.js";
import { addOutputOptions, chosenFormat, type OutputOptions, usesColour, writeResult } from "./output.js";
import { addReadOptions, configFrom, type ReadLogsOptions, readLogs } from "./read-logs.js";
import { addSearchOptions, type BoundOptions, boundsFrom, searchesFrom } from "./search-options.js";
import { addStoreOptions, type StoreOptions } from "./store-options.js";
import { UsageError } from "./usage-error.js";

// Not taken from the report, which is loaded when there is something to report.
const FORMATS = ["table", "json", "ndjson", "csv", "markdown", "html"] as const satisfies readonly BeaconFormat[];

const DEFAULT_SEARCH = "adaptive";
/** What a list of searches looks like, known or not. */
const SEARCH_LIST = /^[a-z]+(?:,[a-z]+)*$/;

/** Tells the searches from the paths: the first argument names searches when it names known ones, or is no file. */
function searchesAndPaths([first = "", ...others]: readonly string[]): { readonly names: string; readonly paths: readonly string[] } {
  const known = first.split(",").every((name) => detectors.some((detector) => detector.name === name.trim()));
  if (known && others.length === 0) throw new UsageError(`missing required argument 'path': where are the logs to hunt in with ${first}?`);
  if (known) return { names: first, paths: others };
  // A word that is no file is rather a search with a typing error than a log.
  if (SEARCH_LIST.test(first) && !existsSync(first)) return { names: first, paths: others };
  return { names: DEFAULT_SEARCH, paths: [first, ...others] };
}

interface HuntOptions extends ReadLogsOptions, OutputOptions, BoundOptions, StoreOptions {
  readonly save?: boolean;
  readonly all?: boolean;
  readonly names?: boolean;
  readonly reverseDns?: boolean;
  readonly details?: boolean;
  readonly families?: boolean;
  readonly [parameter: string]: unknown;
}

/** Adds `heliograph hunt`. */
export function addHuntCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("hunt")
    .description("Search connection logs for beacons")
    .usage("[options] [searches] <path...>")
    .argument(
      "<path...>",
      "conn logs: files, folders, patterns with * ? **, or - for standard input. Before them may stand how to search, separated by commas: " +
        `${detectors.map((detector) => `${detector.name} (${detector.description})`).join("; ")} (default: ${DEFAULT_SEARCH})`,
    );
  addSearchOptions(command);
  addFilterOptions(command);
  command
    .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)")
    .option("--names", "Find what destinations are called in the dns, ssl and http logs beside the conn logs (always for html)")
    .option("--reverse-dns", "Ask DNS for the names of destinations that the logs do not name; this tells its servers what you look at")
    .option("--families", "Tell which beacons behave alike (always for html; with --details)")
    .option(
      "--details",
      "Read the logs again for what the beacons carry: bytes, durations, states (always for html; shown by json, ndjson, html)",
    );
  command.option("--save", "Keep what was found as a run; see heliograph runs");
  addStoreOptions(command);
  addReadOptions(command);
  addOutputOptions(command, FORMATS);
  command.option("--all", "Print every beacon in the table, the ones that are likely harmless too");
  command.action(async (args: string[], options: HuntOptions) => {
    const { names, paths } = searchesAndPaths(args);
    const format = chosenFormat(FORMATS, options);
    const config = await configFrom(options);
    const searches = searchesFrom(names, options, config);
    const filter = await filterWithLists(options, config);
    const bounds = boundsFrom(options);
    // A page is read by people, and at leisure: it has all there is.
    const page = format === "html";
    const { result, failed } = await readLogs([...paths], options, {
      searches,
      filter,
      bounds,
      names: options.names || options.reverseDns || config.names || (page && "where-there-are"),
      reverseDns: options.reverseDns ?? false,
      details: page || (options.details ?? false) || (options.families ?? false),
      families: page || (options.families ?? false),
      topTalkers: options.save ? (await import("@heliograph/runtime/runs")).KEPT_TALKERS : 0,
      config,
      signal,
    });
    if (options.save) {
      const { saveRuns } = await import("./save-runs.js");
      for (const id of await saveRuns(result, paths, options)) process.stderr.write(`saved as run ${id}\n`);
    }
    const { beaconReport } = await import("./beacon-report.js");
    await writeResult(
      await beaconReport(format, result, { colour: usesColour(options.output), all: options.all ?? false }),
      options.output,
    );
    if (failed) process.exitCode = 1;
  });
}
