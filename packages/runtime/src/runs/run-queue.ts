import { CoreError } from "@heliograph/core";
import type PgBoss from "pg-boss";
import type { Store } from "../store/open-store.js";
import { type Announce, type ClaimedTask, executeSqlIn, TaskStore } from "../store/task-store.js";

/** The version of what tasks hold. A worker leaves newer ones to newer workers. */
export const TASK_VERSION = 1;

/** What the queue brings: which task is there to be done. */
export interface TaskNotice {
  readonly runId: string;
  readonly n: number;
  readonly version: number;
}

const QUEUE = "heliograph-tasks";
const NEWER_SECONDS = 10;

/**
 * The queue of tasks in the store's PostgreSQL, by pg-boss: it brings each notice to one worker at a time. What is true of a task stands in the
 * store: a notice that comes twice, late or for nothing does no harm.
 */
export class RunQueue {
  readonly tasks: TaskStore;
  readonly #store: Store;
  readonly #boss: PgBoss;

  private constructor(store: Store, boss: PgBoss, tasks: TaskStore) {
    this.#store = store;
    this.#boss = boss;
    this.tasks = tasks;
  }

  /**
   * Opens the queue; makes its tables in a schema of its own where they are not there.
   * @throws CoreError `bad-parameter` when the store is no PostgreSQL
   */
  static async open(store: Store): Promise<RunQueue> {
    if (store.kind !== "postgres")
      throw new CoreError(
        "bad-parameter",
        "workers need runs in PostgreSQL (--database postgres://…); with SQLite the server does its runs itself",
        {
          column: "database",
        },
      );
    const { default: Boss } = await import("pg-boss");
    const boss = new Boss({ db: { executeSql: executeSqlIn(store.write) }, schedule: false });
    // The database may be away for a while; whoever needs it tries again.
    boss.on("error", () => undefined);
    await boss.start();
    await boss.createQueue(QUEUE, { name: QUEUE, policy: "standard" });
    const announce: Announce = async (tx, { runId, n }, seconds) => {
      const notice: TaskNotice = { runId, n, version: TASK_VERSION };
      await boss.send(QUEUE, notice, {
        db: { executeSql: executeSqlIn(tx) },
        ...(seconds > 0 && { startAfter: new Date(Date.now() + seconds * 1000) }),
      });
    };
    return new RunQueue(store, boss, new TaskStore(store, announce));
  }

  /**
   * Takes the next task that waits and claims it, in one transaction: a worker that dies in between has taken nothing. Undefined: none was claimed;
   * `more` says whether there may be others.
   */
  take(worker: string, leaseMs: number): Promise<{ readonly task: ClaimedTask | undefined; readonly more: boolean }> {
    return this.#store.write.transaction().execute(async (tx) => {
      const db = { executeSql: executeSqlIn(tx) };
      const [notice] = (await this.#boss.fetch<TaskNotice>(QUEUE, { batchSize: 1, db })) ?? [];
      if (!notice) return { task: undefined, more: false };
      const { id, data } = notice;
      const isNewer = data.version > TASK_VERSION;
      // For a worker that knows it.
      if (isNewer) await this.#boss.send(QUEUE, data, { startAfter: NEWER_SECONDS, db });
      const task = isNewer ? undefined : await this.tasks.claimIn(tx, data.runId, data.n, worker, leaseMs);
      await this.#boss.complete(QUEUE, id, {}, { db });
      return { task, more: true };
    });
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false, wait: true });
  }
}
