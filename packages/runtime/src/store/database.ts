import type { Generated } from "kysely";

/** States of a run; the last three are final. */
export type RunState = "queued" | "running" | "done" | "failed" | "cancelled";

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
