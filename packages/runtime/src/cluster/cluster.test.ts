import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Beacon, type ConnectionFilter, formatTime, planSearch, type TimeBounds } from "@heliograph/core";
import { LogEngine } from "@heliograph/runtime/logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findLogs } from "../files/find-logs.js";
import { huntLogs } from "../hunt/hunt-logs.js";
import { InsightRegistry, runInsight, timeFilter } from "../logs/insights.js";
import { openSearchJars, startOpenSearch, type TestOpenSearch } from "../testing/opensearch.js";
import { connectCluster } from "./cluster-client.js";
import { huntPart, joinClusterHunt, type PartFindings, planClusterHunt } from "./cluster-hunt.js";
import type { ClusterLogs } from "./cluster-index.js";
import { ClusterSearch, type DocumentSearch } from "./cluster-search.js";
import type { PresetName } from "./field-map.js";

interface Record5 {
  readonly micros: number;
  readonly source: string;
  readonly originPort: number;
  readonly destination: string;
  readonly port: number;
  readonly protocol: string;
  readonly bytes: number;
}

const START = 1_700_000_000_000_000;

/** Beacons of several kinds, random groups and one-off connections; IPv6 among them; some records twice. */
function records(): Record5[] {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const all: Record5[] = [];
  const add = (
    source: string,
    destination: string,
    port: number,
    times: readonly number[],
    bytes: () => number,
    protocol = "tcp",
  ): void => {
    for (const [i, micros] of times.entries())
      all.push({ micros, source, originPort: 1024 + i, destination, port, protocol, bytes: bytes() });
  };
  // Whole milliseconds, which every index keeps.
  const every = (seconds: number, count: number, jitter: number): number[] => {
    let at = START;
    return Array.from({ length: count }, () => {
      at += Math.round(seconds * 1000 * (1 + jitter * (2 * random() - 1))) * 1000;
      return at;
    });
  };
  add("10.0.0.1", "192.0.2.1", 443, every(300, 200, 0), () => 404);
  add("10.0.0.2", "192.0.2.2", 8443, every(600, 120, 0.3), () => 100 + Math.floor(random() * 900));
  add("fd00::1", "2001:db8::1", 443, every(900, 90, 0.1), () => 77);
  add("10.0.0.3", "192.0.2.3", 123, every(1024, 80, 0), () => 48, "udp");
  for (let host = 0; host < 40; host++) add(`10.1.0.${host}`, "192.0.2.9", 443, every(600, 60, 0), () => 500);
  for (let host = 0; host < 60; host++) {
    const times = Array.from({ length: 30 + Math.floor(random() * 60) }, () => START + Math.floor(random() * 86_400_000) * 1000).sort(
      (a, b) => a - b,
    );
    add(`10.2.0.${host}`, `198.51.100.${host % 7}`, 443, times, () => Math.floor(random() * 5000));
    add(`10.2.0.${host}`, `203.0.113.${host}`, 80, [START + host * 1e6], () => 1);
  }
  return [...all, ...all.slice(0, 50)];
}

const PRESET_DOCUMENTS: Readonly<Record<string, (record: Record5) => object>> = {
  zeek: ({ micros, source, originPort, destination, port, protocol, bytes }) => ({
    ts: micros / 1e6,
    "id.orig_h": source,
    "id.orig_p": originPort,
    "id.resp_h": destination,
    "id.resp_p": port,
    proto: protocol,
    orig_bytes: bytes,
    resp_bytes: bytes,
    orig_ip_bytes: bytes + 80,
    conn_state: "SF",
    ...(port === 123 && { service: "ntp" }),
  }),
  ecs: ({ micros, source, originPort, destination, port, protocol, bytes }) => ({
    "@timestamp": formatTime(micros),
    event: { dataset: "zeek.connection" },
    source: { ip: source, port: originPort, bytes },
    destination: { ip: destination, port, bytes },
    network: { transport: protocol },
    zeek: { connection: { state: "SF" } },
  }),
};
const KEYWORD = { type: "keyword" };
const MAPPINGS: Readonly<Record<string, object>> = {
  zeek: {
    properties: {
      ts: { type: "double" },
      id: { properties: { orig_h: { type: "ip" }, orig_p: { type: "integer" }, resp_h: { type: "ip" }, resp_p: { type: "integer" } } },
      proto: KEYWORD,
    },
  },
  // As it comes without a template: dates are found, texts have a keyword beside.
  ecs: { properties: { source: { properties: { ip: { type: "ip" } } }, destination: { properties: { ip: { type: "ip" } } } } },
};

