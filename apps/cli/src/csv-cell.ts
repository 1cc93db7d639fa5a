/** A text cell that no spreadsheet takes for a formula: texts from logs are hostile. */
export function csvCell(text: string): string {
  return /^[=+@\t\r]|^-./.test(text) ? `'${text}` : text;
}
