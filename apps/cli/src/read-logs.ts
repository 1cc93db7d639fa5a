import type { Config, FoundLogs, HuntLogsResult, InvestigateOptions, Investigation } from "@heliograph/runtime";
import { grouped, printable, whyUnreadable } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { ProgressBar } from "./progress-bar.js";
import { UsageError } from "./usage-error.js";

/** Options that every command which reads logs has. */
export interface ReadLogsOptions {
  readonly config?: string;
  readonly threads?: string;
  readonly fields?: string;
  readonly verbose?: boolean;
}

/** Adds them, but for `--config`, which `summary` has no use for. */
export function addReadOptions(command: Command): void {
  command
    .option("--threads <number>", "Threads to read and search with (default: one for each processor)")
    .option("--fields <names>", "Column names, separated by commas, of TSV logs without a #fields line")
    .option("--verbose", "Say what was read, skipped and found odd");
}

/** A command's reading: what was found in the logs, and what there is to say about them. */
export interface LogsRead {
  readonly found: FoundLogs;
  readonly result: Investigation;
  /** Whether a named input gave nothing readable. */
  readonly failed: boolean;
}

/** The configuration that the options name, or the one of the working folder. */
export async function configFrom({ config }: Pick<ReadLogsOptions, "config">): Promise<Config> {
  const { loadConfig } = await import("@heliograph/runtime");
  return (await loadConfig(config)).config;
}

function threadsOf(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > most)
    throw new UsageError(`--threads must be a whole number from 1 to ${most}, got ${text}`);
  return threads;
}

/** What a command wants of the logs. */
export interface LogsWanted extends Pick<InvestigateOptions, "searches" | "filter" | "bounds" | "explain" | "topTalkers" | "perFile"> {
  /** `where-there-are`: nobody asked for them by name, and none is no news. */
  readonly names?: boolean | "where-there-are";
  readonly reverseDns?: boolean;
  readonly details?: boolean;
  readonly families?: boolean;
  readonly config?: Config;
  readonly signal: AbortSignal;
}

/** Finds and reads the logs that paths name, with progress, and warns of what could not be read. */
export async function readLogs(paths: readonly string[], options: ReadLogsOptions, wanted: LogsWanted): Promise<LogsRead> {
  const { findLogs, investigate } = await import("@heliograph/runtime");
  const { config, reverseDns, names, ...hunt } = wanted;
  const found = await findLogs(paths);
  const bar = ProgressBar.forTerminal();
  try {
    const result = await investigate(found.files, {
      ...hunt,
      names: names !== undefined && names !== false,
      ...(await howToRead(options, config)),
      ...(reverseDns && { reverseDns: {} }),
      ...(bar && { onProgress: (progress) => bar.show(progress) }),
    });
    bar?.clear();
    const failed = tellProblems(found, result, options.verbose ?? false);
    tellWhatIsMissing(result, names !== "where-there-are");
    return { found, result, failed };
  } finally {
    bar?.clear();
  }
}

/** Threads and fields, as the options or the configuration have them. */
async function howToRead(
  options: ReadLogsOptions,
  config: Config = {},
): Promise<{ readonly threads?: number; readonly fields?: readonly string[] }> {
  const { MAX_THREADS } = await import("@heliograph/runtime");
  const threads = threadsOf(options.threads, MAX_THREADS) ?? config.threads;
  const fields = options.fields?.split(",").map((name) => name.trim());
  return { ...(threads !== undefined && { threads }), ...(fields && { fields }) };
}

/** Says what was asked for and could not be found out. */
function tellWhatIsMissing({ noNameLogs, noPayload, notAsked, nameReports }: Investigation, names: boolean): void {
  const say = (text: string): void => void process.stderr.write(`note: ${printable(text, LONGEST_WARNING)}\n`);
  if (noNameLogs && names) say("no dns, ssl or http logs lie beside the connection logs: destinations have no names");
  if (noPayload) say("standard input and pipes can be read once only: no bytes, durations and states; give files");
  if (notAsked > 0) say(`${grouped(notAsked)} more destinations without a name were not looked up`);
  for (const { source, damaged, truncated, malformedRows } of nameReports) {
    if (damaged !== undefined || truncated)
      say(`${source}: ${damaged ?? "ends in the middle of its compressed data"}; the names before that were read`);
    if (malformedRows > 0) say(`${source}: ${grouped(malformedRows)} malformed rows left out`);
  }
}

const SAMPLES = 3;
const LONGEST_WARNING = 2000;

/** Writes warnings to standard error; true when a named input gave nothing readable. */
function tellProblems(found: FoundLogs, result: HuntLogsResult, verbose: boolean): boolean {
  const say = (text: string): void => {
    process.stderr.write(`${printable(text, LONGEST_WARNING)}\n`);
  };
  for (const { name, reason } of found.problems) say(`heliograph: ${name}: ${reason}`);
  for (const { name, reason } of found.skipped) if (verbose) say(`skipped: ${name}: ${reason}`);
  let failed = found.problems.length > 0;
  for (const file of result.files) {
    const unreadable = whyUnreadable(file);
    if (unreadable !== undefined) {
      failed = true;
      say(`heliograph: ${file.file.name}: ${unreadable}`);
    }
    for (const report of file.reports) {
      if (report.truncated)
        say(`warning: ${report.source}: ends in the middle of its compressed data; the ${grouped(report.rows)} rows before that were read`);
      if (report.damaged !== undefined && unreadable === undefined)
        say(`warning: ${report.source}: ${report.damaged}; the ${grouped(report.rows)} rows before that were read`);
      if (report.otherRows > 0 && report.rows > 0)
        say(`warning: ${report.source}: ${grouped(report.otherRows)} rows of other logs (${report.otherTypes.join(", ")}) left out`);
      if (report.malformedRows > 0) say(`warning: ${report.source}: ${grouped(report.malformedRows)} malformed rows left out`);
      if (report.invalidValues > 0)
        say(`warning: ${report.source}: ${grouped(report.invalidValues)} values could not be read and count as unset`);
      for (const { line, reason } of report.problems.slice(0, verbose ? report.problems.length : SAMPLES)) say(`  line ${line}: ${reason}`);
      if (verbose) say(`read: ${report.source}: ${grouped(report.rows)} rows, ${report.format}`);
    }
  }
  return failed;
}
