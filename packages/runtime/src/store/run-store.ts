import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setImmediate as breathe } from "node:timers/promises";
import type { ParameterValues, Talker } from "@heliograph/core";
import type { Selectable, Transaction } from "kysely";
import type { ApiBeacon } from "../report/csv.js";
import type { RunState, StoreTables } from "./database.js";
import { processStarted, type Store } from "./open-store.js";

/** Where a run looks. */
export interface RunSource {
  /** As the user named it. */
  readonly name: string;
  readonly paths: readonly string[];
}

/** A run as it stands. */
export interface Run {
  readonly id: string;
  readonly search: string;
  readonly parameters: ParameterValues;
  readonly source: RunSource;
  readonly state: RunState;
  /** 0..1. */
  readonly progress: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Before hosts are filtered. */
  readonly beaconCount: number;
  readonly summary: object | null;
  readonly error: string | null;
  readonly logFile: string;
}

/** A beacon as it is listed. */
export interface ListedBeacon extends ApiBeacon {
  readonly protocol: string;
}

/** A beacon as it is kept. */
export interface StoredBeacon extends ListedBeacon {
  readonly evidence: object;
}

/** What a finished run leaves. */
export interface RunResult {
  readonly beacons: readonly Omit<StoredBeacon, "n">[];
  readonly talkers: readonly Talker[];
  readonly summary: object;
}

/** An instance that was not seen for so long is gone. */
const GONE_MS = 30_000;
const CHUNK_ROWS = 200;
const PAGE_ROWS = 1000;
const INTERRUPTED = "interrupted: the process that ran it ended";

const now = (): string => new Date().toISOString();

function runOf(row: Selectable<StoreTables["runs"]>): Run {
  return {
    id: row.id,
    search: row.search,
    parameters: JSON.parse(row.parameters) as ParameterValues,
    source: JSON.parse(row.source) as RunSource,
    state: row.state,
    progress: row.progress,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    beaconCount: row.beacon_count,
    summary: row.summary === null ? null : (JSON.parse(row.summary) as object),
    error: row.error,
    logFile: row.log_file,
  };
}

const LISTED = [
  "n",
  "source",
  "destination",
  "port",
  "protocol",
  "score",
  "name",
  "connection_count",
  "first_occurrence",
  "last_occurrence",
] as const satisfies readonly (keyof StoreTables["beacons"])[];

type ListedRow = Pick<Selectable<StoreTables["beacons"]>, (typeof LISTED)[number]>;

function listedOf(row: ListedRow): ListedBeacon {
  return {
    n: row.n,
    source: row.source,
    destination: row.destination,
    port: row.port,
    protocol: row.protocol,
    score: row.score,
    name: row.name,
    connectionCount: row.connection_count,
    firstOccurrence: row.first_occurrence,
    lastOccurrence: row.last_occurrence,
  };
}

const beaconOf = (row: ListedRow & { readonly evidence: string }): StoredBeacon => ({
  ...listedOf(row),
  evidence: JSON.parse(row.evidence) as object,
});

