import { CompiledQuery, type Kysely, sql, type Transaction } from "kysely";
import type { StoreTables, TaskKind } from "./database.js";
import type { Store } from "./open-store.js";
import { type RunResult, RunStore } from "./run-store.js";

/** A piece of a queued run that a worker holds. */
export interface ClaimedTask {
  readonly runId: string;
  readonly n: number;
  readonly kind: TaskKind;
  readonly payload: unknown;
  /** How often it was claimed, this time included. */
  readonly attempt: number;
  /** What the worker shows that it still holds the task: every claim has another one. */
  readonly fence: number;
}

/** A task to be added to a run. */
export interface NewTask {
  readonly kind: TaskKind;
  readonly payload: unknown;
}

/** Says that a task is there to be done, in a transaction of the store's; `seconds`: not before so many have passed. */
export type Announce = (
  tx: Transaction<StoreTables>,
  task: { readonly runId: string; readonly n: number },
  seconds: number,
) => Promise<void>;

/** The worker holds the task no more: another one took it, or the run has ended. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

/** How tasks are tried again. */
export interface Retries {
  /** Claims of one task at most. */
  readonly attempts: number;
  /** Seconds before the second claim; twice as long before each further one. */
  readonly backoffSeconds: number;
}

const MOST_BACKOFF_SECONDS = 300;
const clock = sql<number>`extract(epoch from clock_timestamp()) * 1000`;
const ended = (): string => new Date().toISOString();

/** SQL of another library over a connection or inside a transaction of ours. */
export const executeSqlIn =
  (tx: Kysely<StoreTables>) =>
  async (text: string, values: readonly unknown[] = []): Promise<{ rows: unknown[] }> => {
    const { rows } = await tx.executeQuery(CompiledQuery.raw(text, [...values]));
    return { rows };
  };

/**
 * The tasks of queued runs in PostgreSQL, and who holds them. A task is held under a lease that its worker renews; whoever claims it gets
 * a fencing token, without which nothing is written. All that a task leaves is written in one transaction with its end.
 */
export class TaskStore {
  readonly runs: RunStore;
  readonly #store: Store;
  readonly #announce: Announce;

  constructor(store: Store, announce: Announce) {
    this.#store = store;
    this.#announce = announce;
    this.runs = new RunStore(store);
  }

  /** Adds a queued run's first task in the transaction that makes the run. */
  async begin(tx: Transaction<StoreTables>, runId: string, task: NewTask, { attempts, backoffSeconds }: Retries): Promise<void> {
    await tx.insertInto("queued_runs").values({ run_id: runId, most_attempts: attempts, backoff_seconds: backoffSeconds }).execute();
    await this.#add(tx, runId, 0, [task]);
  }

