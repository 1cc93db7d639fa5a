import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { CoreError } from "@heliograph/core";
import type { HostPart, PartFindings } from "../cluster/cluster-hunt.js";
import type { ClusterLogs } from "../cluster/cluster-index.js";
import { type ClaimedTask, LeaseLost } from "../store/task-store.js";
import { type OrderMessage, OrderPool, RunLog, shareOf } from "./order-pool.js";
import { PathError, type Roots } from "./roots.js";
import type { RunQueue } from "./run-queue.js";
import type { ClusterWork, RunOrder } from "./run-task.js";

/** How a worker works. */
export interface RunWorkerOptions {
  /** Tasks at once. */
  readonly concurrent: number;
  /** Folders that runs may read, by name. */
  readonly roots: Roots;
  /** How to reach a cluster, by the name of its data source. */
  readonly clusterOf: (name: string) => Promise<ClusterLogs>;
  /** A task is another worker's when its lease was not renewed for so long. Default 15 s. */
  readonly leaseMs?: number;
  /** How often to look for tasks when there was none. Default 500 ms. */
  readonly pollMs?: number;
  /** Seconds after which a task is ended. Default 3600. */
  readonly seconds?: number;
  /** Is told what happens; never fails. */
  readonly tell?: (event: WorkerEvent) => void;
}

/** What happens at a worker. */
export interface WorkerEvent {
  readonly kind: "claimed" | "done" | "failed" | "again" | "lost" | "trouble" | "reaped";
  readonly runId?: string;
  readonly task?: number;
  readonly attempt?: number;
  readonly seconds?: number;
  readonly message?: string;
}

/** What a task holds. */
interface TaskPayload {
  readonly order: RunOrder;
  /** As `log_dir` names it, or the name of a data source. */
  readonly source: string;
  /** Of a part: what it looks at. */
  readonly part?: HostPart;
}

const PROGRESS_MS = 1000;
const REAP_MS = 5000;
const TROUBLE_MS = 1000;

/** The task cannot be done, now or ever; what went wrong is for whoever asked. */
class Hopeless extends Error {
  readonly unreadable: boolean;

  constructor(message: string, unreadable = false) {
    super(message);
    this.unreadable = unreadable;
  }
}

/** What went wrong, in words; what other threads throw may be no `Error` here. */
function messageOf(cause: unknown): string {
  const { message } = (cause ?? {}) as { readonly message?: unknown };
  return typeof message === "string" ? message : String(cause);
}

/** Takes tasks from the queue and does them, so many at once, until it is closed. */
export class RunWorker {
  readonly name = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  readonly #queue: RunQueue;
  readonly #pool: OrderPool;
  readonly #options: Required<RunWorkerOptions>;
  readonly #active = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  readonly #draining = new AbortController();
  readonly #loops: readonly Promise<void>[];

  private constructor(queue: RunQueue, pool: OrderPool, options: RunWorkerOptions) {
    this.#queue = queue;
    this.#pool = pool;
    this.#options = { leaseMs: 15_000, pollMs: 500, seconds: 3600, tell: () => undefined, ...options };
    this.#loops = [this.#fetching(), this.#reaping()];
  }

  static async open(queue: RunQueue, options: RunWorkerOptions): Promise<RunWorker> {
    return new RunWorker(queue, await OrderPool.open(options.concurrent), options);
  }

  /** Tasks under way. */
  get active(): number {
    return this.#active.size;
  }

