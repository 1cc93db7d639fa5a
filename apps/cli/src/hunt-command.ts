import type { Beacon, NumberSpec, Search } from "@heliograph/core";
import { detectorNamed, detectors, parseBounds, parseParameter, planSearch } from "@heliograph/core";
import type { Command } from "commander";
import { Option } from "commander";
import { chosenFormat, usesColour, writeResult } from "./output.js";
import { type ReadLogsOptions, readLogs } from "./read-logs.js";
import { UsageError } from "./usage-error.js";

const FORMATS = ["table", "json", "ndjson", "csv"] as const;

interface HuntOptions extends ReadLogsOptions {
  readonly start?: string;
  readonly end?: string;
  readonly startDte?: string;
  readonly endDte?: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly output?: string;
  readonly [parameter: string]: unknown;
}

const flagOf = (name: string): string => `--${name.replaceAll("_", "-")}`;
const keyOf = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** All parameters of all detectors, once each. */
function allParameters(): NumberSpec[] {
  const specs = new Map<string, NumberSpec>();
  for (const detector of detectors) for (const spec of detector.parameters) if (!specs.has(spec.name)) specs.set(spec.name, spec);
  return [...specs.values()];
}

function parameterHelp(spec: NumberSpec): string {
  const unit = spec.unit === undefined ? "" : ` in ${spec.unit === "%" ? "percent" : spec.unit}`;
  return `${spec.description}${unit}${spec.default === undefined ? "" : ` (default: ${spec.default})`}`;
}

/** The search to run from its name and the options given. */
function searchFrom(name: string, options: HuntOptions): Search {
  const detector = detectorNamed(name);
  const given: Record<string, number> = {};
  for (const spec of allParameters()) {
    const text = options[keyOf(spec.name)];
    if (typeof text !== "string") continue;
    const own = detector.parameters.find((candidate) => candidate.name === spec.name);
    if (!own) throw new UsageError(`${flagOf(spec.name)} is no option of the ${name} search`);
    given[spec.name] = parseParameter(own, text);
  }
  return planSearch(name, given);
}

/** Adds `heliograph hunt`. */
export function addHuntCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("hunt")
    .description("Search connection logs for beacons")
    .argument("<search>", `how to search: ${detectors.map((detector) => `${detector.name} (${detector.description})`).join("; ")}`)
    .argument("<path...>", "conn logs: files, folders, patterns with * ? **, or - for standard input");
  for (const spec of allParameters()) command.option(`${flagOf(spec.name)} <number>`, parameterHelp(spec));
  command
    .option("--start <time>", "Leave out connections before this time (2024-05-05, 2024-05-05T13:30:00Z or epoch seconds)")
    .option("--end <time>", "Leave out connections after this time")
    .addOption(new Option("--start-dte <time>").hideHelp())
    .addOption(new Option("--end-dte <time>").hideHelp())
    .option("--threads <number>", "Threads to read and search with (default: one for each processor)")
    .option("--fields <names>", "Column names, separated by commas, of TSV logs without a #fields line")
    .option("--format <format>", `How to print: ${FORMATS.join(", ")} (default: table)`)
    .option("--json", "Short for --format json")
    .option("--output <file>", "Write the result to a file")
    .option("--verbose", "Say what was read, skipped and found odd")
    .action(async (name: string, paths: string[], options: HuntOptions) => {
      const format = chosenFormat(FORMATS, options);
      const search = searchFrom(name, options);
      const bounds = parseBounds(options.start ?? options.startDte, options.end ?? options.endDte);
      const { result, failed } = await readLogs(paths, options, { searches: [search], bounds, signal });
      const beacons: readonly Beacon[] = result.results[0]?.beacons ?? [];
      const { beaconReport } = await import("./beacon-report.js");
      await writeResult(await beaconReport(format, search, beacons, result, usesColour(options.output)), options.output);
      if (failed) process.exitCode = 1;
    });
}