const rows = records();

/** dns records as both engines get them: Zeek's names. */
const DNS = rows.slice(0, 400).map(({ micros, source, originPort, bytes }, i) => ({
  ts: micros / 1e6,
  uid: `D${i}`,
  "id.orig_h": source,
  "id.orig_p": originPort,
  "id.resp_h": i % 3 ? "10.0.0.53" : "9.9.9.9",
  "id.resp_p": i % 11 ? 53 : 5353,
  proto: "udp",
  query: `h${bytes % 17}.example.${i % 2 ? "org" : "com"}`,
  qtype_name: "A",
  rcode: i % 5 ? 0 : 3,
  rcode_name: i % 5 ? "NOERROR" : "NXDOMAIN",
}));

const jars = openSearchJars();
let node: TestOpenSearch;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cluster-"));
  const line = ({ micros, source, originPort, destination, port, protocol, bytes }: Record5): string =>
    [formatTime(micros), source, originPort, destination, port, protocol, port === 123 ? "ntp" : "-", bytes, bytes, bytes + 80, "SF"].join(
      "\t",
    );
  const head =
    "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\torig_bytes\tresp_bytes\torig_ip_bytes\tconn_state\n";
  writeFileSync(join(folder, "conn.log"), `${head}${rows.map(line).join("\n")}\n`);
  if (!jars) return;
  node = await startOpenSearch(jars);
  for (const [preset, document] of Object.entries(PRESET_DOCUMENTS))
    await node.fill(`${preset}-conn`, MAPPINGS[preset] ?? {}, rows.map(document));
  await node.fill(
    "zeek-dns",
    {
      properties: {
        ...(MAPPINGS["zeek"] as { properties: object }).properties,
        uid: KEYWORD,
        query: KEYWORD,
        qtype_name: KEYWORD,
        rcode_name: KEYWORD,
      },
    },
    DNS,
  );
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await node?.stop();
});

interface Hunted {
  readonly beacons: readonly (readonly Beacon[])[];
  readonly groups: number;
}
type Hunt = (names: readonly string[], bounds: TimeBounds, filter: ConnectionFilter) => Promise<Hunted>;

const fromFiles: Hunt = async (names, bounds, filter) => {
  const { files } = await findLogs([join(folder, "conn.log")]);
  const { results, groups } = await huntLogs(files, { searches: names.map((name) => planSearch(name)), bounds, filter });
  return { beacons: results.map(({ beacons }) => beacons), groups };
};

const fromCluster =
  (preset: PresetName): Hunt =>
  async (names, bounds, filter) => {
    const logs: ClusterLogs = { kind: "opensearch", url: node.url, preset, indexes: { conn_logs: `${preset}-conn` } };
    const client = await connectCluster(logs);
    try {
      const hunt = { searches: names.map((name) => planSearch(name)), bounds, filter };
      const plan = await planClusterHunt(client, logs, hunt);
      // Each part by itself, and kept as JSON between, as workers do it.
      const parts: PartFindings[] = [];
      for (const part of plan) parts.push(JSON.parse(JSON.stringify(await huntPart(client, logs, hunt, part))) as PartFindings);
      const { results } = await joinClusterHunt(client, logs, hunt, parts);
      return { beacons: results.map(({ beacons }) => beacons), groups: parts.reduce((sum, { groups }) => sum + groups, 0) };
    } finally {
      await client.close();
    }
  };

/** What must be the same wherever the connections come from. */
const shown = ({ beacons }: Hunted): unknown =>
  beacons.map((list) =>
    list.map(
      ({
        source,
        destination,
        port,
        protocol,
        score,
        connectionCount,
        firstOccurrence,
        lastOccurrence,
        prevalence,
        evidence,
        surroundings,
      }) => ({
        flow: `${source} ${destination} ${port}/${protocol}`,
        score: Number(score.toFixed(6)),
        connectionCount,
        firstOccurrence,
        lastOccurrence,
        prevalence,
        labels: evidence["labels"],
        summary: evidence["summary"],
        internalHosts: surroundings?.internalHosts,
        destinations: surroundings?.destinations,
        direction: surroundings?.direction,
      }),
    ),
  );

