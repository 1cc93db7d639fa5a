import { setTimeout as wait } from "node:timers/promises";
import { type CompiledQuery, type DatabaseConnection, type Driver, type QueryResult, SqliteDialect } from "kysely";
import type { Database } from "libsql";

/** How long a writer waits for another process that writes. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 5;
/** What statements that only read start with; `with` starts no other here. */
const READS = new Set(["select", "with", "pragma"]);

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && /SQLITE_BUSY|database is locked/.test(`${String((cause as { code?: unknown }).code)} ${cause.message}`);
}

/**
 * SQLite whose writers wait for each other without holding up the thread, as SQLite's own waiting would: every transaction, and every
 * statement outside of one that writes, first takes the write lock, again and again until it is free. No later statement can find
 * the database locked.
 */
export class PatientSqliteDialect extends SqliteDialect {
  readonly #database: Database;

  constructor(database: Database) {
    super({ database: database as never });
    this.#database = database;
  }

  override createDriver(): Driver {
    const driver = super.createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    const release = driver.releaseConnection.bind(driver);
    const wrapped = new WeakMap<DatabaseConnection, DatabaseConnection>();
    driver.acquireConnection = async () => {
      const connection = await acquire();
      const patient = new PatientConnection(connection, this.#database);
      wrapped.set(patient, connection);
      return patient;
    };
    driver.releaseConnection = (connection) => release(wrapped.get(connection) ?? connection);
    return driver;
  }
}

class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  readonly #database: Database;
  #inTransaction = false;

  constructor(connection: DatabaseConnection, database: Database) {
    this.#connection = connection;
    this.#database = database;
  }

  async #lock(): Promise<void> {
    for (const started = Date.now(); ; ) {
      try {
        // Not as a prepared statement: libsql leaves one that fails open, and nothing can be committed then.
        this.#database.exec("begin immediate");
        return;
      } catch (cause) {
        if (!isBusy(cause) || Date.now() - started > PATIENCE_MS) throw cause;
        await wait(PAUSE_MS * (1 + Math.random()));
      }
    }
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const [verb = ""] = query.sql.trimStart().toLowerCase().split(/\s/, 1);
    if (verb === "begin") {
      await this.#lock();
      this.#inTransaction = true;
      return { rows: [] };
    }
    if (verb === "commit" || verb === "rollback") {
      this.#inTransaction = false;
      this.#database.exec(verb);
      return { rows: [] };
    }
    if (this.#inTransaction || READS.has(verb)) return this.#connection.executeQuery<Row>(query);
    await this.#lock();
    try {
      const result = await this.#connection.executeQuery<Row>(query);
      this.#database.exec("commit");
      return result;
    } catch (cause) {
      if (this.#database.inTransaction) this.#database.exec("rollback");
      throw cause;
    }
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize);
  }
}
