/** A row that could not be read, or a value that could not. */
export interface RowProblem {
  readonly source: string;
  /** 1-based line in the source (in a decompressed source: of its content). */
  readonly line: number;
  /** The column, when one column is at fault. */
  readonly column?: string;
  readonly reason: string;
}

/** What was read from one source, and what was not. */
export interface ReadReport {
  source: string;
  /** `empty` when there was no row. */
  format: "tsv" | "json" | "empty";
  /** Rows delivered. */
  rows: number;
  /** Rows left out because they could not be read. */
  malformedRows: number;
  /** Values that could not be read in columns that may be unset; their rows are delivered with the value unset. */
  invalidValues: number;
  /** Rows of another log type in the same source, left out. */
  otherRows: number;
  /** The other types seen, at most eight. */
  otherTypes: string[];
  /** The first few problems. */
  problems: RowProblem[];
  /** Lines read, of every kind. */
  lines: number;
  /** Bytes read, after decompression. */
  bytes: number;
  /** The source ends in the middle of its compressed data; rows up to there were delivered. */
  truncated: boolean;
  /** Why the source could not be read to its end; rows up to there were delivered. */
  damaged?: string;
}

/** How many problems a report keeps. */
export const PROBLEM_SAMPLES = 10;

/** A report with nothing in it. */
export function emptyReport(source: string): ReadReport {
  return {
    source,
    format: "empty",
    rows: 0,
    malformedRows: 0,
    invalidValues: 0,
    otherRows: 0,
    otherTypes: [],
    problems: [],
    lines: 0,
    bytes: 0,
    truncated: false,
  };
}

/** Notes a log type that was left out. */
export function noteOtherType(report: ReadReport, type: string): void {
  if (report.otherTypes.length < 8 && !report.otherTypes.includes(type)) report.otherTypes.push(type);
}

/** Adds the report of a later part of the same source; its line numbers count from that part's start. */
export function appendReport(report: ReadReport, part: ReadReport): void {
  for (const problem of part.problems) {
    if (report.problems.length === PROBLEM_SAMPLES) break;
    report.problems.push({ ...problem, line: problem.line + report.lines });
  }
  if (report.format === "empty") report.format = part.format;
  report.rows += part.rows;
  report.malformedRows += part.malformedRows;
  report.invalidValues += part.invalidValues;
  report.otherRows += part.otherRows;
  for (const type of part.otherTypes) noteOtherType(report, type);
  report.lines += part.lines;
  report.bytes += part.bytes;
  report.truncated ||= part.truncated;
  if (part.damaged !== undefined) report.damaged ??= part.damaged;
}
