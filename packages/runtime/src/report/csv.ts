import { type Beacon, formatTime } from "@heliograph/core";
import { printable } from "./words.js";

/** A text cell that no spreadsheet takes for a formula and no terminal obeys: texts from logs are hostile. */
export function csvCell(text: string): string {
  const safe = printable(text, Number.POSITIVE_INFINITY);
  return /^[=+@]|^-./.test(safe) ? `'${safe}` : safe;
}

/** The column names of the public API. */
export const API_COLUMNS = [
  "ID",
  "Source IP",
  "Destination IP",
  "Port",
  "Score",
  "DNS",
  "Connection Count",
  "First Occurrence",
  "Last Occurrence",
] as const;

/** What the public API tells of a beacon. */
export interface ApiBeacon {
  /** From 1 on. */
  readonly n: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly score: number;
  readonly name: string;
  readonly connectionCount: number;
  /** ISO 8601 UTC with microseconds. */
  readonly firstOccurrence: string;
  readonly lastOccurrence: string;
}

/** What the public API tells of a beacon that was found. */
export const apiBeacon = (beacon: Beacon, n: number): ApiBeacon => ({
  n,
  source: beacon.source,
  destination: beacon.destination,
  port: beacon.port,
  score: beacon.score,
  name: beacon.names[0] ?? "UNKNOWN",
  connectionCount: beacon.connectionCount,
  firstOccurrence: formatTime(beacon.firstOccurrence),
  lastOccurrence: formatTime(beacon.lastOccurrence),
});

/** A beacon under the names of the public API, in their order. */
export const apiRow = (beacon: ApiBeacon): Record<(typeof API_COLUMNS)[number], string | number> => ({
  ID: beacon.n,
  "Source IP": beacon.source,
  "Destination IP": beacon.destination,
  Port: beacon.port,
  Score: beacon.score,
  DNS: beacon.name,
  "Connection Count": beacon.connectionCount,
  "First Occurrence": beacon.firstOccurrence,
  "Last Occurrence": beacon.lastOccurrence,
});

/** CSV in which no text is taken for a formula. */
export async function csvRows(headers: readonly string[], rows: readonly (readonly (string | number | null)[])[]): Promise<string> {
  // Loaded when it is needed: it takes a while.
  const { writeToString } = await import("fast-csv");
  const cells = rows.map((row) => row.map((value) => (typeof value === "string" ? csvCell(value) : value)));
  return writeToString(cells, { headers: [...headers], alwaysWriteHeaders: true, includeEndRowDelimiter: true });
}
