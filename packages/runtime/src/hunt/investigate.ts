import {
  asksNames,
  type Beacon,
  collectNames,
  createEngine,
  type FlowKey,
  type FlowSummary,
  type LogInput,
  type NameIndex,
  NameLookup,
  type PayloadProfile,
  type ReadReport,
  settleBeacons,
} from "@heliograph/core";
import { openFile, systemFailure } from "../files/file-access.js";
import type { LogFile } from "../files/find-logs.js";
import { findNameLogs } from "../files/name-logs.js";
import { nodeGunzip } from "../files/node-gunzip.js";
import { type ReverseDnsOptions, reverseNames } from "../names/reverse-dns.js";
import { withFamilies } from "./families.js";
import { type HuntLogsOptions, type HuntLogsResult, huntLogs, randomSeed } from "./hunt-logs.js";

/** What to find out about beacons besides what the connection logs tell in one reading. */
export interface InvestigateOptions extends Omit<HuntLogsOptions, "payloadOf" | "names"> {
  /** What destinations are called, from the dns, ssl and http logs beside the connection logs. A filter by names implies it. */
  readonly names?: boolean;
  /** Ask DNS for the names of destinations that the logs do not name. */
  readonly reverseDns?: ReverseDnsOptions;
  /** What the beacons carry, from a second reading of the logs. */
  readonly details?: boolean;
  /** Which beacons behave alike: in their timing and port, and with `details` in what they carry. */
  readonly families?: boolean;
}

/** A hunt's result with what was found out beyond it, and what could not be. */
export interface Investigation extends HuntLogsResult {
  /** One for each log read for names. */
  readonly nameReports: readonly ReadReport[];
  /** Names were asked for, and no log beside the connection logs has any. */
  readonly noNameLogs: boolean;
  /** Payload was asked for, and a stream can be read once only. */
  readonly noPayload: boolean;
  /** Addresses that were beyond the limit of questions to DNS. */
  readonly notAsked: number;
  /** Beacons of each search that were clustered into families; the others were assigned to one or left alone. */
  readonly clustered: readonly number[];
}

/** Names a flow in a map. */
const flowKey = ({ source, destination, port, protocol }: FlowKey): string => JSON.stringify([source, destination, port, protocol]);

/** Reads logs for names; `destinations`: the addresses to find names for, default all. */
async function readNames(
  logs: readonly LogFile[],
  { limits, signal }: Pick<HuntLogsOptions, "limits" | "signal">,
  destinations?: Iterable<string>,
): Promise<{ readonly index: NameIndex; readonly reports: readonly ReadReport[] }> {
  const failed: ReadReport[] = [];
  const opened = async function* (): AsyncGenerator<LogInput> {
    for (const { name, path } of logs) {
      const data = await openFile(path, () => signal?.throwIfAborted()).catch(
        (cause: unknown) => void failed.push(systemFailure(name, cause)),
      );
      if (!data) continue;
      try {
        yield { name, data };
      } finally {
        await data.close();
      }
    }
  };
  const { index, reports } = await collectNames(createEngine({ seed: randomSeed() }), opened(), {
    ...(destinations && { destinations }),
    ...(limits && { limits }),
    gunzip: nodeGunzip,
  });
  return { index, reports: [...reports, ...failed] };
}

/** Reads the logs once more for what flows carry: by `flowKey`. Empty where a stream was read, which cannot be read again. */
async function readPayloads(
  files: readonly LogFile[],
  flows: readonly FlowKey[],
  options: HuntLogsOptions,
): Promise<ReadonlyMap<string, PayloadProfile>> {
  const distinct = [...new Map(flows.map((flow) => [flowKey(flow), flow])).values()];
  if (distinct.length === 0 || files.some((file) => file.stream)) return new Map();
  const payloadOf = distinct.map(({ source, destination, port, protocol }) => ({ source, destination, port, protocol }));
  const { bounds, filter, threads, limits, fields, onProgress, signal } = options;
  const { payload = [] } = await huntLogs(files, {
    searches: [],
    payloadOf,
    ...(bounds && { bounds }),
    ...(filter && { filter }),
    ...(threads !== undefined && { threads }),
    ...(limits && { limits }),
    ...(fields && { fields }),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  return new Map(payloadOf.flatMap((flow, i) => (payload[i] ? [[flowKey(flow), payload[i]] as const] : [])));
}

/** The flows of a result that people look at, to be completed. */
class Flows {
  result: HuntLogsResult;

  constructor(result: HuntLogsResult) {
    this.result = result;
  }

  get beacons(): Beacon[] {
    return this.result.results.flatMap(({ beacons }) => beacons);
  }

  get all(): FlowSummary[] {
    return [...this.beacons, ...(this.result.explained?.flows ?? [])];
  }

  /** Completes every flow. */
  change(complete: <Flow extends FlowSummary>(flow: Flow) => Flow): void {
    const { results, explained } = this.result;
    this.result = {
      ...this.result,
      results: results.map(({ search, beacons }) => ({ search, beacons: beacons.map(complete) })),
      ...(explained && { explained: { ...explained, flows: explained.flows.map(complete) } }),
    };
  }

  /** Lets the searches judge again, now that names are known. */
  settle(): void {
    const results = this.result.results.map(({ search, beacons }) => ({ search, beacons: settleBeacons(search, beacons) }));
    this.result = { ...this.result, results };
  }
}

/** Hunts in connection logs, and finds out about the beacons what is asked. */
export async function investigate(files: readonly LogFile[], options: InvestigateOptions): Promise<Investigation> {
  const { names: wantsNames = false, reverseDns, families = false, details = false, ...hunt } = options;
  const { include = [], exclude = [] } = options.filter?.names ?? {};
  const byName = include.length + exclude.length > 0;
  const searchesAsk = asksNames(options.searches);
  const nameLogs = byName || wantsNames || searchesAsk ? await findNameLogs(files) : [];
  const before = byName ? await readNames(nameLogs, options) : undefined;
  const flows = new Flows(await huntLogs(files, { ...hunt, ...(before && { names: before.index }) }));
  const destinations = new Set(flows.all.map(({ destination }) => destination));
  const named = before ?? (nameLogs.length > 0 && destinations.size > 0 ? await readNames(nameLogs, options, destinations) : undefined);
  if (named) {
    const lookup = new NameLookup(named.index);
    flows.change((flow) => ({ ...flow, names: lookup.of(flow.source, flow.destination, flow.lastOccurrence) }));
  }
  let notAsked = 0;
  if (reverseDns) {
    const nameless = flows.all.filter(({ names = [] }) => names.length === 0);
    const reverse = await reverseNames(
      nameless.map(({ destination }) => destination),
      reverseDns,
    );
    ({ notAsked } = reverse);
    flows.change((flow) => (flow.names?.length ? flow : { ...flow, names: reverse.names.get(flow.destination) ?? [] }));
  }
  if (details) {
    const payloads = await readPayloads(files, flows.all, hunt);
    flows.change((flow) => {
      const payload = payloads.get(flowKey(flow));
      return payload ? { ...flow, payload } : flow;
    });
  }
  if (searchesAsk) flows.settle();
  const alike = families ? await withFamilies(flows.result.results, options.signal) : { results: flows.result.results, clustered: [] };
  return {
    ...flows.result,
    results: alike.results,
    nameReports: named?.reports ?? [],
    noNameLogs: (byName || wantsNames) && nameLogs.length === 0 && destinations.size > 0,
    noPayload: details && flows.all.length > 0 && files.some((file) => file.stream),
    notAsked,
    clustered: alike.clustered,
  };
}
