import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { INSIGHTS, insightAnswer, insightBody } from "@heliograph/core/insights";
import { registeredDomain } from "@heliograph/core/logs";
import { searchIndexes } from "@heliograph/core/query";
import { afterAll, describe, expect, it } from "vitest";
import { importFile } from "./import-logs.js";
import { InsightRegistry } from "./insights.js";
import { LogStore } from "./log-store.js";

const root = mkdtempSync(join(tmpdir(), "insights-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Row = Readonly<Record<string, string | undefined>>;
/** Key and figure of each bucket, as an insight orders them. */
type Table = readonly (readonly [key: string, figure: number])[];

/** The rows of a TSV log; unset values are undefined. */
function rowsOf(text: string): Row[] {
  const lines = text.split("\n");
  const fields = (lines.find((line) => line.startsWith("#fields")) ?? "").split("\t").slice(1);
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => Object.fromEntries(line.split("\t").map((value, place) => [fields[place] ?? "", value === "-" ? undefined : value])));
}

const number = (text: string | undefined): number => Number(text ?? 0);
const isMulticast = (address: string): boolean => /^(?:22[4-9]|23\d)\.|^255\.255\.255\.255$|^ff/i.test(address);
const isInternal = (address: string): boolean =>
  /^(?:10|127)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^f[cd]|^fe[89ab]|^::1$/i.test(
    address,
  );
const isExternal = (address: string): boolean => !isInternal(address) && !isMulticast(address) && address !== "0.0.0.0" && address !== "::";

/** Addresses by their bytes, texts by code points: how equal figures are ordered. */
function keyOrder(a: string, b: string): number {
  const v4 = (text: string): number | undefined =>
    /^\d+\.\d+\.\d+\.\d+$/.test(text) ? text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) : undefined;
  const [x, y] = [v4(a), v4(b)];
  if (x !== undefined && y !== undefined) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}

function grouped(
  rows: readonly Row[],
  keyOf: (row: Row) => string | undefined,
  figure: (rows: readonly Row[]) => number,
  ascending = false,
): Table {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups]
    .map(([key, own]) => [key, figure(own)] as const)
    .sort((a, b) => (ascending ? a[1] - b[1] : b[1] - a[1]) || keyOrder(a[0], b[0]));
}

const count = (rows: readonly Row[]): number => rows.length;
const sum =
  (field: string) =>
  (rows: readonly Row[]): number =>
    rows.reduce((total, row) => total + number(row[field]), 0);
const most =
  (field: string) =>
  (rows: readonly Row[]): number =>
    rows.reduce((high, row) => Math.max(high, number(row[field])), 0);
const by =
  (field: string) =>
  (row: Row): string | undefined =>
    row[field];

const dnsServers = (rows: readonly Row[]): Row[] =>
  rows.filter((row) => row["id.resp_p"] === undefined || ["53", "853"].includes(row["id.resp_p"]));
const failed = (row: Row): boolean => (row["rcode"] !== undefined && row["rcode"] !== "0") || row["rejected"] === "T";
const outbound = (row: Row): boolean => isInternal(row["id.orig_h"] ?? "") && isExternal(row["id.resp_h"] ?? "");
const withoutDot = (name: string): string => name.replace(/\.$/, "");
const certificate = (row: Row): string | undefined => {
  const fingerprint = row["cert_chain_fps"]?.split(",")[0];
  const issuer = row["issuer"] ?? row["issuer_subject"];
  return fingerprint && fingerprint !== "(empty)" ? fingerprint : row["subject"] && issuer ? `${row["subject"]} / ${issuer}` : undefined;
};

