import type { Beacon, PayloadProfile, RemovedRows, SizeProfile } from "@heliograph/core";
import type { FileReport, HuntLogsResult } from "../hunt/hunt-logs.js";
import { grouped, humanBytes, humanMinutes } from "./words.js";

const MICROS_PER_MINUTE = 60e6;
/** A beacon that calls once in half a day is as slow as they come. */
const SLOW_ENOUGH_MINUTES = 12 * 60;

/** What a search found. */
export interface FoundBeacons {
  readonly search: { readonly name: string; readonly parameters: object };
  readonly beacons: readonly Beacon[];
  /** How many there are, where `beacons` are the first of more. */
  readonly count?: number;
}

/** What a search that explains itself says of a beacon; undefined where it does not. */
export interface BeaconStory {
  readonly summary: string;
  /** Why it is likely harmless; empty: nothing says so. */
  readonly labels: readonly string[];
}

/** The story of a beacon. */
export function storyOf({ evidence }: Pick<Beacon, "evidence">): BeaconStory | undefined {
  const { summary, labels } = evidence as { readonly summary?: unknown; readonly labels?: unknown };
  return typeof summary === "string" && Array.isArray(labels) ? { summary, labels: labels as string[] } : undefined;
}

/** A story in one line, what speaks against it first. */
export const storyLine = ({ summary, labels }: BeaconStory): string => (labels.length > 0 ? `${labels.join("; ")}: ${summary}` : summary);

/** Below this score a beacon that is judged by its surroundings is likely harmless. */
export const LIKELY_HARMLESS = 50;

/** What a search with a least number of calls could not see, as the logs are no longer than they are; undefined: nothing to speak of. */
export function blindLine(
  { search }: FoundBeacons,
  { first, last }: { readonly first?: number; readonly last?: number },
): string | undefined {
  const calls = (search.parameters as { readonly min_calls?: unknown }).min_calls;
  if (typeof calls !== "number" || first === undefined || last === undefined) return undefined;
  const minutes = (last - first) / MICROS_PER_MINUTE;
  const slowest = minutes / (calls - 1);
  if (slowest >= SLOW_ENOUGH_MINUTES) return undefined;
  return `The logs cover ${humanMinutes(minutes)}: a beacon that calls less often than every ${humanMinutes(slowest)} could not be seen`;
}

/** What a flow carries, in words; a line each. */
export function payloadLines({ bytesUp, bytesDown, medianDurationSeconds, connStates }: PayloadProfile): [name: string, text: string][] {
  const size = (profile: SizeProfile | null): string =>
    profile === null
      ? "not in the log"
      : `median ${humanBytes(profile.median)}, ${(100 * profile.modalShare).toFixed(0)} % exactly ${humanBytes(profile.modal)}, in all ${humanBytes(profile.total)}`;
  return [
    ["Sent", size(bytesUp)],
    ["Received", size(bytesDown)],
    ["Duration", medianDurationSeconds === null ? "not in the log" : `median ${humanMinutes(medianDurationSeconds / 60)}`],
    ["States", connStates.map(({ state, share }) => `${state} ${(100 * share).toFixed(0)} %`).join(", ")],
  ];
}

/** Totals of what was read and of what was left out. */
export interface Totals {
  readonly files: number;
  readonly rows: number;
  readonly malformedRows: number;
  readonly duplicateRows: number;
  readonly groups: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly invalidValues: number;
  readonly otherRows: number;
  readonly rowsOutside: number;
  readonly truncatedFiles: number;
  readonly removedRows: RemovedRows;
}

/** Totals of what was read, for the JSON result and the table's last lines. */
export function totals(result: HuntLogsResult): Totals {
  const reports = result.files.flatMap((file) => file.reports);
  const sum = (of: (report: (typeof reports)[number]) => number): number => reports.reduce((total, report) => total + of(report), 0);
  return {
    files: result.files.length,
    rows: sum((report) => report.rows),
    malformedRows: sum((report) => report.malformedRows),
    duplicateRows: result.duplicateRows,
    groups: result.groups,
    bytes: sum((report) => report.bytes),
    seconds: Number(result.seconds.toFixed(3)),
    invalidValues: sum((report) => report.invalidValues),
    otherRows: sum((report) => report.otherRows),
    rowsOutside: result.rowsOutside,
    truncatedFiles: reports.filter((report) => report.truncated || report.damaged !== undefined).length,
    removedRows: result.removedRows,
  };
}

/** What the options that set a rule are called. */
const RULE_NAMES: Readonly<Record<string, string>> = {
  default_filters: "the default filters (loopback, link-local, multicast)",
  conn_state: "connection state",
};

/** What a search found, in words. */
export function foundLine({ search, beacons, count = beacons.length }: FoundBeacons): string {
  return `${grouped(count)} potential ${count === 1 ? "beacon" : "beacons"} (${search.name})`;
}

/** What was read and what was left out, in words. */
export function readLine(totals: Totals): string {
  const { files, rows, malformedRows, duplicateRows, groups, bytes, seconds, rowsOutside, removedRows } = totals;
  const left = [
    malformedRows > 0 ? `${grouped(malformedRows)} malformed` : "",
    duplicateRows > 0 ? `${grouped(duplicateRows)} duplicate` : "",
    rowsOutside > 0 ? `${grouped(rowsOutside)} outside the time bounds` : "",
    ...Object.entries(removedRows).map(([rule, removed]) => `${grouped(removed)} by ${RULE_NAMES[rule] ?? rule}`),
  ].filter((text) => text !== "");
  const read = `${grouped(rows)} connections in ${grouped(groups)} groups from ${grouped(files)} ${files === 1 ? "file" : "files"} (${humanBytes(bytes)}) in ${seconds.toFixed(2)} s`;
  return left.length > 0 ? `${read}; rows not used: ${left.join(", ")}` : read;
}

/** Why a file gave no row although it is not simply empty; undefined when it gave some or was empty. */
export function whyUnreadable({ reports }: FileReport): string | undefined {
  const rows = reports.reduce((sum, report) => sum + report.rows, 0);
  if (rows > 0) return undefined;
  const damaged = reports.find((report) => report.damaged !== undefined);
  if (damaged?.damaged !== undefined) return damaged.damaged;
  if (reports.some((report) => report.truncated)) return "ends in the middle of its compressed data before the first row";
  const types = [...new Set(reports.flatMap((report) => report.otherTypes))];
  if (types.length > 0) return `is a log of type ${types.join(", ")}, not conn; give connection logs`;
  const malformed = reports.reduce((sum, report) => sum + report.malformedRows, 0);
  if (malformed > 0)
    return "has no readable row; is it a Zeek conn log? For logs without a #fields line name the columns with --fields ts,uid,id.orig_h,…";
  return reports.length === 0 ? "holds no log" : undefined;
}
