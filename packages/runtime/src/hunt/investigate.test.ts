import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type ConnectionFilter, planSearch } from "@heliograph/core";
// The built package: its worker threads are files.
import { findLogs, type InvestigateOptions, type Investigation, investigate } from "@heliograph/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNameLogs } from "../files/name-logs.js";

let folder = "";
const FIELDS = "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state";
const log = (path: string, fields: string, rows: readonly string[]): string =>
  `#separator \\x09\n#set_separator\t,\n#path\t${path}\n#fields\t${fields}\n${rows.map((row) => `${row}\n`).join("")}`;
const beacon = (source: string, destination: string, seconds: number, bytes: number): string[] =>
  Array.from(
    { length: 30 },
    (_, i) => `${1_600_000_000 + i * seconds}.0\t${source}\t${i}\t${destination}\t443\ttcp\t1.5\t${bytes}\t${bytes * 2}\tSF`,
  );

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "investigate-"));
  const rows = [
    ...beacon("10.0.0.1", "192.0.2.1", 600, 400),
    ...beacon("10.0.0.2", "192.0.2.1", 606, 404),
    ...beacon("10.0.0.3", "192.0.2.3", 1000, 90_000),
  ];
  writeFileSync(join(folder, "conn.log"), log("conn", FIELDS, rows));
  writeFileSync(
    join(folder, "dns.00:00:00-01:00:00.log.gz"),
    gzipSync(log("dns", "ts\tid.orig_h\tquery\tanswers", ["1599999999.0\t10.0.0.1\tc2.example\t192.0.2.1", "bad row"])),
  );
  writeFileSync(
    join(folder, "ssl.log"),
    log("ssl", "ts\tid.orig_h\tid.resp_h\tserver_name", ["1600000001.0\t10.0.0.3\t192.0.2.3\tcdn.vendor.test"]),
  );
  writeFileSync(join(folder, "x509.log"), "nothing of ours");
  mkdirSync(join(folder, "below"));
  writeFileSync(join(folder, "below", "http.log"), "elsewhere");
  symlinkSync(join(folder, "below", "http.log"), join(folder, "http.log"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function investigated(options: Partial<InvestigateOptions>): Promise<Investigation> {
  const { files } = await findLogs([join(folder, "conn.log")]);
  return investigate(files, { searches: [planSearch("quick")], ...options });
}
const named = ({ results }: Investigation): string[] =>
  (results[0]?.beacons ?? []).map(({ source, names }) => `${source} ${names.join(",")}`).sort();

describe("findNameLogs", () => {
  it("finds the logs beside, and follows no link", async () => {
    const { files } = await findLogs([folder]);
    expect((await findNameLogs(files)).map(({ name }) => name.slice(folder.length + 1))).toEqual([
      "dns.00:00:00-01:00:00.log.gz",
      "ssl.log",
    ]);
  });
});

describe("investigate", () => {
  it("reads no other logs unless it is asked", async () => {
    const plain = await investigated({});
    expect(named(plain)).toEqual(["10.0.0.1 ", "10.0.0.2 ", "10.0.0.3 "]);
    expect([plain.nameReports, plain.noNameLogs, plain.clustered]).toEqual([[], false, []]);
  });

  it("names destinations, by what others asked too, and reports what it could not read", async () => {
    const result = await investigated({ names: true });
    expect(named(result)).toEqual(["10.0.0.1 c2.example", "10.0.0.2 c2.example", "10.0.0.3 cdn.vendor.test"]);
    expect(result.nameReports.map(({ rows, malformedRows }) => [rows, malformedRows])).toEqual([
      [1, 1],
      [1, 0],
    ]);
  });

  it.each<[ConnectionFilter["names"], string[], number]>([
    [{ exclude: ["vendor.test"] }, ["10.0.0.1 c2.example", "10.0.0.2 c2.example"], 30],
    [{ include: ["*c2*"] }, ["10.0.0.1 c2.example", "10.0.0.2 c2.example"], 30],
    [{ exclude: ["c2.example", "vendor.test"] }, [], 90],
  ])("filters by names %j", async (names, left, removed) => {
    const result = await investigated({ filter: { names: names ?? {} } });
    expect(named(result)).toEqual(left);
    expect(result.removedRows).toEqual({ names: removed });
  });

  it("says that there is no log to take names from", async () => {
    const { files } = await findLogs([join(folder, "conn.log")]);
    mkdirSync(join(folder, "alone"));
    const alone = files.map((file) => ({ ...file, path: join(folder, "alone", "conn.log") }));
    writeFileSync(join(folder, "alone", "conn.log"), log("conn", FIELDS, beacon("10.0.0.1", "192.0.2.1", 600, 1)));
    expect((await investigate(alone, { searches: [planSearch("quick")], names: true })).noNameLogs).toBe(true);
  });

  it("tells what beacons carry and which behave alike", async () => {
    const { results, clustered } = await investigated({ families: true, details: true });
    const families = (results[0]?.beacons ?? []).map(({ source, family, payload }) => [source, family?.id, payload?.bytesUp?.median]);
    expect(families.sort()).toEqual([
      ["10.0.0.1", 1, 400],
      ["10.0.0.2", 1, 404],
      ["10.0.0.3", undefined, 90_000],
    ]);
    expect(clustered).toEqual([3]);
  });

  it("tells which beacons behave alike by their timing alone, from one reading", async () => {
    const { results, noPayload } = await investigated({ families: true });
    const families = (results[0]?.beacons ?? []).map(({ source, family, payload }) => [source, family?.id, payload]);
    expect(families.sort()).toEqual([
      ["10.0.0.1", 1, undefined],
      ["10.0.0.2", 1, undefined],
      ["10.0.0.3", undefined, undefined],
    ]);
    expect(noPayload).toBe(false);
  });

  it("finds the families of many beacons on a thread of its own", async () => {
    const many = Array.from({ length: 80 }, (_, i) => beacon(`10.0.1.${i}`, "192.0.2.1", i % 2 ? 600 : 1000, i % 2 ? 400 : 90_000)).flat();
    mkdirSync(join(folder, "many"));
    writeFileSync(join(folder, "many", "conn.log"), log("conn", FIELDS, many));
    const { files } = await findLogs([join(folder, "many")]);
    const { results } = await investigate(files, { searches: [planSearch("quick")], families: true });
    const sizes = (results[0]?.beacons ?? []).map(({ family }) => family?.size);
    expect(sizes).toEqual(new Array(80).fill(40));
  });
});
