import { parentPort, workerData } from "node:worker_threads";
import type { BucketFindings, JoinedFlows, Search } from "@heliograph/core";
import { Counters } from "./counters.js";
import { HuntShare, type ReadShare, type ShareOptions } from "./hunt-share.js";

/** What a worker starts with. */
export interface WorkerStart {
  readonly options: ShareOptions;
  readonly counters: SharedArrayBuffer;
}

/** What the hunt tells its workers once all shares are read: search their buckets. */
export interface SearchOrder {
  readonly flows: JoinedFlows;
  readonly searches: readonly Search[];
}

/** What a worker tells the hunt: first what it read, then what it found. */
export type WorkerAnswer =
  | { readonly kind: "read"; readonly share: ReadShare }
  | { readonly kind: "found"; readonly result: BucketFindings };

async function work(): Promise<void> {
  if (!parentPort) throw new Error("hunt-worker runs as a worker thread");
  const port = parentPort;
  const { options, counters } = workerData as WorkerStart;
  const share = new HuntShare(options, new Counters(counters), (bytes) => new SharedArrayBuffer(bytes));
  // The thread lives until the hunt ends it: `on`, not `once`.
  port.on("message", ({ flows, searches }: SearchOrder) => {
    share.search(flows, searches).then(
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
  const answer: WorkerAnswer = { kind: "read", share: share.finish() };
  port.postMessage(answer);
}

await work();
