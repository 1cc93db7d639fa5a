const CONN_LOG = /^(?:json_streaming_)?conn(?:[._+-][^/\\]*)?\.(?:log|json|ndjson)(?:\.\d+)?(?:\.(?:gz|zst|zstd|zip))?$/;
const SUMMARY = /^conn-summary[.]/;

/**
 * Whether a file name is one under which Zeek, its tools and its vendors keep connection logs: `conn.log`,
 * `conn.00:00:00-01:00:00.log.gz`, `conn-24-01-31_10.00.00.log`, `conn_20240131_10:00:00-11:00:00+0000.log.gz`,
 * `json_streaming_conn.log`. Not `conn-summary.log` (text), `open_conn.log` (still open) and dot files (still written).
 */
export function isConnLogName(name: string): boolean {
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  return CONN_LOG.test(base) && !SUMMARY.test(base);
}
