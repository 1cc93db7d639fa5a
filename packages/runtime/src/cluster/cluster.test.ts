import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Beacon, type ConnectionFilter, formatTime, planSearch, type TimeBounds } from "@heliograph/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findLogs } from "../files/find-logs.js";
import { huntLogs } from "../hunt/hunt-logs.js";
import { openSearchJars, startOpenSearch, type TestOpenSearch } from "../testing/opensearch.js";
import { connectCluster } from "./cluster-client.js";
import { huntPart, joinClusterHunt, type PartFindings, planClusterHunt } from "./cluster-hunt.js";
import type { ClusterLogs } from "./cluster-index.js";
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

const jars = openSearchJars();
const rows = records();
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
