import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CoreError } from "@heliograph/core";
import type { Database } from "libsql";

const require = createRequire(import.meta.url);
const MOST_TRIES = 600;
const PAUSE_MS = 50;

/** A value of a statement. */
type Value = string | number | bigint | null;
/** A row of a result. */
export type Row = Readonly<Record<string, string | number | null>>;

const TABLES = `
create table if not exists indices (name text primary key, mapping text not null, settings text not null, created_at text not null, generation integer not null default 0, next_sequence integer not null default 0) without rowid;
create table if not exists segments (id text primary key, index_name text not null, rows integer not null, first_ts real, last_ts real, bytes integer not null, digest text not null, created_at text not null, number integer not null);
create index if not exists segments_by_index on segments (index_name, number);
create table if not exists imports (digest text primary key, source text not null, imported_at text not null, rows integer not null) without rowid;
create table if not exists buffer (seq integer primary key autoincrement, index_name text not null, id text not null, version integer not null, sequence integer not null, source text not null);
create unique index if not exists buffer_by_id on buffer (index_name, id);
create table if not exists locations (index_name text not null, id text not null, segment text not null, place integer not null, version integer not null, primary key (index_name, id)) without rowid;
create index if not exists locations_by_segment on locations (segment);
create table if not exists dead (segment text not null, place integer not null, primary key (segment, place)) without rowid;
create table if not exists garbage (segment text primary key, at text not null) without rowid;
`;

const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && /SQLITE_BUSY|database is locked/.test(`${String((cause as { code?: unknown }).code)} ${cause.message}`);

/** Waits without the event loop: a catalog is used by threads of their own and by commands. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * The catalog of the log store: which indexes, segments and imports there are, and the documents that are not in a segment yet. One SQLite file
 * that any number of threads and processes may open; what a transaction committed is on disk.
 */
export class Catalog {
  readonly #database: Database;
  readonly #statements = new Map<string, ReturnType<Database["prepare"]>>();

  /** @throws CoreError `bad-parameter` when the folder cannot be used */
  constructor(folder: string) {
    const Libsql = require("libsql") as new (path: string) => Database;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#database = new Libsql(join(folder, "catalog.db"));
    } catch (cause) {
      throw new CoreError(
        "bad-parameter",
        `${folder}: cannot be used for data: ${cause instanceof Error ? cause.message : String(cause)}`,
        { source: folder, cause },
      );
    }
    this.#patiently(() => {
      this.#database.pragma("journal_mode = WAL");
      // What an answer says is kept, is kept, whatever happens to the machine.
      this.#database.pragma("synchronous = FULL");
      this.#database.exec(TABLES);
    });
  }

  #patiently<T>(work: () => T): T {
    for (let tries = 0; ; tries++) {
      try {
        return work();
      } catch (cause) {
        if (!isBusy(cause) || tries === MOST_TRIES) throw cause;
        pause(PAUSE_MS * (0.5 + Math.random()));
      }
    }
  }

  #statement(sql: string): ReturnType<Database["prepare"]> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  all(sql: string, values: readonly Value[] = []): Row[] {
    return this.#patiently(() => this.#statement(sql).all([...values]) as Row[]);
  }

  one(sql: string, values: readonly Value[] = []): Row | undefined {
    return this.all(sql, values)[0];
  }

  /** Inside a transaction: changes rows. */
  run(sql: string, values: readonly Value[] = []): { readonly changes: number; readonly id: number } {
    const { changes, lastInsertRowid } = this.#statement(sql).run([...values]);
    return { changes, id: Number(lastInsertRowid) };
  }

  /** Runs `work` with the one lock for writing: all of it happens, on disk, or nothing. */
  transaction<T>(work: () => T): T {
    this.#patiently(() => this.#database.exec("begin immediate"));
    let result: T;
    try {
      result = work();
    } catch (cause) {
      this.#database.exec("rollback");
      throw cause;
    }
    this.#patiently(() => this.#database.exec("commit"));
    return result;
  }

  /** Runs `work`, which only reads, over one state of the catalog, whatever is written meanwhile. */
  snapshot<T>(work: () => T): T {
    this.#patiently(() => this.#database.exec("begin"));
    try {
      return work();
    } finally {
      this.#database.exec("commit");
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}
