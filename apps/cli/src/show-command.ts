import { detectors, type ExplainedFlow, type ExplainedStep, type FlowProfile, formatTime, type IntervalMode } from "@heliograph/core";
import type { HuntLogsResult } from "@heliograph/runtime";
import { bar, grouped, humanMinutes, humanTime, payloadLines, printable, profileObject, sparkline } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { addFilterOptions, filterFrom } from "./filter-options.js";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { addReadOptions, configFrom, type ReadLogsOptions, readLogs } from "./read-logs.js";
import { addSearchOptions, type BoundOptions, boundsFrom, searchesFrom } from "./search-options.js";

const FORMATS = ["text", "json"] as const;

interface ShowOptions extends ReadLogsOptions, OutputOptions, BoundOptions {
  readonly search: string;
  readonly explain?: boolean;
  readonly [parameter: string]: unknown;
}

/** Groups printed for people; JSON has all. */
const MOST_PRINTED = 10;
const BAR_WIDTH = 40;

function intervalPlot({ intervals: { from, to, counts } }: FlowProfile): string[] {
  const width = (to - from) / counts.length;
  const most = Math.max(...counts);
  const edge = (bin: number): string => humanMinutes(from + bin * width);
  return counts.map((count, bin) => {
    const range = counts.length === 1 ? edge(0) : `${edge(bin)}–${edge(bin + 1)}`;
    return `    ${range.padStart(19)} ${bar(count / most, BAR_WIDTH)} ${count === 0 ? "" : grouped(count)}`.trimEnd();
  });
}

/** The lengths that a flow sleeps, in words. */
export function modesText(modes: readonly IntervalMode[]): string {
  const texts = modes.map(
    ({ medianMinutes, share, jitterPercent }) =>
      `${humanMinutes(medianMinutes)} (${(100 * share).toFixed(0)} % of the intervals, jitter ${jitterPercent.toFixed(1)} %)`,
  );
  return `sleeps ${texts.join(", ") || "not at all"}`;
}

function stepLine({ step, measured, comparison, limit, unit, passed }: ExplainedStep): string {
  const figure = (value: number): string => {
    if (Number.isNaN(value)) return "not defined";
    const text = Number.isInteger(value) ? grouped(value) : value.toFixed(2);
    return unit === "" ? text : `${text} ${unit}`;
  };
  return `    ${passed ? "passed" : "failed"}: ${step}: ${figure(measured)}, wanted ${comparison} ${figure(limit)}`;
}

function searchLines({ searches }: ExplainedFlow, explain: boolean): string[] {
  return searches.flatMap(({ search, steps, score }) => [
    `  ${search.name}: ${score === undefined ? "no potential beacon" : `potential beacon, score ${score.toFixed(1)}`}`,
    ...(explain ? steps.map(stepLine) : []),
  ]);
}

function flowText(flow: ExplainedFlow, explain: boolean): string {
  const { profile, names = [], payload } = flow;
  const { timeline } = profile;
  return [
    `${printable(flow.source)} -> ${printable(flow.destination)} ${flow.port}/${printable(flow.protocol)}`,
    ...(names.length > 0 ? [`  names: ${printable(names.join(", "), 500)}`] : []),
    `  ${grouped(flow.connectionCount)} connections from ${humanTime(flow.firstOccurrence)} to ${humanTime(flow.lastOccurrence)} UTC, active in ${grouped(profile.hoursActive)} hours`,
    `  intervals: median ${humanMinutes(profile.medianMinutes)}, mean ${humanMinutes(profile.meanMinutes)}, median absolute deviation ${humanMinutes(profile.madMinutes)}, coefficient of variation ${profile.coefficientOfVariation.toFixed(2)}`,
    `  ${modesText(flow.modes)}`,
    `  longest gap: ${humanMinutes(profile.longestGapMinutes)} from ${humanTime(profile.longestGapStart)} UTC`,
    ...intervalPlot(profile),
    `  timeline: ${sparkline(timeline.counts)}`,
    ...(payload ? payloadLines(payload).map(([name, line]) => `  ${name.toLowerCase()}: ${printable(line, 500)}`) : []),
    ...searchLines(flow, explain),
  ].join("\n");
}

function textReport({ explained }: HuntLogsResult, explain: boolean): string {
  const { flows = [], omitted = 0 } = explained ?? {};
  if (flows.length === 0)
    return "No connections of these two hosts, or a single one. Does the log have them, and does a filter leave them?\n";
  const printed = flows.slice(0, MOST_PRINTED).map((flow) => `${flowText(flow, explain)}\n`);
  const more = flows.length + omitted - printed.length;
  const rest = more > 0 ? `\n${grouped(more)} more with fewer connections; name one with --port and --protocol, or use --json\n` : "";
  return `${printed.join("\n")}${rest}`;
}

function jsonReport({ explained }: HuntLogsResult): string {
  const flows = (explained?.flows ?? []).map(
    ({ profile, modes, searches, firstOccurrence, lastOccurrence, payload, names = [], ...flow }) => ({
      ...flow,
      names,
      firstOccurrence: formatTime(firstOccurrence),
      lastOccurrence: formatTime(lastOccurrence),
      evidence: { modes, ...profileObject(profile), payload: payload ?? null },
      searches: searches.map(({ search, steps, score }) => ({
        search: search.name,
        parameters: search.parameters,
        score: score ?? null,
        // A measure that is not defined is null in JSON.
        steps,
      })),
    }),
  );
  return `${JSON.stringify({ flows, omitted: explained?.omitted ?? 0 }, undefined, 2)}\n`;
}

/** Adds `heliograph show`. */
export function addShowCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("show")
    .description("Show how two hosts talk: intervals, times, and what the searches make of it")
    .argument("<source>", "address of the host that connects")
    .argument("<destination>", "address of the host that it connects to")
    .argument("<path...>", "conn logs: files, folders, patterns with * ? **, or - for standard input")
    .option("--search <searches>", "Searches to run, separated by commas", detectors.map((detector) => detector.name).join(","))
    .option("--explain", "Say why the searches take it for a beacon or not, step by step");
  addSearchOptions(command);
  addFilterOptions(command, ["port", "protocol", "conn-state", "service"]);
  command.option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)");
  addReadOptions(command);
  addOutputOptions(command, FORMATS);
  command.action(async (source: string, destination: string, paths: string[], options: ShowOptions) => {
    const format = chosenFormat(FORMATS, options);
    const config = await configFrom(options);
    const searches = searchesFrom(options.search, options, config);
    // Whoever names two hosts wants them, loopback or not.
    const pair = { source: { include: [source] }, destination: { include: [destination] }, default_filters: false };
    const { internal_networks } = config.filter ?? {};
    const filter = { ...filterFrom(options), ...(internal_networks && { internal_networks }), ...pair };
    const bounds = boundsFrom(options);
    const { result, failed } = await readLogs(paths, options, {
      searches,
      filter,
      bounds,
      explain: true,
      names: "where-there-are",
      details: true,
      config,
      signal,
    });
    const text = format === "json" ? jsonReport(result) : textReport(result, options.explain ?? false);
    await writeResult(text, options.output);
    if (failed) process.exitCode = 1;
  });
}
