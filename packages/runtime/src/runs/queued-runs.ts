import { setTimeout as wait } from "node:timers/promises";
import type { Store } from "../store/open-store.js";
import { type Run, type RunSource, RunStore } from "../store/run-store.js";
import type { Retries } from "../store/task-store.js";
import type { RunQueue } from "./run-queue.js";
import { type RunEnd, type RunService, TooManyRuns } from "./run-service.js";
import type { RunOrder } from "./run-task.js";

const POLL_MS = 200;

/** Somebody waits for the end of a run. */
interface Wait {
  readonly end: Promise<RunEnd>;
  resolve(end: RunEnd): void;
  reject(reason: Error): void;
}

/** Whether a run failed because of its logs: its worker left that with it. */
const isUnreadable = ({ summary }: Run): boolean => summary !== null && "unreadable" in summary;

/** How runs are queued. */
export interface QueueLimits {
  /** Runs that may wait or be under way. Default 10,000. */
  readonly queued?: number;
  readonly retries?: Partial<Retries>;
}

/** Leaves runs to workers. */
export class QueuedRuns implements RunService {
  readonly runs: RunStore;
  readonly #queue: RunQueue;
  readonly #most: number;
  readonly #retries: Retries;
  readonly #closing = new AbortController();
  readonly #waits = new Map<string, Wait>();
  #looking: Promise<void> | undefined;

  constructor(store: Store, queue: RunQueue, { queued = 10_000, retries = {} }: QueueLimits = {}) {
    this.runs = new RunStore(store);
    this.#queue = queue;
    this.#most = queued;
    this.#retries = { attempts: retries.attempts ?? 3, backoffSeconds: retries.backoffSeconds ?? 5 };
  }

  get active(): number {
    return this.#waits.size;
  }

  async submit(order: RunOrder, source: RunSource): Promise<Run> {
    if (this.#closing.signal.aborted) throw new TooManyRuns("the server is stopping");
    const { queued, running } = await this.#queue.tasks.counts();
    if (queued + running >= this.#most) throw new TooManyRuns(`${queued + running} runs are under way or wait; try again later`);
    // Where folders lie may differ from machine to machine: workers look where their own root of that name is.
    const payload = { order: { ...order, paths: [] }, source: source.name };
    const run = await this.runs.create(order.search.name, order.search.parameters, { name: source.name, paths: [] }, (tx, id) =>
      this.#queue.tasks.begin(tx, id, { kind: order.cluster === undefined ? "run" : "plan", payload }, this.#retries),
    );
    await this.runs.addLog(run.logFile, [`${new Date().toISOString()} run ${run.id} queued`]);
    return run;
  }

  ended(id: string): Promise<RunEnd> {
    const known = this.#waits.get(id);
    if (known) return known.end;
    let settle: Pick<Wait, "resolve" | "reject"> = { resolve: () => undefined, reject: () => undefined };
    const end = new Promise<RunEnd>((resolve, reject) => {
      settle = { resolve, reject };
    });
    end.catch(() => undefined);
    this.#waits.set(id, { end, ...settle });
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return end;
  }

  /** Looks for the ends of all runs that are waited for, until none is. */
  async #look(): Promise<void> {
    while (this.#waits.size > 0 && !this.#closing.signal.aborted) {
      // A database that is away for a while is asked again.
      const over = await this.runs.over([...this.#waits.keys()]).catch(() => []);
      for (const run of over) {
        this.#waits.get(run.id)?.resolve({ run, unreadable: isUnreadable(run) });
        this.#waits.delete(run.id);
      }
      await wait(POLL_MS, undefined, { ref: false });
    }
    for (const { reject } of this.#waits.values()) reject(new TooManyRuns("the server is stopping; the run goes on"));
    this.#waits.clear();
  }

  listen(): () => void {
    return () => undefined;
  }

  cancel(id: string): Promise<boolean> {
    return this.#queue.tasks.cancel(id);
  }

  async close(graceMs: number): Promise<void> {
    const all = Promise.allSettled([...this.#waits.values()].map(({ end }) => end));
    await Promise.race([all, wait(graceMs, undefined, { ref: false })]);
    this.#closing.abort();
    await this.#looking;
    await this.#queue.close();
  }
}
