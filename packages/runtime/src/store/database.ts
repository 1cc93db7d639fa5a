import type { Generated } from "kysely";

/** States of a run; the last three are final. */
export type RunState = "queued" | "running" | "done" | "failed" | "cancelled";

/** A whole run; or the plan of one in parts, a part, and what joins them. */
export type TaskKind = "run" | "plan" | "part" | "join";

/** The tables of the store, the same in SQLite and PostgreSQL. Times are ISO 8601 UTC, objects JSON texts. */
export interface StoreTables {
  runs: {
    id: string;
    search: string;
    parameters: string;
    source: string;
    state: RunState;
    progress: number;
    created_at: string;
    started_at: string | null;
    finished_at: string | null;
    beacon_count: number;
    summary: string | null;
    error: string | null;
    log_file: string;
    /** The process that runs it. */
    instance: string | null;
  };
  /** Runs that workers do, by way of the queue; a run that is not here is done by the process that took it. */
  queued_runs: { run_id: string; most_attempts: number; backoff_seconds: number };
  /** The pieces of queued runs. */
  run_tasks: {
    run_id: string;
    n: number;
    kind: TaskKind;
    state: "queued" | "running" | "done" | "cancelled";
    /** What to do, as JSON, until it is done. */
    payload: string;
    /** What came of it, for the task that joins; null where the run has it. */
    result: string | null;
    /** How often it was claimed, and the number of the claim that holds. */
    attempts: number;
    fence: number;
    /** When its lease ends, in milliseconds since 1970-01-01 UTC of the database's clock. */
    lease_until: number | null;
    worker: string | null;
  };
  beacons: {
    run_id: string;
    /** From 1 on, in the order of the results; fixed when the run ends. */
    n: number;
    source: string;
    destination: string;
    port: number;
    protocol: string;
    score: number;
    name: string;
    connection_count: number;
    first_occurrence: string;
    last_occurrence: string;
    evidence: string;
  };
  top_talkers: { run_id: string; n: number; source: string; destination: string; port: number; connections: number };
  log_lines: { id: Generated<number>; log_file: string; line: string };
  filtered_hosts: { ip: string; dns: string; description: string; filtered_at: string };
  data_sources: { name: string; path: string; filter: string; created_at: string };
  /** Clusters of logs under names; `secret` is sealed, see `SecretBox`. */
  cluster_sources: { name: string; settings: string; filter: string; secret: string | null; created_at: string };
  api_keys: { id: string; name: string; hash: string; created_at: string; revoked_at: string | null };
  /** What a key may ask for under `/data`; a key that is not here has the usual limits. */
  key_limits: {
    key_id: string;
    /** Requests a day, and a minute; null: as many as it likes. */
    per_day: number | null;
    per_minute: number | null;
    /** A list of names as JSON; null: all. */
    indexes: string | null;
  };
  /** What a key has used. */
  key_usage: {
    key_id: string;
    /** Of which day `used` counts. */
    day: string;
    used: number;
    /** Requests that it may make now, and when that was so, in milliseconds since 1970-01-01 UTC. */
    tokens: number;
    at: number;
  };
  /** Processes; `started` tells two apart that had the same number. */
  instances: { id: string; host: string; pid: number; started: string; seen_at: string };
}
