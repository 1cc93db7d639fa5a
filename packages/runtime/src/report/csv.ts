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
];

/** CSV in which no text is taken for a formula. */
export async function csvRows(headers: readonly string[], rows: readonly (readonly (string | number | null)[])[]): Promise<string> {
  // Loaded when it is needed: it takes a while.
  const { writeToString } = await import("fast-csv");
  const cells = rows.map((row) => row.map((value) => (typeof value === "string" ? csvCell(value) : value)));
  return writeToString(cells, { headers: [...headers], alwaysWriteHeaders: true, includeEndRowDelimiter: true });
}
