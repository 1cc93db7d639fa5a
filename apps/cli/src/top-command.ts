import type { Talker } from "@heliograph/core";
import { csvRows, grouped } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { addFilterOptions, filterFrom } from "./filter-options.js";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { addReadOptions, configFrom, type ReadLogsOptions, readLogs } from "./read-logs.js";
import { addBoundOptions, type BoundOptions, boundsFrom } from "./search-options.js";
import { textTable } from "./text-table.js";
import { UsageError } from "./usage-error.js";

const FORMATS = ["table", "json", "csv"] as const;
const MOST = 1_000_000;

interface TopOptions extends ReadLogsOptions, OutputOptions, BoundOptions {
  readonly count: string;
  readonly [option: string]: unknown;
}

function table(talkers: readonly Talker[]): string {
  return textTable<Talker>(
    [
      { title: "Conns", align: "right", cell: ({ connectionCount }) => grouped(connectionCount) },
      { title: "Source", align: "left", cell: ({ source }) => source },
      { title: "Destination", align: "left", cell: ({ destination }) => destination },
      { title: "Port", align: "right", cell: ({ port }) => String(port) },
    ],
    talkers,
  );
}

function csv(talkers: readonly Talker[]): Promise<string> {
  const rows = talkers.map(({ source, destination, port, connectionCount }) => [source, destination, port, connectionCount]);
  return csvRows(["Source IP", "Destination IP", "Port", "Connection Count"], rows);
}

/** Adds `heliograph top`. */
export function addTopCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("top")
    .description("Who connects most: connection counts for each source, destination and port")
    .argument("<path...>", "conn logs: files, folders, patterns with * ? **, or - for standard input")
    .option("-n, --count <number>", "How many to list", "20");
  addBoundOptions(command);
  addFilterOptions(command);
  command.option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)");
  addReadOptions(command);
  addOutputOptions(command, FORMATS);
  command.action(async (paths: string[], options: TopOptions) => {
    const format = chosenFormat(FORMATS, options);
    const config = await configFrom(options);
    const count = Number(options.count);
    if (!Number.isInteger(count) || count < 1 || count > MOST)
      throw new UsageError(`--count must be a whole number from 1 to ${MOST}, got ${options.count}`);
    const bounds = boundsFrom(options);
    const { result, failed } = await readLogs(paths, options, {
      searches: [],
      filter: filterFrom(options, config.filter),
      bounds,
      topTalkers: count,
      signal,
    });
    const talkers = result.talkers ?? [];
    const text =
      format === "json" ? `${JSON.stringify({ talkers }, undefined, 2)}\n` : await (format === "csv" ? csv(talkers) : table(talkers));
    await writeResult(text, options.output);
    if (failed) process.exitCode = 1;
  });
}
