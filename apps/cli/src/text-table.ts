import { printable } from "@heliograph/runtime/report";

/** A column of a text table. */
export interface TableColumn<Row> {
  readonly title: string;
  readonly align: "left" | "right";
  /** Characters of a cell at most. Default: 64. */
  readonly longest?: number;
  cell(row: Row): string;
  /** Wraps the padded cell, for colour. */
  paint?(text: string, row: Row): string;
}

/** An aligned table, two blanks between columns, a line a row. */
export function textTable<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row), column.longest)));
  const widths = columns.map((column, index) =>
    cells.reduce((width, line) => Math.max(width, line[index]?.length ?? 0), column.title.length),
  );
  const pad = (text: string, index: number): string => {
    const width = widths[index] ?? 0;
    if (columns[index]?.align === "right") return text.padStart(width);
    // No blanks at the end of a line.
    return index === columns.length - 1 ? text : text.padEnd(width);
  };
  const lines = [columns.map((column, index) => pad(column.title, index)).join("  ")];
  rows.forEach((row, r) => {
    const line = columns.map((column, index) => {
      const text = pad(cells[r]?.[index] ?? "", index);
      return column.paint ? column.paint(text, row) : text;
    });
    lines.push(line.join("  "));
  });
  return `${lines.join("\n")}\n`;
}
