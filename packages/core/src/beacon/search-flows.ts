import { MICROS_PER_MINUTE } from "../flows/flow.js";
import type { FlowShard } from "../flows/flow-shard.js";
import { type VisitTotals, visitFlows } from "../flows/visit-flows.js";
import { type Histogram, histogram } from "../stats/histogram.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import type { Evidence } from "./detector.js";
import { checkParameters, type ParameterValues } from "./parameters.js";
import { detectorNamed } from "./registry.js";

/** A search to run: a detector's name and its parameters, checked by `planSearch`. */
export interface Search {
  readonly name: string;
  readonly parameters: ParameterValues;
}

/** A potential beacon. */
export interface Beacon {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: string;
  /** 0..100. */
  readonly score: number;
  /** The group's connections, duplicates dropped. */
  readonly connectionCount: number;
  /** Microseconds since 1970-01-01 UTC. */
  readonly firstOccurrence: number;
  readonly lastOccurrence: number;
  readonly evidence: Evidence;
  /** All gaps between the connections, in minutes. */
  readonly intervals: Histogram;
}

/** The beacons of each search, in the searches' order, and what was searched. */
export interface SearchResult extends VisitTotals {
  readonly beacons: readonly (readonly Beacon[])[];
}

/** Bins of a beacon's interval histogram. */
export const INTERVAL_BINS = 24;

/**
 * Checks a search and fills in its defaults.
 * @throws CoreError `bad-parameter`
 */
export function planSearch(name: string, parameters: unknown = {}): Search {
  return { name, parameters: checkParameters(detectorNamed(name).parameters, parameters) };
}

/** Runs searches over one partition of shards, every flow once for all of them; beacons come unordered. See `visitFlows`. */
export function searchFlows(
  engine: ReadEngine,
  shards: readonly FlowShard[],
  partition: number,
  searches: readonly Search[],
): SearchResult {
  const runs = searches.map(({ name, parameters }) => {
    const detector = detectorNamed(name);
    return { detector, parameters, least: detector.minConnections(parameters), beacons: [] as Beacon[] };
  });
  const least = runs.reduce((smallest, run) => Math.min(smallest, run.least), Number.POSITIVE_INFINITY);
  const totals = visitFlows(engine, shards, partition, least, (flow) => {
    const { times, gaps } = flow;
    for (const { detector, parameters, least: needed, beacons } of runs) {
      if (times.length < needed) continue;
      const verdict = detector.detect(flow, parameters);
      if (!verdict) continue;
      beacons.push({
        source: flow.source,
        destination: flow.destination,
        port: flow.port,
        protocol: flow.protocol,
        score: verdict.score,
        connectionCount: times.length,
        firstOccurrence: times[0] ?? 0,
        lastOccurrence: times.at(-1) ?? 0,
        evidence: verdict.evidence,
        intervals: histogram(
          gaps.map((gap) => gap / MICROS_PER_MINUTE),
          INTERVAL_BINS,
        ),
      });
    }
  });
  return { ...totals, beacons: runs.map((run) => run.beacons) };
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The order of results: score and connections descending, then source, destination, port and protocol. */
export function compareBeacons(a: Beacon, b: Beacon): number {
  return (
    b.score - a.score ||
    b.connectionCount - a.connectionCount ||
    byText(a.source, b.source) ||
    byText(a.destination, b.destination) ||
    a.port - b.port ||
    byText(a.protocol, b.protocol)
  );
}