/** What each insight gives, by its definition, in plain steps over the rows of a log. */
const EXPECTED: Readonly<Record<string, (rows: readonly Row[]) => Table>> = {
  top_dns_servers: (rows) => grouped(dnsServers(rows), by("id.resp_h"), count),
  rare_dns_servers: (rows) =>
    grouped(
      dnsServers(rows).filter((row) => !isMulticast(row["id.resp_h"] ?? "")),
      by("id.resp_h"),
      count,
      true,
    ),
  least_queried_domains: (rows) =>
    grouped(
      rows.filter(({ query = "" }) => /..*\../.test(query) && !/\.arpa\.?$/i.test(query)),
      ({ query = "" }) => registeredDomain(query),
      count,
      true,
    ),
  top_querying_clients: (rows) => grouped(rows, by("id.orig_h"), count),
  top_clients_with_dns_errors: (rows) => grouped(rows.filter(failed), by("id.orig_h"), count),
  top_dns_data_uploaders: (rows) =>
    grouped(
      rows.filter(({ query }) => query !== undefined),
      by("id.orig_h"),
      (own) => own.reduce((total, { query = "" }) => total + Buffer.byteLength(withoutDot(query === "(empty)" ? "" : query)), 0),
    ),
  longest_connections_by_orig_h: (rows) =>
    grouped(
      rows.filter(({ duration }) => duration !== undefined),
      by("id.orig_h"),
      most("duration"),
    ),
  longest_connections_by_resp_h: (rows) =>
    grouped(
      rows.filter(({ duration }) => duration !== undefined),
      by("id.resp_h"),
      most("duration"),
    ),
  max_connections_by_orig_h: (rows) => grouped(rows, by("id.orig_h"), count),
  max_connections_by_resp_h: (rows) => grouped(rows, by("id.resp_h"), count),
  top_downloaders_by_orig_h: (rows) => grouped(rows, by("id.orig_h"), sum("resp_bytes")),
  top_downloaders_by_resp_h: (rows) => grouped(rows, by("id.resp_h"), sum("resp_bytes")),
  top_uploaders_by_orig_h: (rows) => grouped(rows, by("id.orig_h"), sum("orig_bytes")),
  top_uploaders_by_resp_h: (rows) => grouped(rows, by("id.resp_h"), sum("orig_bytes")),
  top_external_downloaders_by_orig_h: (rows) => grouped(rows.filter(outbound), by("id.orig_h"), sum("resp_bytes")),
  top_external_uploaders_by_orig_h: (rows) => grouped(rows.filter(outbound), by("id.orig_h"), sum("orig_bytes")),
  rare_certificates: (rows) => grouped(rows, certificate, count, true),
  rare_ja3_hash: (rows) => grouped(rows, ({ ja3 }) => (ja3 === "(empty)" ? undefined : ja3), count, true),
};

const TRAIL: Readonly<Record<string, (event: Record<string, unknown>) => boolean>> = {
  console_login_failures: (event) =>
    event["eventName"] === "ConsoleLogin" &&
    (event["errorMessage"] === "Failed authentication" ||
      (event["responseElements"] as { ConsoleLogin?: string } | null)?.ConsoleLogin === "Failure"),
  unauthorized_activity: (event) =>
    /UnauthorizedOperation$|^AccessDenied/.test(String(event["errorCode"] ?? "")) &&
    event["sourceIPAddress"] !== "delivery.logs.amazonaws.com" &&
    event["eventName"] !== "HeadBucket",
  erroneous_activity: (event) => typeof event["errorCode"] === "string",
  iam_policy_changes: (event) =>
    event["eventSource"] === "iam.amazonaws.com" &&
    /^(?:Delete|Put)(?:Group|Role|User)Policy$|^(?:Create|Delete)Policy(?:Version)?$|^(?:Attach|Detach)(?:Role|User|Group)Policy$/.test(
      String(event["eventName"]),
    ),
  cloudtrail_changes: (event) =>
    event["eventSource"] === "cloudtrail.amazonaws.com" &&
    /^(?:Create|Update|Delete)Trail$|^St(?:art|op)Logging$/.test(String(event["eventName"])),
  s3_bucket_activity: (event) =>
    event["eventSource"] === "s3.amazonaws.com" &&
    /^PutBucket(?:Acl|Policy|Cors|Lifecycle|Replication)$|^DeleteBucket(?:Policy|Cors|Lifecycle|Replication)$/.test(
      String(event["eventName"]),
    ),
  security_group_changes: (event) =>
    /^(?:Authorize|Revoke)SecurityGroup(?:In|E)gress$|^(?:Create|Delete)SecurityGroup$/.test(String(event["eventName"])),
  network_acl_changes: (event) =>
    /^(?:Create|Delete)NetworkAcl(?:Entry)?$|^ReplaceNetworkAcl(?:Entry|Association)$/.test(String(event["eventName"])),
  vpc_changes: (event) =>
    /^(?:Create|Delete)Vpc(?:PeeringConnection)?$|^ModifyVpcAttribute$|^(?:Accept|Reject)VpcPeeringConnection$|^(?:Attach|Detach)ClassicLinkVpc$|^(?:Disable|Enable)VpcClassicLink$/.test(
      String(event["eventName"]),
    ),
};

