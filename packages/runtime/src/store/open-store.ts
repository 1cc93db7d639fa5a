import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CoreError } from "@heliograph/core";
import { Kysely, PostgresDialect } from "kysely";
import type { StoreTables } from "./database.js";
import { migrate } from "./migrations.js";
import { PatientSqliteDialect } from "./patient-sqlite.js";

/** An open store. Readers never wait for the writer. */
export interface Store {
  readonly read: Kysely<StoreTables>;
  readonly write: Kysely<StoreTables>;
  readonly kind: "sqlite" | "postgres";
  /** Where it is, without a password. */
  readonly location: string;
  /** This process, as `instances` knows it. */
  readonly instance: string;
  close(): Promise<void>;
}

const POSTGRES = /^postgres(?:ql)?:\/\//;
const MIGRATION_TRIES = 20;
const POOL = 8;

/** When this process started: no other one with its number did at the same time. */
export const processStarted = (): string => performance.timeOrigin.toFixed(3);

/** The folder for data when none is named: `HELIOGRAPH_DATA_DIR`, else the user's data home. */
export function defaultDataDir(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment["HELIOGRAPH_DATA_DIR"];
  if (named) return named;
  const home = environment["XDG_DATA_HOME"] || join(homedir(), ".local", "share");
  return join(home, "heliograph");
}

async function openSqlite(folder: string): Promise<Store> {
  const { default: Database } = await import("libsql");
  let path: string;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    path = join(folder, "heliograph.db");
  } catch (cause) {
    throw new CoreError("bad-parameter", `${folder}: cannot be used for data: ${cause instanceof Error ? cause.message : String(cause)}`, {
      source: folder,
      cause,
    });
  }
  const connect = (): Kysely<StoreTables> => {
    const database = new Database(path);
    database.pragma("journal_mode = WAL");
    // A run that is told to be done is done, whatever happens to the machine.
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    return new Kysely<StoreTables>({ dialect: new PatientSqliteDialect(database) });
  };
  const write = connect();
  await migrated(write, false);
  const read = connect();
  return {
    read,
    write,
    kind: "sqlite",
    location: path,
    instance: randomUUID(),
    close: async () => {
      await read.destroy();
      await write.destroy();
    },
  };
}

function withoutPassword(url: string): string {
  try {
    const shown = new URL(url);
    shown.password = "";
    return shown.href;
  } catch (cause) {
    throw new CoreError("bad-parameter", "the database is no URL such as postgres://user:password@host/database", { cause });
  }
}

async function openPostgres(url: string): Promise<Store> {
  const shown = withoutPassword(url);
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: url, max: POOL });
  // A connection that breaks while it is idle is replaced by the next query.
  pool.on("error", () => undefined);
  // One that breaks in use fails its query, which is told there.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const db = new Kysely<StoreTables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrated(db, true);
  } catch (cause) {
    await db.destroy();
    throw new CoreError("bad-parameter", `${shown}: ${cause instanceof Error ? cause.message : String(cause)}`, { source: shown, cause });
  }
  return { read: db, write: db, kind: "postgres", location: shown, instance: randomUUID(), close: () => db.destroy() };
}

/** Two processes may open a new store at once: one of them makes the tables, the other one tries again. */
async function migrated(db: Kysely<StoreTables>, postgres: boolean): Promise<void> {
  for (let left = MIGRATION_TRIES; ; left--) {
    try {
      await migrate(db, postgres);
      return;
    } catch (cause) {
      const again = /already exists|SQLITE_BUSY|database is locked|UNIQUE constraint|duplicate key/i.test(String(cause));
      if (!again || left === 0) throw cause;
      await wait(50 + Math.random() * 100);
    }
  }
}

/**
 * Opens the store: a folder for SQLite, or a `postgres://` URL. Makes and updates its tables.
 * @throws CoreError `bad-parameter` when the folder cannot be used, or the database not reached
 */
export async function openStore(location: string): Promise<Store> {
  if (/^\w+:\/\//.test(location) && !POSTGRES.test(location))
    throw new CoreError("bad-parameter", "the database is no URL such as postgres://user:password@host/database");
  const opened = POSTGRES.test(location) ? await openPostgres(location) : await openSqlite(location);
  await opened.write
    .insertInto("instances")
    .values({ id: opened.instance, host: hostname(), pid: process.pid, started: processStarted(), seen_at: new Date().toISOString() })
    .execute();
  return {
    ...opened,
    close: async () => {
      await opened.write.deleteFrom("instances").where("id", "=", opened.instance).execute();
      await opened.close();
    },
  };
}