describe.skipIf(!jars).each(["zeek"] as const)("connection groups from an OpenSearch index with %s fields", (preset) => {
  it.each([
    ["all searches", ["adaptive", "quick", "detailed", "hierarchical", "rita"], {}, {}],
    ["a range of time", ["quick"], { start: START + 3_600_000_000, end: START + 40_000_000_000 }, {}],
    ["a filter", ["adaptive"], {}, { ports: { include: [443] }, destination: { exclude: ["192.0.2.9"] } }],
  ] as const)("give the beacons that the files give: %s", async (_, names, bounds, filter) => {
    const wanted = await fromFiles(names, bounds, filter as ConnectionFilter);
    expect(wanted.beacons.flat().length).toBeGreaterThan(1);
    const found = await fromCluster(preset)(names, bounds, filter as ConnectionFilter);
    const [adaptive] = names;
    if (Object.keys(filter).length === 0) expect(shown(found)).toEqual(shown(wanted));
    // Surroundings are those of all records in a cluster, of those that a filter leaves in files.
    else
      expect(found.beacons[0]?.map(({ source, destination }) => [source, destination]).sort()).toEqual(
        wanted.beacons[0]?.map(({ source, destination }) => [source, destination]).sort(),
      );
    expect(adaptive).toBeDefined();
  });
});

describe.skipIf(!jars)("connection groups from an OpenSearch index with ecs fields", () => {
  it("give the same beacons, as far as its fields tell", async () => {
    const flows = ({ beacons }: Hunted): unknown =>
      beacons.map((list) =>
        list.map(({ source, destination, connectionCount, firstOccurrence, score }) => [
          source,
          destination,
          connectionCount,
          firstOccurrence,
          Number(score.toFixed(6)),
        ]),
      );
    const names = ["quick", "hierarchical"];
    expect(flows(await fromCluster("ecs")(names, {}, {}))).toEqual(flows(await fromFiles(names, {}, {})));
  });
});

