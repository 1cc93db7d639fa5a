import { EventEmitter } from "node:events";
import { availableParallelism } from "node:os";
import { MessageChannel } from "node:worker_threads";
import type { Piscina } from "piscina";
import type { Store } from "../store/open-store.js";
import { type Run, type RunSource, RunStore } from "../store/run-store.js";
import type { RunMessage, RunOrder } from "./run-task.js";

/** How many runs, and for how long. */
export interface RunLimits {
  /** Searches at once. Default: half of the processors, at least one. */
  readonly concurrent?: number;
  /** Runs that may wait. Default 100. */
  readonly queued?: number;
  /** Seconds after which a search is ended. Default 3600. */
  readonly seconds?: number;
}

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

type Outcome = Awaited<ReturnType<typeof import("./run-task.js")["work"]>>;

const TASK = new URL("./run-task.js", import.meta.url);
const HEARTBEAT_MS = 5000;
const PROGRESS_MS = 500;

const now = (): string => new Date().toISOString();

/** Takes runs, does some at a time on threads of their own, and keeps what comes of them. */
export class RunManager {
  readonly runs: RunStore;
  readonly #pool: Piscina;
  readonly #limits: Required<RunLimits>;
  readonly #aborts = new Map<string, AbortController>();
  readonly #ends = new Map<string, Promise<RunEnd>>();
  readonly #events = new EventEmitter();
  readonly #timer: NodeJS.Timeout;
  #closing = false;
  /** Runs taken and not over; counted before anything is waited for, so that no two take the last place. */
  #active = 0;

  private constructor(store: Store, pool: Piscina, limits: Required<RunLimits>) {
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
  static async open(store: Store, limits: RunLimits = {}): Promise<RunManager> {
    const { Piscina } = await import("piscina");
    const concurrent = limits.concurrent ?? Math.max(1, Math.floor(availableParallelism() / 2));
    const pool = new Piscina({
      filename: TASK.href,
      minThreads: 0,
      maxThreads: concurrent,
      idleTimeout: 10_000,
      concurrentTasksPerWorker: 1,
    });
    const manager = new RunManager(store, pool, { concurrent, queued: limits.queued ?? 100, seconds: limits.seconds ?? 3600 });
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
    // Whoever reads a log or an error may not know where folders lie on this machine.
    const shown = (text: string): string => order.paths.reduce((left, path) => left.replaceAll(path, source.name), text);
    const over = async (unreadable = false): Promise<RunEnd> => ({ run: (await this.runs.get(run.id)) ?? run, unreadable });
    const { port1, port2 } = new MessageChannel();
    const log: Promise<void>[] = [];
    const note = (...lines: string[]): void => {
      const stamped = lines.map((line) => `${now()} ${shown(line).replace(/[\u0000-\u001f\u007f]/g, " ")}`);
      if (stamped.length > 0) log.push(this.runs.addLog(run.logFile, stamped).catch(() => undefined));
    };
    note(`run ${run.id} queued`);
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
    // Its messages and its result come by two ways: what it said is whole when it has said that it ends.
    let heard: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      heard = resolve;
    });
    port1.on("message", (message: RunMessage) => {
      void start();
      if (message.kind === "end") return heard();
      if (message.kind === "log") return note(...message.lines);
      const { bytes, totalBytes, rows, phase } = message.progress;
      const progress = phase === "searching" ? 0.95 : 0.9 * Math.min(1, bytes / Math.max(1, totalBytes));
      this.#events.emit(run.id, { kind: "progress", progress, rows, phase } satisfies RunEvent);
      if (Date.now() - saved < PROGRESS_MS) return;
      saved = Date.now();
      void this.runs.progress(run.id, progress).catch(() => undefined);
    });
    try {
      const outcome = (await this.#pool.run({ order, port: port2 }, { name: "work", transferList: [port2], signal })) as Outcome;
      await Promise.all([start(), all]);
      if ("failure" in outcome) {
        note(`failed: ${outcome.failure}`);
        await Promise.all(log);
        await this.runs.end(run.id, "failed", shown(outcome.failure));
        return over(outcome.unreadable);
      }
      note("done");
      await Promise.all(log);
      await this.runs.finish(run.id, outcome.result);
      return over();
    } catch (cause) {
      if (signal.aborted) note(signal.reason instanceof Error ? signal.reason.message : "ended");
      else note(`failed: ${cause instanceof Error ? cause.message : String(cause)}`);
      await Promise.all(log);
      await this.runs.end(run.id, "failed", "the search failed; the run's log says more");
      return over();
    } finally {
      clearTimeout(timeout);
      port1.close();
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
    await this.#pool.close({ force: true });
  }
}
