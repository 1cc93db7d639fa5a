import type { Flow } from "../flows/flow.js";
import type { JoinedFlows } from "../flows/flow-shard.js";
import type { PayloadProfile } from "../flows/payload.js";
import { countHosts, type HostFacts, HostPairList, type HostPairs, hostFacts } from "../flows/prevalence.js";
import { byText, compareTalkers, type Talker, TalkerCount } from "../flows/top-talkers.js";
import { type VisitOptions, type VisitTotals, visitFlows } from "../flows/visit-flows.js";
import type { NameLookup } from "../names/name-index.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import type { Evidence, ExplainedStep, FlowDirection, Surroundings } from "./detector.js";
import type { FamilyMembership } from "./families.js";
import { type FlowProfile, profileFlow } from "./flow-profile.js";
import { type IntervalMode, intervalModes, mayHaveModes, sampleGaps } from "./interval-modes.js";
import { checkParameters, type ParameterValues } from "./parameters.js";
import { detectorNamed } from "./registry.js";

/** A search to run: a detector's name and its parameters, checked by `planSearch`. */
export interface Search {
  readonly name: string;
  readonly parameters: ParameterValues;
}

/** A connection group as it is reported. */
export interface FlowSummary {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: string;
  /** The group's connections, duplicates dropped. */
  readonly connectionCount: number;
  /** Microseconds since 1970-01-01 UTC. */
  readonly firstOccurrence: number;
  readonly lastOccurrence: number;
  readonly profile: FlowProfile;
  /** The lengths that the flow sleeps, the largest share first. */
  readonly modes: readonly IntervalMode[];
  /** What the destination is called, the likeliest name first; empty or absent where the logs do not tell or were not asked. */
  readonly names?: readonly string[];
  /** What it carries; only from a second reading of the logs. */
  readonly payload?: PayloadProfile;
}

/** A potential beacon. */
export interface Beacon extends FlowSummary {
  /** 0..100. */
  readonly score: number;
  readonly evidence: Evidence;
  /** Internal hosts that talk to the destination, this one included. */
  readonly prevalence: number;
  readonly names: readonly string[];
  /** Only of a beacon that was just found. */
  readonly surroundings?: Surroundings;
  /** Beacons that behave like it; only when families were looked for. */
  readonly family?: FamilyMembership;
}

/** What searches make of one flow, step by step. */
export interface ExplainedFlow extends FlowSummary {
  readonly searches: readonly {
    readonly search: Search;
    /** Up to the step that failed. */
    readonly steps: readonly ExplainedStep[];
    /** Undefined: no potential beacon. */
    readonly score: number | undefined;
  }[];
}

/** A beacon of which is not known yet what takes all groups, or other logs. */
export type FoundBeacon = Omit<Beacon, "prevalence" | "names">;

/** What one thread found in its buckets; plain data for `joinFindings`. */
export interface BucketFindings extends VisitTotals {
  /** For each search, in no order. */
  readonly beacons: readonly (readonly FoundBeacon[])[];
  /** For each search, groups that it looked at. */
  readonly tested: readonly number[];
  readonly explained: ExplainedFlows;
  readonly talkers: readonly Talker[];
  readonly pairs: HostPairs;
}

/** The beacons of each search, in the searches' order, and what was searched. */
export interface Findings {
  readonly results: readonly { readonly search: Search; readonly beacons: readonly Beacon[] }[];
  /** Only when asked for; those with most connections first. */
  readonly explained?: ExplainedFlows;
  /** Only when asked for; those with most connections first. */
  readonly talkers?: readonly Talker[];
  /** Connection groups. */
  readonly groups: number;
  /** Only when asked for: distinct addresses at either end of them. */
  readonly hosts?: number;
  /** Rows dropped because they were seen before. */
  readonly duplicateRows: number;
  /** Rows of groups that the filter left out, by rule. */
  readonly removed: readonly VisitTotals["removed"][];
}

/**
 * Checks a search and fills in its defaults.
 * @throws CoreError `bad-parameter`
 */
export function planSearch(name: string, parameters: unknown = {}): Search {
  return { name, parameters: checkParameters(detectorNamed(name).parameters, parameters) };
}

/** A summary whose modes are still a sample of gaps. */
type Draft<Summary extends FlowSummary> = Omit<Summary, "modes"> & { readonly sample: readonly number[] };

