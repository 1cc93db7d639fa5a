import { connectCluster } from "./cluster-client.js";
import { type ClusterLogs, openConnIndex } from "./cluster-index.js";

/** What a cluster said of itself. */
export interface ClusterReport {
  /** Its name and version. */
  readonly cluster: string;
  readonly version: string;
  /** Connection records in its index. */
  readonly connections: number;
  /** Zeek's fields that hunts read, by where they lie; null: the index has none. */
  readonly fields: Readonly<Record<string, string | null>>;
}

/**
 * Asks a cluster what a hunt would: whether it is reached, lets us in, and has connection records.
 * @throws ClusterError
 */
export async function testCluster(logs: ClusterLogs, signal?: AbortSignal): Promise<ClusterReport> {
  const client = await connectCluster(logs, { tries: 2, firstMs: 200, timeoutMs: 15_000 });
  try {
    const { cluster_name, version } = await client.request<{ cluster_name: string; version: { number: string } }>(
      { method: "GET", path: "/" },
      signal,
    );
    const conn = await openConnIndex(client, logs, {}, signal);
    const { count } = await client.request<{ count: number }>(
      { method: "POST", path: `/${encodeURIComponent(conn.index)}/_count`, body: { query: { bool: { filter: conn.filters } } } },
      signal,
    );
    const fields = Object.fromEntries(
      Object.entries(conn.stored).map(([name]) => [name, conn.grouped[name as keyof typeof conn.grouped] ?? null]),
    );
    return { cluster: cluster_name, version: version.number, connections: count, fields };
  } finally {
    await client.close();
  }
}
