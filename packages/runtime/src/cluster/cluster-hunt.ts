import {
  asksCarried,
  type ConnectionFilter,
  type ConnectionRow,
  checkFilter,
  connectionBatch,
  createEngine,
  DEFAULT_INTERNAL_NETWORKS,
  detectorNamed,
  type FilterRule,
  FlowBuilder,
  type FoundBeacon,
  type HostFacts,
  joinShards,
  judgeFound,
  NetworkSet,
  parseTime,
  planFilter,
  RowFilter,
  removedRows,
  type Search,
  searchFlows,
  type Talker,
  type TimeBounds,
} from "@heliograph/core";
import { randomSeed } from "../hunt/hunt-logs.js";
import { type ClusterClient, ClusterError } from "./cluster-client.js";
import { type ClusterLogs, type ConnIndex, openConnIndex } from "./cluster-index.js";
import { valueAt } from "./field-map.js";

/** What to hunt for in a cluster; plain data, which other processes take. */
export interface ClusterHunt {
  readonly searches: readonly Search[];
  readonly bounds: TimeBounds;
  readonly filter: ConnectionFilter;
}

/** Sources whose connections one task looks at: a group never spans two tasks. */
export interface HostPart {
  readonly hosts: readonly string[];
}

/** What a part found; plain data, kept as JSON until all parts are there. */
export interface PartFindings {
  readonly beacons: readonly (readonly FoundBeacon[])[];
  readonly tested: readonly number[];
  readonly groups: number;
  readonly rows: number;
  readonly fetchedRows: number;
  readonly malformedRows: number;
  readonly duplicateRows: number;
  readonly rowsOutside: number;
  readonly removed: readonly (readonly [FilterRule, number])[];
  readonly talkers: readonly Talker[];
}

/** Hosts listed in one answer, and what makes a part. */
const HOSTS_A_PARTITION = 2000;
const HOSTS_AN_ANSWER = 20_000;
const HOSTS_A_PART = 500;
const ROWS_A_PART = 2_000_000;
/** Groups in one answer, groups whose records are fetched together (a query has 1,024 clauses at most, a group takes up to eleven), and records in one answer. */
const GROUPS_A_PAGE = 5000;
const GROUPS_A_FETCH = 64;
const ROWS_A_PAGE = 5000;
const KEEP_ALIVE = "5m";
/** Hosts asked about in one question. */
const HOSTS_A_QUESTION = 1000;
/** Distinct hosts are counted exactly up to so many. */
const EXACT_HOSTS = 40_000;

interface Bucket {
  readonly key: string;
  readonly doc_count: number;
}

interface Aggregated<Aggregations> {
  readonly aggregations?: Aggregations;
}

const searchPath = (index: string): string => `/${encodeURIComponent(index)}/_search`;
const WHOLE = { allow_partial_search_results: "false", ignore_unavailable: "true" };

async function aggregate<Aggregations>(
  conn: ConnIndex,
  filters: readonly object[],
  aggs: object,
  signal?: AbortSignal,
): Promise<Aggregations> {
  const body = { size: 0, track_total_hits: false, query: { bool: { filter: [...conn.filters, ...filters] } }, aggs };
  const { aggregations } = await conn.client.request<Aggregated<Aggregations>>(
    { method: "POST", path: searchPath(conn.index), query: WHOLE, body },
    signal,
  );
  if (!aggregations) throw new ClusterError(`${conn.index}: there is no such index, or it has no records`, 404, "no_index");
  return aggregations;
}

