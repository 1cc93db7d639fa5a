import { CoreError } from "@heliograph/core";
import type PgBoss from "pg-boss";
import type { Store } from "../store/open-store.js";
import { type Announce, executeSqlIn, TaskStore } from "../store/task-store.js";

/** The version of what tasks hold. A worker leaves newer ones to newer workers. */
export const TASK_VERSION = 1;

/** What the queue brings: which task is there to be done. */
export interface TaskNotice {
  readonly runId: string;
  readonly n: number;
  readonly version: number;
}

const QUEUE = "heliograph-tasks";
/** A notice that was fetched and not answered by then is brought again. */
const NOTICE_SECONDS = 30;
const NOTICE_RETRIES = 100;
const NEWER_SECONDS = 10;

/** A notice in a worker's hands. */
export interface FetchedNotice extends TaskNotice {
  readonly id: string;
}

/**
 * The queue of tasks in the store's PostgreSQL, by pg-boss: it brings each notice to one worker at a time. What is true of a task stands in the
 * store: a notice that comes twice, late or for nothing does no harm.
 */
export class RunQueue {
  readonly tasks: TaskStore;
  readonly #boss: PgBoss;

  private constructor(boss: PgBoss, tasks: TaskStore) {
    this.#boss = boss;
    this.tasks = tasks;
  }

  /**
   * Opens the queue; makes its tables in a schema of its own where they are not there.
   * @throws CoreError `bad-parameter` when the store is no PostgreSQL
   */
  static async open(store: Store, url: string): Promise<RunQueue> {
    if (store.kind !== "postgres")
      throw new CoreError(
        "bad-parameter",
        "workers need runs in PostgreSQL (--database postgres://…); with SQLite the server does its runs itself",
        {
          column: "database",
        },
      );
    const { default: Boss } = await import("pg-boss");
    const boss = new Boss({ connectionString: url, application_name: "heliograph", max: 4, schedule: false });
    // The database may be away for a while; whoever needs it tries again.
    boss.on("error", () => undefined);
    await boss.start();
    await boss.createQueue(QUEUE, { name: QUEUE, policy: "standard" });
    const announce: Announce = async (tx, { runId, n }, seconds) => {
      const notice: TaskNotice = { runId, n, version: TASK_VERSION };
      await boss.send(QUEUE, notice, {
        db: { executeSql: executeSqlIn(tx) },
        expireInSeconds: NOTICE_SECONDS,
        retryLimit: NOTICE_RETRIES,
        retryDelay: 1,
        ...(seconds > 0 && { startAfter: new Date(Date.now() + seconds * 1000) }),
      });
    };
    return new RunQueue(boss, new TaskStore(store, announce));
  }

  /** Fetches so many notices at most. Newer ones than this worker knows are put back for others. */
  async fetch(most: number): Promise<FetchedNotice[]> {
    const jobs = (await this.#boss.fetch<TaskNotice>(QUEUE, { batchSize: most })) ?? [];
    const known: FetchedNotice[] = [];
    for (const { id, data } of jobs) {
      if (data.version <= TASK_VERSION) known.push({ ...data, id });
      else {
        await this.#boss.send(QUEUE, data, { startAfter: NEWER_SECONDS, expireInSeconds: NOTICE_SECONDS, retryLimit: NOTICE_RETRIES });
        await this.#boss.complete(QUEUE, id);
      }
    }
    return known;
  }

  /** Answers a notice: its task was claimed, or is none to be done. */
  async answered({ id }: FetchedNotice): Promise<void> {
    await this.#boss.complete(QUEUE, id);
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: true, wait: true });
  }
}