// One suite of questions, two engines.
describe.skipIf(!jars)("searches are answered alike by the log store and by a cluster", () => {
  const clusterOf = (preset: PresetName): ClusterSearch =>
    new ClusterSearch(async () => ({
      kind: "opensearch",
      url: node.url,
      preset,
      indexes: { conn_logs: `${preset}-conn`, dns_logs: "zeek-dns" },
    }));
  let store: LogEngine;
  let cluster: ClusterSearch;

  beforeAll(async () => {
    store = new LogEngine(join(folder, "store"), { threads: 1 });
    const dns = join(folder, "dns.log");
    const names = Object.keys(DNS[0] ?? {});
    writeFileSync(dns, `#path\tdns\n#fields\t${names.join("\t")}\n${DNS.map((one) => Object.values(one).join("\t")).join("\n")}\n`);
    for (const path of [join(folder, "conn.log"), dns]) {
      const { files } = await findLogs([path], { names: { test: (name) => name.endsWith(".log"), what: "logs" } });
      for (const file of files) await store.importFile(file);
    }
    cluster = clusterOf("zeek");
  });
  afterAll(async () => {
    await store.close();
    await cluster.close();
  });

  const window = { from: START - 1_000_000, to: START + 90_000_000_000 };
  const asked = async (engine: DocumentSearch, indexes: string, body: object): Promise<unknown> => {
    const filter = timeFilter({ from: BigInt(window.from), to: BigInt(window.to) });
    return JSON.parse(await engine.search({ indexes, body: JSON.stringify(body), now: 0, totalAsInteger: true, window, filter }));
  };
  type Answered = { hits: { total: number; hits: { _source: Record<string, unknown> }[] }; aggregations?: unknown };
  const NAMES = ["orig_h", "orig_p", "resp_h", "resp_p", "proto", "orig_bytes"];
  const shownHits = ({ hits, aggregations }: Answered): unknown => ({
    total: hits.total,
    hits: hits.hits.map(({ _source }) => NAMES.map((name) => _source[name])),
    aggregations,
  });

  it.each([
    ["a term", { query: { term: { resp_h: "192.0.2.2" } }, sort: [{ ts: "asc" }, { orig_p: "asc" }], size: 5 }],
    [
      "networks and ranges",
      {
        query: {
          bool: {
            filter: [{ term: { orig_h: "10.2.0.0/16" } }, { range: { orig_bytes: { gte: 4000 } } }],
            must_not: [{ terms: { resp_p: [80] } }],
          },
        },
        size: 0,
      },
    ],
    ["Lucene's syntax", { query: { query_string: { query: "resp_p:8443 AND orig_bytes:>500 AND NOT proto:udp" } }, size: 0 }],
    [
      "top sources by bytes",
      {
        size: 0,
        aggs: {
          top: {
            terms: { field: "orig_h", size: 5, order: [{ sent: "desc" }, { _key: "asc" }] },
            aggs: { sent: { sum: { field: "orig_bytes" } } },
          },
        },
      },
    ],
    [
      "counts of records",
      {
        size: 0,
        aggs: { ports: { terms: { field: "resp_p", order: [{ n: "desc" }, { _key: "asc" }] }, aggs: { n: { sum: { field: "count" } } } } },
      },
    ],
    ["distinct values", { size: 0, aggs: { hosts: { cardinality: { field: "orig_h" } }, most: { max: { field: "orig_bytes" } } } }],
  ])("%s", async (_, body) => {
    const [ours, theirs] = (await Promise.all([asked(store, "conn_logs", body), asked(cluster, "conn_logs", body)])) as [
      Answered,
      Answered,
    ];
    expect(ours.hits.total).toBeGreaterThan(0);
    // Our error bounds are none; the cluster's are of its shards.
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replace(/"doc_count_error_upper_bound":-?\d+,?/g, ""));
    expect(plain(shownHits(theirs))).toEqual(plain(shownHits(ours)));
  });

  it("insights: those that the index can answer alike, the others with what is missing", async () => {
    const order = { from: BigInt(window.from), to: BigInt(window.to), now: 0 };
    const registry = await InsightRegistry.load();
    const answers: Record<string, string> = {};
    for (const insight of registry.all.filter(({ index }) => index === "conn_logs" || index === "dns_logs")) {
      const theirs = await runInsight(cluster, insight, order).catch((cause: unknown) => cause as Error);
      if (theirs instanceof Error) answers[insight.name] = theirs.message;
      else {
        const figures = (json: string): unknown =>
          (JSON.parse(json) as Record<string, { buckets: { key: unknown; doc_count: number }[] }>)[insight.name]?.buckets.map(
            ({ key, doc_count }) => [key, doc_count],
          );
        expect([insight.name, figures(theirs)]).toEqual([insight.name, figures(await runInsight(store, insight, order))]);
        answers[insight.name] = "alike";
      }
    }
    expect(
      Object.entries(answers)
        .filter(([, answer]) => answer === "alike")
        .map(([name]) => name),
    ).toEqual(
      expect.arrayContaining([
        "max_connections_by_orig_h",
        "top_uploaders_by_orig_h",
        "top_dns_servers",
        "rare_dns_servers",
        "top_querying_clients",
      ]),
    );
    expect(answers["least_queried_domains"]).toContain(
      "registered_domain (the registered domain of a query, which Heliograph adds on import)",
    );
    expect(answers["top_external_uploaders_by_orig_h"]).toContain("orig_internal (whether the source is internal");
    expect(answers["longest_connections_by_orig_h"]).toContain("zeek-conn has no field duration");
  });

  it("gives documents our names, and times as the API has them", async () => {
    const ecs = clusterOf("ecs");
    const { hits } = (await asked(ecs, "conn_logs", {
      query: { match: { resp_h: "192.0.2.1" } },
      sort: [{ ts: "asc" }],
      size: 1,
    })) as Answered;
    expect(hits.total).toBe(250);
    expect(hits.hits[0]?._source).toMatchObject({
      orig_h: "10.0.0.1",
      resp_h: "192.0.2.1",
      resp_p: 443,
      ts: "2023-11-14 22:18:20.000000",
      network: { transport: "tcp" },
    });
    await expect(asked(ecs, "ssl_logs", {})).rejects.toThrow(
      "the cluster has no index for ssl_logs; the data source names conn_logs, dns_logs",
    );
    await expect(asked(ecs, "conn_logs", { query: { more_like_this: { like: "x" } } })).rejects.toThrow("more_like_this cannot be asked");
    await ecs.close();
  });
});

