import { parentPort, workerData } from "node:worker_threads";
import type { FlowShard, Search, SearchResult } from "@heliograph/core";
import { Counters } from "./counters.js";
import { HuntShare, type ReadShare, type ShareOptions } from "./hunt-share.js";

/** What a worker starts with. */
export interface WorkerStart {
  readonly options: ShareOptions;
  readonly counters: SharedArrayBuffer;
}

/** What the hunt tells a worker once all shares are read: search this partition of all shards. */
export interface SearchOrder {
  readonly shards: readonly FlowShard[];
  readonly partition: number;
  readonly searches: readonly Search[];
}

/** What a worker tells the hunt: first what it read, then what it found. */
export type WorkerAnswer = { readonly kind: "read"; readonly share: ReadShare } | { readonly kind: "found"; readonly result: SearchResult };

async function work(): Promise<void> {
  if (!parentPort) throw new Error("hunt-worker runs as a worker thread");
  const port = parentPort;
  const { options, counters } = workerData as WorkerStart;
  const share = new HuntShare(options, new Counters(counters));
  // The thread lives until the hunt ends it: `on`, not `once`.
  port.on("message", ({ shards, partition, searches }: SearchOrder) => {
    share.search(shards, partition, searches).then(
      (result) => port.postMessage({ kind: "found", result } satisfies WorkerAnswer),
      (cause: unknown) => {
        // Out of the promise: the hunt hears of it as the thread's error.
        setImmediate(() => {
          throw cause;
        });
      },
    );
  });
  await share.run();
  const answer: WorkerAnswer = { kind: "read", share: share.finish((bytes) => new SharedArrayBuffer(bytes)) };
  port.postMessage(answer);
}

await work();