/** Lists the sources once and packs them into parts: as many connections each as a task does in a few minutes. */
export async function planClusterHunt(
  client: ClusterClient,
  logs: ClusterLogs,
  { bounds }: ClusterHunt,
  signal?: AbortSignal,
): Promise<HostPart[]> {
  const conn = await openConnIndex(client, logs, bounds, signal);
  const field = conn.grouped["id.orig_h"] ?? "";
  const { hosts } = await aggregate<{ hosts: { value: number } }>(
    conn,
    [],
    { hosts: { cardinality: { field, precision_threshold: EXACT_HOSTS } } },
    signal,
  );
  const parts: { hosts: string[]; rows: number }[] = [];
  for (let partitions = Math.ceil(hosts.value / HOSTS_A_PARTITION) || 1, partition = 0; partition < partitions; partition++) {
    const include = partitions > 1 ? { include: { partition, num_partitions: partitions } } : {};
    const { list } = await aggregate<{ list: { sum_other_doc_count: number; buckets: readonly Bucket[] } }>(
      conn,
      [],
      { list: { terms: { field, size: HOSTS_AN_ANSWER, ...include } } },
      signal,
    );
    if (list.sum_other_doc_count > 0) {
      // The estimate was far too low: start over with more, smaller partitions.
      partitions *= 4;
      partition = -1;
      parts.length = 0;
      continue;
    }
    for (const { key, doc_count } of list.buckets) {
      const open = parts.at(-1);
      if (open && open.hosts.length < HOSTS_A_PART && open.rows + doc_count <= ROWS_A_PART) {
        open.hosts.push(key);
        open.rows += doc_count;
      } else parts.push({ hosts: [key], rows: doc_count });
    }
  }
  return parts.map(({ hosts: own }) => ({ hosts: own }));
}

interface Group {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: string | null;
  readonly rows: number;
}

/** The connection groups of some sources, page by page, as the cluster groups them. */
async function* groupsOf(conn: ConnIndex, hosts: readonly string[], signal?: AbortSignal): AsyncGenerator<Group[]> {
  const { grouped } = conn;
  const sources = [
    { source: { terms: { field: grouped["id.orig_h"] } } },
    { destination: { terms: { field: grouped["id.resp_h"] } } },
    { port: { terms: { field: grouped["id.resp_p"] } } },
    ...(grouped.proto === undefined ? [] : [{ protocol: { terms: { field: grouped.proto, missing_bucket: true } } }]),
  ];
  type Key = { source: string; destination: string; port: number | string; protocol?: string | null };
  for (let after: Key | undefined; ; ) {
    const { groups } = await aggregate<{ groups: { after_key?: Key; buckets: readonly { key: Key; doc_count: number }[] } }>(
      conn,
      [{ terms: { [grouped["id.orig_h"] ?? ""]: hosts } }],
      { groups: { composite: { size: GROUPS_A_PAGE, sources, ...(after && { after }) } } },
      signal,
    );
    yield groups.buckets.map(({ key, doc_count }) => ({
      source: key.source,
      destination: key.destination,
      port: Number(key.port),
      protocol: key.protocol ?? null,
      rows: doc_count,
    }));
    if (groups.after_key === undefined || groups.buckets.length === 0) return;
    after = groups.after_key;
  }
}

interface Hits {
  readonly pit_id?: string;
  readonly hits: { readonly hits: readonly { readonly _source: unknown; readonly sort: readonly unknown[] }[] };
}

/** An index as it was at one point in time, for questions that must agree with each other. */
class PointInTime {
  readonly #client: ClusterClient;
  #id: string;

  private constructor(client: ClusterClient, id: string) {
    this.#client = client;
    this.#id = id;
  }

  static async open({ client, index }: ConnIndex, signal?: AbortSignal): Promise<PointInTime> {
    const place = client.kind === "opensearch" ? "_search/point_in_time" : "_pit";
    const request = { method: "POST" as const, path: `/${encodeURIComponent(index)}/${place}`, query: { keep_alive: KEEP_ALIVE } };
    const { id, pit_id } = await client.request<{ id?: string; pit_id?: string }>(request, signal);
    return new PointInTime(client, pit_id ?? id ?? "");
  }

