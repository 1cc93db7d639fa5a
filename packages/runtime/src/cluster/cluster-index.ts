import type { TimeBounds } from "@heliograph/core";
import type { ClusterAddress, ClusterClient } from "./cluster-client.js";
import { ClusterError } from "./cluster-client.js";
import { CONN_FIELDS, type FieldMap, PRESETS, type PresetName } from "./field-map.js";

/** Logs in a cluster: where, under which names, and how they are called there. */
export interface ClusterLogs extends ClusterAddress {
  /** Index, data stream or pattern of them, by our index names; `conn_logs` at least. */
  readonly indexes: Readonly<Record<string, string>>;
  readonly preset: PresetName;
  /** Fields that lie elsewhere than the preset has them. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** The field map of a cluster's logs. */
export function fieldMapOf({ preset, fields = {} }: Pick<ClusterLogs, "preset" | "fields">): FieldMap {
  const known: FieldMap = PRESETS[preset];
  return { ...known, fields: { ...known.fields, ...fields } };
}

interface FieldCaps {
  readonly fields: Readonly<Record<string, Readonly<Record<string, { readonly aggregatable: boolean; readonly searchable: boolean }>>>>;
}

/** A field that an index has. */
export interface GroupableField {
  /** The path to filter and group by. */
  readonly path: string;
  readonly aggregatable: boolean;
  /** Whether it holds dates rather than numbers. */
  readonly isDate: boolean;
}

/** Asks an index about paths and their `.keyword` sub-fields: those that it has, each with the one that can be grouped by. */
export async function groupable(
  client: ClusterClient,
  index: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, GroupableField>> {
  const asked = [...new Set(paths)].flatMap((path) => [path, `${path}.keyword`]);
  const { fields } = await client
    .request<FieldCaps>(
      { method: "POST", path: `/${encodeURIComponent(index)}/_field_caps`, query: { ignore_unavailable: "true" }, body: { fields: asked } },
      signal,
    )
    .catch((cause: unknown) => {
      // Older servers take the fields in the address alone.
      if (!(cause instanceof ClusterError) || cause.status !== 400) throw cause;
      return client.request<FieldCaps>(
        {
          method: "GET",
          path: `/${encodeURIComponent(index)}/_field_caps`,
          query: { fields: asked.join(","), ignore_unavailable: "true" },
        },
        signal,
      );
    });
  const all = (path: string): boolean => Object.values(fields[path] ?? {}).every(({ aggregatable }) => aggregatable);
  const found = new Map<string, GroupableField>();
  for (const path of paths) {
    const has = fields[path] !== undefined;
    const keyword = `${path}.keyword`;
    const isDate = Object.keys(fields[path] ?? {}).some((type) => type.startsWith("date"));
    if (has && all(path)) found.set(path, { path, aggregatable: true, isDate });
    else if (fields[keyword] !== undefined && all(keyword)) found.set(path, { path: keyword, aggregatable: true, isDate });
    else if (has) found.set(path, { path, aggregatable: false, isDate });
  }
  return found;
}

/** The connection records of a cluster, ready to be asked. */
export interface ConnIndex {
  readonly client: ClusterClient;
  readonly index: string;
  readonly map: FieldMap;
  /** Paths of the fields in documents, … */
  readonly stored: Readonly<Record<(typeof CONN_FIELDS)[number], string>>;
  /** … and to filter and group by; undefined: the index has no such field. */
  readonly grouped: Readonly<Partial<Record<(typeof CONN_FIELDS)[number], string>>>;
  /** Queries that every question about connections has. */
  readonly filters: readonly object[];
}

const NEEDED = ["ts", "id.orig_h", "id.resp_h", "id.resp_p"] as const;

/** A time as every date field takes it. */
const iso = (micros: number): string => new Date(Math.floor(micros / 1000)).toISOString();

/**
 * Finds the connection records of a cluster.
 * @throws ClusterError where the index has no such fields
 */
export async function openConnIndex(
  client: ClusterClient,
  logs: ClusterLogs,
  bounds: TimeBounds,
  signal?: AbortSignal,
): Promise<ConnIndex> {
  const map = fieldMapOf(logs);
  const index = logs.indexes["conn_logs"];
  if (index === undefined) throw new ClusterError("the data source names no index of connection logs (conn_logs)", 400, "no_index");
  const stored = Object.fromEntries(CONN_FIELDS.map((name) => [name, map.fields[name] ?? name])) as ConnIndex["stored"];
  const found = await groupable(client, index, Object.values(stored), signal);
  const grouped: Partial<Record<(typeof CONN_FIELDS)[number], string>> = {};
  for (const name of CONN_FIELDS) {
    const field = found.get(stored[name]);
    if (field?.aggregatable) grouped[name] = field.path;
  }
  const missing = NEEDED.filter((name) => grouped[name] === undefined);
  if (missing.length > 0) {
    const said = missing.map(
      (name) => `${stored[name]}${found.has(stored[name]) ? " (it cannot be grouped by: map it as keyword or ip)" : ""}`,
    );
    throw new ClusterError(`${index} has no ${said.join(", ")}; is ${logs.preset} how its fields are called?`, 400, "no_field");
  }
  const records = map.records["conn_logs"];
  const time = timeFilter(stored.ts, bounds, found.get(stored.ts)?.isDate ? "date" : map.numericTime);
  return { client, index, map, stored, grouped, filters: [...(records ? [records] : []), ...time] };
}

/** The query of a time range: a millisecond wider, for indexes that keep no more; the exact bounds are put to the records themselves. */
export function timeFilter(path: string, { start, end }: TimeBounds, unit: "date" | FieldMap["numericTime"]): object[] {
  if (start === undefined && end === undefined) return [];
  const low = start === undefined ? undefined : unit === "date" ? iso(start) : Math.floor(start / (unit === "seconds" ? 1e6 : 1e3));
  const high =
    end === undefined ? undefined : unit === "date" ? iso(end + 1000) : Math.ceil((end + 1000) / (unit === "seconds" ? 1e6 : 1e3));
  const range = { ...(low !== undefined && { gte: low }), ...(high !== undefined && { lte: high }) };
  return [{ range: { [path]: { ...range, ...(unit === "date" && { format: "strict_date_optional_time" }) } } }];
}
