import { formatTime } from "@heliograph/core";
import type { FileReport, HuntLogsResult } from "@heliograph/runtime";
import { csvRows, grouped, humanBytes } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { addReadOptions, type ReadLogsOptions, readLogs } from "./read-logs.js";
import { textTable } from "./text-table.js";

const FORMATS = ["table", "json", "csv"] as const;

type SummaryOptions = ReadLogsOptions & OutputOptions;

/** What one file, or all of them, hold. */
interface SummaryRow {
  readonly file: string;
  readonly bytes: number;
  readonly rows: number;
  readonly malformedRows: number;
  readonly duplicateRows: number;
  readonly first: string | null;
  readonly last: string | null;
  readonly groups: number;
  readonly hosts: number;
}

const timeOrNull = (micros: number | undefined): string | null => (micros === undefined ? null : formatTime(micros));

function fileRow({ file, reports, figures }: FileReport): SummaryRow {
  return {
    file: file.name,
    bytes: reports.reduce((sum, report) => sum + report.bytes, 0),
    rows: reports.reduce((sum, report) => sum + report.rows, 0),
    malformedRows: reports.reduce((sum, report) => sum + report.malformedRows, 0),
    duplicateRows: figures?.duplicateRows ?? 0,
    first: timeOrNull(figures?.first),
    last: timeOrNull(figures?.last),
    groups: figures?.groups ?? 0,
    hosts: figures?.hosts ?? 0,
  };
}

function allRow(files: readonly SummaryRow[], result: HuntLogsResult): SummaryRow {
  return {
    file: "all",
    bytes: files.reduce((sum, row) => sum + row.bytes, 0),
    rows: files.reduce((sum, row) => sum + row.rows, 0),
    malformedRows: files.reduce((sum, row) => sum + row.malformedRows, 0),
    duplicateRows: result.duplicateRows,
    first: timeOrNull(result.first),
    last: timeOrNull(result.last),
    groups: result.groups,
    hosts: result.hosts ?? 0,
  };
}

const shown = (time: string | null): string => (time === null ? "-" : time.slice(0, 19).replace("T", " "));

function table(rows: readonly SummaryRow[]): string {
  return textTable<SummaryRow>(
    [
      { title: "File", align: "left", cell: ({ file }) => file },
      { title: "Size", align: "right", cell: ({ bytes }) => humanBytes(bytes) },
      { title: "Rows", align: "right", cell: ({ rows: count }) => grouped(count) },
      { title: "Malformed", align: "right", cell: ({ malformedRows }) => grouped(malformedRows) },
      { title: "Duplicate", align: "right", cell: ({ duplicateRows }) => grouped(duplicateRows) },
      { title: "Groups", align: "right", cell: ({ groups }) => grouped(groups) },
      { title: "Hosts", align: "right", cell: ({ hosts }) => grouped(hosts) },
      { title: "First (UTC)", align: "left", cell: ({ first }) => shown(first) },
      { title: "Last (UTC)", align: "left", cell: ({ last }) => shown(last) },
    ],
    rows,
  );
}

function csv(rows: readonly SummaryRow[]): Promise<string> {
  const columns = ["file", "bytes", "rows", "malformedRows", "duplicateRows", "first", "last", "groups", "hosts"] as const;
  return csvRows(
    columns,
    rows.map((row) => columns.map((column) => row[column])),
  );
}

/** Adds `heliograph summary`. */
export function addSummaryCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("summary")
    .description("Say what connection logs hold, each and all together: rows, times, groups, hosts")
    .argument("<path...>", "conn logs: files, folders, patterns with * ? **, or - for standard input");
  addReadOptions(command);
  addOutputOptions(command, FORMATS);
  command.action(async (paths: string[], options: SummaryOptions) => {
    const format = chosenFormat(FORMATS, options);
    const { result, failed } = await readLogs(paths, options, { searches: [], perFile: true, signal });
    const files = result.files.map(fileRow);
    const all = allRow(files, result);
    const { file: _, ...total } = all;
    const text =
      format === "json"
        ? `${JSON.stringify({ files, all: total }, undefined, 2)}\n`
        : await (format === "csv" ? csv([...files, all]) : table([...files, all]));
    await writeResult(text, options.output);
    if (failed) process.exitCode = 1;
  });
}
