import type { LogInput } from "../archive/open.js";
import { NAME_LOG_TYPES, type NameLogType, nameLogType } from "../zeek/log-names.js";
import type { ReadEngine, ReadOptions } from "../zeek/log-reader.js";
import { type ReadLogOptions, readLog } from "../zeek/read-log.js";
import type { ReadReport } from "../zeek/read-report.js";
import { NAME_LOGS, NameCollector } from "./name-collector.js";
import type { NameIndex } from "./name-index.js";

/** How to read logs for names. */
export interface CollectNamesOptions extends Omit<ReadLogOptions, "select">, Pick<ReadOptions, "aliases" | "maxLineBytes"> {
  /** The addresses to find names for; default: all. */
  readonly destinations?: Iterable<string>;
}

/** Names found, and a report for each log read. */
export interface CollectedNames {
  readonly index: NameIndex;
  readonly reports: readonly ReadReport[];
}

/**
 * Reads dns, ssl and http logs for what hosts are called. The type of a log is told by its file name; a source whose name tells
 * none, such as an archive, is looked through for all three. A source that cannot be read shows in its report. Inputs are taken one
 * at a time: what is made when it is asked for may be put away when the next one is.
 */
export async function collectNames(
  engine: ReadEngine,
  inputs: Iterable<LogInput> | AsyncIterable<LogInput>,
  { destinations, ...options }: CollectNamesOptions = {},
): Promise<CollectedNames> {
  const collector = new NameCollector(engine, destinations);
  const reports: ReadReport[] = [];
  for await (const input of inputs) {
    const named = nameLogType(input.name);
    for (const type of named ? [named] : NAME_LOG_TYPES) reports.push(...(await readNames(engine, input, type, collector, options)));
  }
  return { index: collector.index(), reports };
}

async function readNames(
  engine: ReadEngine,
  input: LogInput,
  type: NameLogType,
  collector: NameCollector,
  options: Omit<CollectNamesOptions, "destinations">,
): Promise<ReadReport[]> {
  const { aliases, maxLineBytes } = options;
  const read = { ...NAME_LOGS[type], ...(aliases && { aliases }), ...(maxLineBytes !== undefined && { maxLineBytes }) };
  const select = (name: string): boolean => nameLogType(name) === type;
  return readLog(engine, input, read, (batch) => collector.add(type, batch), { ...options, select });
}
