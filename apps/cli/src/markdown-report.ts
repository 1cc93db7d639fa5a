import type { Beacon } from "@heliograph/core";
import type { HuntLogsResult } from "@heliograph/runtime";
import {
  foundLine,
  grouped,
  humanMinutes,
  humanTime,
  printable,
  readLine,
  sparkline,
  storyLine,
  storyOf,
  totals,
} from "@heliograph/runtime/report";

/** Text that Markdown takes for nothing but text. */
const escaped = (text: string): string => printable(text, 500).replace(/[\\`*_{}[\]<>()#+!|~&-]/g, "\\$&");

const COLUMNS: readonly (readonly [title: string, rule: string, cell: (beacon: Beacon) => string])[] = [
  ["Score", "--:", ({ score }) => score.toFixed(1)],
  ["Source", "---", ({ source }) => escaped(source)],
  ["Destination", "---", ({ destination }) => escaped(destination)],
  ["Name", "---", ({ names }) => escaped(names[0] ?? "UNKNOWN")],
  ["Port", "--:", ({ port, protocol }) => `${port}/${escaped(protocol)}`],
  ["Connections", "--:", ({ connectionCount }) => grouped(connectionCount)],
  ["Hosts", "--:", ({ prevalence }) => grouped(prevalence)],
  ["Every", "--:", ({ evidence }) => humanMinutes(Number(evidence["medianMinutes"]))],
  ["Longest gap", "--:", ({ profile }) => humanMinutes(profile.longestGapMinutes)],
  ["First (UTC)", "---", ({ firstOccurrence }) => humanTime(firstOccurrence)],
  ["Last (UTC)", "---", ({ lastOccurrence }) => humanTime(lastOccurrence)],
  ["Timeline", "---", ({ profile }) => sparkline(profile.timeline.counts)],
  [
    "What it does",
    "---",
    (beacon) => {
      const story = storyOf(beacon);
      return story ? escaped(storyLine(story)) : "";
    },
  ],
];

/** Tables for a ticket or a wiki. */
export function markdownReport(result: HuntLogsResult): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const parts = result.results.map((one) => {
    const table =
      one.beacons.length === 0
        ? []
        : [
            line(COLUMNS.map(([title]) => title)),
            line(COLUMNS.map(([, rule]) => rule)),
            ...one.beacons.map((beacon) => line(COLUMNS.map(([, , cell]) => cell(beacon)))),
            "",
          ];
    return [`## ${foundLine(one)}`, "", ...table].join("\n");
  });
  return `# Potential beacons\n\nAmong ${escaped(readLine(totals(result)))}.\n\n${parts.join("\n")}`;
}