/** What an insight answers over a store, with all its rows. */
function answer(store: LogStore, name: string): { readonly table: Table; readonly total: number } {
  const insight = INSIGHTS.find((one) => one.name === name);
  if (!insight) throw new Error(`there is no insight ${name}`);
  const response = searchIndexes(store.searchable([insight.index]), insightBody(insight, { size: 10_000 }), {
    now: 0,
    totalAsInteger: true,
  });
  const found = insightAnswer(insight, response) as Record<string, { buckets?: Record<string, { value: number }>[] }> & {
    hits?: { total: number };
  };
  const buckets = found[name]?.buckets ?? [];
  const metric = Object.keys((insight.body["aggs"] as Record<string, { aggs?: object }> | undefined)?.[name]?.aggs ?? {})[0] ?? "";
  return {
    table: buckets.map((bucket) => [String(bucket["key"]), bucket[metric]?.value ?? Number.NaN] as const),
    total: found.hits?.total ?? 0,
  };
}

const close = (table: Table): unknown => table.map(([key, figure]) => [key, Number(figure.toPrecision(12))]);

async function importText(store: LogStore, name: string, text: string | Uint8Array): Promise<void> {
  const path = join(root, name);
  writeFileSync(path, text);
  await importFile(store, { name: path, path, size: statSync(path).size, stream: false });
}

/** A log of made-up rows with everything that the insights look at. */
function generated(type: "conn" | "dns" | "ssl"): string {
  const pick = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;
  const sources = ["10.0.0.1", "10.0.0.2", "192.168.3.4", "203.0.113.9", "2001:db8::1", "fd00::7"];
  const targets = ["198.51.100.7", "10.0.0.53", "224.0.0.251", "255.255.255.255", "ff02::fb", "192.0.2.1", "0.0.0.0"];
  const line = (i: number): string[] => {
    const id = [
      `${1_700_000_000 + i}.${String(i % 1000).padStart(6, "0")}`,
      `C${i}`,
      pick(sources, i * 7),
      String(i),
      pick(targets, i * 5 + (i >> 3)),
    ];
    if (type === "conn")
      return [
        ...id,
        "443",
        "tcp",
        i % 4 === 0 ? "-" : `${(i * 37) % 1000}.${i % 10}`,
        i % 5 === 0 ? "-" : String(i * 11),
        i % 6 === 0 ? "-" : String(i * 3),
      ];
    if (type === "dns")
      return [
        ...id,
        pick(["53", "5353", "853", "-"], i),
        "udp",
        pick(["www.example.com", "a.b.example.co.uk", "localhost", "7.0.0.10.in-addr.arpa", "x.github.io.", "-", "bücher.example"], i * 3),
        pick(["0", "3", "-", "2"], i),
        pick(["NOERROR", "NXDOMAIN", "-", "SERVFAIL"], i),
        pick(["F", "T", "F"], i),
      ];
    return [
      ...id,
      "443",
      "tcp",
      pick(["a1b2", "c3d4", "-", "e5f6", "(empty)"], i * i),
      pick(["fp1,fp2", "fp3", "-", "(empty)"], i),
      pick(["CN=a", "CN=b", "-"], i),
      pick(["CN=ca", "-"], i >> 1),
      "TLSv12",
    ];
  };
  const head = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto";
  const fields = {
    conn: `${head} duration orig_bytes resp_bytes`,
    dns: `${head} query rcode rcode_name rejected`,
    ssl: `${head} ja3 cert_chain_fps subject issuer version`,
  }[type];
  return `#path\t${type}\n#fields\t${fields.split(" ").join("\t")}\n${Array.from({ length: 500 }, (_zero, i) => `${line(i).join("\t")}\n`).join("")}`;
}

const TYPES = { dns_logs: "dns", conn_logs: "conn", ssl_logs: "ssl" } as const;

async function compare(logs: Readonly<Record<string, string>>): Promise<number> {
  mkdirSync(root, { recursive: true });
  const store = new LogStore(mkdtempSync(join(root, "store-")));
  for (const [type, text] of Object.entries(logs)) await importText(store, `${type}.log`, text);
  let compared = 0;
  for (const { index, name } of INSIGHTS) {
    const type = TYPES[index as keyof typeof TYPES];
    const text = logs[type];
    if (text === undefined) continue;
    const expected = EXPECTED[name]?.(rowsOf(text));
    if (!expected) throw new Error(`${name} has no independent computation`);
    const { table } = answer(store, name);
    // Equal figures of addresses of both kinds are in another order here than byte by byte.
    const settled = (one: Table): unknown => close([...one].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)));
    expect(settled(table), name).toEqual(settled(expected));
    expect(
      table.map(([, figure]) => Number(figure.toPrecision(12))),
      name,
    ).toEqual(expected.map(([, figure]) => Number(figure.toPrecision(12))));
    compared += table.length;
  }
  store.close();
  return compared;
}