  /** Takes no more tasks, waits so long for those under way, then gives them up for other workers. */
  async close(graceMs: number): Promise<void> {
    this.#draining.abort();
    await Promise.allSettled(this.#loops);
    const all = Promise.allSettled([...this.#active.values()].map(({ done }) => done));
    await Promise.race([all, wait(graceMs, undefined, { ref: false })]);
    for (const { abort } of this.#active.values()) abort.abort(new Error("the worker was stopped"));
    await all;
    await this.#pool.close();
    await this.#queue.close();
  }

  /** Until the worker drains; a database that is away for a while is told and tried again. */
  async #repeat(work: () => Promise<number>): Promise<void> {
    const { signal } = this.#draining;
    while (!signal.aborted) {
      const pause = await work().catch((cause: unknown) => {
        this.#options.tell({ kind: "trouble", message: messageOf(cause) });
        return TROUBLE_MS;
      });
      if (pause > 0) await wait(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  #fetching(): Promise<void> {
    return this.#repeat(async () => {
      if (this.#active.size >= this.#options.concurrent) {
        await Promise.race([...[...this.#active.values()].map(({ done }) => done), wait(this.#options.pollMs, undefined, { ref: false })]);
        return 0;
      }
      const { task, more } = await this.#queue.take(this.name, this.#options.leaseMs);
      if (task) this.#start(task);
      return more ? 0 : this.#options.pollMs;
    });
  }

  #reaping(): Promise<void> {
    return this.#repeat(async () => {
      const reaped = await this.#queue.tasks.reap();
      if (reaped > 0) this.#options.tell({ kind: "reaped", message: `${reaped} tasks of workers that are gone` });
      return Math.min(REAP_MS, this.#options.leaseMs);
    });
  }

  #start(task: ClaimedTask): void {
    const abort = new AbortController();
    const key = `${task.runId} ${task.n}`;
    const started = performance.now();
    const about = { runId: task.runId, task: task.n, attempt: task.attempt };
    this.#options.tell({ kind: "claimed", ...about });
    const done = this.#hold(task, abort)
      .then(
        () => this.#options.tell({ kind: "done", ...about, seconds: (performance.now() - started) / 1000 }),
        async (cause: unknown) => {
          const message = messageOf(cause);
          if (cause instanceof LeaseLost) return this.#options.tell({ kind: "lost", ...about, message });
          const outcome = await this.#queue.tasks.giveUp(task, message, {
            final: cause instanceof Hopeless,
            unreadable: cause instanceof Hopeless && cause.unreadable,
          });
          this.#options.tell({ kind: outcome, ...about, message });
        },
      )
      // Not even given up: the lease runs out, and another worker takes it.
      .catch((cause: unknown) => this.#options.tell({ kind: "trouble", ...about, message: messageOf(cause) }))
      .finally(() => this.#active.delete(key));
    this.#active.set(key, { abort, done });
  }

  /** Does a task and renews its lease meanwhile. */
  async #hold(task: ClaimedTask, abort: AbortController): Promise<void> {
    const { leaseMs, seconds } = this.#options;
    let renewed = Date.now();
    const renew = setInterval(() => {
      const at = Date.now();
      this.#queue.tasks.renew(task, leaseMs).then(
        (held) => {
          renewed = at;
          if (!held) abort.abort(new LeaseLost("the run was cancelled, or another worker has it"));
        },
        () => {
          // Nobody may write under a lease that may be another's by now.
          if (Date.now() - renewed > leaseMs) abort.abort(new LeaseLost("the database was away for longer than the lease"));
        },
      );
    }, leaseMs / 4);
    const late = setTimeout(() => abort.abort(new Hopeless(`took longer than ${seconds} seconds`)), seconds * 1000);
    try {
      await this.#do(task, abort.signal);
    } catch (cause) {
      throw abort.signal.aborted ? abort.signal.reason : cause;
    } finally {
      clearInterval(renew);
      clearTimeout(late);
    }
  }

  /** The folder that a run may read. */
  async #pathOf(source: string): Promise<string> {
    return this.#options.roots.resolve(source).catch((cause: unknown) => {
      throw cause instanceof PathError ? new Hopeless(`${hostname()}: ${cause.message}`, true) : cause;
    });
  }

  /** What a task has to do with a cluster; undefined: nothing. */
  async #clusterWork({ kind, runId }: ClaimedTask, { cluster }: RunOrder, part: HostPart | undefined): Promise<ClusterWork | undefined> {
    if (cluster === undefined) return undefined;
    const logs = await this.#options.clusterOf(cluster).catch((cause: unknown) => {
      throw cause instanceof CoreError ? new Hopeless(cause.message, true) : cause;
    });
    if (kind === "part" && part) return { logs, step: { kind, part } };
    if (kind !== "join") return { logs, step: { kind: "plan" } };
    const parts: PartFindings[] = [];
    for await (const found of this.#queue.tasks.partResults(runId)) parts.push(found as PartFindings);
    return { logs, step: { kind, parts } };
  }

  async #do(task: ClaimedTask, signal: AbortSignal): Promise<void> {
    const { runs } = this.#queue.tasks;
    const { order, source, part } = task.payload as TaskPayload;
    const run = await runs.get(task.runId);
    if (!run) throw new LeaseLost("the run is gone");
    const paths = order.cluster === undefined ? [await this.#pathOf(source)] : [];
    const log = new RunLog(runs, run.logFile, paths, source);
    log.note(`worker ${this.name} takes ${task.kind === "run" ? "it" : `task ${task.n} (${task.kind})`}, attempt ${task.attempt}`);
    let saved = 0;
    try {
      const hear = (message: OrderMessage): void => {
        if (message.kind === "log") return log.note(...message.lines);
        if (Date.now() - saved < PROGRESS_MS) return;
        saved = Date.now();
        void runs.progress(run.id, shareOf(message.progress)).catch(() => undefined);
      };
      const outcome = await this.#pool.run({ ...order, paths }, signal, hear, await this.#clusterWork(task, order, part));
      if ("failure" in outcome) {
        const message = log.shown(outcome.failure);
        throw outcome.again ? new Error(message) : new Hopeless(message, outcome.unreadable);
      }
      log.note(task.kind === "part" || task.kind === "plan" ? `task ${task.n} (${task.kind}) done` : "done");
      await log.written();
      if ("result" in outcome) await this.#queue.tasks.finish(task, outcome.result);
      else if (task.kind === "plan") {
        const parts = (outcome.piece as readonly HostPart[]).map((one) => ({
          kind: "part" as const,
          payload: { order, source, part: one },
        }));
        await this.#queue.tasks.split(task, parts, { kind: "join", payload: { order, source } });
      } else {
        const share = await this.#queue.tasks.partDone(task, outcome.piece);
        await runs.progress(run.id, 0.95 * share);
      }
    } catch (cause) {
      const reason: unknown = signal.aborted ? signal.reason : cause;
      log.note(`ended: ${messageOf(reason)}`);
      await log.written();
      throw cause;
    }
  }
}
