import type { Beacon, Histogram } from "@heliograph/core";
import { type FoundBeacons, foundLine, payloadLines, readLine, storyLine, storyOf, type Totals } from "./reading.js";
import { grouped, humanMinutes, humanTime, printable } from "./words.js";

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text as HTML shows it, whatever a log put into it. */
const escaped = (text: string): string => printable(text, 1000).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

// No script, nothing from elsewhere: a report may be opened where the incident is.
const STYLE = `
:root { color-scheme: light dark; --line: #8886; --bar: #c2410c; --dim: #777; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; }
.scroll { overflow-x: auto; }
section.beacon { border-top: 1px solid var(--line); margin-top: 2rem; }
.charts { display: flex; flex-wrap: wrap; gap: 2rem; }
figure { margin: 0; flex: 1 1 24rem; }
figcaption { color: var(--dim); }
svg { width: 100%; height: 8rem; display: block; border-bottom: 1px solid var(--line); }
rect { fill: var(--bar); }
.edges { display: flex; justify-content: space-between; color: var(--dim); font-size: .85em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; }
dt { color: var(--dim); } dd { margin: 0; }
@media print { section.beacon { break-inside: avoid; } }
`;

function chart(title: string, { from, to, counts }: Histogram, edge: (value: number) => string): string {
  const most = Math.max(...counts, 1);
  const bars = counts
    .map((count, bin) => {
      const height = (100 * count) / most;
      return count === 0 ? "" : `<rect x="${bin}" y="${(100 - height).toFixed(2)}" width="0.9" height="${height.toFixed(2)}"/>`;
    })
    .join("");
  return `<figure><figcaption>${title}, at most ${grouped(most)} in a bar</figcaption>
<svg viewBox="0 0 ${counts.length} 100" preserveAspectRatio="none" role="img" aria-label="${title}">${bars}</svg>
<div class="edges"><span>${escaped(edge(from))}</span><span>${escaped(edge(to))}</span></div></figure>`;
}

/** A piece of evidence in one line, whatever it is made of. */
function evidenceText(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toFixed(4)));
  if (Array.isArray(value)) return value.map(evidenceText).join(", ");
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .map(([name, part]) => `${name} ${typeof part === "object" && part !== null ? `(${evidenceText(part)})` : evidenceText(part)}`)
      .join(", ");
  return String(value);
}

function evidenceList({ names, profile, modes, prevalence, evidence, payload, family }: Beacon): string {
  const rows: [string, string][] = [
    ["Names", names.join(", ") || "UNKNOWN"],
    ...(family
      ? ([["Family", `${family.id}: ${grouped(family.size)} beacons alike, joined at height ${family.height.toFixed(2)}`]] as [
          string,
          string,
        ][])
      : []),
    ["Intervals", `median ${humanMinutes(profile.medianMinutes)}, mean ${humanMinutes(profile.meanMinutes)}`],
    [
      "Sleeps",
      modes
        .map((mode) => `${humanMinutes(mode.medianMinutes)}: ${(100 * mode.share).toFixed(0)} %, jitter ${mode.jitterPercent.toFixed(1)} %`)
        .join("; "),
    ],
    [
      "Spread",
      `median absolute deviation ${humanMinutes(profile.madMinutes)}, coefficient of variation ${profile.coefficientOfVariation.toFixed(2)}`,
    ],
    ["Longest gap", `${humanMinutes(profile.longestGapMinutes)} from ${humanTime(profile.longestGapStart)} UTC`],
    ["Active", `in ${grouped(profile.hoursActive)} hours`],
    ["Internal hosts that talk to the destination", grouped(prevalence)],
    ...(payload ? payloadLines(payload) : []),
    ...Object.entries(evidence)
      .filter(([name]) => name !== "summary" && name !== "labels")
      .map(([name, value]): [string, string] => [name, evidenceText(value)]),
  ];
  return `<dl>${rows.map(([term, value]) => `<dt>${escaped(term)}</dt><dd>${escaped(value)}</dd>`).join("")}</dl>`;
}

const place = (beacon: Beacon): string =>
  `${escaped(beacon.source)} → ${escaped(beacon.destination)} ${beacon.port}/${escaped(beacon.protocol)}`;

function storyParagraph(beacon: Beacon): string {
  const story = storyOf(beacon);
  return story ? `<p>${escaped(storyLine(story))}</p>` : "";
}

function section(beacon: Beacon, id: string): string {
  return `<section class="beacon" id="${id}"><h3>${place(beacon)} — score ${beacon.score.toFixed(1)}</h3>
<p>${grouped(beacon.connectionCount)} connections from ${humanTime(beacon.firstOccurrence)} to ${humanTime(beacon.lastOccurrence)} UTC</p>
${storyParagraph(beacon)}
<div class="charts">${chart("Intervals", beacon.profile.intervals, humanMinutes)}${chart("Connections over time", beacon.profile.timeline, humanTime)}</div>
${evidenceList(beacon)}</section>`;
}

function row(beacon: Beacon, id: string): string {
  return `<tr><td class="n">${beacon.score.toFixed(1)}</td><td><a href="#${id}">${escaped(beacon.source)}</a></td><td>${escaped(beacon.destination)}</td><td>${escaped(beacon.names[0] ?? "UNKNOWN")}</td>
<td class="n">${beacon.port}/${escaped(beacon.protocol)}</td><td class="n">${grouped(beacon.connectionCount)}</td><td class="n">${grouped(beacon.prevalence)}</td><td class="n">${beacon.family?.id ?? ""}</td>
<td class="n">${humanMinutes(Number(beacon.evidence["medianMinutes"]))}</td><td>${humanTime(beacon.firstOccurrence)}</td><td>${humanTime(beacon.lastOccurrence)}</td></tr>`;
}

/** Beacons of a search on one page: more are no reading, and no browser likes them. */
export const MOST_SHOWN = 2000;

function searchPart(one: FoundBeacons): string {
  const { search } = one;
  const beacons = one.beacons.slice(0, MOST_SHOWN);
  const more = (one.count ?? one.beacons.length) - beacons.length;
  const parameters = Object.entries(search.parameters).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const id = (index: number): string => `${search.name}-${index + 1}`;
  const table =
    beacons.length === 0
      ? ""
      : `<div class="scroll"><table><thead><tr><th class="n">Score</th><th>Source</th><th>Destination</th><th>Name</th><th class="n">Port</th><th class="n">Connections</th>
<th class="n">Hosts</th><th class="n">Family</th><th class="n">Every</th><th>First (UTC)</th><th>Last (UTC)</th></tr></thead>
<tbody>${beacons.map((beacon, index) => row(beacon, id(index))).join("\n")}</tbody></table></div>`;
  return `<h2>${escaped(foundLine(one))}</h2><p>${escaped(parameters.join(", "))}</p>${more > 0 ? `<p>Shown are the ${grouped(beacons.length)} with the highest scores; ${grouped(more)} more stand in CSV and NDJSON.</p>` : ""}${table}
${beacons.map((beacon, index) => section(beacon, id(index))).join("\n")}`;
}

/** One page that needs nothing else: a table, and charts for each beacon. */
export function htmlReport(results: readonly FoundBeacons[], read: Totals): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Heliograph: potential beacons</title><style>${STYLE}</style></head>
<body><h1>Potential beacons</h1><p>Among ${escaped(readLine(read))}. Regular is not malicious: time servers and update checks are regular too.</p>
${results.map((one) => searchPart(one)).join("\n")}
</body></html>
`;
}