function draftOf(flow: Flow): Draft<FlowSummary> {
  const { times } = flow;
  return {
    source: flow.source,
    destination: flow.destination,
    port: flow.port,
    protocol: flow.protocol,
    connectionCount: times.length,
    firstOccurrence: times[0] ?? 0,
    lastOccurrence: times.at(-1) ?? 0,
    profile: profileFlow(flow),
    sample: sampleGaps(flow.gaps),
  };
}

/** Finds the modes of flows; k-means is loaded when one needs it. */
async function modesOf(samples: Iterable<readonly number[]>): Promise<Map<readonly number[], readonly IntervalMode[]>> {
  const modes = new Map<readonly number[], readonly IntervalMode[]>();
  for (const sample of samples) {
    if (modes.has(sample)) continue;
    modes.set(sample, intervalModes(sample, mayHaveModes(sample) ? (await import("ml-kmeans")).kmeans : undefined));
  }
  return modes;
}

/** Flows explained when nobody says how many. */
const EXPLAINED = 1000;

/** Flows explained, and how many more there were. */
export interface ExplainedFlows {
  readonly flows: readonly ExplainedFlow[];
  readonly omitted: number;
}

/** What a search tells besides its beacons. */
export interface SearchOptions extends Pick<VisitOptions, "filter" | "names" | "nextBucket"> {
  /** Explain flows of at least two connections, so many at most (true: 1,000); those beyond are counted. About 2 KB each. */
  readonly explain?: boolean | number | undefined;
  /** Count the connections of each (source, destination, port), and tell so many of those with most. Default 0. */
  readonly topTalkers?: number | undefined;
}

/** Runs searches over the flows of some buckets, every flow once for all of them. See `visitFlows`. */
export async function searchFlows(
  engine: ReadEngine,
  flows: JoinedFlows,
  searches: readonly Search[],
  { explain = false, topTalkers = 0, ...visit }: SearchOptions = {},
): Promise<BucketFindings> {
  const runs = searches.map((search) => {
    const detector = detectorNamed(search.name);
    return { search, detector, least: detector.minConnections(search.parameters), found: [] as Draft<FoundBeacon>[], tested: 0 };
  });
  const explained: Draft<ExplainedFlow>[] = [];
  const mostExplained = explain === true ? EXPLAINED : Number(explain);
  let omitted = 0;
  const talkers = topTalkers > 0 ? new TalkerCount() : undefined;
  const pairs = new HostPairList();
  const minConnections = talkers
    ? 1
    : explain
      ? 2
      : runs.reduce((smallest, run) => Math.min(smallest, run.least), Number.POSITIVE_INFINITY);
  const onGroup = (source: number, destination: number): void => pairs.add(source, destination);
  const totals = visitFlows(engine, flows, { minConnections, onGroup, ...visit }, (flow) => {
    talkers?.add(flow);
    let summary: Draft<FlowSummary> | undefined;
    for (const run of runs) {
      const { search, detector, least: needed, found } = run;
      if (flow.times.length < needed) continue;
      run.tested++;
      const verdict = detector.detect(flow, search.parameters);
      if (!verdict) continue;
      summary ??= draftOf(flow);
      found.push({ ...summary, ...verdict });
    }
    if (!explain || flow.times.length < 2) return;
    if (explained.length < mostExplained)
      explained.push({ ...(summary ?? draftOf(flow)), searches: searches.map((search) => explainOne(flow, search)) });
    else omitted++;
  });
  const modes = await modesOf([...runs.flatMap(({ found }) => found), ...explained].map(({ sample }) => sample));
  const finished = <D extends Draft<FlowSummary>>({ sample, ...draft }: D): Omit<D, "sample"> & { modes: readonly IntervalMode[] } => ({
    ...draft,
    modes: modes.get(sample) ?? [],
  });
  return {
    ...totals,
    beacons: runs.map(({ found }) => found.map(finished)),
    tested: runs.map(({ tested }) => tested),
    explained: { flows: explained.map(finished), omitted },
    talkers: talkers?.top(topTalkers) ?? [],
    pairs: pairs.pairs(),
  };
}

/** What to make of the findings of all threads. */
export interface JoinOptions extends Pick<SearchOptions, "explain" | "topTalkers" | "names"> {
  /** Count the hosts. */
  readonly hosts?: boolean | undefined;
  /** First and last time in the logs, in microseconds since 1970-01-01 UTC; absent when there is no row. */
  readonly capture?: readonly [first: number, last: number] | undefined;
  /** Whose hosts count for the prevalence. Default: private, link-local, loopback and carrier-grade NAT networks. */
  readonly internalNetworks?: readonly string[] | undefined;
}

