import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { defaultDataDir, openStore, Roots, RunQueue, RunWorker, SecretBox, SourceStore, type WorkerEvent } from "@heliograph/runtime/runs";
import { pino } from "pino";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** How a worker works. */
export interface WorkerOptions {
  /** A `postgres://` URL: the store that the servers use. */
  readonly store: string;
  /** Folders that runs may read, by name; the names are those of the servers, the folders may lie elsewhere. */
  readonly roots?: Readonly<Record<string, string>>;
  /** Folder of the key that credentials are sealed with, where `HELIOGRAPH_SECRET` is not set; default: the user's data folder. */
  readonly dataDir?: string;
  /** Tasks at once. Default 1. */
  readonly concurrent?: number;
  /** Seconds after which a task is ended. Default 3600. */
  readonly seconds?: number;
  /** A task is another worker's when its lease was not renewed for so long. Default 15 s. */
  readonly leaseMs?: number;
  /** How often to look for tasks when there was none. Default 500 ms. */
  readonly pollMs?: number;
  /** Where `/healthz` and `/metrics` are served, on loopback unless a host is named; undefined: nowhere. 0: any free port. */
  readonly port?: number;
  readonly host?: string;
  readonly log?: false | "info" | "warn" | "debug";
  /** Seconds that tasks under way may take when the worker stops. Default 30. */
  readonly graceSeconds?: number;
}

/** A worker that works. */
export interface RunningWorker {
  readonly name: string;
  /** Where health and metrics are served. */
  readonly url: string | undefined;
  /** Takes no more tasks, lets those under way end, and gives up the rest for other workers. */
  close(): Promise<void>;
}

const GRACE_SECONDS = 30;
/** Without a word from the database for so long the worker is not well. */
const SILENT_MS = 30_000;

/** Counts what happens. */
class Measures {
  readonly registry = new Registry();
  readonly #tasks = new Counter({
    name: "heliograph_worker_tasks_total",
    help: "Tasks by how they ended",
    labelNames: ["outcome"],
    registers: [this.registry],
  });
  readonly #seconds = new Histogram({
    name: "heliograph_worker_task_seconds",
    help: "Time of a task",
    buckets: [0.1, 1, 5, 30, 120, 600, 3600],
    registers: [this.registry],
  });

  constructor(active: () => number) {
    collectDefaultMetrics({ register: this.registry, prefix: "heliograph_" });
    new Gauge({
      name: "heliograph_worker_tasks_active",
      help: "Tasks under way",
      registers: [this.registry],
      collect() {
        this.set(active());
      },
    });
  }

  take({ kind, seconds }: WorkerEvent): void {
    if (kind !== "claimed") this.#tasks.inc({ outcome: kind });
    if (seconds !== undefined) this.#seconds.observe(seconds);
  }
}

/** Serves health and metrics. */
async function serve(measures: Measures, isWell: () => boolean, port: number, host: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== "GET") return response.writeHead(405).end();
    switch (request.url?.split("?")[0]) {
      case "/healthz": {
        const well = isWell();
        return response
          .writeHead(well ? 200 : 503, { "content-type": "application/json" })
          .end(JSON.stringify({ status: well ? "ok" : "the database does not answer" }));
      }
      case "/metrics":
        measures.registry.metrics().then(
          (text) => response.writeHead(200, { "content-type": measures.registry.contentType }).end(text),
          () => response.writeHead(500).end(),
        );
        return;
      default:
        return response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return server;
}

/**
 * Starts a worker: takes queued runs from the store's queue and does them.
 * @throws CoreError `bad-parameter` for a store that is no PostgreSQL or is not reached, and for a root that is not there
 */
export async function start(options: WorkerOptions): Promise<RunningWorker> {
  const { log = "info", graceSeconds = GRACE_SECONDS, host = "127.0.0.1", port } = options;
  // Synchronous: what a worker says last must not be lost with it.
  const logger =
    log === false ? undefined : pino({ level: log, base: { service: "heliograph-worker" } }, pino.destination({ dest: 2, sync: true }));
  const roots = await Roots.open(options.roots ?? {});
  const store = await openStore(options.store);
  let queue: RunQueue;
  try {
    queue = await RunQueue.open(store);
  } catch (cause) {
    await store.close();
    throw cause;
  }
  const sources = new SourceStore(store, () => SecretBox.open(options.dataDir ?? defaultDataDir()));
  let troubleSince: number | undefined;
  const measures = new Measures(() => worker.active);
  const tell = ({ kind, message, ...event }: WorkerEvent): void => {
    measures.take({ kind, ...event });
    if (kind === "trouble") troubleSince ??= Date.now();
    else troubleSince = undefined;
    const level = kind === "trouble" || kind === "failed" ? "warn" : "info";
    logger?.[level]({ event: kind, worker: worker.name, ...event }, message ?? kind);
  };
  const worker = await RunWorker.open(queue, {
    concurrent: options.concurrent ?? 1,
    roots,
    clusterOf: (name) => sources.cluster(name),
    tell,
    ...(options.seconds !== undefined && { seconds: options.seconds }),
    ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }),
    ...(options.pollMs !== undefined && { pollMs: options.pollMs }),
  });
  const isWell = (): boolean => troubleSince === undefined || Date.now() - troubleSince < SILENT_MS;
  const server = port === undefined ? undefined : await serve(measures, isWell, port, host);
  logger?.info({ worker: worker.name }, "waits for runs");
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    logger?.info({ worker: worker.name, active: worker.active }, "takes no more runs");
    await worker.close(graceSeconds * 1000);
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    await store.close();
  };
  const address = server?.address() as AddressInfo | undefined;
  return {
    name: worker.name,
    url: address && `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
