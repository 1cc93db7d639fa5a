import { type Beacon, type FlowProfile, formatTime, type PayloadProfile, type RemovedRows, type SizeProfile } from "@heliograph/core";
import type { HuntLogsResult, Investigation } from "@heliograph/runtime";
import { writeToString } from "fast-csv";
import { csvCell } from "./csv-cell.js";
import { grouped, humanBytes, humanMinutes, humanTime, printable, sparkline, type TableColumn, textTable } from "./text-table.js";

/** How beacons are printed. */
export type BeaconFormat = "table" | "json" | "ndjson" | "csv" | "markdown" | "html";

/** A flow's behaviour in time, as JSON shows it. */
export function profileObject(profile: FlowProfile): object {
  const { intervals, timeline, ...figures } = profile;
  return {
    intervalMinutes: intervals,
    timeline: { from: formatTime(timeline.from), to: formatTime(timeline.to), counts: timeline.counts },
    all: { ...figures, longestGapStart: formatTime(figures.longestGapStart) },
  };
}

function beaconObject(beacon: Beacon): object {
  const { source, destination, names, port, protocol, score, connectionCount, evidence, profile, modes, prevalence, payload, family } =
    beacon;
  return {
    source,
    destination,
    port,
    protocol,
    score,
    connectionCount,
    firstOccurrence: formatTime(beacon.firstOccurrence),
    lastOccurrence: formatTime(beacon.lastOccurrence),
    evidence: { ...evidence, names, prevalence, modes, ...profileObject(profile), ...(payload && { payload }), ...(family && { family }) },
  };
}

/** What a flow carries, in words; a line each. */
export function payloadLines({ bytesUp, bytesDown, medianDurationSeconds, connStates }: PayloadProfile): [name: string, text: string][] {
  const size = (profile: SizeProfile | null): string =>
    profile === null
      ? "not in the log"
      : `median ${humanBytes(profile.median)}, ${(100 * profile.modalShare).toFixed(0)} % exactly ${humanBytes(profile.modal)}, in all ${humanBytes(profile.total)}`;
  return [
    ["Sent", size(bytesUp)],
    ["Received", size(bytesDown)],
    ["Duration", medianDurationSeconds === null ? "not in the log" : `median ${humanMinutes(medianDurationSeconds / 60)}`],
    ["States", connStates.map(({ state, share }) => `${state} ${(100 * share).toFixed(0)} %`).join(", ")],
  ];
}

/** Totals of what was read, for the JSON result and the table's last lines. */
export function totals(result: HuntLogsResult): {
  files: number;
  rows: number;
  malformedRows: number;
  duplicateRows: number;
  groups: number;
  bytes: number;
  seconds: number;
  invalidValues: number;
  otherRows: number;
  rowsOutside: number;
  truncatedFiles: number;
  removedRows: RemovedRows;
} {
  const reports = result.files.flatMap((file) => file.reports);
  const sum = (of: (report: (typeof reports)[number]) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    files: result.files.length,
    rows: sum((report) => report.rows),
    malformedRows: sum((report) => report.malformedRows),
    duplicateRows: result.duplicateRows,
    groups: result.groups,
    bytes: sum((report) => report.bytes),
    seconds: Number(result.seconds.toFixed(3)),
    invalidValues: sum((report) => report.invalidValues),
    otherRows: sum((report) => report.otherRows),
    rowsOutside: result.rowsOutside,
    truncatedFiles: reports.filter((report) => report.truncated || report.damaged !== undefined).length,
    removedRows: result.removedRows,
  };
}

function scoreColour(score: number): string {
  return score >= 95 ? "\u001b[31m" : score >= 85 ? "\u001b[33m" : "\u001b[36m";
}

const LONGEST_NAME = 40;

function columns(colour: boolean, beacons: readonly Beacon[]): TableColumn<Beacon>[] {
  const named = beacons.some(({ names }) => names.length > 0);
  const familiar = beacons.some(({ family }) => family !== undefined);
  return [
    {
      title: "Score",
      align: "right",
      cell: ({ score }) => score.toFixed(1),
      ...(colour && { paint: (text: string, { score }: Beacon) => `${scoreColour(score)}${text}\u001b[0m` }),
    },
    { title: "Source", align: "left", cell: ({ source }) => source },
    { title: "Destination", align: "left", cell: ({ destination }) => destination },
    ...(named
      ? [{ title: "Name", align: "left" as const, cell: ({ names }: Beacon) => printable(names[0] ?? "UNKNOWN", LONGEST_NAME) }]
      : []),
    { title: "Port", align: "right", cell: ({ port, protocol }) => `${port}/${protocol}` },
    { title: "Conns", align: "right", cell: ({ connectionCount }) => grouped(connectionCount) },
    { title: "Hosts", align: "right", cell: ({ prevalence }) => grouped(prevalence) },
    ...(familiar
      ? [{ title: "Family", align: "right" as const, cell: ({ family }: Beacon) => (family === undefined ? "" : String(family.id)) }]
      : []),
    { title: "Every", align: "right", cell: ({ evidence }) => humanMinutes(Number(evidence["medianMinutes"])) },
    { title: "First (UTC)", align: "left", cell: ({ firstOccurrence }) => humanTime(firstOccurrence) },
    { title: "Last (UTC)", align: "left", cell: ({ lastOccurrence }) => humanTime(lastOccurrence) },
    {
      title: "Intervals",
      align: "left",
      cell: ({ profile: { intervals } }) => `${sparkline(intervals.counts)} ${humanMinutes(intervals.from)}–${humanMinutes(intervals.to)}`,
    },
  ];
}

