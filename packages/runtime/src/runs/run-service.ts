import type { Run, RunSource, RunStore } from "../store/run-store.js";
import type { RunOrder } from "./run-task.js";

/** More runs wait than may. */
export class TooManyRuns extends Error {
  override readonly name = "TooManyRuns";
}

/** What happens to a run. */
export interface RunEvent {
  readonly kind: "progress" | "ended";
  readonly progress: number;
  readonly rows: number;
  readonly phase: string;
}

/** How a run ended. */
export interface RunEnd {
  readonly run: Run;
  /** The logs could not be read: the caller's matter, not a fault of ours. */
  readonly unreadable: boolean;
}

/** Takes runs and has them done: in this process, or by workers. */
export interface RunService {
  readonly runs: RunStore;
  /** Runs under way or waiting that this process knows of. */
  readonly active: number;
  /**
   * Takes a run.
   * @throws TooManyRuns
   */
  submit(order: RunOrder, source: RunSource): Promise<Run>;
  /** Waits for the end of a run; undefined when this service does not have it. */
  ended(id: string): Promise<RunEnd> | undefined;
  /** Calls `listener` for what happens to a run, where this process knows; returns how to stop. The store tells of all. */
  listen(id: string, listener: (event: RunEvent) => void): () => void;
  /** Cancels a run; false when it is over, or another process does it. */
  cancel(id: string): Promise<boolean>;
  /** Takes no more runs, waits so long for those of this process, then ends them. */
  close(graceMs: number): Promise<void>;
}
