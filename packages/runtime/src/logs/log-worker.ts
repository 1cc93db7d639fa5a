import type { MessagePort } from "node:worker_threads";
import {
  MemorySegment,
  type PartialSearch,
  PreparedSearch,
  QueryError,
  readBody,
  type SearchableIndex,
  writeJson,
} from "@heliograph/core/query";
import type { LogFile } from "../files/find-logs.js";
import { type BulkResult, bulk, writeDocument } from "./bulk.js";
import { type ImportOutcome, importFile } from "./import-logs.js";
import { LogStore, type StoreStatus, type TimeWindow } from "./log-store.js";
import { FileSegment } from "./segment-file.js";

/** Tells a task to stop: place 0 is 1 then. */
export type StopFlag = Int32Array;

/** A search over indexes of the store. */
export interface SearchOrder {
  /** Names and patterns, between commas. */
  readonly indexes: string;
  /** The search, as JSON. */
  readonly body: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: number;
  /** Rows that count, as a query; changes no score. */
  readonly filter?: unknown;
  readonly window?: TimeWindow;
  readonly totalAsInteger?: boolean;
  /** Whether aggregations stand under names with their type. */
  readonly typedKeys?: boolean;
  /** Whether names of indexes that there are not mean nothing, instead of an error. */
  readonly ignoreMissing?: boolean;
  readonly maxResultWindow?: number;
  /** Names of segments, by index, that the search runs over, instead of all of the indexes; see `LogStore.pin`. */
  readonly pinned?: Readonly<Record<string, readonly string[]>>;
}

/** What a thread of the store does. */
export type LogTask =
  | {
      readonly kind: "search";
      readonly folder: string;
      readonly order: SearchOrder;
      readonly stop: StopFlag;
      readonly deadline: number;
      readonly helpers: readonly MessagePort[];
    }
  | { readonly kind: "help"; readonly folder: string; readonly port: MessagePort; readonly stop: StopFlag; readonly deadline: number }
  | {
      readonly kind: "import";
      readonly folder: string;
      readonly file: LogFile;
      readonly internal: readonly string[] | undefined;
      readonly stop: StopFlag;
      readonly progress: MessagePort | undefined;
    }
  | { readonly kind: "call"; readonly folder: string; readonly name: keyof typeof CALLS; readonly values: readonly unknown[] };

/** A refusal as it crosses threads. */
export interface PlainRefusal {
  readonly refusal: {
    readonly status: number;
    readonly message: string;
    readonly response: { readonly error: Record<string, unknown>; readonly status: number };
  };
}

const stores = new Map<string, LogStore>();

function storeOf(folder: string): LogStore {
  let store = stores.get(folder);
  if (!store) {
    store = new LogStore(folder);
    stores.set(folder, store);
  }
  return store;
}

/** Fewer rows than that are searched by one thread: it is done before another has begun. */
const SHARED_ROWS = 200_000;

/** The share of a search that a helper gets. */
interface Share {
  readonly order: SearchOrder;
  readonly indexes: readonly { readonly name: string; readonly segments: readonly (string | undefined)[] }[];
  readonly numbers: readonly number[];
}

function checker(stop: StopFlag, deadline: number): () => void {
  return () => {
    if (Atomics.load(stop, 0) === 1) throw new QueryError("task_cancelled_exception", "the request was cancelled", { status: 499 });
    if (Date.now() > deadline) throw new QueryError("timeout_exception", "the search took longer than allowed", { status: 504 });
  };
}

const optionsOf = (order: SearchOrder, check: () => void): ConstructorParameters<typeof PreparedSearch>[2] => ({
  now: order.now,
  check,
  ...(order.filter !== undefined && { filter: order.filter }),
  ...(order.typedKeys && { typedKeys: true }),
  ...(order.totalAsInteger && { totalAsInteger: true }),
  ...(order.maxResultWindow !== undefined && { limits: { maxResultWindow: order.maxResultWindow } }),
});

