import type { Config } from "@heliograph/runtime";
import type { InsightRegistry, LogEngine } from "@heliograph/runtime/logs";
import type { HostStore, KeyStore, QuotaStore, Roots, RunService, SourceStore, Store } from "@heliograph/runtime/runs";

/** What the routes work with. */
export interface Context {
  readonly store: Store;
  readonly manager: RunService;
  readonly hosts: HostStore;
  readonly sources: SourceStore;
  readonly keys: KeyStore;
  readonly logs: LogEngine;
  readonly insights: InsightRegistry;
  readonly quotas: QuotaStore;
  readonly roots: Roots;
  readonly config: Config;
  readonly version: string;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}
