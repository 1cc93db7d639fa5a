import type { LogInput, OpenOptions } from "./archive/open.js";
import { asksCarried } from "./beacon/registry.js";
import { type Beacon, joinFindings, type Search, searchFlows } from "./beacon/search-flows.js";
import { type ConnectionFilter, checkFilter } from "./filter/connection-filter.js";
import { planFilter, type RemovedRows, removedRows } from "./filter/filter-plan.js";
import { FlowBuilder, flowColumns } from "./flows/flow-builder.js";
import { joinShards } from "./flows/flow-shard.js";
import { RowFilter, type TimeBounds } from "./flows/row-filter.js";
import { collectNames } from "./names/collect-names.js";
import { NameLookup } from "./names/name-index.js";
import { createEngine, type EngineOptions } from "./zeek/engine.js";
import { isConnLogName } from "./zeek/log-names.js";
import type { ReadOptions } from "./zeek/log-reader.js";
import { readLog } from "./zeek/read-log.js";
import type { ReadReport } from "./zeek/read-report.js";
import { connSchema } from "./zeek/schemas/conn.js";

/** What to hunt for, and how to read. */
export interface HuntOptions extends TimeBounds, OpenOptions, EngineOptions, Pick<ReadOptions, "fields" | "aliases" | "maxLineBytes"> {
  /** Searches from `planSearch`; all of them go over the logs once. */
  readonly searches: readonly Search[];
  /** Connections to look at; without it loopback, link-local and multicast addresses are left out. */
  readonly filter?: ConnectionFilter;
  /**
   * dns, ssl and http logs that tell what destinations are called; sources that can be read once, like the others. Read for what
   * was found alone, unless the filter goes by names.
   */
  readonly nameLogs?: readonly LogInput[];
  /** Called as plain bytes are read. */
  readonly onBytes?: (bytes: number) => void;
}

/** What a hunt found, and what it read. */
export interface HuntResult {
  /** The beacons of each search, ordered. */
  readonly results: readonly { readonly search: Search; readonly beacons: readonly Beacon[] }[];
  /** One for each connection log read. */
  readonly reports: readonly ReadReport[];
  /** One for each log read for names. */
  readonly nameReports: readonly ReadReport[];
  /** Connection groups. */
  readonly groups: number;
  /** Rows dropped because they were seen before. */
  readonly duplicateRows: number;
  /** Rows outside the time bounds. */
  readonly rowsOutside: number;
  /** Rows that each rule of the filter left out; a rule that left out none is absent. */
  readonly removedRows: RemovedRows;
}

/**
 * Hunts in connection logs on the calling thread: reads every source once, in order, and runs all searches.
 * Runs in Node and in browsers. A source that cannot be read shows in its report, not as an exception.
 */
export async function hunt(inputs: Iterable<LogInput>, options: HuntOptions): Promise<HuntResult> {
  const engine = createEngine(options);
  const connections = checkFilter(options.filter ?? {});
  const filter = planFilter(connections);
  const carried = asksCarried(options.searches);
  const builder = new FlowBuilder(engine, { carried });
  const rows = new RowFilter(options, filter);
  const reports: ReadReport[] = [];
  for (const input of inputs) {
    const read = { schema: connSchema, columns: [...new Set([...flowColumns(carried), ...rows.columns])], ...options };
    reports.push(...(await readLog(engine, input, read, (batch) => builder.add(rows.apply(batch)), { select: isConnLogName, ...options })));
  }
  const flows = joinShards([builder.finish()]);
  const { searches, nameLogs = [] } = options;
  let named = filter.names && (await collectNames(engine, nameLogs, options));
  const names = named && new NameLookup(named.index);
  const part = await searchFlows(engine, flows, searches, { filter, names });
  const destinations = part.beacons.flatMap((list) => list.map(({ destination }) => destination));
  named ??= await collectNames(engine, destinations.length > 0 ? nameLogs : [], { ...options, destinations });
  const { results, groups, duplicateRows, removed } = joinFindings(flows, searches, [part], {
    internalNetworks: connections.internal_networks,
    capture: builder.range,
    names: names ?? new NameLookup(named.index),
  });
  return {
    results,
    reports,
    nameReports: named.reports,
    groups,
    duplicateRows,
    rowsOutside: rows.rowsOutside,
    removedRows: removedRows([rows.removed, ...removed]),
  };
}
