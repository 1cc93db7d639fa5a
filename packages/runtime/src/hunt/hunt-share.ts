import { closeSync, openSync, readSync } from "node:fs";
import {
  type Allocate,
  type BatchSink,
  type BucketFindings,
  type ConnectionFilter,
  CoreError,
  connSchema,
  createEngine,
  type FilterPlan,
  type FilterRule,
  FlowBuilder,
  type FlowKey,
  type FlowShard,
  flowColumns,
  type HashSeed,
  isConnLogName,
  type JoinedFlows,
  joinShards,
  type LendingReader,
  type NameIndex,
  NameLookup,
  type OpenOptions,
  PAYLOAD_COLUMNS,
  PayloadCollector,
  type PayloadRows,
  planFilter,
  type ReadEngine,
  type ReadOptions,
  type ReadReport,
  RowFilter,
  readLog,
  type Search,
  SNIFF_BYTES,
  searchFlows,
  sniffCompression,
  type TimeBounds,
  visitFlows,
} from "@heliograph/core";
import { openFile, streamBytes, systemFailure, systemReason } from "../files/file-access.js";
import { nodeGunzip } from "../files/node-gunzip.js";
import type { Counters } from "./counters.js";
import type { ReadTask } from "./tasks.js";

/** What all shares of a hunt agree on; plain data, so that it can be posted to a thread. */
export interface ShareOptions {
  readonly tasks: readonly ReadTask[];
  /** Shares that work on the tasks together. */
  readonly shares: number;
  readonly seed: HashSeed;
  readonly bounds: TimeBounds;
  /** Undefined: every connection. */
  readonly filter: ConnectionFilter | undefined;
  readonly read: Pick<ReadOptions, "fields" | "aliases" | "maxLineBytes">;
  readonly limits: NonNullable<OpenOptions["limits"]>;
  /** Whether to describe each file by itself as well. */
  readonly perFile: boolean;
  /** Whether to explain the groups that the filter leaves, and how many. */
  readonly explain: boolean | number;
  /** So many of the (source, destination, port) with most connections to tell. */
  readonly topTalkers: number;
  /** Whether a search asks what connections carry. */
  readonly carried: boolean;
  /** Flows whose payload is collected; then nothing is grouped. Empty: none. */
  readonly payloadOf: readonly FlowKey[];
  readonly names: NameIndex | undefined;
}

/** What one log holds by itself. */
export interface LogFigures {
  readonly groups: number;
  readonly hosts: number;
  readonly duplicateRows: number;
  /** Microseconds since 1970-01-01 UTC; absent when the log has no row. */
  readonly first?: number;
  readonly last?: number;
}

/** What came of a task. */
export interface TaskOutcome {
  readonly task: number;
  /** One for each log in the file. */
  readonly reports: readonly ReadReport[];
  readonly figures?: LogFigures;
  /** The header changed inside this part of a file: the parts behind it were read with the wrong one. */
  readonly headerChanged: boolean;
}

/** What a share read. */
export interface ReadShare {
  readonly shard: FlowShard;
  readonly outcomes: readonly TaskOutcome[];
  readonly payload: PayloadRows | undefined;
  readonly rowsOutside: number;
  /** Rows that the filter's rules over columns left out. */
  readonly removed: ReadonlyMap<FilterRule, number>;
  readonly range: readonly [first: number, last: number] | undefined;
}

const NEWLINE = 10;
const SCAN_BYTES = 1 << 16;

/** The first byte at or after `from` that starts a line: the start of the file, or what follows a newline. */
function lineStart(fd: number, from: number): number {
  if (from === 0) return 0;
  const buffer = new Uint8Array(SCAN_BYTES);
  for (let at = from - 1; ; ) {
    const got = readSync(fd, buffer, 0, SCAN_BYTES, at);
    if (got === 0) return at;
    const newline = buffer.subarray(0, got).indexOf(NEWLINE);
    if (newline >= 0) return at + newline + 1;
    at += got;
  }
}

/** Reads tasks into one set of connection groups: the part of a hunt that one thread does. */
export class HuntShare {
  readonly #options: ShareOptions;
  readonly #engine: ReadEngine;
  readonly #filter: FilterPlan | undefined;
  readonly #builder: FlowBuilder;
  readonly #payload: PayloadCollector | undefined;
  readonly #counters: Counters;
  readonly #rows: RowFilter;
  readonly #outcomes: TaskOutcome[] = [];

  /** `allocate` gives the memory for connections; default: the thread's own. */
  constructor(options: ShareOptions, counters: Counters, allocate?: Allocate) {
    this.#options = options;
    this.#engine = createEngine({ seed: options.seed });
    this.#filter = options.filter && planFilter(options.filter);
    this.#builder = new FlowBuilder(this.#engine, { allocate, carried: options.carried });
    this.#rows = new RowFilter(options.bounds, this.#filter);
    this.#payload = options.payloadOf.length > 0 ? new PayloadCollector(this.#engine, options.payloadOf) : undefined;
    this.#counters = counters;
  }

