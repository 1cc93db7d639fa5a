import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { planSearch } from "../beacon/search-flows.js";
import type { ConnectionFilter } from "../filter/connection-filter.js";
import { type HuntResult, hunt } from "../hunt.js";
import { bytesOf } from "../testing/rows.js";
import { sharedData } from "../testing/shared-data.js";
import { addressText } from "../zeek/address.js";
import { unpackTexts } from "../zeek/dictionary.js";
import { createEngine } from "../zeek/engine.js";
import { type CollectedNames, collectNames } from "./collect-names.js";
import { hostName } from "./name-collector.js";
import { NameLookup } from "./name-index.js";
import { isNamePattern, nameTest } from "./name-pattern.js";

const log = (path: string, fields: string, rows: readonly string[]): { name: string; data: Uint8Array } => ({
  name: `${path}.log`,
  data: bytesOf(`#separator \\x09\n#set_separator\t,\n#path\t${path}\n#fields\t${fields}\n${rows.map((row) => `${row}\n`).join("")}`),
});
const dns = (...rows: string[]) => log("dns", "ts\tid.orig_h\tid.resp_h\tquery\tanswers", rows);
const ssl = (...rows: string[]) => log("ssl", "ts\tid.orig_h\tid.resp_h\tserver_name", rows);
const http = (...rows: string[]) => log("http", "ts\tid.orig_h\tid.resp_h\thost", rows);

async function lookup(logs: readonly { name: string; data: Uint8Array }[], kind: "wasm" | "typescript" = "wasm"): Promise<NameLookup> {
  return new NameLookup((await collectNames(createEngine({ kind }), logs)).index);
}

describe.each(["wasm", "typescript"] as const)("names from logs read by the %s engine", (kind) => {
  it("put what the source said first, then what it asked for, then what others said and asked for", async () => {
    const names = await lookup(
      [
        dns(
          "1.0\t10.0.0.1\t10.0.0.53\tasked.example\tchain.example,192.0.2.1",
          "2.0\t10.0.0.2\t10.0.0.53\tother-asked.example\t192.0.2.1,2001:db8::1",
          "3.0\t10.0.0.2\t10.0.0.53\tmore.example\t-",
        ),
        ssl("4.0\t10.0.0.1\t192.0.2.1\tSaid.Example", "5.0\t10.0.0.2\t192.0.2.1\tother-said.example", "6.0\t10.0.0.2\t192.0.2.9\t-"),
      ],
      kind,
    );
    expect(names.of("10.0.0.1", "192.0.2.1")).toEqual(["said.example", "asked.example", "other-said.example", "other-asked.example"]);
    expect(names.of("10.9.9.9", "2001:db8::1")).toEqual(["other-asked.example"]);
    expect(names.of("10.0.0.2", "192.0.2.9")).toEqual([]);
    expect(names.of("10.0.0.1", "10.0.0.53")).toEqual([]);
  });

  it("take the more frequent for the likelier, and no answer that came later", async () => {
    const names = await lookup(
      [
        dns(
          "9.0\t10.0.0.1\t10.0.0.53\tlate.example\t192.0.2.1",
          "1.0\t10.0.0.1\t10.0.0.53\tearly.example\t192.0.2.1",
          "9.5\t10.0.0.1\t10.0.0.53\tearly.example\t192.0.2.1",
        ),
        http("2.0\t10.0.0.1\t192.0.2.2\trare.example:8080", ...Array.from({ length: 3 }, () => "3.0\t10.0.0.1\t192.0.2.2\toften.example.")),
      ],
      kind,
    );
    expect(names.of("10.0.0.1", "192.0.2.1", 5_000_000)).toEqual(["early.example"]);
    expect(names.of("10.0.0.1", "192.0.2.1", 9_000_000)).toEqual(["early.example", "late.example"]);
    expect(names.of("10.0.0.1", "192.0.2.2")).toEqual(["often.example", "rare.example"]);
  });

  it("are kept for the destinations asked for alone", async () => {
    const { index } = await collectNames(createEngine({ kind }), [dns("1.0\ta\tb\tx.example\t192.0.2.1,192.0.2.2")], {
      destinations: ["192.0.2.2"],
    });
    expect(index.counts).toHaveLength(1);
    expect(new NameLookup(index).of("a", "192.0.2.2")).toEqual(["x.example"]);
  });
});

describe("hostName", () => {
  it.each([
    ["Example.COM.", "example.com"],
    ["example.com:8080", "example.com"],
    ["192.0.2.1", ""],
    ["192.0.2.1:80", ""],
    ["[2001:db8::1]:443", ""],
    ["2001:db8::1", ""],
    ["", ""],
    ["x".repeat(256), ""],
  ])("%j is %j", (text, name) => {
    expect(hostName(text)).toBe(name);
  });
});