async function runSearch({ folder, order, stop, deadline, helpers }: LogTask & { kind: "search" }): Promise<string> {
  const started = performance.now();
  const done = (): void => {
    for (const port of helpers) {
      port.postMessage(undefined);
      port.close();
    }
  };
  let prepared: PreparedSearch;
  let indexes: readonly SearchableIndex[];
  try {
    const store = storeOf(folder);
    indexes = order.pinned ? store.pinned(order.pinned) : store.searchable(store.resolve(order.indexes, order.ignoreMissing), order.window);
    prepared = new PreparedSearch(indexes, readBody(order.body), {
      ...optionsOf(order, checker(stop, deadline)),
      took: () => Math.round(performance.now() - started),
    });
  } catch (cause) {
    done();
    throw cause;
  }
  const segments = indexes.flatMap((index) => index.segments);
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  if (helpers.length === 0 || rows < SHARED_ROWS || segments.length < 2 || prepared.isScored) {
    done();
    return writeJson(prepared.finish(prepared.run()));
  }
  // The largest first, each to whoever has least; what is in memory stays here.
  const shares = Array.from({ length: helpers.length + 1 }, () => ({ rows: 0, numbers: [] as number[] }));
  const sorted = segments.map((segment, number) => ({ segment, number })).sort((a, b) => b.segment.rows - a.segment.rows);
  for (const { segment, number } of sorted) {
    const isHere = segment instanceof FileSegment;
    const share = isHere ? shares.reduce((least, one) => (one.rows < least.rows ? one : least)) : shares[0];
    share?.numbers.push(number);
    if (share) share.rows += segment.rows;
  }
  const described = indexes.map(({ name, segments: own }) => ({
    name,
    segments: own.map((segment) => (segment instanceof FileSegment ? segment.segmentId : undefined)),
  }));
  const answers = helpers.map((port, index) => {
    const answer = new Promise<PartialSearch | PlainRefusal | { failure: string }>((resolve, reject) => {
      port.once("message", resolve);
      port.once("close", () => reject(new Error("a thread that searched ended early")));
    });
    // It is waited for below; until then nothing is wrong.
    answer.catch(() => undefined);
    port.postMessage({ order, indexes: described, numbers: shares[index + 1]?.numbers ?? [] } satisfies Share);
    return answer;
  });
  try {
    const found = prepared.run(shares[0]?.numbers ?? []);
    const others: PartialSearch[] = [];
    for (const answer of await Promise.all(answers)) {
      if ("refusal" in answer) throw new Refused(answer);
      if ("failure" in answer) throw new Error(answer.failure);
      others.push(answer);
    }
    return writeJson(prepared.finish(prepared.absorb(found, others)));
  } finally {
    for (const port of helpers) port.close();
  }
}

/** A refusal that another thread gave. */
class Refused extends Error {
  readonly refusal: PlainRefusal;

  constructor(refusal: PlainRefusal) {
    super(refusal.refusal.message);
    this.refusal = refusal;
  }
}

