import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import {
  type ArchiveLimits,
  appendReport,
  asksCarried,
  type BucketFindings,
  type ConnectionFilter,
  checkFilter,
  emptyReport,
  type Findings,
  type FlowKey,
  type HashSeed,
  type JoinedFlows,
  joinFindings,
  joinShards,
  type NameIndex,
  type PayloadProfile,
  type PayloadRows,
  payloadProfiles,
  planFilter,
  type ReadReport,
  type RemovedRows,
  removedRows,
  type Search,
  type TimeBounds,
} from "@heliograph/core";
import type { LogFile } from "../files/find-logs.js";
import { Counters } from "./counters.js";
import { HuntShare, type LogFigures, type ReadShare, type ShareOptions, type TaskOutcome } from "./hunt-share.js";
import type { SearchOrder, WorkerAnswer, WorkerStart } from "./hunt-worker.js";
import { planTasks, type ReadTask } from "./tasks.js";

/** Threads that read and search, at most. */
export const MAX_THREADS = 64;

/** How a hunt goes over logs. */
export interface HuntLogsOptions {
  /** Searches from `planSearch`; all of them go over the logs once. May be empty: then the logs are only described. */
  readonly searches: readonly Search[];
  readonly bounds?: TimeBounds;
  /** Connections to look at. Default: all when the logs are only described, else all but loopback, link-local and multicast. */
  readonly filter?: ConnectionFilter;
  /** Threads; default: one for each processor. */
  readonly threads?: number;
  readonly limits?: Partial<ArchiveLimits>;
  /** Column names for TSV without a `#fields` line. */
  readonly fields?: readonly string[];
  /** Whether to describe each file by itself as well. */
  readonly perFile?: boolean;
  /** Whether to explain the groups that the filter leaves, and how many a thread; see `SearchOptions`. */
  readonly explain?: boolean | number;
  /** So many of the (source, destination, port) with most connections to tell. Default 0. */
  readonly topTalkers?: number;
  /** What hosts are called, for the filter's rule on names; `investigate` names what was found. */
  readonly names?: NameIndex;
  /** Flows of which to tell what they carry; then the logs are read for that alone, and nothing is searched. */
  readonly payloadOf?: readonly FlowKey[];
  /** With `payloadOf`: called with the rows of those flows that each thread read. */
  readonly onPayload?: (rows: PayloadRows) => void;
  /** Called about five times a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the hunt: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How far a hunt is. */
export interface Progress {
  /** Bytes of the files read, packed as they lie there, and all of them (without standard input). */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly rows: number;
  readonly phase: "reading" | "searching";
}

/** What was read of one file. */
export interface FileReport {
  readonly file: LogFile;
  /** One for each log in it; an archive may hold several. */
  readonly reports: readonly ReadReport[];
  readonly figures?: LogFigures;
}

/** What a hunt found and read. */
export interface HuntLogsResult extends Omit<Findings, "removed"> {
  readonly files: readonly FileReport[];
  /** Only with `payloadOf`, in its order. */
  readonly payload?: readonly PayloadProfile[];
  readonly rowsOutside: number;
  /** Rows that each rule of the filter left out; a rule that left out none is absent. */
  readonly removedRows: RemovedRows;
  readonly first?: number;
  readonly last?: number;
  readonly seconds: number;
}

/** Below this a thread costs more than it saves. */
const IN_PLACE_BYTES = 4 * 2 ** 20;
const PROGRESS_MS = 200;
const WORKER = new URL("./hunt-worker.js", import.meta.url);

/** Random words to key the hashes with. */
export function randomSeed(): HashSeed {
  const word = (): number => randomInt(0, 2 ** 32);
  return [word(), word(), word(), word()];
}

/** The shares of a hunt, and what they found in the buckets of all. */
interface Shares {
  readonly read: readonly ReadShare[];
  readonly flows: JoinedFlows;
  readonly found: readonly BucketFindings[];
}

/**
 * Hunts in connection logs on several threads. Each reads its share of the bytes and files the connections by bucket; then
 * each groups and searches some of the buckets of all shares. A file that cannot be read shows in its report, not as an exception.
 */
export async function huntLogs(files: readonly LogFile[], options: HuntLogsOptions): Promise<HuntLogsResult> {
  const started = performance.now();
  const filter = options.searches.length > 0 || options.topTalkers || options.filter ? checkFilter(options.filter ?? {}) : undefined;
  // A pattern that is none is the caller's mistake: found here, before any thread starts.
  if (filter) planFilter(filter);
  const totalBytes = files.reduce((sum, file) => sum + file.size, 0);
  const inPlace = totalBytes < IN_PLACE_BYTES && files.every((file) => !file.stream);
  const threads = inPlace ? 1 : Math.max(1, Math.min(MAX_THREADS, options.threads ?? availableParallelism()));
  // A hunt that split a file may have to start over, which a stream cannot: beside one, files are read whole.
  const splits = options.perFile !== true && files.every((file) => !file.stream);
  const unsplit = new Set<number>();
  for (;;) {
    const tasks = await planTasks(files, splits ? threads : 1, unsplit);
    // Few files may hold much: threads without a task search all the same.
    const shares = tasks.length === 0 ? 1 : threads;
    const share: ShareOptions = {
      tasks,
      shares,
      seed: randomSeed(),
      bounds: options.bounds ?? {},
      filter,
      read: options.fields ? { fields: options.fields } : {},
      limits: options.limits ?? {},
      perFile: options.perFile ?? false,
      explain: options.explain ?? false,
      topTalkers: options.topTalkers ?? 0,
      carried: asksCarried(options.searches),
      payloadOf: options.payloadOf ?? [],
      names: options.names,
    };
    const counters = new Counters();
    const watch = new Watch(counters, totalBytes, options);
    try {
      const done = inPlace ? await inThisThread(share, counters, options.searches) : await inThreads(share, counters, options, watch);
      const changed = done.read.flatMap((read) =>
        read.outcomes.filter((outcome) => outcome.headerChanged).map((outcome) => tasks[outcome.task]),
      );
      if (changed.length > 0) {
        // Concatenated logs with different headers: the parts do not stand alone after all.
        for (const task of changed) if (task) unsplit.add(task.file);
        continue;
      }
      if (options.onPayload) for (const { payload } of done.read) if (payload) options.onPayload(payload);
      return joined(files, share, done, options.searches, (performance.now() - started) / 1000);
    } finally {
      watch.stop();
    }
  }
}

/** Reports progress while a hunt runs, and ends it when asked. */
class Watch {
  phase: Progress["phase"] = "reading";
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(counters: Counters, totalBytes: number, { onProgress, signal }: HuntLogsOptions) {
    signal?.throwIfAborted();
    if (!onProgress) return;
    const tell = (): void => onProgress({ bytes: counters.bytes, totalBytes, rows: counters.rows, phase: this.phase });
    this.#timer = setInterval(tell, PROGRESS_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

async function inThisThread(share: ShareOptions, counters: Counters, searches: readonly Search[]): Promise<Shares> {
  const reader = new HuntShare(share, counters);
  await reader.run();
  const read = reader.finish();
  const flows = joinShards([read.shard]);
  return { read: [read], flows, found: [await reader.search(flows, searches)] };
}

async function inThreads(share: ShareOptions, counters: Counters, options: HuntLogsOptions, watch: Watch): Promise<Shares> {
  const start: WorkerStart = { options: share, counters: counters.buffer };
  const workers = Array.from({ length: share.shares }, () => new Worker(WORKER, { workerData: start }));
  const failed = new Promise<never>((_, reject) => {
    for (const worker of workers) {
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`a hunt thread ended with code ${code}`)));
    }
    options.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error), { once: true });
  });
  // Once the hunt is over its threads end, which is then no failure.
  failed.catch(() => undefined);
  const answers = <K extends WorkerAnswer["kind"]>(kind: K): Promise<Extract<WorkerAnswer, { kind: K }>[]> =>
    Promise.race([
      failed,
      Promise.all(
        workers.map(
          (worker) =>
            new Promise<Extract<WorkerAnswer, { kind: K }>>((resolve) => {
              worker.on("message", (answer: WorkerAnswer) => {
                if (answer.kind === kind) resolve(answer as Extract<WorkerAnswer, { kind: K }>);
              });
            }),
        ),
      ),
    ]);
  try {
    const read = (await answers("read")).map((answer) => answer.share);
    const flows = joinShards(read.map(({ shard }) => shard));
    if (read.some(({ outcomes }) => outcomes.some((outcome) => outcome.headerChanged))) return { read, flows, found: [] };
    watch.phase = "searching";
    const found = answers("found");
    const order: SearchOrder = { flows, searches: options.searches };
    for (const worker of workers) worker.postMessage(order);
    return { read, flows, found: (await found).map((answer) => answer.result) };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function joined(
  files: readonly LogFile[],
  share: ShareOptions,
  { read, flows, found }: Shares,
  searches: readonly Search[],
  seconds: number,
): HuntLogsResult {
  const ranges = read.flatMap(({ range }) => (range ? [range] : []));
  const { explain, topTalkers, perFile, filter } = share;
  const capture =
    ranges.length > 0 ? ([Math.min(...ranges.map(([first]) => first)), Math.max(...ranges.map(([, last]) => last))] as const) : undefined;
  const { removed, ...findings } = joinFindings(flows, searches, found, {
    capture,
    explain,
    topTalkers,
    hosts: perFile,
    internalNetworks: filter?.internal_networks,
  });
  return {
    ...findings,
    ...(share.payloadOf.length > 0 && {
      payload: payloadProfiles(
        share.payloadOf.length,
        read.flatMap(({ payload }) => payload ?? []),
      ),
    }),
    files: fileReports(files, share.tasks, read),
    rowsOutside: read.reduce((sum, share) => sum + share.rowsOutside, 0),
    removedRows: removedRows([...read.map((share) => share.removed), ...removed]),
    ...(capture && { first: capture[0], last: capture[1] }),
    seconds,
  };
}

/** Joins the parts of each file, in order. */
function fileReports(files: readonly LogFile[], tasks: readonly ReadTask[], read: readonly ReadShare[]): FileReport[] {
  const outcomes = new Map<number, TaskOutcome[]>();
  for (const outcome of read.flatMap((share) => share.outcomes)) {
    const file = tasks[outcome.task]?.file ?? -1;
    outcomes.set(file, [...(outcomes.get(file) ?? []), outcome]);
  }
  return files.map((file, index) => {
    const parts = (outcomes.get(index) ?? []).sort((a, b) => (tasks[a.task]?.from ?? 0) - (tasks[b.task]?.from ?? 0));
    const [only] = parts;
    if (parts.length === 1 && only) return { file, reports: only.reports, ...(only.figures && { figures: only.figures }) };
    const report = emptyReport(file.name);
    for (const part of parts) for (const piece of part.reports) appendReport(report, piece);
    return { file, reports: [report] };
  });
}
