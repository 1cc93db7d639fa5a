import { isImportName } from "@heliograph/core";
import type { LogFile } from "@heliograph/runtime";
import type { ImportOutcome, LogEngine } from "@heliograph/runtime/logs";
import { grouped, printable } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { ProgressBar } from "./progress-bar.js";
import { configFrom } from "./read-logs.js";
import { logsFolder } from "./store-options.js";
import { textTable } from "./text-table.js";
import { UsageError } from "./usage-error.js";

const FORMATS = ["table", "json"] as const;
const SAMPLES = 3;
/** Which files of a folder are imported. */
export const IMPORTED = { test: isImportName, what: "conn, dns, ssl or http logs and no JSON records" };

interface ImportOptions extends OutputOptions {
  readonly dataDir?: string;
  readonly config?: string;
  readonly threads?: string;
  readonly internal: readonly string[];
}

export function threadCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new UsageError(`--threads must be a whole number from 1 to 64, got ${text}`);
  return threads;
}

/** Imports files, several at a time; what went wrong is said on standard error. */
export async function importFiles(
  engine: LogEngine,
  files: readonly LogFile[],
  {
    internal,
    threads,
    signal,
    onBytes,
  }: {
    readonly internal: readonly string[] | undefined;
    readonly threads: number;
    readonly signal: AbortSignal;
    readonly onBytes?: (bytes: number) => void;
  },
): Promise<ImportOutcome[]> {
  const outcomes: ImportOutcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < files.length; at = next++) {
      signal.throwIfAborted();
      outcomes[at] = await engine.importFile(files[at] as LogFile, { internal, signal, ...(onBytes && { onBytes }) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, files.length) }, work));
  return outcomes;
}

export const rowsOf = ({ rows }: ImportOutcome): number => Object.values(rows).reduce((sum, count) => sum + count, 0);

/** Says what could not be read; true when a file gave nothing. */
export function tellImports(outcomes: readonly ImportOutcome[]): boolean {
  const say = (text: string): void => void process.stderr.write(`${printable(text, 2000)}\n`);
  let failed = false;
  for (const outcome of outcomes) {
    const { name, failure, malformedRows, invalidValues, otherRows, problems } = outcome;
    if (failure !== undefined) {
      const kept = rowsOf(outcome);
      failed ||= kept === 0;
      say(
        kept === 0
          ? `heliograph: ${name}: ${failure}`
          : `warning: ${name}: ${failure}; the ${grouped(kept)} rows before that were imported`,
      );
    }
    if (malformedRows > 0) say(`warning: ${name}: ${grouped(malformedRows)} malformed rows left out`);
    if (invalidValues > 0)
      say(`warning: ${name}: ${grouped(invalidValues)} values do not fit their fields: they are in the documents and are not searched`);
    if (otherRows > 0 && failure === undefined) say(`warning: ${name}: ${grouped(otherRows)} rows of other logs left out`);
    for (const { line, reason } of problems.slice(0, SAMPLES)) say(line === 0 ? `  ${reason}` : `  line ${line}: ${reason}`);
  }
  return failed;
}

/** Adds `heliograph import`. */
export function addImportCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("import")
    .description("Import logs once, to query them: Zeek conn, dns, ssl and http logs, AWS CloudTrail, verdicts on files")
    .argument("<path...>", "files, folders, patterns with * ? **")
    .option("--data-dir <folder>", "Folder for data (default: HELIOGRAPH_DATA_DIR, else heliograph in the user's data home)")
    .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)")
    .option(
      "--internal <network>",
      "A network that counts as internal; may be given again (default: private addresses)",
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option("--threads <number>", "Files to import at a time (default: one for each processor)");
  addOutputOptions(command, FORMATS);
  command.action(async (paths: string[], options: ImportOptions) => {
    const format = chosenFormat(FORMATS, options);
    const config = await configFrom(options);
    const { findLogs, MAX_THREADS } = await import("@heliograph/runtime");
    const { LogEngine } = await import("@heliograph/runtime/logs");
    const { availableParallelism } = await import("node:os");
    const threads = threadCount(options.threads) ?? config.threads ?? Math.min(MAX_THREADS, availableParallelism());
    const found = await findLogs(paths, { names: IMPORTED });
    for (const { name, reason } of found.problems) process.stderr.write(`heliograph: ${printable(name)}: ${reason}\n`);
    const engine = new LogEngine(await logsFolder(options), { threads });
    const bar = ProgressBar.forTerminal();
    const total = found.files.reduce((sum, { size }) => sum + size, 0);
    let bytes = 0;
    try {
      const outcomes = await importFiles(engine, found.files, {
        internal: options.internal.length > 0 ? options.internal : config.filter?.internal_networks,
        threads,
        signal,
        ...(bar && {
          onBytes: (more: number) => {
            bytes += more;
            bar.show({ bytes, totalBytes: total, phase: "reading" });
          },
        }),
      });
      bar?.clear();
      const failed = tellImports(outcomes) || found.problems.length > 0;
      const text =
        format === "json"
          ? `${JSON.stringify({ files: outcomes }, undefined, 2)}\n`
          : textTable<ImportOutcome>(
              [
                { title: "File", align: "left", cell: ({ name }) => name },
                { title: "Rows", align: "right", cell: (outcome) => (outcome.isKnown ? "-" : grouped(rowsOf(outcome))) },
                {
                  title: "Index",
                  align: "left",
                  cell: ({ rows, isKnown }) => (isKnown ? "imported before" : Object.keys(rows).join(", ") || "nothing"),
                },
              ],
              outcomes,
            );
      await writeResult(text, options.output);
      if (failed) process.exitCode = 1;
    } finally {
      bar?.clear();
      await engine.close();
    }
  });
}