describe("nameTest", () => {
  it.each<[string, string, boolean]>([
    ["example.com", "example.com", true],
    ["example.com", "a.b.EXAMPLE.com", true],
    ["Example.com.", "www.example.com", true],
    ["example.com", "badexample.com", false],
    ["example.com", "example.com.evil.test", false],
    ["*cdn*", "edge.mycdn.example", true],
    ["*.example.com", "example.com", false],
    ["com", "example.com", true],
  ])("%j of %j is %j", (pattern, name, matches) => {
    expect(nameTest([pattern], "names")(name)).toBe(matches);
  });

  it("takes no text that is no name", () => {
    expect(["", "a b", "..", "http://x", "x/y", "a".repeat(300)].map(isNamePattern)).toEqual([false, false, false, false, false, false]);
    expect(() => nameTest(["ok.example", "not a name"], "names")).toThrow('names holds "not a name"');
  });
});

describe("hunt with names", () => {
  const conn = log(
    "conn",
    "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto",
    ["192.0.2.1", "192.0.2.2", "192.0.2.3"].flatMap((destination, d) =>
      Array.from({ length: 20 }, (_, i) => `${1_600_000_000 + i * 600 + d}.5\t10.0.0.1\t${i}\t${destination}\t443\ttcp`),
    ),
  );
  const nameLogs = [
    dns("1600000000.0\t10.0.0.1\t10.0.0.53\twww.allowed.example\t192.0.2.1"),
    ssl("1600000001.0\t10.0.0.1\t192.0.2.2\tupdates.vendor.test"),
  ];
  const hunted = (filter: ConnectionFilter, logs = nameLogs): Promise<HuntResult> =>
    hunt([conn], { searches: [planSearch("quick")], filter, nameLogs: logs });
  const named = ({ results }: HuntResult): [string, readonly string[]][] =>
    (results[0]?.beacons ?? []).map(({ destination, names }) => [destination, names]);

  it("names what was found", async () => {
    const result = await hunted({});
    expect(named(result)).toEqual([
      ["192.0.2.1", ["www.allowed.example"]],
      ["192.0.2.2", ["updates.vendor.test"]],
      ["192.0.2.3", []],
    ]);
    expect(result.nameReports.map(({ rows }) => rows)).toEqual([1, 1]);
  });

  it("goes by no answer that came after the last connection, and counts duplicates as rows left out", async () => {
    const late = [dns("1700000000.0\t10.0.0.1\t10.0.0.53\tlate.example\t192.0.2.1")];
    expect(named(await hunted({ names: { include: ["late.example"] } }, late))).toEqual([]);
    const twice = await hunt([conn, { ...conn, name: "again/conn.log" }], {
      searches: [planSearch("quick")],
      filter: { names: { exclude: ["allowed.example"] } },
      nameLogs,
    });
    expect([twice.removedRows, twice.duplicateRows]).toEqual([{ names: 40 }, 40]);
  });

  it("leaves out and keeps by name, and counts the rows", async () => {
    const without = await hunted({ names: { exclude: ["allowed.example", "*vendor*"] } });
    expect(named(without)).toEqual([["192.0.2.3", []]]);
    expect([without.groups, without.removedRows]).toEqual([1, { names: 40 }]);
    expect(named(await hunted({ names: { include: ["vendor.test"] } }))).toEqual([["192.0.2.2", ["updates.vendor.test"]]]);
    expect(named(await hunted({ names: { include: ["vendor.test"] } }, []))).toEqual([]);
  });
});

const shared = sharedData();

describe.skipIf(shared === undefined)("names in real logs", () => {
  const input = (name: string): { name: string; data: Uint8Array } => ({ name, data: new Uint8Array(readFileSync(`${shared}${name}`)) });

  it("are the same in TSV and JSON, and every row is read", async () => {
    const [tsv, json] = await Promise.all(["zed/dns.log.gz", "zed/dns.json.gz"].map((name) => collectNames(createEngine(), [input(name)])));
    expect(tsv?.reports.map(({ rows, malformedRows }) => [rows, malformedRows])).toEqual([[53_615, 0]]);
    expect(json?.reports.map(({ rows, malformedRows }) => [rows, malformedRows])).toEqual([[53_615, 0]]);
    const texts = ({ index }: CollectedNames): string[] => {
      const names = unpackTexts(index.names);
      const others = unpackTexts(index.addresses);
      const address = (code: number): string => addressText({ text: (place) => others[place] ?? "" }, code);
      return Array.from(index.counts, (count, entry) => {
        const [source = -1, destination = -1, word = 0] = index.entries.subarray(entry * 3, entry * 3 + 3);
        return [address(source), address(destination), names[word >>> 1], count, index.firsts[entry]].join(" ");
      }).sort();
    };
    expect(texts(tsv as CollectedNames)).toEqual(texts(json as CollectedNames));
    expect(texts(tsv as CollectedNames).length).toBeGreaterThan(1000);
  });

  it("come from ssl and http logs too", async () => {
    const { reports, index } = await collectNames(createEngine(), [input("zed/ssl.log.gz"), input("m57/http.log"), input("m57/ssl.log")]);
    expect(reports.map(({ rows, malformedRows, invalidValues }) => [rows, malformedRows, invalidValues])).toEqual([
      [49_474, 0, 0],
      [expect.any(Number), 0, 0],
      [expect.any(Number), 0, 0],
    ]);
    expect(index.counts.length).toBeGreaterThan(0);
  });
});
