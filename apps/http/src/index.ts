import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CoreError } from "@heliograph/core";
import type { Config } from "@heliograph/runtime";
import { ClusterSearch } from "@heliograph/runtime/cluster";
import { InsightRegistry, LogEngine } from "@heliograph/runtime/logs";
import {
  defaultDataDir,
  HostStore,
  KeyStore,
  openStore,
  QueuedRuns,
  type QueueLimits,
  QuotaStore,
  Roots,
  type RunLimits,
  RunManager,
  RunQueue,
  type RunService,
  SecretBox,
  SourceStore,
  type Store,
} from "@heliograph/runtime/runs";
import { isLoopback } from "./guard.js";
import { buildServer } from "./server.js";

/** How to serve. */
export interface StartOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8000; 0: any free one. */
  readonly port?: number;
  /** A folder, or a `postgres://` URL. */
  readonly store: string;
  /** Folder of imported logs; default: `logs` in the store's folder, or in the default one when the store is a database. */
  readonly logs?: string;
  /** A data source that is a cluster: it answers `/data` instead of the log store. */
  readonly documents?: string;
  /** Folder of insights of one's own, as JSON and YAML files. */
  readonly insights?: string;
  /** Folders that may be searched, by name. */
  readonly roots?: Readonly<Record<string, string>>;
  readonly config?: Config;
  readonly version: string;
  readonly limits?: RunLimits;
  /** Leave all runs to workers, by way of the queue; needs a `postgres://` store. Default: this process does them. */
  readonly queue?: QueueLimits;
  /** Serve an address of the network without any API key. */
  readonly withoutKey?: boolean;
  readonly log?: false | "info" | "warn" | "debug";
  /** Seconds that searches under way may take when the server stops. Default 30. */
  readonly graceSeconds?: number;
}

/** Who does the runs. */
async function serviceOf(store: Store, options: StartOptions, sources: SourceStore): Promise<RunService> {
  if (!options.queue) return RunManager.open(store, options.limits, (name) => sources.cluster(name));
  try {
    return new QueuedRuns(store, await RunQueue.open(store), options.queue);
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, lets those under way end, and closes the store. */
  close(): Promise<void>;
}

const GRACE_SECONDS = 30;
const LAST_ANSWERS_MS = 5000;

/**
 * Starts the HTTP server.
 * @throws CoreError `bad-parameter` for a root that is not there, and for an address of the network without an API key
 */
export async function start(options: StartOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 8000, config = {}, version, log = "info", graceSeconds = GRACE_SECONDS } = options;
  const roots = await Roots.open(options.roots ?? {});
  const insights = await InsightRegistry.load(options.insights ?? config.insights);
  const store = await openStore(options.store);
  const keys = new KeyStore(store);
  const loopback = isLoopback(host);
  if (!loopback && !options.withoutKey && !(await keys.required())) {
    await store.close();
    throw new CoreError(
      "bad-parameter",
      `${host} is reached from the network and there is no API key; make one with heliograph keys create, or start with --without-key`,
      { column: "host" },
    );
  }
  const isDatabase = /^\w+:\/\//.test(options.store);
  const dataDir = isDatabase ? defaultDataDir() : options.store;
  const sources = new SourceStore(store, () => SecretBox.open(dataDir));
  const manager = await serviceOf(store, options, sources);
  const logs = new LogEngine(options.logs ?? join(dataDir, "logs"));
  const { documents: named } = options;
  const cluster = named === undefined ? undefined : new ClusterSearch(() => sources.cluster(named));
  if (named !== undefined) await sources.cluster(named);
  const closing = new AbortController();
  const context = {
    store,
    manager,
    hosts: new HostStore(store),
    sources,
    documents: cluster ?? logs,
    keys,
    logs,
    insights,
    quotas: new QuotaStore(store),
    roots,
    config,
    version,
    closing: closing.signal,
  };
  const app = await buildServer(context, { loopback, log });
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await manager.close(0);
    await logs.close();
    await store.close();
    throw new CoreError("bad-parameter", `cannot listen on ${host}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  const address = app.server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    // Requests that wait for a search are answered when it ends.
    const stopped = app.close();
    await manager.close(graceSeconds * 1000);
    // Whoever does not take the answer by then does not want it.
    const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
    await stopped;
    clearTimeout(cut);
    await logs.close();
    await cluster?.close();
    await store.close();
  };
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