describe("the insights agree with a plain computation", () => {
  it("over made-up logs", async () => {
    expect(await compare({ conn: generated("conn"), dns: generated("dns"), ssl: generated("ssl") })).toBeGreaterThan(80);
  });

  it("over made-up CloudTrail events", async () => {
    const store = new LogStore(mkdtempSync(join(root, "store-")));
    const names = [
      "ConsoleLogin",
      "PutRolePolicy",
      "CreatePolicy",
      "StopLogging",
      "PutBucketAcl",
      "CreateVpc",
      "AuthorizeSecurityGroupIngress",
      "CreateNetworkAcl",
      "HeadBucket",
      "GetObject",
      "createpolicy",
    ];
    const services = [
      "iam.amazonaws.com",
      "iot.amazonaws.com",
      "cloudtrail.amazonaws.com",
      "s3.amazonaws.com",
      "ec2.amazonaws.com",
      "signin.amazonaws.com",
    ];
    const codes = [undefined, "AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "Throttling"];
    const events = Array.from({ length: 660 }, (_zero, i) => ({
      eventTime: new Date(1_700_000_000_000 + i * 1000).toISOString(),
      eventName: names[i % names.length],
      eventSource: services[i % services.length],
      errorCode: codes[i % codes.length],
      errorMessage: i % 7 === 0 ? "Failed authentication" : undefined,
      responseElements: i % 4 === 0 ? { ConsoleLogin: i % 8 === 0 ? "Failure" : "Success" } : null,
      sourceIPAddress: i % 9 === 0 ? "delivery.logs.amazonaws.com" : "192.0.2.1",
    }));
    await importText(store, "trail.json", JSON.stringify({ Records: events }));
    for (const [name, test] of Object.entries(TRAIL)) {
      const expected = events.filter((event) => test(event as Record<string, unknown>)).length;
      expect(answer(store, name).total, name).toBe(expected);
      expect(expected, name).toBeGreaterThan(0);
    }
    expect(Object.keys({ ...EXPECTED, ...TRAIL }).sort()).toEqual(INSIGHTS.map(({ name }) => name).sort());
    store.close();
  });

  const data = fileURLToPath(new URL("../../../../../shared/data/", import.meta.url));
  it.skipIf(!existsSync(data))("over real logs (skipped without ../shared/data)", async () => {
    const text = (path: string): string => readFileSync(join(data, path), "latin1");
    expect(await compare({ conn: text("m57/conn.log"), dns: text("m57/dns.log"), ssl: text("m57/ssl.log") })).toBeGreaterThan(500);
    const packed = (path: string): string => gunzipSync(readFileSync(join(data, path))).toString("utf8");
    expect(await compare({ dns: packed("zed/dns.log.gz"), ssl: packed("zed/ssl.log.gz") })).toBeGreaterThan(500);
  });
});

describe("rules of one's own", () => {
  const rules = (name: string, content: string): string => {
    const folder = mkdtempSync(join(root, "rules-"));
    writeFileSync(join(folder, name), content);
    return folder;
  };
  const RULE =
    "index: http_logs\nname: rare_user_agents\ntitle: User agents that are hardly seen\nbody:\n  size: 0\n  aggs:\n    rare_user_agents:\n      terms: { field: user_agent, order: { _count: asc } }\n";

  it("stand in the list beside the others", async () => {
    const registry = await InsightRegistry.load(rules("mine.yaml", RULE));
    expect(registry.list()["http_logs"]).toEqual(["rare_user_agents"]);
    expect(registry.find("http_logs", "rare_user_agents")?.title).toBe("User agents that are hardly seen");
    expect(registry.all).toHaveLength(28);
  });

  it.each([
    ["broken.yaml", "a: [", "broken.yaml: "],
    ["broken.json", "{", "broken.json: "],
    [
      "twice.json",
      JSON.stringify({ index: "dns_logs", name: "top_dns_servers", title: "x", body: {} }),
      "there is an insight top_dns_servers of dns_logs already",
    ],
    ["wrong.yml", RULE.replace("terms", "trems"), "Unknown aggregation type [trems] did you mean [terms]?"],
  ])("are refused with the file's name: %s", async (name, content, reason) => {
    await expect(InsightRegistry.load(rules(name, content))).rejects.toThrow(reason);
  });
});
