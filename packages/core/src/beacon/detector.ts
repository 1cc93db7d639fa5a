import type { Flow } from "../flows/flow.js";
import type { ParameterSpec, ParameterValues } from "./parameters.js";

/** What a detector measured; plain JSON, numbers by name. */
export type Evidence = Readonly<Record<string, number | string | readonly number[]>>;

/** A detector's finding about one flow. */
export interface Verdict {
  /** 0..100. */
  readonly score: number;
  readonly evidence: Evidence;
}

/** One way to search connection groups for beacons: a pure function with its parameters' description. */
export interface Detector {
  /** Its name in every adapter. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly ParameterSpec[];
  /** Connections below which no flow can be a beacon, so that smaller groups need not be looked at. */
  minConnections(parameters: ParameterValues): number;
  /**
   * Judges one flow; undefined when it is no potential beacon. Parameters come from `checkParameters`. The flow's arrays
   * are valid until this returns and must not be changed.
   */
  detect(flow: Flow, parameters: ParameterValues): Verdict | undefined;
}
