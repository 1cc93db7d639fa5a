import type { Carried } from "./carried.js";

/** The connections of one (source, destination, port, protocol). */
export interface Flow {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  /** `-` when the log names none. */
  readonly protocol: string;
  /** Start times in whole microseconds since 1970-01-01 UTC, ascending, duplicates dropped; length = connections. */
  readonly times: Float64Array;
  /** Gaps between consecutive times in whole microseconds; length = connections - 1. */
  readonly gaps: Float64Array;
  /** What they carry; undefined where no search asks for it. */
  readonly carried?: Carried | undefined;
}

/** Microseconds of a minute, the unit of the searches' deltas. */
export const MICROS_PER_MINUTE = 60_000_000;
