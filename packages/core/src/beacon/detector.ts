import type { Flow } from "../flows/flow.js";
import type { ParameterSpec, ParameterValues } from "./parameters.js";

/** What a detector measured; plain JSON by name. */
export type Evidence = Readonly<Record<string, unknown>>;

/** A detector's finding about one flow. */
export interface Verdict {
  /** 0..100. */
  readonly score: number;
  /** What led to it. Every detector tells `medianMinutes`, the median of the gaps that beat time. */
  readonly evidence: Evidence;
}

/** One condition of a search, and how a flow met it. */
export interface ExplainedStep {
  /** What was measured, in words. */
  readonly step: string;
  /** NaN where it is not defined; the step is then not passed. */
  readonly measured: number;
  readonly comparison: "at least" | "at most";
  readonly limit: number;
  /** `minutes`, `%` or empty for a count. */
  readonly unit: string;
  readonly passed: boolean;
}

/** Is told every condition that a search puts to a flow, in order, up to the first that fails. */
export type Explain = (step: ExplainedStep) => void;

/** What is known of a beacon once all groups are seen. */
export interface Surroundings {
  /** Internal hosts that talk to its destination, it included. */
  readonly prevalence: number;
  /** Internal hosts in the logs that talk to anything. */
  readonly internalHosts: number;
  /** Distinct destinations of its source. */
  readonly destinations: number;
  readonly direction: FlowDirection;
  /** Groups that the search looked at: so many chances to be wrong. */
  readonly groupsTested: number;
  /** First and last time in the logs, in microseconds since 1970-01-01 UTC. */
  readonly capture: readonly [first: number, last: number];
}

/** Where a flow goes, by which of its ends is internal. */
export type FlowDirection = "outbound" | "inbound" | "internal" | "external";

/** A verdict in its surroundings, for the last word on it. */
export interface Candidate extends Verdict, Pick<Flow, "port" | "protocol"> {
  readonly connectionCount: number;
  readonly firstOccurrence: number;
  readonly lastOccurrence: number;
  readonly names: readonly string[];
}

/** One way to search connection groups for beacons: a pure function with its parameters' description. */
export interface Detector<Values = ParameterValues> {
  /** Its name in every adapter. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly ParameterSpec[];
  /** Whether it asks what the connections carry. Default: no. */
  readonly carried?: boolean;
  /** Whether it goes by what destinations are called, where logs tell. Default: no. */
  readonly named?: boolean;
  /** Connections below which no flow can be a beacon, so that smaller groups need not be looked at. */
  minConnections(parameters: Values): number;
  /**
   * Judges one flow; undefined when it is no potential beacon. Parameters come from `checkParameters`. The flow's arrays
   * are valid until this returns and must not be changed.
   */
  detect(flow: Flow, parameters: Values, explain?: Explain): Verdict | undefined;
  /**
   * Has the last word on a beacon once its surroundings are known; again when more of its names are. A pure function of what `detect` measured and of the
   * surroundings. Default: the verdict stands.
   */
  settle?(candidate: Candidate, surroundings: Surroundings, parameters: Values): Verdict;
}

/** Whether a measure is at least its limit; tells whoever listens. */
export function atLeast(explain: Explain | undefined, step: string, measured: number, limit: number, unit = ""): boolean {
  const passed = measured >= limit;
  explain?.({ step, measured, comparison: "at least", limit, unit, passed });
  return passed;
}

/** Whether a measure is at most its limit; tells whoever listens. */
export function atMost(explain: Explain | undefined, step: string, measured: number, limit: number, unit = ""): boolean {
  const passed = measured <= limit;
  explain?.({ step, measured, comparison: "at most", limit, unit, passed });
  return passed;
}

/** Whether a likelihood is at least `percent`, compared as shares of 1 as the searches define it. */
export function shareSuffices(explain: Explain | undefined, likelihood: number, percent: number): boolean {
  const passed = likelihood >= percent / 100;
  const step = "share of the gaps in that cluster";
  explain?.({ step, measured: 100 * likelihood, comparison: "at least", limit: percent, unit: "%", passed });
  return passed;
}
