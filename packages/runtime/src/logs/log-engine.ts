import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Piscina } from "piscina";
import type { LogFile } from "../files/find-logs.js";
import type { ImportOutcome } from "./import-logs.js";
import type { LogCalls, LogTask, PlainRefusal, SearchOrder } from "./log-worker.js";

/** A request that the store refuses: `status` and `response` are what an API answers. */
export class LogRefusal extends Error {
  override readonly name = "LogRefusal";
  readonly status: number;
  readonly response: { readonly error: Record<string, unknown>; readonly status: number };

  constructor({ status, message, response }: PlainRefusal["refusal"]) {
    super(message);
    this.status = status;
    this.response = response;
  }
}

/** How a store is used. */
export interface LogEngineOptions {
  /** Threads that search together; default: the processors. */
  readonly threads?: number;
  /** Longest time of a search, in seconds. Default 60. */
  readonly searchSeconds?: number;
  /** Searches that may wait. Default 200. */
  readonly queued?: number;
}

type Drop<T> = T extends readonly [unknown, ...infer Rest] ? Rest : never;

const IDLE_MS = 30_000;
const WORKER = new URL("./log-worker.js", import.meta.url).href;

const flag = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));

/**
 * The log store behind threads: searching, importing and writing never hold up the caller. Threads start when they are first needed and end when they have had
 * nothing to do for a while.
 */
export class LogEngine {
  readonly folder: string;
  readonly #threads: number;
  readonly #seconds: number;
  readonly #queued: number;
  readonly #pools = new Map<string, Promise<Piscina>>();
  readonly #stops = new Set<Int32Array>();

  /** @param folder where the store is, or will be */
  constructor(folder: string, { threads = availableParallelism(), searchSeconds = 60, queued = 200 }: LogEngineOptions = {}) {
    this.folder = folder;
    this.#threads = Math.max(1, threads);
    this.#seconds = searchSeconds;
    this.#queued = queued;
  }

  #pool(name: "search" | "help" | "write" | "import", threads: number): Promise<Piscina> {
    let pool = this.#pools.get(name);
    if (!pool) {
      pool = import("piscina").then(
        ({ Piscina }) =>
          new Piscina({
            filename: WORKER,
            minThreads: 0,
            maxThreads: threads,
            idleTimeout: IDLE_MS,
            maxQueue: name === "search" ? this.#queued : 100_000,
            concurrentTasksPerWorker: 1,
          }),
      );
      this.#pools.set(name, pool);
    }
    return pool;
  }

  async #run(pool: Piscina, task: LogTask, transferList: MessagePort[] = []): Promise<unknown> {
    const outcome = (await pool.run(task, { transferList, name: "work" })) as { readonly value: unknown } | PlainRefusal;
    if ("refusal" in outcome) throw new LogRefusal(outcome.refusal);
    return outcome.value;
  }

  /** A flag that tells a task to stop when the signal is aborted or the engine closes; to be released when the task has ended. */
  #stoppable(signal: AbortSignal | undefined): { readonly stop: Int32Array; readonly release: () => void } {
    const stop = flag();
    const abort = (): void => {
      Atomics.store(stop, 0, 1);
    };
    this.#stops.add(stop);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    return {
      stop,
      release: () => {
        signal?.removeEventListener("abort", abort);
        this.#stops.delete(stop);
      },
    };
  }

  /**
   * Runs a search; the answer is JSON. An aborted signal stops the work.
   * @throws LogRefusal for a search that is wrong, takes too long, or one too many
   */
  async search(
    order: SearchOrder,
    { signal, seconds = this.#seconds }: { readonly signal?: AbortSignal | undefined; readonly seconds?: number } = {},
  ): Promise<string> {
    const pool = await this.#pool("search", this.#threads);
    const { stop, release } = this.#stoppable(signal);
    const deadline = Date.now() + seconds * 1000;
    const helpers: MessagePort[] = [];
    const helping: Promise<unknown>[] = [];
    try {
      if (this.#threads > 1) {
        const help = await this.#pool("help", this.#threads - 1);
        // A helper that has to wait is no help.
        for (let i = 1; i < this.#threads && help.queueSize === 0; i++) {
          const { port1, port2 } = new MessageChannel();
          helpers.push(port1);
          helping.push(this.#run(help, { kind: "help", folder: this.folder, port: port2, stop, deadline }, [port2]).catch(() => undefined));
        }
      }
      return (await this.#run(pool, { kind: "search", folder: this.folder, order, stop, deadline, helpers }, [...helpers])) as string;
    } catch (cause) {
      if (cause instanceof Error && /Task queue is at limit/.test(cause.message)) {
        throw new LogRefusal({
          status: 429,
          message: "too many searches wait already",
          response: {
            error: { root_cause: [], type: "es_rejected_execution_exception", reason: "too many searches wait already" },
            status: 429,
          },
        });
      }
      throw cause;
    } finally {
      for (const port of helpers) port.close();
      await Promise.all(helping);
      release();
    }
  }

  /** Imports one file. */
  async importFile(
    file: LogFile,
    {
      internal,
      onBytes,
      signal,
    }: {
      readonly internal?: readonly string[] | undefined;
      readonly onBytes?: (bytes: number) => void;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<ImportOutcome> {
    const pool = await this.#pool("import", this.#threads);
    const { stop, release } = this.#stoppable(signal);
    let progress: MessagePort | undefined;
    if (onBytes) {
      const { port1, port2 } = new MessageChannel();
      port1.on("message", onBytes);
      progress = port2;
    }
    try {
      return (await this.#run(
        pool,
        { kind: "import", folder: this.folder, file, internal, stop, progress },
        progress ? [progress] : [],
      )) as ImportOutcome;
    } finally {
      release();
    }
  }

  /** Has the store do something short; calls that write wait for each other. */
  async call<Name extends keyof LogCalls>(name: Name, ...values: Drop<Parameters<LogCalls[Name]>>): Promise<ReturnType<LogCalls[Name]>> {
    const pool = await this.#pool("write", 1);
    return (await this.#run(pool, { kind: "call", folder: this.folder, name, values })) as ReturnType<LogCalls[Name]>;
  }

  /** Stops what runs, and ends the threads. */
  async close(): Promise<void> {
    for (const stop of this.#stops) Atomics.store(stop, 0, 1);
    for (const pool of this.#pools.values()) await (await pool).destroy();
    this.#pools.clear();
  }
}
