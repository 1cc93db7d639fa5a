import { printable } from "./text-table.js";

/** A text cell that no spreadsheet takes for a formula and no terminal obeys: texts from logs are hostile. */
export function csvCell(text: string): string {
  const safe = printable(text, Number.POSITIVE_INFINITY);
  return /^[=+@]|^-./.test(safe) ? `'${safe}` : safe;
}