/** Whether a process of this machine lives. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

function* chunks<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let at = 0; at < items.length; at += CHUNK_ROWS) yield items.slice(at, at + CHUNK_ROWS);
}

/** Runs with their results and logs. A run is whole or failed: results come in one transaction with its end. */
export class RunStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Notes a new run, queued. Its log file is named after the second, the next free one when another run has it.
   * `along`: what else to write in the same transaction.
   */
  async create(
    search: string,
    parameters: ParameterValues,
    source: RunSource,
    along?: (tx: Transaction<StoreTables>, id: string) => Promise<void>,
  ): Promise<Run> {
    for (let second = Math.floor(Date.now() / 1000), tries = 1; ; tries++) {
      const row = {
        id: randomUUID(),
        search,
        parameters: JSON.stringify(parameters),
        source: JSON.stringify(source),
        state: "queued" as const,
        progress: 0,
        created_at: now(),
        started_at: null,
        finished_at: null,
        beacon_count: 0,
        summary: null,
        error: null,
        log_file: `log_${second}`,
        instance: this.#store.instance,
      };
      const made = await this.#store.write.transaction().execute(async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto("runs")
          .values(row)
          .onConflict((conflict) => conflict.column("log_file").doNothing())
          .executeTakeFirst();
        if (Number(numInsertedOrUpdatedRows) !== 1) return false;
        await along?.(tx, row.id);
        return true;
      });
      if (made) return runOf(row);
      // Behind the last name that is taken; where many are made at once, not all at the same place again.
      const last = await this.#store.read
        .selectFrom("runs")
        .select("log_file")
        .orderBy((by) => by.fn<number>("length", ["log_file"]), "desc")
        .orderBy("log_file", "desc")
        .limit(1)
        .executeTakeFirst();
      second = Math.max(second, Number(last?.log_file.slice("log_".length) ?? 0)) + 1 + Math.floor(Math.random() * tries * 4);
    }
  }

  /** Notes that a queued run has started; false when it was cancelled meanwhile. */
  async start(id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#store.write
      .updateTable("runs")
      .set({ state: "running", started_at: now(), instance: this.#store.instance })
      .where("id", "=", id)
      .where("state", "=", "queued")
      .executeTakeFirst();
    return Number(numUpdatedRows) === 1;
  }

  async progress(id: string, progress: number): Promise<void> {
    await this.#store.write.updateTable("runs").set({ progress }).where("id", "=", id).where("state", "=", "running").execute();
  }

  /** Keeps the results and ends the run, both or neither; false when it was ended meanwhile. */
  finish(id: string, result: RunResult): Promise<boolean> {
    return this.#store.write.transaction().execute((tx) => this.finishIn(tx, id, result));
  }

  /** The same in a transaction of the caller's; where it returns false it has written nothing. */
  async finishIn(tx: Transaction<StoreTables>, id: string, { beacons, talkers, summary }: RunResult): Promise<boolean> {
    const { numUpdatedRows } = await tx
      .updateTable("runs")
      .set({ state: "done", progress: 1, finished_at: now(), beacon_count: beacons.length, summary: JSON.stringify(summary) })
      .where("id", "=", id)
      .where("state", "=", "running")
      .executeTakeFirst();
    if (Number(numUpdatedRows) !== 1) return false;
    await this.#insertBeacons(tx, id, beacons);
    const rows = talkers.map(({ source, destination, port, connectionCount }, index) => ({
      run_id: id,
      n: index + 1,
      source,
      destination,
      port,
      connections: connectionCount,
    }));
    for (const part of chunks(rows)) await tx.insertInto("top_talkers").values(part).execute();
    return true;
  }

  async #insertBeacons(tx: Transaction<StoreTables>, id: string, beacons: RunResult["beacons"]): Promise<void> {
    const rows = beacons.map((beacon, index) => ({
      run_id: id,
      n: index + 1,
      source: beacon.source,
      destination: beacon.destination,
      port: beacon.port,
      protocol: beacon.protocol,
      score: beacon.score,
      name: beacon.name,
      connection_count: beacon.connectionCount,
      first_occurrence: beacon.firstOccurrence,
      last_occurrence: beacon.lastOccurrence,
      evidence: JSON.stringify(beacon.evidence),
    }));
    for (const part of chunks(rows)) {
      await tx.insertInto("beacons").values(part).execute();
      // SQLite works on this thread: let others have it between.
      await breathe();
    }
  }

  /** Ends a run that has not ended as failed or cancelled; false when it had. */
  async end(id: string, state: "failed" | "cancelled", error: string | null): Promise<boolean> {
    const { numUpdatedRows } = await this.#store.write
      .updateTable("runs")
      .set({ state, error, finished_at: now() })
      .where("id", "=", id)
      .where("state", "in", ["queued", "running"])
      .executeTakeFirst();
    return Number(numUpdatedRows) === 1;
  }

  async get(id: string): Promise<Run | undefined> {
    const row = await this.#store.read.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirst();
    return row && runOf(row);
  }

  /** Those of some runs that have ended. */
  async over(ids: readonly string[]): Promise<Run[]> {
    const all: Run[] = [];
    for (const part of chunks(ids)) {
      const rows = await this.#store.read
        .selectFrom("runs")
        .selectAll()
        .where("id", "in", part)
        .where("state", "in", ["done", "failed", "cancelled"])
        .execute();
      all.push(...rows.map(runOf));
    }
    return all;
  }

  /** All runs, the latest first. */
  async list(): Promise<Run[]> {
    const rows = await this.#store.read.selectFrom("runs").selectAll().orderBy("created_at", "desc").orderBy("id").execute();
    return rows.map(runOf);
  }

  /** Deletes a run with its results and its log; false when there is none. A run under way is not deleted. */
  async delete(id: string): Promise<{ readonly data: boolean; readonly log: boolean } | undefined> {
    return this.#store.write.transaction().execute(async (tx) => {
      const gone = await tx.selectFrom("runs").select("log_file").where("id", "=", id).executeTakeFirst();
      const { numDeletedRows } = await tx
        .deleteFrom("runs")
        .where("id", "=", id)
        .where("state", "not in", ["queued", "running"])
        .executeTakeFirst();
      if (!gone || Number(numDeletedRows) !== 1) return undefined;
      await tx.deleteFrom("beacons").where("run_id", "=", id).execute();
      await tx.deleteFrom("top_talkers").where("run_id", "=", id).execute();
      const log = await tx.deleteFrom("log_lines").where("log_file", "=", gone.log_file).executeTakeFirst();
      return { data: true, log: Number(log.numDeletedRows) > 0 };
    });
  }

  /** The beacons of a run in order and without their evidence, without those of which either end is a filtered host. */
  async beacons(id: string): Promise<ListedBeacon[]> {
    const all: ListedBeacon[] = [];
    for await (const page of this.#pages(id, false)) all.push(...page.map(listedOf));
    return all;
  }

  /** The same with their evidence, some at a time: a run may hold more than fits into memory at once. */
  async *beaconPages(id: string): AsyncGenerator<StoredBeacon[]> {
    for await (const page of this.#pages(id, true)) yield page.map(({ evidence = "{}", ...row }) => beaconOf({ ...row, evidence }));
  }

  async *#pages(id: string, evidence: boolean): AsyncGenerator<(ListedRow & { evidence?: string | undefined })[]> {
    const filtered = this.#store.read.selectFrom("filtered_hosts").select("ip");
    for (let after = 0; ; ) {
      const page = await this.#store.read
        .selectFrom("beacons")
        .select(LISTED)
        .$if(evidence, (query) => query.select("evidence"))
        .where("run_id", "=", id)
        .where("n", ">", after)
        .where("source", "not in", filtered)
        .where("destination", "not in", filtered)
        .orderBy("n")
        .limit(PAGE_ROWS)
        .execute();
      if (page.length > 0) yield page;
      if (page.length < PAGE_ROWS) return;
      after = page.at(-1)?.n ?? after;
      // SQLite works on this thread: let others have it between.
      await breathe();
    }
  }

  async beacon(id: string, n: number): Promise<StoredBeacon | undefined> {
    const row = await this.#store.read.selectFrom("beacons").selectAll().where("run_id", "=", id).where("n", "=", n).executeTakeFirst();
    return row && beaconOf(row);
  }

  async talkers(id: string): Promise<(Talker & { readonly n: number })[]> {
    const rows = await this.#store.read.selectFrom("top_talkers").selectAll().where("run_id", "=", id).orderBy("n").execute();
    return rows.map(({ n, source, destination, port, connections }) => ({ n, source, destination, port, connectionCount: connections }));
  }

  async addLog(logFile: string, lines: readonly string[]): Promise<void> {
    for (const part of chunks(lines)) {
      await this.#store.write
        .insertInto("log_lines")
        .values(part.map((line) => ({ log_file: logFile, line })))
        .execute();
    }
  }

  /** A run's log; undefined when there is none of that name. */
  async log(logFile: string): Promise<string | undefined> {
    const rows = await this.#store.read.selectFrom("log_lines").select("line").where("log_file", "=", logFile).orderBy("id").execute();
    return rows.length === 0 ? undefined : rows.map(({ line }) => `${line}\n`).join("");
  }

  /** False when there is none of that name. */
  async deleteLog(logFile: string): Promise<boolean> {
    const { numDeletedRows } = await this.#store.write.deleteFrom("log_lines").where("log_file", "=", logFile).executeTakeFirst();
    return Number(numDeletedRows) > 0;
  }

  /** Says that this process lives. */
  async heartbeat(): Promise<void> {
    await this.#store.write.updateTable("instances").set({ seen_at: now() }).where("id", "=", this.#store.instance).execute();
  }

  /** Marks the runs of processes that ended without a word as failed; returns how many. */
  async failInterrupted(): Promise<number> {
    const { read, write, instance } = this.#store;
    const others = await read.selectFrom("instances").selectAll().where("id", "!=", instance).execute();
    const here = hostname();
    const stale = Date.now() - GONE_MS;
    const lost = ({ host, pid, started, seen_at }: (typeof others)[number]): boolean => {
      if (host !== here) return Date.parse(seen_at) < stale;
      return pid === process.pid ? started !== processStarted() : !lives(pid);
    };
    const gone = others.filter(lost).map(({ id }) => id);
    const alive = [instance, ...others.filter((other) => !lost(other)).map(({ id }) => id)];
    return write.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable("runs")
        .set({ state: "failed", error: INTERRUPTED, finished_at: now() })
        .where((where) => where.or([where("instance", "is", null), where("instance", "not in", alive)]))
        .where("state", "in", ["queued", "running"])
        // What workers do lasts longer than they: leases tell of those.
        .where("id", "not in", tx.selectFrom("queued_runs").select("run_id"))
        .executeTakeFirst();
      if (gone.length > 0) await tx.deleteFrom("instances").where("id", "in", gone).execute();
      return Number(numUpdatedRows);
    });
  }
}