  /** A page of hits; the next one starts after the last hit's `sort`. */
  async page(body: object, signal?: AbortSignal): Promise<Hits["hits"]["hits"]> {
    const whole = { ...body, pit: { id: this.#id, keep_alive: KEEP_ALIVE } };
    const request = { method: "POST" as const, path: "/_search", query: { allow_partial_search_results: "false" }, body: whole };
    const { pit_id, hits } = await this.#client.request<Hits>(request, signal);
    this.#id = pit_id ?? this.#id;
    return hits.hits;
  }

  async close(): Promise<void> {
    const request =
      this.#client.kind === "opensearch"
        ? { method: "DELETE" as const, path: "/_search/point_in_time", body: { pit_id: [this.#id] } }
        : { method: "DELETE" as const, path: "/_pit", body: { id: this.#id } };
    // It ends by itself when nobody asks for it.
    await this.#client.request(request).catch(() => undefined);
  }
}

/** The records of some groups, page by page. */
async function* recordsOf(
  conn: ConnIndex,
  pit: PointInTime,
  groups: readonly Group[],
  signal?: AbortSignal,
): AsyncGenerator<readonly unknown[]> {
  const { client, grouped, stored } = conn;
  const term = (field: string | undefined, value: unknown): object => ({ term: { [field ?? ""]: value } });
  const should = groups.map(({ source, destination, port, protocol }) => ({
    bool: {
      filter: [
        term(grouped["id.orig_h"], source),
        term(grouped["id.resp_h"], destination),
        term(grouped["id.resp_p"], port),
        ...(grouped.proto === undefined || protocol === null ? [] : [term(grouped.proto, protocol)]),
      ],
      ...(grouped.proto !== undefined && protocol === null && { must_not: [{ exists: { field: grouped.proto } }] }),
    },
  }));
  // Elasticsearch orders by where documents lie; OpenSearch knows that from 3.3 on only, and both know a document's id.
  const sort = client.kind === "opensearch" ? [{ [grouped.ts ?? stored.ts]: "asc" }, { _id: "asc" }] : [{ _shard_doc: "asc" }];
  const body = {
    size: ROWS_A_PAGE,
    track_total_hits: false,
    query: { bool: { filter: [...conn.filters, { bool: { should, minimum_should_match: 1 } }] } },
    sort,
    _source: [...new Set(Object.values(stored))],
  };
  for (let after: readonly unknown[] | undefined; ; ) {
    const hits = await pit.page({ ...body, ...(after && { search_after: after }) }, signal);
    if (hits.length > 0) yield hits.map(({ _source }) => _source);
    if (hits.length < ROWS_A_PAGE) return;
    after = hits.at(-1)?.sort;
  }
}

/** Text of a value that may be one of several. */
function textOf(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" ? one : typeof one === "number" ? String(one) : undefined;
}

function numberOf(value: unknown): number | undefined {
  const text = textOf(value);
  const number = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** A document as a connection; undefined where it has no source, destination, port or time. */
function rowOf(document: unknown, { stored, map }: ConnIndex): ConnectionRow | undefined {
  const at = (name: keyof ConnIndex["stored"]): unknown => valueAt(document, stored[name]);
  const time = textOf(at("ts"));
  const source = textOf(at("id.orig_h"));
  const destination = textOf(at("id.resp_h"));
  const port = numberOf(at("id.resp_p"));
  if (time === undefined || source === undefined || destination === undefined || port === undefined || !(port >= 0 && port <= 65_535))
    return undefined;
  const isNumber = /^\d+(?:\.\d+)?$/.test(time);
  const micros = isNumber && map.numericTime === "milliseconds" ? Math.round(Number(time) * 1000) : parseTime(time);
  if (!Number.isFinite(micros)) return undefined;
  return {
    micros,
    source,
    originPort: numberOf(at("id.orig_p")),
    destination,
    port,
    protocol: textOf(at("proto")),
    service: textOf(at("service")),
    bytesUp: numberOf(at("orig_bytes")),
    bytesDown: numberOf(at("resp_bytes")),
    ipBytesUp: numberOf(at("orig_ip_bytes")),
    connState: textOf(at("conn_state")),
  };
}

/** The busiest (source, destination, port), of those that keep most so far. */
class BusyPairs {
  readonly #most: number;
  #pairs = new Map<string, Talker>();

  constructor(most: number) {
    this.#most = most;
  }

  add({ source, destination, port, rows }: Group): void {
    const key = `${source} ${destination} ${port}`;
    const connectionCount = (this.#pairs.get(key)?.connectionCount ?? 0) + rows;
    this.#pairs.set(key, { source, destination, port, connectionCount });
    if (this.#pairs.size > 50 * this.#most)
      this.#pairs = new Map(this.top().map((talker) => [`${talker.source} ${talker.destination} ${talker.port}`, talker]));
  }

  top(): Talker[] {
    return [...this.#pairs.values()].sort((a, b) => b.connectionCount - a.connectionCount).slice(0, this.#most);
  }
}

const KEPT_TALKERS = 100;

/** Looks at the connection groups of a part's sources: the cluster groups, what may be a beacon is fetched and searched here. */
export async function huntPart(
  client: ClusterClient,
  logs: ClusterLogs,
  { searches, bounds, filter }: ClusterHunt,
  { hosts }: HostPart,
  signal?: AbortSignal,
): Promise<PartFindings> {
  const conn = await openConnIndex(client, logs, bounds, signal);
  const engine = createEngine({ seed: randomSeed() });
  const plan = planFilter(checkFilter(filter));
  const builder = new FlowBuilder(engine, { carried: asksCarried(searches) });
  const rowFilter = new RowFilter(bounds, plan);
  const least = Math.min(...searches.map(({ name, parameters }) => detectorNamed(name).minConnections(parameters)));
  const talkers = new BusyPairs(KEPT_TALKERS);
  let groups = 0;
  let rows = 0;
  let fetchedRows = 0;
  let malformedRows = 0;
  let wanted: Group[] = [];
  let pit: PointInTime | undefined;
  const fetch = async (): Promise<void> => {
    pit ??= await PointInTime.open(conn, signal);
    for await (const documents of recordsOf(conn, pit, wanted, signal)) {
      const records = documents.flatMap((document) => rowOf(document, conn) ?? []);
      fetchedRows += documents.length;
      malformedRows += documents.length - records.length;
      builder.add(rowFilter.apply(connectionBatch(engine, records)));
    }
    wanted = [];
  };
  try {
    for await (const page of groupsOf(conn, hosts, signal)) {
      for (const group of page) {
        groups++;
        rows += group.rows;
        talkers.add(group);
        if (group.rows < least) continue;
        wanted.push(group);
        if (wanted.length === GROUPS_A_FETCH) await fetch();
      }
    }
    if (wanted.length > 0) await fetch();
  } finally {
    await pit?.close();
  }
  const found = await searchFlows(engine, joinShards([builder.finish()]), searches, { filter: plan });
  return {
    beacons: found.beacons,
    tested: found.tested,
    groups,
    rows,
    fetchedRows,
    malformedRows,
    duplicateRows: found.duplicateRows,
    rowsOutside: rowFilter.rowsOutside,
    removed: [...rowFilter.removed, ...found.removed],
    talkers: talkers.top(),
  };
}

/** Asks about hosts, some at a time: how many distinct values of a field go with each, among records that pass a filter. */
async function distinct(
  conn: ConnIndex,
  hosts: readonly string[],
  of: { readonly host: string; readonly value: string; readonly filters: readonly object[] },
  signal?: AbortSignal,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let at = 0; at < hosts.length; at += HOSTS_A_QUESTION) {
    const some = hosts.slice(at, at + HOSTS_A_QUESTION);
    const { list } = await aggregate<{ list: { buckets: readonly (Bucket & { values: { value: number } })[] } }>(
      conn,
      [{ terms: { [of.host]: some } }, ...of.filters],
      {
        list: {
          terms: { field: of.host, size: some.length },
          aggs: { values: { cardinality: { field: of.value, precision_threshold: EXACT_HOSTS } } },
        },
      },
      signal,
    );
    for (const { key, values } of list.buckets) counts.set(key, values.value);
  }
  return counts;
}

/** What the whole index tells of the hosts of found beacons. */
async function clusterFacts(
  conn: ConnIndex,
  found: readonly FoundBeacon[],
  networks: readonly string[],
  signal?: AbortSignal,
): Promise<HostFacts> {
  const internal = new NetworkSet(networks, "internal_networks");
  const isInternal = (address: string): boolean => internal.has(address);
  const source = conn.grouped["id.orig_h"] ?? "";
  const destination = conn.grouped["id.resp_h"] ?? "";
  const unique = (of: (beacon: FoundBeacon) => string): string[] => [...new Set(found.map(of))];
  if (found.length === 0) return { prevalence: new Map(), destinations: new Map(), internalHosts: 0, isInternal };
  // Only a field of type ip knows networks; in a keyword field none is internal, and all hosts count.
  const inside = { bool: { should: networks.map((network) => ({ term: { [source]: network } })), minimum_should_match: 1 } };
  const { hosts } = await aggregate<{ hosts: { value: number } }>(
    conn,
    [inside],
    { hosts: { cardinality: { field: source, precision_threshold: EXACT_HOSTS } } },
    signal,
  );
  const filters = hosts.value > 0 ? [inside] : [];
  return {
    prevalence: await distinct(
      conn,
      unique((beacon) => beacon.destination),
      { host: destination, value: source, filters },
      signal,
    ),
    destinations: await distinct(
      conn,
      unique((beacon) => beacon.source),
      { host: source, value: destination, filters: [] },
      signal,
    ),
    internalHosts: hosts.value,
    isInternal,
  };
}

/** From this number on an epoch counts milliseconds, not seconds. */
const MILLISECONDS = 1e11;

/** First and last time of all records, to the index's resolution, in microseconds. */
async function captureOf(conn: ConnIndex, signal?: AbortSignal): Promise<readonly [first: number, last: number]> {
  const field = conn.grouped.ts;
  type Bound = { readonly value: number | null };
  const { first, last } = await aggregate<{ first: Bound; last: Bound }>(
    conn,
    [],
    { first: { min: { field } }, last: { max: { field } } },
    signal,
  );
  const micros = ({ value }: Bound): number => Math.round((value ?? 0) * ((value ?? 0) > MILLISECONDS ? 1e3 : 1e6));
  return [micros(first), micros(last)];
}

/** What a hunt in a cluster found, all parts together. */
export interface ClusterFindings {
  readonly results: readonly { readonly search: Search; readonly beacons: ReturnType<typeof judgeFound> }[];
  readonly talkers: readonly Talker[];
  readonly summary: object;
}

/** Joins what all parts found, and judges it by what the whole index tells. */
export async function joinClusterHunt(
  client: ClusterClient,
  logs: ClusterLogs,
  { searches, bounds, filter }: ClusterHunt,
  parts: AsyncIterable<PartFindings> | Iterable<PartFindings>,
  signal?: AbortSignal,
): Promise<ClusterFindings> {
  const found: FoundBeacon[][] = searches.map(() => []);
  const tested = searches.map(() => 0);
  const talkers: Talker[] = [];
  const removed: Map<FilterRule, number>[] = [];
  const sums = { parts: 0, rows: 0, fetchedRows: 0, malformedRows: 0, duplicateRows: 0, groups: 0, rowsOutside: 0 };
  for await (const part of parts) {
    sums.parts++;
    for (const name of ["rows", "fetchedRows", "malformedRows", "duplicateRows", "groups", "rowsOutside"] as const)
      sums[name] += part[name];
    part.beacons.forEach((beacons, search) => {
      for (const beacon of beacons) found[search]?.push(beacon);
    });
    part.tested.forEach((count, search) => {
      tested[search] = (tested[search] ?? 0) + count;
    });
    talkers.push(...part.talkers);
    removed.push(new Map(part.removed));
  }
  const conn = await openConnIndex(client, logs, bounds, signal);
  const networks = checkFilter(filter).internal_networks ?? DEFAULT_INTERNAL_NETWORKS;
  const facts = await clusterFacts(conn, found.flat(), networks, signal);
  const capture = await captureOf(conn, signal);
  return {
    results: searches.map((search, i) => ({
      search,
      beacons: judgeFound(search, found[i] ?? [], { facts, groupsTested: tested[i] ?? 0, capture }),
    })),
    talkers: talkers.sort((a, b) => b.connectionCount - a.connectionCount).slice(0, KEPT_TALKERS),
    summary: { ...sums, files: 0, bytes: 0, invalidValues: 0, otherRows: 0, truncatedFiles: 0, removedRows: removedRows(removed) },
  };
}
