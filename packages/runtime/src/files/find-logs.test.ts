import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findLogs } from "./find-logs.js";

let folder = "";
const wanted = [
  "conn.log",
  "conn.00:00:00-01:00:00.log.gz",
  "conn.11:18:57-11:19:00-logger-1.log.gz",
  "conn-24-01-31_10.00.00.log",
  "conn.2024-01-31-10-00-00.log",
  "conn_20240131_10:00:00-11:00:00+0000.log.gz",
  "json_streaming_conn.log",
  "json_streaming_conn.1.log",
  "2024-01-31/conn.log.zst",
  "2024-01-31/deep/er/conn.json",
];
const unwanted = [
  "conn-summary.log",
  "conn-summary.00:00:00-01:00:00.log.gz",
  "open_conn.log",
  ".shadow.conn.log",
  ".hidden/conn.log",
  "dns.log",
  "connections.txt",
  "conn.log.tmp",
  "stats",
  "stderr.log",
];

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "find-logs-")));
  mkdirSync(join(folder, "logs"));
  for (const name of [...wanted, ...unwanted]) {
    const path = join(folder, "logs", name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, name);
  }
  mkdirSync(join(folder, "outside"));
  writeFileSync(join(folder, "outside", "conn.log"), "secret");
  symlinkSync(join(folder, "outside", "conn.log"), join(folder, "logs", "conn.outside.log"));
  symlinkSync(join(folder, "outside"), join(folder, "logs", "linked"));
  symlinkSync("2024-01-31", join(folder, "logs", "current"));
  symlinkSync("conn.log", join(folder, "logs", "conn.again.log"));
  linkSync(join(folder, "logs", "conn.log"), join(folder, "logs", "conn.hard.log"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const named = (files: readonly { path: string }[]): string[] => files.map((file) => relative(join(folder, "logs"), file.path)).sort();

describe("findLogs", () => {
  it("picks the connection logs of a folder by the names Zeek and its tools give them, each real file once", async () => {
    const { files, problems, skipped } = await findLogs([join(folder, "logs")]);
    const once = wanted.map((name) => (name === "conn.log" ? expect.stringMatching(/^conn(\.hard)?\.log$/) : name));
    expect(named(files)).toHaveLength(wanted.length);
    expect(named(files)).toEqual(expect.arrayContaining(once));
    expect(problems).toEqual([]);
    expect(skipped.map(({ name, reason }) => [relative(join(folder, "logs"), name), reason])).toEqual(
      expect.arrayContaining([["conn.outside.log", "a link that leads out of the folder"]]),
    );
    expect(skipped.filter(({ reason }) => reason === "the same file was named before")).toHaveLength(2);
  });

  it("takes a named file whatever its name, once, and a link that is named", async () => {
    const dns = join(folder, "logs", "dns.log");
    const { files, skipped } = await findLogs([dns, join(folder, "logs", "conn.outside.log"), dns]);
    expect(files.map((file) => file.size)).toEqual([7, 6]);
    expect(skipped).toHaveLength(1);
  });

  it("expands patterns", async () => {
    const names = async (pattern: string): Promise<string[]> => named((await findLogs([join(folder, "logs", pattern)])).files);
    expect(await names("d*.log")).toEqual(["dns.log"]);
    expect(await names("conn.0?:*")).toEqual(["conn.00:00:00-01:00:00.log.gz"]);
    expect(await names("**/conn.json")).toEqual(["2024-01-31/deep/er/conn.json"]);
    expect(await names("2024-*/*.zst")).toEqual(["2024-01-31/conn.log.zst"]);
    expect((await findLogs([join(folder, "logs", "no*such")])).problems[0]?.reason).toBe("no file matches");
  });

  it("says what is wrong with an input", async () => {
    const { problems } = await findLogs([
      join(folder, "nothing"),
      join(folder, "logs", "2024-01-31", "deep", "..", "..", ".hidden", ".."),
      join(folder, "empty"),
    ]);
    expect(problems.map(({ reason }) => reason)).toEqual(["no such file or folder", "no such file or folder"]);
    mkdirSync(join(folder, "none"));
    expect((await findLogs([join(folder, "none")])).problems[0]?.reason).toMatch(/holds no connection logs/);
  });

  it("names standard input once", async () => {
    expect((await findLogs(["-", "-"])).files).toEqual([{ name: "-", path: "", size: 0, stream: true }]);
  });
});
