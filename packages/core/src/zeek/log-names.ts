const SUMMARY = /^conn-summary[.]/;
const baseName = (name: string): string => name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);

/**
 * A test for the file names under which Zeek, its tools and its vendors keep logs of a type, here `conn`: `conn.log`,
 * `conn.00:00:00-01:00:00.log.gz`, `conn-24-01-31_10.00.00.log`, `conn_20240131_10:00:00-11:00:00+0000.log.gz`,
 * `json_streaming_conn.log`. Not `conn-summary.log` (text), `open_conn.log` (still open) and dot files (still written).
 */
function logNameTest(type: string): (name: string) => boolean {
  const pattern = new RegExp(
    `^(?:json_streaming_)?${type}(?:[._+-][^/\\\\]*)?\\.(?:log|json|ndjson)(?:\\.\\d+)?(?:\\.(?:gz|zst|zstd|zip))?$`,
  );
  return (name) => pattern.test(baseName(name)) && !SUMMARY.test(baseName(name));
}

/** Whether a file name is one of connection logs. */
export const isConnLogName = logNameTest("conn");

/** Log types that tell what hosts are called. */
export const NAME_LOG_TYPES = ["dns", "ssl", "http"] as const;
export type NameLogType = (typeof NAME_LOG_TYPES)[number];

const nameLogTests = NAME_LOG_TYPES.map((type) => ({ type, test: logNameTest(type) }));

/** The type of a log that tells what hosts are called, by its file name; undefined for other files. */
export function nameLogType(name: string): NameLogType | undefined {
  return nameLogTests.find(({ test }) => test(name))?.type;
}

const RECORDS = /\.(?:json|jsonl|ndjson)(?:\.(?:gz|zst|zstd))?$|\.zip$/;

/** Whether a file name is one of logs that the log store imports: connection logs, dns, ssl and http logs, and files of JSON records. */
export function isImportName(name: string): boolean {
  const base = baseName(name);
  if (base.startsWith(".") || SUMMARY.test(base)) return false;
  return isConnLogName(base) || nameLogType(base) !== undefined || (RECORDS.test(base) && !/^(?:json_streaming_)?open_/.test(base));
}