async function help({ folder, port, stop, deadline }: LogTask & { kind: "help" }): Promise<void> {
  const share = await new Promise<Share | undefined>((resolve) => {
    port.once("message", resolve);
    port.once("close", () => resolve(undefined));
  });
  if (!share) return;
  try {
    const store = storeOf(folder);
    const indexes = share.indexes.map(
      ({ name, segments }): SearchableIndex => ({
        name,
        mapping: store.mapping(name),
        segments: segments.map((id) => {
          if (id === undefined) return new MemorySegment([], new Map());
          return store.openSegment(id);
        }),
      }),
    );
    const prepared = new PreparedSearch(indexes, readBody(share.order.body), optionsOf(share.order, checker(stop, deadline)));
    port.postMessage(prepared.run(share.numbers));
  } catch (cause) {
    const refusal = refusalOf(cause);
    port.postMessage(refusal ?? { failure: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
  }
}

function refusalOf(cause: unknown, index?: string): PlainRefusal | undefined {
  if (cause instanceof Refused) return cause.refusal;
  if (!(cause instanceof QueryError)) return undefined;
  return { refusal: { status: cause.status, message: cause.message, response: cause.response(index) } };
}

/** What the store does besides searching and importing. */
const CALLS = {
  pin: (store: LogStore, expression: string): Record<string, readonly string[]> => store.pin(store.resolve(expression)),
  names: (store: LogStore): string[] => store.names(),
  resolve: (store: LogStore, expression: string, ignoreMissing?: boolean): string[] => store.resolve(expression, ignoreMissing),
  has: (store: LogStore, name: string): boolean => store.has(name),
  status: (store: LogStore, expression = "*"): StoreStatus => store.status(store.resolve(expression)),
  createIndex: (store: LogStore, name: string, mappings: unknown, settings: unknown): void => store.createIndex(name, mappings, settings),
  deleteIndexes: (store: LogStore, expression: string, ignoreMissing?: boolean): string[] => {
    const names = store.resolve(expression, ignoreMissing);
    store.deleteIndexes(names);
    return names;
  },
  mappings: (store: LogStore, expression: string): Record<string, unknown> =>
    Object.fromEntries(store.resolve(expression).map((name) => [name, store.mapping(name).toJSON()])),
  settings: (store: LogStore, expression: string): Record<string, Record<string, unknown>> =>
    Object.fromEntries(store.resolve(expression).map((name) => [name, store.settings(name)])),
  putMapping: (store: LogStore, expression: string, mappings: unknown): void => {
    for (const name of store.resolve(expression)) store.putMapping(name, mappings);
  },
  fieldCaps: (
    store: LogStore,
    expression: string,
    patterns: readonly string[],
  ): { indices: string[]; fields: Record<string, Record<string, unknown>> } => fieldCaps(store, expression, patterns),
  bulk: (store: LogStore, body: string, index?: string): BulkResult => bulk(store, body, index),
  document: (
    store: LogStore,
    action: "index" | "create" | "delete",
    index: string,
    id: string | undefined,
    source: string,
  ): Record<string, unknown> => writeDocument(store, action, index, id, source),
  flush: (store: LogStore, expression: string): void => {
    for (const name of store.resolve(expression)) store.flush(name);
  },
  compact: (store: LogStore): number => store.compact(),
  prune: (store: LogStore, options: { before?: number; mostBytes?: number }): { segments: number; rows: number } => store.prune(options),
} as const;

export type LogCalls = typeof CALLS;

function fieldCaps(
  store: LogStore,
  expression: string,
  patterns: readonly string[],
): { indices: string[]; fields: Record<string, Record<string, unknown>> } {
  const indices = store.resolve(expression);
  const fields: Record<string, Record<string, { indices: string[]; searchable: boolean; aggregatable: boolean }>> = {};
  for (const name of indices) {
    const mapping = store.mapping(name);
    for (const pattern of patterns) {
      for (const field of mapping.fieldsMatching(pattern)) {
        const path = pattern.includes("*") ? field.path : pattern;
        fields[path] ??= {};
        const types = fields[path];
        types[field.type] ??= { indices: [], searchable: field.isIndexed, aggregatable: field.hasDocValues };
        const entry = types[field.type];
        if (entry && !entry.indices.includes(name)) entry.indices.push(name);
      }
    }
  }
  const shown = Object.entries(fields).map(([path, types]) => {
    const several = Object.keys(types).length > 1;
    const entries = Object.entries(types).map(([type, { indices: own, searchable, aggregatable }]) => [
      type,
      { type, metadata_field: false, searchable, aggregatable, ...(several && { indices: own }) },
    ]);
    return [path, Object.fromEntries(entries)] as const;
  });
  return { indices, fields: Object.fromEntries(shown) as Record<string, Record<string, unknown>> };
}

async function runTask(task: LogTask): Promise<unknown> {
  switch (task.kind) {
    case "search":
      return runSearch(task);
    case "help":
      return help(task);
    case "import": {
      const check = checker(task.stop, Number.POSITIVE_INFINITY);
      const { progress } = task;
      const outcome: ImportOutcome = await importFile(storeOf(task.folder), task.file, {
        ...(task.internal && { internal: task.internal }),
        check,
        onBytes: (bytes) => progress?.postMessage(bytes),
      });
      progress?.close();
      return outcome;
    }
    case "call": {
      const call = CALLS[task.name] as (store: LogStore, ...values: readonly unknown[]) => unknown;
      return call(storeOf(task.folder), ...task.values);
    }
  }
}

/** A task of the store, done in this thread: its result, or its refusal. */
export async function work(task: LogTask): Promise<{ readonly value: unknown } | PlainRefusal> {
  try {
    return { value: await runTask(task) };
  } catch (cause) {
    const refusal = refusalOf(cause, task.kind === "search" ? task.order.indexes : undefined);
    if (refusal) return refusal;
    throw cause;
  }
}
