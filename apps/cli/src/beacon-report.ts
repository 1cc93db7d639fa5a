import { type Beacon, formatTime } from "@heliograph/core";
import type { HuntLogsResult, Investigation } from "@heliograph/runtime";
import {
  API_COLUMNS,
  apiBeacon,
  apiRow,
  blindLine,
  csvRows,
  evidenceOf,
  foundLine,
  grouped,
  humanMinutes,
  humanTime,
  LIKELY_HARMLESS,
  printable,
  readLine,
  sparkline,
  storyLine,
  storyOf,
  totals,
} from "@heliograph/runtime/report";
import { type TableColumn, textTable } from "./text-table.js";

/** How beacons are printed. */
export type BeaconFormat = "table" | "json" | "ndjson" | "csv" | "markdown" | "html";

/** How the table is printed. */
export interface ReportOptions {
  readonly colour: boolean;
  /** Whether to list what is likely harmless too. */
  readonly all: boolean;
}

function beaconObject(beacon: Beacon): object {
  const { source, destination, port, protocol, score, connectionCount } = beacon;
  return {
    source,
    destination,
    port,
    protocol,
    score,
    connectionCount,
    firstOccurrence: formatTime(beacon.firstOccurrence),
    lastOccurrence: formatTime(beacon.lastOccurrence),
    evidence: evidenceOf(beacon),
  };
}

function scoreColour(score: number): string {
  return score >= 95 ? "\u001b[31m" : score >= 85 ? "\u001b[33m" : "\u001b[36m";
}

const LONGEST_NAME = 40;

const LONGEST_STORY = 300;

function columns(colour: boolean, beacons: readonly Beacon[]): TableColumn<Beacon>[] {
  const explained = beacons.every((beacon) => storyOf(beacon) !== undefined);
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
    ...(explained ? [STORY_COLUMN] : INTERVAL_COLUMNS),
  ];
}

const STORY_COLUMN: TableColumn<Beacon> = {
  title: "What it does",
  align: "left",
  longest: LONGEST_STORY,
  cell: (beacon) => storyLine(storyOf(beacon) ?? { summary: "", labels: [] }),
};

const INTERVAL_COLUMNS: readonly TableColumn<Beacon>[] = [
  { title: "Every", align: "right", cell: ({ evidence }) => humanMinutes(Number(evidence["medianMinutes"])) },
  { title: "First (UTC)", align: "left", cell: ({ firstOccurrence }) => humanTime(firstOccurrence) },
  { title: "Last (UTC)", align: "left", cell: ({ lastOccurrence }) => humanTime(lastOccurrence) },
  {
    title: "Intervals",
    align: "left",
    cell: ({ profile: { intervals } }) => `${sparkline(intervals.counts)} ${humanMinutes(intervals.from)}–${humanMinutes(intervals.to)}`,
  },
];

type SearchBeacons = HuntLogsResult["results"][number];

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

/** How often each label stands among beacons, the most frequent first. */
function labelCounts(beacons: readonly Beacon[]): string {
  const counts = new Map<string, number>();
  for (const beacon of beacons) {
    // What is in a label's detail differs from beacon to beacon.
    const label = storyOf(beacon)?.labels[0]?.split(":")[0] ?? "less regular, or of many hosts";
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([label, count]) => `${grouped(count)} ${label}`)
    .join(", ");
}

/** The table of one search. What is likely harmless is counted, not listed, unless all are asked for. */
function searchTable({ beacons }: SearchBeacons, { colour, all }: ReportOptions): string {
  const shown = all ? beacons : beacons.filter((beacon) => beacon.score >= LIKELY_HARMLESS || !storyOf(beacon));
  const hidden = beacons.filter((beacon) => !shown.includes(beacon));
  const table = shown.length > 0 ? `${textTable(columns(colour, shown), shown)}\n` : "";
  return hidden.length > 0
    ? `${table}${grouped(hidden.length)} more score below ${LIKELY_HARMLESS} and are likely harmless (${labelCounts(hidden)}); --all lists them\n\n`
    : table;
}

