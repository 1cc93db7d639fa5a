import type { MessagePort } from "node:worker_threads";
import { type ConnectionFilter, CoreError, type ExplainedFlow, type Search, type TimeBounds } from "@heliograph/core";
import { findLogs } from "../files/find-logs.js";
import type { Progress } from "../hunt/hunt-logs.js";
import { type Investigation, investigate } from "../hunt/investigate.js";
import { apiBeacon } from "../report/csv.js";
import { evidenceOf } from "../report/evidence.js";
import { totals, whyUnreadable } from "../report/reading.js";
import type { RunResult } from "../store/run-store.js";

/** What a run does; plain data, for a thread of its own. */
export interface RunOrder {
  readonly search: Search;
  readonly paths: readonly string[];
  readonly bounds: TimeBounds;
  readonly filter: ConnectionFilter;
  readonly names: boolean;
  /** Whether folders are searched for archives of any name too. */
  readonly archives: boolean;
  /** Whether the log tells what was decided of each group. */
  readonly verbose: boolean;
  readonly threads?: number;
}

/** What a run tells while it works. */
export type RunMessage =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "log"; readonly lines: readonly string[] }
  /** The last word. */
  | { readonly kind: "end" };

/** The logs of a run could not be read; what went wrong is for whoever asked. */
class UnreadableLogs extends Error {
  override readonly name = "UnreadableLogs";
}

/** Top talkers that are kept with a run. */
export const KEPT_TALKERS = 100;
/** Decisions about groups that a verbose run writes, for each thread that searches. */
const MOST_DECISIONS = 20_000;

/** What is kept of an investigation with one search. */
export function resultOf(investigation: Investigation): RunResult {
  return {
    beacons: investigation.results
      .flatMap(({ beacons }) => beacons)
      .map((beacon, index) => ({ ...apiBeacon(beacon, index + 1), protocol: beacon.protocol, evidence: evidenceOf(beacon) })),
    talkers: investigation.talkers ?? [],
    summary: totals(investigation),
  };
}

function decisionLine({ source, destination, port, protocol, connectionCount, searches }: ExplainedFlow): string {
  const [{ steps = [], score } = {}] = searches;
  const failed = steps.find(({ passed }) => !passed);
  const verdict =
    score !== undefined
      ? `potential beacon, score ${score.toFixed(2)}`
      : failed
        ? `left out: ${failed.step} ${Number.isNaN(failed.measured) ? "not defined" : Number(failed.measured.toFixed(4))}, wanted ${failed.comparison} ${failed.limit} ${failed.unit}`.trim()
        : "left out";
  return `group ${source} -> ${destination} ${port}/${protocol}, ${connectionCount} connections: ${verdict}`;
}

function readLines({ files }: Investigation): string[] {
  return files.flatMap(({ file, reports }) =>
    reports.flatMap((report) => [
      `read ${report.source || file.name}: ${report.rows} rows, ${report.malformedRows} malformed${report.truncated ? ", truncated" : ""}${report.damaged === undefined ? "" : `, damaged: ${report.damaged}`}`,
      ...report.problems.slice(0, 10).map(({ line, reason }) => `  line ${line}: ${reason}`),
    ]),
  );
}

/** Does a run: finds and reads the logs, searches, and tells how it goes. */
async function runOrder(order: RunOrder, tell: (message: RunMessage) => void): Promise<RunResult> {
  const log = (...lines: string[]): void => tell({ kind: "log", lines });
  log(`search ${order.search.name} ${JSON.stringify(order.search.parameters)}`, ...order.paths.map((path) => `path ${path}`));
  const { files, problems } = await findLogs(order.paths, { archives: order.archives });
  log(...problems.map(({ name, reason }) => `${name}: ${reason}`));
  if (files.length === 0)
    throw new UnreadableLogs(problems.map(({ name, reason }) => `${name}: ${reason}`).join("; ") || "there are no logs");
  const result = await investigate(files, {
    searches: [order.search],
    bounds: order.bounds,
    filter: order.filter,
    names: order.names,
    topTalkers: KEPT_TALKERS,
    explain: order.verbose && MOST_DECISIONS,
    onProgress: (progress) => tell({ kind: "progress", progress }),
    ...(order.threads !== undefined && { threads: order.threads }),
  });
  log(...readLines(result));
  if (result.explained) {
    log(...result.explained.flows.map(decisionLine));
    if (result.explained.omitted > 0) log(`… and ${result.explained.omitted} more groups`);
  }
  const kept = resultOf(result);
  if (result.files.every((file) => whyUnreadable(file) !== undefined))
    throw new UnreadableLogs("no log has a readable row; the run's log says why");
  log(`found ${kept.beacons.length} potential beacons; summary ${JSON.stringify(kept.summary)}`);
  return kept;
}

/** The piece of work that the pool's threads do. */
export async function work({
  order,
  port,
}: {
  readonly order: RunOrder;
  readonly port: MessagePort;
}): Promise<{ readonly result: RunResult } | { readonly failure: string; readonly unreadable: boolean }> {
  try {
    return { result: await runOrder(order, (message) => port.postMessage(message)) };
  } catch (cause) {
    // Errors lose their class on the way to another thread.
    if (cause instanceof UnreadableLogs || cause instanceof CoreError) return { failure: cause.message, unreadable: true };
    throw cause;
  } finally {
    // The pool's thread waits for work with its event loop at rest: that the port was closed would be told too late.
    port.postMessage({ kind: "end" } satisfies RunMessage);
    port.close();
  }
}