/** A server that answers as it is told, to see how a client takes it. */
async function fake(
  answers: (path: string, ask: number) => { status: number; body: object; delayMs?: number },
): Promise<{ url: string; asks: string[]; close(): Promise<void> }> {
  const asks: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0] ?? "";
    asks.push(`${request.method} ${path}`);
    request.resume();
    const { status, body, delayMs = 0 } = answers(path, asks.length);
    setTimeout(() => {
      response.writeHead(status, { "content-type": "application/json", "x-elastic-product": "Elasticsearch" }).end(JSON.stringify(body));
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asks,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe.each(["elasticsearch", "opensearch"] as const)("a client of %s", (kind) => {
  const PATIENCE = { tries: 4, firstMs: 5, timeoutMs: 300 };
  const refusal = (type: string, reason: string): object => ({ error: { root_cause: [{ type, reason }], type, reason }, status: 429 });
  const open = async (answers: Parameters<typeof fake>[0], credentials?: string) => {
    const server = await fake(answers);
    const client = await connectCluster({ kind, url: server.url, ...(credentials !== undefined && { credentials }) }, PATIENCE);
    return { ...server, client, ask: (signal?: AbortSignal) => client.request({ method: "POST", path: "/x/_search", body: {} }, signal) };
  };
  const WHOLE = { took: 1, timed_out: false, _shards: { total: 3, successful: 3, failed: 0 }, hits: { hits: [] } };

  it("asks again while a cluster is busy, and no more often than it may", async () => {
    const busy = await open((_, ask) =>
      ask < 3
        ? { status: ask === 1 ? 429 : 503, body: refusal("es_rejected_execution_exception", "queue is full") }
        : { status: 200, body: WHOLE },
    );
    expect(await busy.ask()).toEqual(WHOLE);
    expect(busy.asks).toHaveLength(3);
    await busy.close();
    const never = await open(() => ({ status: 429, body: refusal("es_rejected_execution_exception", "queue is full") }));
    await expect(never.ask()).rejects.toThrow("the cluster answered 429: queue is full");
    expect(never.asks).toHaveLength(PATIENCE.tries);
    await never.close();
  });

  it("explains the memory breaker, refused credentials and a wrong question, which it asks once", async () => {
    const breaker = await open(() => ({ status: 429, body: refusal("circuit_breaking_exception", "[parent] Data too large") }));
    await expect(breaker.ask()).rejects.toThrow(
      "the cluster's memory breaker refused ([parent] Data too large); give its nodes more heap, or hunt in shorter time ranges",
    );
    await breaker.close();
    const closed = await open(() => ({ status: 401, body: refusal("security_exception", "unable to authenticate") }), "a-key");
    await expect(closed.ask()).rejects.toThrow("the cluster refused the credentials (unable to authenticate)");
    expect(closed.asks).toHaveLength(1);
    await closed.close();
    const wrong = await open(() => ({ status: 400, body: refusal("parsing_exception", "unknown query [x]") }));
    await expect(wrong.ask()).rejects.toThrow("the cluster answered 400: unknown query [x]");
    expect(wrong.asks).toHaveLength(1);
    await wrong.close();
  });

  it("takes no half answer for a whole one", async () => {
    const part = {
      ...WHOLE,
      _shards: { total: 3, successful: 2, failed: 1, failures: [{ shard: 0, reason: { type: "x", reason: "the disk is gone" } }] },
    };
    const broken = await open(() => ({ status: 200, body: part }));
    await expect(broken.ask()).rejects.toThrow("1 of 3 shards failed: the disk is gone");
    await broken.close();
    const hurried = await open(() => ({ status: 200, body: { ...WHOLE, timed_out: true } }));
    await expect(hurried.ask()).rejects.toThrow("ran out of time and answered in part");
    await hurried.close();
  });

  it("gives up on one that does not answer, says so, and stops when it is told to", async () => {
    const slow = await open(() => ({ status: 200, body: WHOLE, delayMs: 5000 }));
    await expect(slow.ask()).rejects.toThrow(/^127\.0\.0\.1:\d+ does not answer: /);
    await expect(slow.ask(AbortSignal.timeout(50))).rejects.toThrow(/aborted|timeout/i);
    await slow.close();
    const gone = await connectCluster({ kind, url: slow.url }, PATIENCE);
    await expect(gone.request({ method: "GET", path: "/" })).rejects.toThrow("does not answer");
    await gone.close();
  });
});