/** What a search could not see, as a line; empty when it could see all. */
function blind(one: SearchBeacons, result: Investigation): string {
  const line = blindLine(one, result);
  return line === undefined ? "" : `${line}\n`;
}

function tableReport(result: Investigation, options: ReportOptions): string {
  const tables = result.results.map((one) => searchTable(one, options));
  const [only] = result.results;
  if (result.results.length === 1 && only)
    return `${tables[0] ?? ""}${foundLine(only)} among ${readLine(totals(result))}\n${blind(only, result)}${familyLine(result)}`;
  const sections = result.results.map((one, index) => `${tables[index] ?? ""}${foundLine(one)}\n${blind(one, result)}\n`);
  return `${sections.join("")}Among ${readLine(totals(result))}\n${familyLine(result)}`;
}

const json = (value: unknown, indent: string): string => JSON.stringify(value, undefined, 2).replaceAll("\n", `\n${indent}`);

/** One search with its beacons as JSON, a piece for each beacon: there may be more than one text can hold. */
function* searchPieces({ search, beacons }: SearchBeacons, indent: string): Generator<string> {
  const members = `${indent}"search": ${json(search.name, indent)},\n${indent}"parameters": ${json(search.parameters, indent)},\n`;
  yield `${members}${indent}"beacons": [`;
  let separator = "";
  for (const beacon of beacons) {
    yield `${separator}\n${indent}  ${json(beaconObject(beacon), `${indent}  `)}`;
    separator = ",";
  }
  yield beacons.length > 0 ? `\n${indent}]` : "]";
}

function* jsonReport(result: Investigation): Generator<string> {
  const clustered = result.clustered.length > 0 ? { clusteredBeacons: result.clustered } : {};
  const summary = `,\n  "summary": ${json({ ...totals(result), ...clustered }, "  ")}\n}\n`;
  const [only] = result.results;
  yield "{\n";
  if (only && result.results.length === 1) yield* searchPieces(only, "  ");
  else {
    yield '  "searches": [';
    let separator = "";
    for (const one of result.results) {
      yield `${separator}\n    {\n`;
      yield* searchPieces(one, "      ");
      yield "\n    }";
      separator = ",";
    }
    yield "\n  ]";
  }
  yield summary;
}

function* ndjsonReport({ results }: Investigation): Generator<string> {
  for (const { search, beacons } of results) {
    for (const beacon of beacons) yield `${JSON.stringify({ search: search.name, ...beaconObject(beacon) })}\n`;
  }
}

/**
 * The text of a hunt's result, or its pieces. Times are ISO 8601 UTC with microseconds; CSV has the column names of the public API. One
 * search stands alone in JSON; several stand in a list.
 */
export async function beaconReport(
  format: BeaconFormat,
  result: Investigation,
  options: ReportOptions,
): Promise<string | Iterable<string>> {
  switch (format) {
    case "json":
      return jsonReport(result);
    case "ndjson":
      return ndjsonReport(result);
    case "csv":
      return csvReport(result.results);
    case "html":
      return (await import("@heliograph/runtime/report")).htmlReport(result.results, totals(result));
    case "markdown":
      return (await import("./markdown-report.js")).markdownReport(result);
    case "table":
      return tableReport(result, options);
  }
}

async function csvReport(results: readonly SearchBeacons[]): Promise<string> {
  const several = results.length > 1;
  const all = results.flatMap(({ search, beacons }) => beacons.map((beacon) => ({ name: search.name, beacon })));
  const rows = all.map(({ name, beacon }, index) => {
    const row = Object.values(apiRow(apiBeacon(beacon, index + 1)));
    return several ? [...row, name] : row;
  });
  return csvRows(several ? [...API_COLUMNS, "Search"] : API_COLUMNS, rows);
}
