import { detectors, parseBounds } from "@heliograph/core";
import type { Command } from "commander";
import type { BeaconFormat } from "./beacon-report.js";
import { addFilterOptions, filterFrom } from "./filter-options.js";
import { chosenFormat, usesColour, writeResult } from "./output.js";
import { configFrom, type ReadLogsOptions, readLogs, readPayloads } from "./read-logs.js";
import { addSearchOptions, searchesFrom } from "./search-options.js";

// Not taken from the report, which is loaded when there is something to report.
const FORMATS = ["table", "json", "ndjson", "csv", "markdown", "html"] as const satisfies readonly BeaconFormat[];

interface HuntOptions extends ReadLogsOptions {
  readonly start?: string;
  readonly end?: string;
  readonly startDte?: string;
  readonly endDte?: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly details?: boolean;
  readonly output?: string;
  readonly [parameter: string]: unknown;
}

/** Adds `heliograph hunt`. */
export function addHuntCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("hunt")
    .description("Search connection logs for beacons")
    .argument(
      "<searches>",
      `how to search, separated by commas: ${detectors.map((detector) => `${detector.name} (${detector.description})`).join("; ")}`,
    )
    .argument("<path...>", "conn logs: files, folders, patterns with * ? **, or - for standard input");
  addSearchOptions(command);
  addFilterOptions(command);
  command
    .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)")
    .option("--threads <number>", "Threads to read and search with (default: one for each processor)")
    .option("--fields <names>", "Column names, separated by commas, of TSV logs without a #fields line")
    .option(
      "--details",
      "Read the logs again for what the beacons carry: bytes, durations, states (always for html; shown by json, ndjson, html)",
    )
    .option("--format <format>", `How to print: ${FORMATS.join(", ")} (default: table)`)
    .option("--json", "Short for --format json")
    .option("--output <file>", "Write the result to a file")
    .option("--verbose", "Say what was read, skipped and found odd")
    .action(async (names: string, paths: string[], options: HuntOptions) => {
      const format = chosenFormat(FORMATS, options);
      const config = await configFrom(options);
      const searches = searchesFrom(names, options, config);
      const filter = filterFrom(options, config.filter);
      const bounds = parseBounds(options.start ?? options.startDte, options.end ?? options.endDte);
      const read = await readLogs(paths, options, { searches, filter, bounds, config, signal });
      const { result, failed } = read;
      // A page is read by people, and at leisure: it has all there is.
      const wanted = options.details || format === "html" ? result.results.flatMap(({ beacons }) => beacons) : [];
      const payloads = await readPayloads(read, wanted, options, { filter, bounds, config, signal });
      const { beaconReport } = await import("./beacon-report.js");
      await writeResult(await beaconReport(format, result, payloads, usesColour(options.output)), options.output);
      if (failed) process.exitCode = 1;
    });
}
