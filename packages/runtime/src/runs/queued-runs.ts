import { setTimeout as wait } from "node:timers/promises";
import type { Store } from "../store/open-store.js";
import { type Run, type RunSource, RunStore } from "../store/run-store.js";
import type { Retries } from "../store/task-store.js";
import type { RunQueue } from "./run-queue.js";
import { type RunEnd, type RunService, TooManyRuns } from "./run-service.js";
import type { RunOrder } from "./run-task.js";

const FINAL = new Set(["done", "failed", "cancelled"]);
const POLL_MS = 200;
const SLOW_POLL_MS = 1000;

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
  readonly #waits = new Map<string, Promise<RunEnd>>();

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
      this.#queue.tasks.begin(tx, id, { kind: "run", payload }, this.#retries),
    );
    await this.runs.addLog(run.logFile, [`${new Date().toISOString()} run ${run.id} queued`]);
    return run;
  }

  ended(id: string): Promise<RunEnd> {
    const known = this.#waits.get(id) ?? this.#wait(id).finally(() => this.#waits.delete(id));
    this.#waits.set(id, known);
    return known;
  }

  async #wait(id: string): Promise<RunEnd> {
    for (let looks = 0; ; looks++) {
      const run = await this.runs.get(id).catch(() => undefined);
      if (run && FINAL.has(run.state)) return { run, unreadable: isUnreadable(run) };
      await wait(looks < 25 ? POLL_MS : SLOW_POLL_MS, undefined, { signal: this.#closing.signal, ref: false }).catch(() => {
        throw new TooManyRuns("the server is stopping; the run goes on");
      });
    }
  }

  listen(): () => void {
    return () => undefined;
  }

  cancel(id: string): Promise<boolean> {
    return this.#queue.tasks.cancel(id);
  }

  async close(graceMs: number): Promise<void> {
    await Promise.race([Promise.allSettled([...this.#waits.values()]), wait(graceMs, undefined, { ref: false })]);
    this.#closing.abort();
    await Promise.allSettled([...this.#waits.values()]);
    await this.#queue.close();
  }
}