  async #add(tx: Transaction<StoreTables>, runId: string, first: number, tasks: readonly NewTask[]): Promise<void> {
    for (const [i, { kind, payload }] of tasks.entries()) {
      const row = { run_id: runId, n: first + i, kind, state: "queued" as const, payload: JSON.stringify(payload) };
      await tx
        .insertInto("run_tasks")
        .values({ ...row, result: null, attempts: 0, fence: 0, lease_until: null, worker: null })
        .execute();
      await this.#announce(tx, { runId, n: first + i }, 0);
    }
  }

  /** Claims a task that waits; undefined when it does not: it was done, taken or cancelled meanwhile. */
  async claimIn(tx: Transaction<StoreTables>, runId: string, n: number, worker: string, leaseMs: number): Promise<ClaimedTask | undefined> {
    const { numUpdatedRows } = await tx
      .updateTable("runs")
      .set((update) => ({ state: "running", started_at: update.fn.coalesce("started_at", sql<string>`${ended()}`) }))
      .where("id", "=", runId)
      .where("state", "in", ["queued", "running"])
      .executeTakeFirst();
    if (Number(numUpdatedRows) !== 1) return undefined;
    const row = await tx
      .updateTable("run_tasks")
      .set((update) => ({
        state: "running",
        attempts: update("attempts", "+", 1),
        fence: update("fence", "+", 1),
        lease_until: sql<number>`${clock} + ${leaseMs}`,
        worker,
      }))
      .where("run_id", "=", runId)
      .where("n", "=", n)
      .where("state", "=", "queued")
      .returning(["kind", "payload", "attempts", "fence"])
      .executeTakeFirst();
    return row && { runId, n, kind: row.kind, payload: JSON.parse(row.payload) as unknown, attempt: row.attempts, fence: row.fence };
  }

  /** Renews a lease; false: the task is lost, or its run has ended. */
  async renew({ runId, n, fence }: ClaimedTask, leaseMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#store.write
      .updateTable("run_tasks")
      .set({ lease_until: sql<number>`${clock} + ${leaseMs}` })
      .where("run_id", "=", runId)
      .where("n", "=", n)
      .where("fence", "=", fence)
      .where("state", "=", "running")
      .where((where) => where.exists(where.selectFrom("runs").select("id").where("id", "=", runId).where("state", "=", "running")))
      .executeTakeFirst();
    return Number(numUpdatedRows) === 1;
  }

  /** Marks a task as done within a transaction. @throws LeaseLost */
  async #done(tx: Transaction<StoreTables>, { runId, n, fence }: ClaimedTask, result: unknown): Promise<void> {
    const { numUpdatedRows } = await tx
      .updateTable("run_tasks")
      .set({ state: "done", lease_until: null, payload: "null", result: result === undefined ? null : JSON.stringify(result) })
      .where("run_id", "=", runId)
      .where("n", "=", n)
      .where("fence", "=", fence)
      .where("state", "=", "running")
      .executeTakeFirst();
    if (Number(numUpdatedRows) !== 1) throw new LeaseLost(`task ${n} of run ${runId} is another worker's, or over`);
  }

  /** Ends the run with its results, and the task with it: both or neither. @throws LeaseLost */
  finish(task: ClaimedTask, result: RunResult): Promise<void> {
    return this.#store.write.transaction().execute(async (tx) => {
      await this.#done(tx, task, undefined);
      if (!(await this.runs.finishIn(tx, task.runId, result))) throw new LeaseLost(`run ${task.runId} has ended`);
      // What the parts left has been joined.
      await tx.deleteFrom("run_tasks").where("run_id", "=", task.runId).where("n", "!=", task.n).execute();
    });
  }

  /** Ends a plan: its parts are there to be done, or what joins them where there are none. @throws LeaseLost */
  split(task: ClaimedTask, parts: readonly NewTask[], join: NewTask): Promise<void> {
    return this.#store.write.transaction().execute(async (tx) => {
      await this.#done(tx, task, join.payload);
      await this.#add(tx, task.runId, task.n + 1, parts.length > 0 ? parts : [join]);
    });
  }

  /** Ends a part; the last one that ends brings what joins them all. Returns the share of the parts that are done. @throws LeaseLost */
  partDone(task: ClaimedTask, result: unknown): Promise<number> {
    return this.#store.write.transaction().execute(async (tx) => {
      // Parts that end at once end one after the other.
      await tx.selectFrom("runs").select("id").where("id", "=", task.runId).forUpdate().execute();
      await this.#done(tx, task, result);
      const parts = await tx
        .selectFrom("run_tasks")
        .select(["n", "state"])
        .where("run_id", "=", task.runId)
        .where("kind", "=", "part")
        .execute();
      const left = parts.filter(({ state }) => state !== "done").length;
      if (left === 0) {
        const plan = await tx
          .selectFrom("run_tasks")
          .select("result")
          .where("run_id", "=", task.runId)
          .where("kind", "=", "plan")
          .executeTakeFirstOrThrow();
        const last = Math.max(...parts.map(({ n }) => n));
        await this.#add(tx, task.runId, last + 1, [{ kind: "join", payload: JSON.parse(plan.result ?? "null") as unknown }]);
      }
      return 1 - left / parts.length;
    });
  }

  /** What the parts of a run left, in order. */
  async *partResults(runId: string): AsyncGenerator<unknown> {
    for (let after = -1; ; ) {
      const row = await this.#store.read
        .selectFrom("run_tasks")
        .select(["n", "result"])
        .where("run_id", "=", runId)
        .where("kind", "=", "part")
        .where("n", ">", after)
        .orderBy("n")
        .limit(1)
        .executeTakeFirst();
      if (!row) return;
      after = row.n;
      yield JSON.parse(row.result ?? "null");
    }
  }

  /** Gives a task up: it waits for another worker, or its run fails with the reason when it was tried often enough, or `final`. `unreadable`: its logs are to blame. */
  async giveUp(
    task: ClaimedTask,
    reason: string,
    { final = false, unreadable = false }: { readonly final?: boolean; readonly unreadable?: boolean } = {},
  ): Promise<"again" | "failed" | "lost"> {
    return this.#store.write.transaction().execute(async (tx) => {
      const row = await tx
        .selectFrom("run_tasks")
        .innerJoin("queued_runs", "queued_runs.run_id", "run_tasks.run_id")
        .select(["attempts", "most_attempts", "backoff_seconds"])
        .where("run_tasks.run_id", "=", task.runId)
        .where("n", "=", task.n)
        .where("fence", "=", task.fence)
        .where("state", "=", "running")
        .forUpdate("run_tasks")
        .executeTakeFirst();
      if (!row) return "lost";
      if (!final && row.attempts < row.most_attempts) {
        await tx
          .updateTable("run_tasks")
          .set({ state: "queued", lease_until: null, worker: null })
          .where("run_id", "=", task.runId)
          .where("n", "=", task.n)
          .execute();
        const wait = Math.min(MOST_BACKOFF_SECONDS, row.backoff_seconds * 2 ** (row.attempts - 1));
        await this.#announce(tx, task, wait);
        return "again";
      }
      await this.#endIn(tx, task.runId, "failed", final ? reason : `${reason}; tried ${row.attempts} times`, unreadable);
      return "failed";
    });
  }

  async #endIn(
    tx: Transaction<StoreTables>,
    runId: string,
    state: "failed" | "cancelled",
    error: string | null,
    unreadable = false,
  ): Promise<boolean> {
    const { numUpdatedRows } = await tx
      .updateTable("runs")
      .set({ state, error, finished_at: ended(), ...(unreadable && { summary: JSON.stringify({ unreadable }) }) })
      .where("id", "=", runId)
      .where("state", "in", ["queued", "running"])
      .executeTakeFirst();
    await tx
      .updateTable("run_tasks")
      .set({ state: "cancelled", lease_until: null })
      .where("run_id", "=", runId)
      .where("state", "in", ["queued", "running"])
      .execute();
    return Number(numUpdatedRows) === 1;
  }

  /** Cancels a queued run, whoever works on it; false when it is over, or none of the queue's. */
  cancel(runId: string): Promise<boolean> {
    return this.#store.write.transaction().execute(async (tx) => {
      const queued = await tx.selectFrom("queued_runs").select("run_id").where("run_id", "=", runId).executeTakeFirst();
      return queued !== undefined && (await this.#endIn(tx, runId, "cancelled", null));
    });
  }

  /** Takes the tasks of workers that have not renewed their lease from them; returns how many. */
  async reap(): Promise<number> {
    const lost = await this.#store.read
      .selectFrom("run_tasks")
      .selectAll()
      .where("state", "=", "running")
      .where(sql<boolean>`lease_until < ${clock}`)
      .execute();
    let reaped = 0;
    for (const { run_id, n, kind, attempts, fence, worker } of lost) {
      const task = { runId: run_id, n, kind, payload: null, attempt: attempts, fence };
      const outcome = await this.giveUp(task, `the worker that did it ended without a word (${worker ?? "unknown"})`);
      if (outcome !== "lost") reaped++;
    }
    return reaped;
  }

  /** Tasks that wait and tasks that are held. */
  async counts(): Promise<{ readonly queued: number; readonly running: number }> {
    const rows = await this.#store.read
      .selectFrom("run_tasks")
      .select(["state", (count) => count.fn.countAll().as("tasks")])
      .where("state", "in", ["queued", "running"])
      .groupBy("state")
      .execute();
    const of = (state: string): number => Number(rows.find((row) => row.state === state)?.tasks ?? 0);
    return { queued: of("queued"), running: of("running") };
  }
}
