import { MessageChannel } from "node:worker_threads";
import type { Piscina } from "piscina";
import type { Progress } from "../hunt/hunt-logs.js";
import type { RunStore } from "../store/run-store.js";
import type { ClusterWork, OrderResult, RunMessage, RunOrder } from "./run-task.js";

const TASK = new URL("./run-task.js", import.meta.url);
const IDLE_MS = 10_000;

/** What came of an order. */
export type OrderOutcome = OrderResult;

/** What an order says while it is done. */
export type OrderMessage = Exclude<RunMessage, { readonly kind: "end" }>;

/** How much of a hunt is done, 0..1. */
export const shareOf = ({ bytes, totalBytes, phase }: Progress): number =>
  phase === "searching" ? 0.95 : 0.9 * Math.min(1, bytes / Math.max(1, totalBytes));

/** Does orders on threads of their own, so many at a time; the others wait. */
export class OrderPool {
  readonly #pool: Piscina;

  private constructor(pool: Piscina) {
    this.#pool = pool;
  }

  static async open(concurrent: number): Promise<OrderPool> {
    const { Piscina } = await import("piscina");
    return new OrderPool(
      new Piscina({ filename: TASK.href, minThreads: 0, maxThreads: concurrent, idleTimeout: IDLE_MS, concurrentTasksPerWorker: 1 }),
    );
  }

  /** Does an order; `hear` is told everything that it says before the promise is fulfilled. */
  async run(order: RunOrder, signal: AbortSignal, hear: (message: OrderMessage) => void, cluster?: ClusterWork): Promise<OrderOutcome> {
    const { port1, port2 } = new MessageChannel();
    // Its messages and its result come by two ways: what it said is whole when it has said that it ends.
    let heard: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      heard = resolve;
    });
    port1.on("message", (message: RunMessage) => (message.kind === "end" ? heard() : hear(message)));
    try {
      const outcome = (await this.#pool.run(
        { order, port: port2, ...(cluster && { cluster }) },
        { name: "work", transferList: [port2], signal },
      )) as OrderOutcome;
      await all;
      return outcome;
    } finally {
      port1.close();
    }
  }

  async close(): Promise<void> {
    await this.#pool.close({ force: true });
  }
}

/** The log of a run, as its lines come. */
export class RunLog {
  readonly #runs: RunStore;
  readonly #file: string;
  readonly #paths: readonly string[];
  readonly #name: string;
  #last: Promise<void> = Promise.resolve();

  constructor(runs: RunStore, file: string, paths: readonly string[], name: string) {
    this.#runs = runs;
    this.#file = file;
    this.#paths = paths;
    this.#name = name;
  }

  /** A text without where folders lie on this machine: whoever reads a log or an error may not know. */
  shown(text: string): string {
    return this.#paths.reduce((left, path) => left.replaceAll(path, this.#name), text);
  }

  note(...lines: string[]): void {
    const at = new Date().toISOString();
    const stamped = lines.map((line) => `${at} ${this.shown(line).replace(/[\u0000-\u001f\u007f]/g, " ")}`);
    if (stamped.length > 0) this.#last = this.#last.then(() => this.#runs.addLog(this.#file, stamped)).catch(() => undefined);
  }

  /** Once all lines so far are kept, or could not be. */
  written(): Promise<void> {
    return this.#last;
  }
}
