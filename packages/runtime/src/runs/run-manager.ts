import { EventEmitter } from "node:events";
import { availableParallelism } from "node:os";
import type { ClusterLogs } from "../cluster/cluster-index.js";
import type { Store } from "../store/open-store.js";
import { type Run, type RunSource, RunStore } from "../store/run-store.js";
import { SourceStore } from "../store/source-store.js";
import { type OrderMessage, OrderPool, RunLog, shareOf } from "./order-pool.js";
import { type RunEnd, type RunEvent, type RunService, TooManyRuns } from "./run-service.js";
import type { RunOrder } from "./run-task.js";

/** How many runs, and for how long. */
export interface RunLimits {
  /** Searches at once. Default: half of the processors, at least one. */
  readonly concurrent?: number;
  /** Runs that may wait. Default 100. */
  readonly queued?: number;
  /** Seconds after which a search is ended. Default 3600. */
  readonly seconds?: number;
}

const HEARTBEAT_MS = 5000;
const PROGRESS_MS = 500;

/** Takes runs, does some at a time on threads of their own, and keeps what comes of them. */
export class RunManager implements RunService {
  readonly runs: RunStore;
  readonly #pool: OrderPool;
  readonly #limits: Required<RunLimits>;
  readonly #clusterOf: (name: string) => Promise<ClusterLogs>;
  readonly #aborts = new Map<string, AbortController>();
  readonly #ends = new Map<string, Promise<RunEnd>>();
  readonly #events = new EventEmitter();
  readonly #timer: NodeJS.Timeout;
  #closing = false;
  /** Runs taken and not over; counted before anything is waited for, so that no two take the last place. */
  #active = 0;

  private constructor(store: Store, pool: OrderPool, limits: Required<RunLimits>, clusterOf: (name: string) => Promise<ClusterLogs>) {
    this.#clusterOf = clusterOf;
    this.runs = new RunStore(store);
    this.#pool = pool;
    this.#limits = limits;
    this.#events.setMaxListeners(0);
    this.#timer = setInterval(() => {
      this.runs
        .heartbeat()
        .then(() => this.runs.failInterrupted())
        .catch(() => undefined);
    }, HEARTBEAT_MS);
    this.#timer.unref();
  }

  /** Opens a manager over a store; runs of processes that ended without a word become failed. */
  static async open(
    store: Store,
    limits: RunLimits = {},
    clusterOf: (name: string) => Promise<ClusterLogs> = (name) => new SourceStore(store).cluster(name),
  ): Promise<RunManager> {
    const concurrent = limits.concurrent ?? Math.max(1, Math.floor(availableParallelism() / 2));
    const pool = await OrderPool.open(concurrent);
    const manager = new RunManager(store, pool, { concurrent, queued: limits.queued ?? 100, seconds: limits.seconds ?? 3600 }, clusterOf);
    await manager.runs.failInterrupted();
    return manager;
  }

  /** Runs under way or waiting. */
  get active(): number {
    return this.#active;
  }

  /**
   * Takes a run; it waits until a thread is free.
   * @throws TooManyRuns
   */
  async submit(order: RunOrder, source: RunSource): Promise<Run> {
    if (this.#closing || this.#active >= this.#limits.concurrent + this.#limits.queued)
      throw new TooManyRuns(this.#closing ? "the server is stopping" : `${this.#active} runs are under way or wait; try again later`);
    this.#active++;
    let run: Run;
    try {
      run = await this.runs.create(order.search.name, order.search.parameters, source);
    } catch (cause) {
      this.#active--;
      throw cause;
    }
    const abort = new AbortController();
    this.#aborts.set(run.id, abort);
    const end = this.#do(run, order, source, abort.signal).finally(() => {
      this.#active--;
      this.#aborts.delete(run.id);
      this.#ends.delete(run.id);
      this.#events.emit(run.id, { kind: "ended", progress: 1, rows: 0, phase: "ended" } satisfies RunEvent);
    });
    end.catch(() => undefined);
    this.#ends.set(run.id, end);
    return run;
  }

  /** Waits for the end of a run that this process does. */
  ended(id: string): Promise<RunEnd> | undefined {
    return this.#ends.get(id);
  }

  /** Calls `listener` for what happens to a run of this process; returns how to stop. */
  listen(id: string, listener: (event: RunEvent) => void): () => void {
    this.#events.on(id, listener);
    return () => this.#events.off(id, listener);
  }

  /** Cancels a run; false when it is over, or another process does it. */
  async cancel(id: string): Promise<boolean> {
    const abort = this.#aborts.get(id);
    if (!abort || !(await this.runs.end(id, "cancelled", null))) return false;
    abort.abort(new Error("cancelled"));
    return true;
  }

  async #do(run: Run, order: RunOrder, source: RunSource, signal: AbortSignal): Promise<RunEnd> {
    const over = async (unreadable = false): Promise<RunEnd> => ({ run: (await this.runs.get(run.id)) ?? run, unreadable });
    const log = new RunLog(this.runs, run.logFile, order.paths, source.name);
    log.note(`run ${run.id} queued`);
    let started: Promise<boolean> | undefined;
    let timeout: NodeJS.Timeout | undefined;
    const start = (): Promise<boolean> => {
      if (started) return started;
      started = this.runs.start(run.id);
      // Awaited below; until then a store that fails is no unhandled failure.
      started.catch(() => undefined);
      timeout = setTimeout(() => this.#expire(run), this.#limits.seconds * 1000);
      return started;
    };
    let saved = 0;
    try {
      const cluster =
        order.cluster === undefined ? undefined : { logs: await this.#clusterOf(order.cluster), step: { kind: "run" } as const };
      const hear = (message: OrderMessage): void => {
        void start();
        if (message.kind === "log") return log.note(...message.lines);
        const { rows, phase } = message.progress;
        const progress = shareOf(message.progress);
        this.#events.emit(run.id, { kind: "progress", progress, rows, phase } satisfies RunEvent);
        if (Date.now() - saved < PROGRESS_MS) return;
        saved = Date.now();
        void this.runs.progress(run.id, progress).catch(() => undefined);
      };
      const outcome = await this.#pool.run(order, signal, hear, cluster);
      await start();
      if ("piece" in outcome) throw new Error("a run is no piece");
      if ("failure" in outcome) {
        log.note(`failed: ${outcome.failure}`);
        await log.written();
        await this.runs.end(run.id, "failed", log.shown(outcome.failure));
        return over(outcome.unreadable);
      }
      log.note("done");
      await log.written();
      await this.runs.finish(run.id, outcome.result);
      return over();
    } catch (cause) {
      if (signal.aborted) log.note(signal.reason instanceof Error ? signal.reason.message : "ended");
      else log.note(`failed: ${cause instanceof Error ? cause.message : String(cause)}`);
      await log.written();
      await this.runs.end(run.id, "failed", "the search failed; the run's log says more");
      return over();
    } finally {
      clearTimeout(timeout);
    }
  }

  #expire(run: Run): void {
    const reason = `took longer than ${this.#limits.seconds} seconds`;
    this.runs
      .end(run.id, "failed", reason)
      .then(() => this.#aborts.get(run.id)?.abort(new Error(reason)))
      .catch(() => undefined);
  }

  /** Takes no more runs, waits so long for those under way, then marks the rest as failed. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    const all = Promise.allSettled([...this.#ends.values()]);
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
    for (const [id, abort] of this.#aborts) {
      await this.runs.end(id, "failed", "interrupted: the server was stopped");
      abort.abort(new Error("the server was stopped"));
    }
    await all;
    await this.#pool.close();
  }
}