/** Joins what threads found in all buckets of the same flows, in order. */
export function joinFindings(
  { addresses }: JoinedFlows,
  searches: readonly Search[],
  parts: readonly BucketFindings[],
  { explain = false, topTalkers = 0, hosts = false, names, internalNetworks, capture = [0, 0] }: JoinOptions = {},
): Findings {
  const pairs = parts.map((part) => part.pairs);
  const found = parts.flatMap(({ beacons }) => beacons.flat());
  const facts = hostFacts(addresses, pairs, found, internalNetworks);
  return {
    results: searches.map((search, index) => {
      const groupsTested = parts.reduce((sum, { tested }) => sum + (tested[index] ?? 0), 0);
      const beacons = parts.flatMap(({ beacons }) => beacons[index] ?? []);
      return { search, beacons: judgeFound(search, beacons, { facts, groupsTested, capture, names }) };
    }),
    ...(explain !== false && {
      explained: {
        flows: parts.flatMap(({ explained }) => explained.flows).sort(compareFlows),
        omitted: parts.reduce((sum, { explained }) => sum + explained.omitted, 0),
      },
    }),
    ...(topTalkers > 0 && {
      talkers: parts
        .flatMap(({ talkers }) => talkers)
        .sort(compareTalkers)
        .slice(0, topTalkers),
    }),
    groups: parts.reduce((sum, part) => sum + part.groups, 0),
    ...(hosts && { hosts: countHosts(pairs) }),
    duplicateRows: parts.reduce((sum, part) => sum + part.duplicateRows, 0),
    removed: parts.map(({ removed }) => removed),
  };
}

/** What is known of all groups, to judge the beacons of a search by. */
export interface Knowledge {
  readonly facts: HostFacts;
  readonly groupsTested: number;
  readonly capture: readonly [first: number, last: number];
  readonly names?: NameLookup | undefined;
}

/** Gives found beacons their surroundings and lets the search have the last word on them, in order. */
export function judgeFound(search: Search, found: readonly FoundBeacon[], { facts, groupsTested, capture, names }: Knowledge): Beacon[] {
  const beacons = found.map((beacon) => {
    const surroundings = surroundingsOf(beacon, facts, groupsTested, capture);
    const known = names?.of(beacon.source, beacon.destination, beacon.lastOccurrence) ?? [];
    return { ...beacon, prevalence: surroundings.prevalence, names: known, surroundings };
  });
  return settleBeacons(search, beacons);
}

function surroundingsOf(
  { source, destination }: FoundBeacon,
  { prevalence, destinations, internalHosts, isInternal }: HostFacts,
  groupsTested: number,
  capture: readonly [number, number],
): Surroundings {
  const from = isInternal(source);
  const to = isInternal(destination);
  const direction: FlowDirection = from ? (to ? "internal" : "outbound") : to ? "inbound" : "external";
  return {
    prevalence: prevalence.get(destination) ?? 0,
    internalHosts,
    destinations: destinations.get(source) ?? 0,
    direction,
    groupsTested,
    capture,
  };
}

/** Lets the detector have the last word on beacons that were just found, and orders them; again when more names are known. */
export function settleBeacons(search: Search, beacons: readonly Beacon[]): Beacon[] {
  const detector = detectorNamed(search.name);
  const settled = beacons.map((beacon) => {
    const { surroundings } = beacon;
    return surroundings && detector.settle ? { ...beacon, ...detector.settle(beacon, surroundings, search.parameters) } : beacon;
  });
  return settled.sort(compareBeacons);
}

function explainOne(flow: Flow, search: Search): ExplainedFlow["searches"][number] {
  const steps: ExplainedStep[] = [];
  const verdict = detectorNamed(search.name).detect(flow, search.parameters, (step) => steps.push(step));
  return { search, steps, score: verdict?.score };
}

/** The order of results: score and connections descending, then source, destination, port and protocol. */
export function compareBeacons(a: Beacon, b: Beacon): number {
  return b.score - a.score || compareFlows(a, b);
}

/** Connections descending, then source, destination, port and protocol. */
export function compareFlows(a: FlowSummary, b: FlowSummary): number {
  return (
    b.connectionCount - a.connectionCount ||
    byText(a.source, b.source) ||
    byText(a.destination, b.destination) ||
    a.port - b.port ||
    byText(a.protocol, b.protocol)
  );
}