/** What the options that set a rule are called. */
const RULE_NAMES: Readonly<Record<string, string>> = {
  default_filters: "the default filters (loopback, link-local, multicast)",
  conn_state: "connection state",
};

type SearchBeacons = HuntLogsResult["results"][number];

/** What a search found, in words. */
export function foundLine({ search, beacons }: SearchBeacons): string {
  return `${grouped(beacons.length)} potential ${beacons.length === 1 ? "beacon" : "beacons"} (${search.name})`;
}

/** How the families were found, in words; empty when nobody asked. */
function familyLine({ clustered, results }: Investigation): string {
  return clustered
    .flatMap((count, index) => {
      const { search, beacons = [] } = results[index] ?? {};
      const assigned = beacons.filter(({ family }) => family?.assigned).length;
      const alone = beacons.length - count - assigned;
      return beacons.length > count
        ? [
            `Families (${search?.name ?? ""}): the ${grouped(count)} highest-scored beacons were clustered, ${grouped(assigned)} assigned to a family, ${grouped(alone)} left alone.\n`,
          ]
        : [];
    })
    .join("");
}

/** What was read and what was left out, in words. */
export function readLine(result: HuntLogsResult): string {
  const { files, rows, malformedRows, duplicateRows, groups, bytes, seconds, rowsOutside, removedRows } = totals(result);
  const left = [
    malformedRows > 0 ? `${grouped(malformedRows)} malformed` : "",
    duplicateRows > 0 ? `${grouped(duplicateRows)} duplicate` : "",
    rowsOutside > 0 ? `${grouped(rowsOutside)} outside the time bounds` : "",
    ...Object.entries(removedRows).map(([rule, removed]) => `${grouped(removed)} by ${RULE_NAMES[rule] ?? rule}`),
  ].filter((text) => text !== "");
  const read = `${grouped(rows)} connections in ${grouped(groups)} groups from ${grouped(files)} ${files === 1 ? "file" : "files"} (${humanBytes(bytes)}) in ${seconds.toFixed(2)} s`;
  return left.length > 0 ? `${read}; rows not used: ${left.join(", ")}` : read;
}

function tableReport(result: Investigation, colour: boolean): string {
  const tables = result.results.map((one) => (one.beacons.length > 0 ? `${textTable(columns(colour, one.beacons), one.beacons)}\n` : ""));
  const [only] = result.results;
  if (result.results.length === 1 && only) return `${tables[0] ?? ""}${foundLine(only)} among ${readLine(result)}\n${familyLine(result)}`;
  const sections = result.results.map((one, index) => `${tables[index] ?? ""}${foundLine(one)}\n\n`);
  return `${sections.join("")}Among ${readLine(result)}\n${familyLine(result)}`;
}

/**
 * The text of a hunt's result. Times are ISO 8601 UTC with microseconds; CSV has the column names of the public API. One
 * search stands alone in JSON; several stand in a list.
 */
export async function beaconReport(format: BeaconFormat, result: Investigation, colour: boolean): Promise<string> {
  switch (format) {
    case "json": {
      const results = result.results.map(({ search, beacons }) => ({
        search: search.name,
        parameters: search.parameters,
        beacons: beacons.map((beacon) => beaconObject(beacon)),
      }));
      const found = results.length === 1 ? results[0] : { searches: results };
      const clustered = result.clustered.length > 0 ? { clusteredBeacons: result.clustered } : {};
      return `${JSON.stringify({ ...found, summary: { ...totals(result), ...clustered } }, undefined, 2)}\n`;
    }
    case "ndjson":
      return result.results
        .flatMap(({ search, beacons }) => beacons.map((beacon) => `${JSON.stringify({ search: search.name, ...beaconObject(beacon) })}\n`))
        .join("");
    case "csv":
      return csvReport(result.results);
    case "html":
      return (await import("./html-report.js")).htmlReport(result);
    case "markdown":
      return (await import("./markdown-report.js")).markdownReport(result);
    case "table":
      return tableReport(result, colour);
  }
}

/** The column names of the public API. */
export const API_COLUMNS = [
  "ID",
  "Source IP",
  "Destination IP",
  "Port",
  "Score",
  "DNS",
  "Connection Count",
  "First Occurrence",
  "Last Occurrence",
];

/** CSV in which no text is taken for a formula. */
export function csvRows(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): Promise<string> {
  const cells = rows.map((row) => row.map((value) => (typeof value === "string" ? csvCell(value) : value)));
  return writeToString(cells, { headers: [...headers], alwaysWriteHeaders: true, includeEndRowDelimiter: true });
}

async function csvReport(results: readonly SearchBeacons[]): Promise<string> {
  const several = results.length > 1;
  const all = results.flatMap(({ search, beacons }) => beacons.map((beacon) => ({ name: search.name, beacon })));
  const rows = all.map(({ name, beacon }, index) => [
    index + 1,
    beacon.source,
    beacon.destination,
    beacon.port,
    beacon.score,
    beacon.names[0] ?? "UNKNOWN",
    beacon.connectionCount,
    formatTime(beacon.firstOccurrence),
    formatTime(beacon.lastOccurrence),
    ...(several ? [name] : []),
  ]);
  return csvRows(several ? [...API_COLUMNS, "Search"] : API_COLUMNS, rows);
}
