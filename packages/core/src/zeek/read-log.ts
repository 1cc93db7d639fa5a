import { type LogInput, type OpenOptions, openLog } from "../archive/open.js";
import { CoreError } from "../errors.js";
import type { BatchSink } from "./batch-writer.js";
import type { ReadEngine, ReadOptions } from "./log-reader.js";
import { emptyReport, type ReadReport } from "./read-report.js";

/** How to open a source, and who watches. */
export interface ReadLogOptions extends OpenOptions {
  /** Called with the plain bytes of each chunk read. */
  readonly onBytes?: (bytes: number) => void;
}

/** Reads the logs of one source into `sink`, one report for each log in it. */
export async function readLog(
  engine: ReadEngine,
  input: LogInput,
  read: Omit<ReadOptions, "source">,
  sink: BatchSink,
  options: ReadLogOptions = {},
): Promise<ReadReport[]> {
  const reports: ReadReport[] = [];
  for await (const report of readLogSteps(engine, input, read, sink, options)) if (report) reports.push(report);
  return reports;
}

/**
 * `readLog` a chunk a step: yields after each chunk, and the report of each log when it ends. What stops a log is noted
 * in its report, and the rows up to there stand.
 */
export async function* readLogSteps(
  engine: ReadEngine,
  input: LogInput,
  read: Omit<ReadOptions, "source">,
  sink: BatchSink,
  options: ReadLogOptions = {},
): AsyncGenerator<ReadReport | undefined> {
  try {
    for await (const part of openLog(input, options)) {
      const reader = engine.reader({ ...read, source: part.name }, sink);
      let stopped: CoreError | undefined;
      try {
        for await (const chunk of part.chunks) {
          reader.push(chunk);
          options.onBytes?.(chunk.length);
          yield undefined;
        }
      } catch (cause) {
        if (!(cause instanceof CoreError)) throw cause;
        stopped = cause;
      }
      const report = reader.end();
      if (stopped?.code === "truncated") report.truncated = true;
      else if (stopped) report.damaged = stopped.message;
      yield report;
    }
  } catch (cause) {
    // The source itself: an archive whose directory cannot be read.
    yield failedReport(input.name, cause);
  }
}

/** The report of a source that gave nothing; rethrows what is no fault of the source. */
function failedReport(source: string, cause: unknown): ReadReport {
  if (!(cause instanceof CoreError)) throw cause;
  const report = emptyReport(source);
  report.truncated = cause.code === "truncated";
  if (!report.truncated) report.damaged = cause.message;
  return report;
}
