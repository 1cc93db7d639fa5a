import { type Kysely, type Migration, Migrator } from "kysely";
import type { StoreTables } from "./database.js";

/** Migrations by name, in order; one that was released is never changed. Each can be done again after it was cut off in the middle. */
function migrations(postgres: boolean): Record<string, Migration> {
  return {
    "0001-runs": {
      async up(db: Kysely<unknown>) {
        await db.schema
          .createTable("runs")
          .ifNotExists()
          .addColumn("id", "text", (column) => column.primaryKey())
          .addColumn("search", "text", (column) => column.notNull())
          .addColumn("parameters", "text", (column) => column.notNull())
          .addColumn("source", "text", (column) => column.notNull())
          .addColumn("state", "text", (column) => column.notNull())
          .addColumn("progress", "double precision", (column) => column.notNull())
          .addColumn("created_at", "text", (column) => column.notNull())
          .addColumn("started_at", "text")
          .addColumn("finished_at", "text")
          .addColumn("beacon_count", "integer", (column) => column.notNull())
          .addColumn("summary", "text")
          .addColumn("error", "text")
          .addColumn("log_file", "text", (column) => column.notNull().unique())
          .addColumn("instance", "text")
          .execute();
        await db.schema.createIndex("runs_by_time").ifNotExists().on("runs").columns(["created_at", "id"]).execute();
        await db.schema
          .createTable("beacons")
          .ifNotExists()
          .addColumn("run_id", "text", (column) => column.notNull().references("runs.id").onDelete("cascade"))
          .addColumn("n", "integer", (column) => column.notNull())
          .addColumn("source", "text", (column) => column.notNull())
          .addColumn("destination", "text", (column) => column.notNull())
          .addColumn("port", "integer", (column) => column.notNull())
          .addColumn("protocol", "text", (column) => column.notNull())
          .addColumn("score", "double precision", (column) => column.notNull())
          .addColumn("name", "text", (column) => column.notNull())
          .addColumn("connection_count", "integer", (column) => column.notNull())
          .addColumn("first_occurrence", "text", (column) => column.notNull())
          .addColumn("last_occurrence", "text", (column) => column.notNull())
          .addColumn("evidence", "text", (column) => column.notNull())
          .addPrimaryKeyConstraint("beacons_key", ["run_id", "n"])
          .execute();
        await db.schema
          .createTable("top_talkers")
          .ifNotExists()
          .addColumn("run_id", "text", (column) => column.notNull().references("runs.id").onDelete("cascade"))
          .addColumn("n", "integer", (column) => column.notNull())
          .addColumn("source", "text", (column) => column.notNull())
          .addColumn("destination", "text", (column) => column.notNull())
          .addColumn("port", "integer", (column) => column.notNull())
          .addColumn("connections", "integer", (column) => column.notNull())
          .addPrimaryKeyConstraint("top_talkers_key", ["run_id", "n"])
          .execute();
        await db.schema
          .createTable("log_lines")
          .ifNotExists()
          .addColumn("id", postgres ? "bigserial" : "integer", (column) => column.primaryKey())
          .addColumn("log_file", "text", (column) => column.notNull())
          .addColumn("line", "text", (column) => column.notNull())
          .execute();
        await db.schema.createIndex("log_lines_by_file").ifNotExists().on("log_lines").columns(["log_file", "id"]).execute();
        await db.schema
          .createTable("filtered_hosts")
          .ifNotExists()
          .addColumn("ip", "text", (column) => column.primaryKey())
          .addColumn("dns", "text", (column) => column.notNull())
          .addColumn("description", "text", (column) => column.notNull())
          .addColumn("filtered_at", "text", (column) => column.notNull())
          .execute();
        await db.schema
          .createTable("data_sources")
          .ifNotExists()
          .addColumn("name", "text", (column) => column.primaryKey())
          .addColumn("path", "text", (column) => column.notNull())
          .addColumn("filter", "text", (column) => column.notNull())
          .addColumn("created_at", "text", (column) => column.notNull())
          .execute();
        await db.schema
          .createTable("api_keys")
          .ifNotExists()
          .addColumn("id", "text", (column) => column.primaryKey())
          .addColumn("name", "text", (column) => column.notNull())
          .addColumn("hash", "text", (column) => column.notNull())
          .addColumn("created_at", "text", (column) => column.notNull())
          .addColumn("revoked_at", "text")
          .execute();
        await db.schema
          .createTable("instances")
          .ifNotExists()
          .addColumn("id", "text", (column) => column.primaryKey())
          .addColumn("host", "text", (column) => column.notNull())
          .addColumn("pid", "integer", (column) => column.notNull())
          .addColumn("started", "text", (column) => column.notNull())
          .addColumn("seen_at", "text", (column) => column.notNull())
          .execute();
      },
    },
    "0002-key-limits": {
      async up(db: Kysely<unknown>) {
        await db.schema
          .createTable("key_limits")
          .ifNotExists()
          .addColumn("key_id", "text", (column) => column.primaryKey())
          .addColumn("per_day", "integer")
          .addColumn("per_minute", "integer")
          .addColumn("indexes", "text")
          .execute();
        await db.schema
          .createTable("key_usage")
          .ifNotExists()
          .addColumn("key_id", "text", (column) => column.primaryKey())
          .addColumn("day", "text", (column) => column.notNull())
          .addColumn("used", "integer", (column) => column.notNull())
          .addColumn("tokens", "double precision", (column) => column.notNull())
          .addColumn("at", "double precision", (column) => column.notNull())
          .execute();
      },
    },
    "0003-queue": {
      async up(db: Kysely<unknown>) {
        await db.schema
          .createTable("queued_runs")
          .ifNotExists()
          .addColumn("run_id", "text", (column) => column.primaryKey().references("runs.id").onDelete("cascade"))
          .addColumn("most_attempts", "integer", (column) => column.notNull())
          .addColumn("backoff_seconds", "double precision", (column) => column.notNull())
          .execute();
        await db.schema
          .createTable("run_tasks")
          .ifNotExists()
          .addColumn("run_id", "text", (column) => column.notNull().references("runs.id").onDelete("cascade"))
          .addColumn("n", "integer", (column) => column.notNull())
          .addColumn("kind", "text", (column) => column.notNull())
          .addColumn("state", "text", (column) => column.notNull())
          .addColumn("payload", "text", (column) => column.notNull())
          .addColumn("result", "text")
          .addColumn("attempts", "integer", (column) => column.notNull())
          .addColumn("fence", "integer", (column) => column.notNull())
          .addColumn("lease_until", "double precision")
          .addColumn("worker", "text")
          .addPrimaryKeyConstraint("run_tasks_key", ["run_id", "n"])
          .execute();
        await db.schema.createIndex("run_tasks_by_state").ifNotExists().on("run_tasks").columns(["state", "lease_until"]).execute();
      },
    },
    "0004-clusters": {
      async up(db: Kysely<unknown>) {
        await db.schema
          .createTable("cluster_sources")
          .ifNotExists()
          .addColumn("name", "text", (column) => column.primaryKey())
          .addColumn("settings", "text", (column) => column.notNull())
          .addColumn("filter", "text", (column) => column.notNull())
          .addColumn("secret", "text")
          .addColumn("created_at", "text", (column) => column.notNull())
          .execute();
      },
    },
  };
}

/** Brings the store's tables up to date; two processes that do so at once wait for each other. */
export async function migrate(db: Kysely<StoreTables>, postgres: boolean): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations(postgres) } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