  /** Takes tasks until none is left. */
  async run(): Promise<void> {
    const { tasks } = this.#options;
    try {
      for (let index = this.#counters.takeTask(); index < tasks.length; index = this.#counters.takeTask()) {
        const task = tasks[index];
        if (task) this.#outcomes.push(await this.#read(task, index));
      }
    } catch (cause) {
      if (!(cause instanceof WebAssembly.RuntimeError)) throw cause;
      const message = "more addresses and groups than the 4 GiB of one reader hold; hunt in parts, with time bounds or fewer files";
      throw new CoreError("limit", message, { cause });
    }
  }

  async #read(task: ReadTask, index: number): Promise<TaskOutcome> {
    const own = this.#options.perFile ? new FlowBuilder(this.#engine) : undefined;
    const take: BatchSink = (batch) => {
      this.#counters.addRows(batch.rows);
      const inside = this.#rows.apply(batch);
      if (this.#payload) return this.#payload.add(inside);
      own?.add(inside);
      this.#builder.add(inside);
    };
    const outcome = await this.#readTask(task, take);
    const figures = own && this.#figuresOf(own);
    return { task: index, ...outcome, ...(figures && { figures }) };
  }

  #figuresOf(own: FlowBuilder): LogFigures {
    const { range } = own;
    const hosts = new Set<number>();
    const onGroup = (source: number, destination: number): void => void hosts.add(source).add(destination);
    const visit = { minConnections: Number.POSITIVE_INFINITY, filter: this.#filter, onGroup };
    const { groups, duplicateRows } = visitFlows(this.#engine, joinShards([own.finish()]), visit, () => undefined);
    return { groups, hosts: hosts.size, duplicateRows, ...(range && { first: range[0], last: range[1] }) };
  }

  async #readTask(task: ReadTask, take: BatchSink): Promise<Omit<TaskOutcome, "task" | "figures">> {
    const { read, limits } = this.#options;
    const columns = [...new Set([...flowColumns(this.#options.carried), ...(this.#payload ? PAYLOAD_COLUMNS : []), ...this.#rows.columns])];
    const options = { schema: connSchema, columns, ...read };
    const onFileBytes = (bytes: number): void => this.#counters.addBytes(bytes);
    try {
      if (task.stream) {
        const data = streamBytes(task.path, onFileBytes);
        return {
          reports: await readLog(this.#engine, { name: task.name, data }, options, take, { limits, select: isConnLogName }),
          headerChanged: false,
        };
      }
      if (isPlainFile(task.path)) return this.#readPlain(task, options, take);
      const file = await openFile(task.path, onFileBytes);
      try {
        const open = { limits, select: isConnLogName, gunzip: nodeGunzip };
        return { reports: await readLog(this.#engine, { name: task.name, data: file }, options, take, open), headerChanged: false };
      } finally {
        await file.close();
      }
    } catch (cause) {
      return { reports: [systemFailure(task.name, cause)], headerChanged: false };
    }
  }

  /** Reads a plain file, or the lines of it that start inside the task, straight into the reader's memory. */
  #readPlain(task: ReadTask, options: Omit<ReadOptions, "source">, take: BatchSink): Omit<TaskOutcome, "task" | "figures"> {
    const { opening } = task;
    const reader: LendingReader = this.#engine.reader({ ...options, source: task.name, ...(opening !== undefined && { opening }) }, take);
    const before = reader.layout();
    const fd = openSync(task.path, "r");
    let failure: unknown;
    try {
      const whole = task.to === Number.POSITIVE_INFINITY;
      const end = whole ? task.to : lineStart(fd, task.to);
      for (let at = lineStart(fd, task.from); at < end; ) {
        const room = reader.reserve();
        const got = readSync(fd, room, 0, Math.min(room.length, end - at), at);
        if (got === 0) break;
        reader.commit(got);
        at += got;
        this.#counters.addBytes(got);
      }
    } catch (cause) {
      failure = cause;
    } finally {
      closeSync(fd);
    }
    const headerChanged = opening !== undefined && reader.layout() !== before;
    const report = reader.end();
    if (failure !== undefined) report.damaged = systemReason(failure);
    return { reports: [report], headerChanged };
  }

  /** Runs searches over buckets of all shares until none is left. */
  search(flows: JoinedFlows, searches: readonly Search[]): Promise<BucketFindings> {
    const { explain, topTalkers, names } = this.#options;
    const lookup = this.#filter?.names && names ? new NameLookup(names) : undefined;
    const nextBucket = (): number => this.#counters.takeBucket();
    return searchFlows(this.#engine, flows, searches, { filter: this.#filter, names: lookup, explain, topTalkers, nextBucket });
  }

  /** Ends reading: hands over what was read. */
  finish(): ReadShare {
    const { range } = this.#builder;
    return {
      shard: this.#builder.finish(),
      payload: this.#payload?.rows(),
      outcomes: this.#outcomes,
      rowsOutside: this.#rows.rowsOutside,
      removed: this.#rows.removed,
      range,
    };
  }
}

function isPlainFile(path: string): boolean {
  const fd = openSync(path, "r");
  try {
    const head = new Uint8Array(SNIFF_BYTES);
    const got = readSync(fd, head, 0, SNIFF_BYTES, 0);
    return sniffCompression(head.subarray(0, got)) === "none";
  } finally {
    closeSync(fd);
  }
}
