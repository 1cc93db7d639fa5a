import type { Config } from "@heliograph/runtime";
import type { DocumentSearch } from "@heliograph/runtime/cluster";
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
  /** What answers searches of documents: `logs`, or a cluster. */
  readonly documents: DocumentSearch;
  readonly insights: InsightRegistry;
  readonly quotas: QuotaStore;
  readonly roots: Roots;
  readonly config: Config;
  readonly version: string;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}
