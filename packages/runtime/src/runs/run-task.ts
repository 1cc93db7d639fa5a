import type { MessagePort } from "node:worker_threads";
import { type ConnectionFilter, CoreError, type ExplainedFlow, type Search, type TimeBounds } from "@heliograph/core";
import type { ClusterError } from "../cluster/cluster-client.js";
import type { HostPart, PartFindings } from "../cluster/cluster-hunt.js";
import type { ClusterLogs } from "../cluster/cluster-index.js";
import { findLogs } from "../files/find-logs.js";
import { withFamilies } from "../hunt/families.js";
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
  /** A data source that is a cluster, by name, instead of paths. */
  readonly cluster?: string;
}

/** A hunt in a cluster: all of it, or a piece. */
export interface ClusterWork {
  readonly logs: ClusterLogs;
  readonly step:
    | { readonly kind: "run" | "plan" }
    | { readonly kind: "part"; readonly part: HostPart }
    | { readonly kind: "join"; readonly parts: readonly PartFindings[] };
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

/** The beacons of a run as they are kept, numbered from 1. */
function keptBeacons(results: Investigation["results"]): RunResult["beacons"] {
  return results
    .flatMap(({ beacons }) => beacons)
    .map((beacon, index) => ({ ...apiBeacon(beacon, index + 1), protocol: beacon.protocol, evidence: evidenceOf(beacon) }));
}

/** What is kept of an investigation with one search. */
export function resultOf(investigation: Investigation): RunResult {
  return {
    beacons: keptBeacons(investigation.results),
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
    families: true,
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

/** Hunts in a cluster, or does a piece of that: a plan's parts, a part's findings, or the run's result. */
async function clusterWork(
  { search, bounds, filter }: RunOrder,
  { logs, step }: ClusterWork,
  tell: (message: RunMessage) => void,
): Promise<unknown> {
  const { connectCluster, huntPart, joinClusterHunt, planClusterHunt } = await import("../cluster/index.js");
  const hunt = { searches: [search], bounds, filter };
  const client = await connectCluster(logs);
  const joined = async (parts: Iterable<PartFindings>): Promise<RunResult> => {
    const { results, talkers, summary } = await joinClusterHunt(client, logs, hunt, parts);
    const beacons = keptBeacons((await withFamilies(results)).results);
    tell({ kind: "log", lines: [`found ${beacons.length} potential beacons; summary ${JSON.stringify(summary)}`] });
    return { beacons, talkers, summary };
  };
  try {
    switch (step.kind) {
      case "plan":
        return await planClusterHunt(client, logs, hunt);
      case "part":
        return await huntPart(client, logs, hunt, step.part);
      case "join":
        return await joined(step.parts);
      case "run": {
        const plan = await planClusterHunt(client, logs, hunt);
        tell({ kind: "log", lines: [`${plan.length} parts`] });
        const parts: PartFindings[] = [];
        for (const part of plan) {
          parts.push(await huntPart(client, logs, hunt, part));
          const rows = parts.reduce((sum, one) => sum + one.rows, 0);
          tell({ kind: "progress", progress: { bytes: parts.length, totalBytes: plan.length, rows, phase: "reading" } });
        }
        return await joined(parts);
      }
    }
  } finally {
    await client.close();
  }
}

/** What came of an order: the run's result (or a piece's), or why there is none; `again`: it may go better later. */
export type OrderResult =
  | { readonly result: RunResult }
  | { readonly piece: unknown }
  | { readonly failure: string; readonly unreadable: boolean; readonly again?: boolean };

/** The piece of work that the pool's threads do. */
export async function work({
  order,
  port,
  cluster,
}: {
  readonly order: RunOrder;
  readonly port: MessagePort;
  readonly cluster?: ClusterWork;
}): Promise<OrderResult> {
  const tell = (message: RunMessage): void => port.postMessage(message);
  try {
    if (!cluster) return { result: await runOrder(order, tell) };
    const made = await clusterWork(order, cluster, tell);
    return cluster.step.kind === "run" || cluster.step.kind === "join" ? { result: made as RunResult } : { piece: made };
  } catch (cause) {
    // Errors lose their class on the way to another thread.
    if (cause instanceof UnreadableLogs || cause instanceof CoreError) return { failure: cause.message, unreadable: true };
    if (cause instanceof Error && cause.name === "ClusterError") {
      const { status } = cause as ClusterError;
      return { failure: cause.message, unreadable: status < 500 && status !== 429, again: status >= 500 || status === 429 };
    }
    throw cause;
  } finally {
    // The pool's thread waits for work with its event loop at rest: that the port was closed would be told too late.
    port.postMessage({ kind: "end" } satisfies RunMessage);
    port.close();
  }
}
