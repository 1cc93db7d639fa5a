import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { planSearch } from "@heliograph/core";
// The built package: its worker threads are files.
import { findLogs, type HuntLogsResult, huntLogs } from "@heliograph/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder = "";
const HEADER =
  "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
const PADDING = "x".repeat(400);

/** Rows of ten beacons and a thousand random groups, in order of time; 500 bytes a row, so that files are split. */
function rows(count: number): string[] {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, (_, i) => {
    const seconds = 1_600_000_000 + i * 3;
    const beacon = i % 100 < 10;
    const source = beacon ? `10.0.0.${i % 100}` : `10.1.${Math.floor(random() * 10)}.${Math.floor(random() * 100)}`;
    return `${seconds}.${String(Math.floor(random() * 1e6)).padStart(6, "0")}\tC${PADDING}${i}\t${source}\t${i % 60_000}\t192.0.2.${beacon ? 1 : 2}\t443\ttcp\n`;
  });
}

const ROWS = 200_000;
let large: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hunt-logs-"));
  large = rows(ROWS);
  const close = "#close\t2020-01-01-00-00-00\n";
  writeFileSync(join(folder, "conn.log"), HEADER + large.join("") + close);
  // Two logs in one file, the second with its columns the other way round.
  const turned = "#fields\tproto\tid.resp_p\tid.resp_h\tid.orig_p\tid.orig_h\tuid\tts\n";
  const second = large.slice(ROWS / 2).map((row) => `${row.trimEnd().split("\t").reverse().join("\t")}\n`);
  writeFileSync(join(folder, "turned.log"), HEADER + large.slice(0, ROWS / 2).join("") + close + turned + second.join(""));
  const broken = large.with(ROWS - 10, "broken\n").with(20, "broken too\n");
  writeFileSync(join(folder, "broken.log"), HEADER + broken.join(""));
  for (let part = 0; part < 4; part++) {
    writeFileSync(
      join(folder, `part-${part}.gz`),
      gzipSync(HEADER + large.slice((part * ROWS) / 4, ((part + 1) * ROWS) / 4).join(""), { level: 1 }),
    );
  }
  writeFileSync(join(folder, "small.log"), HEADER + large.slice(0, 50).join(""));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function hunted(names: readonly string[], threads: number, perFile = false): Promise<HuntLogsResult> {
  const { files, problems } = await findLogs(names.map((name) => join(folder, name)));
  expect(problems).toEqual([]);
  return huntLogs(files, { searches: [planSearch("quick")], threads, perFile });
}

const figures = (result: HuntLogsResult): unknown => ({
  beacons: result.results[0]?.beacons,
  groups: result.groups,
  duplicateRows: result.duplicateRows,
  rows: result.files.flatMap((file) => file.reports).reduce((sum, report) => sum + report.rows, 0),
  first: result.first,
  last: result.last,
});

describe("huntLogs", () => {
  it("finds the same with any number of threads, in one file that is split and in several that are packed", async () => {
    const one = await hunted(["conn.log"], 1);
    const expected = figures(one);
    expect(one.results[0]?.beacons).toHaveLength(10);
    expect(one.files[0]?.reports[0]).toMatchObject({ rows: ROWS, malformedRows: 0, lines: ROWS + 7, format: "tsv" });
    for (const threads of [2, 3]) {
      const result = await hunted(["conn.log"], threads);
      expect(figures(result)).toEqual(expected);
      expect(result.files[0]?.reports).toEqual(one.files[0]?.reports);
    }
    expect(figures(await hunted(["part-0.gz", "part-1.gz", "part-2.gz", "part-3.gz"], 2))).toEqual(expected);
  });

  it("the adaptive search and RITA's find the same with any number of threads, by surroundings that all threads saw", async () => {
    const { files } = await findLogs([join(folder, "conn.log")]);
    const searches = [planSearch("adaptive", { min_score: 10 }), planSearch("rita")];
    const [one, three] = [await huntLogs(files, { searches, threads: 1 }), await huntLogs(files, { searches, threads: 3 })];
    expect(three.results).toEqual(one.results);
    const [adaptive, rita] = one.results;
    expect(rita?.beacons.length).toBeGreaterThan(9);
    const planted = (adaptive?.beacons ?? []).filter(({ destination }) => destination === "192.0.2.1");
    expect(planted).toHaveLength(10);
    for (const { prevalence, surroundings, evidence } of planted) {
      expect([prevalence, surroundings?.internalHosts, surroundings?.groupsTested, surroundings?.capture]).toEqual([
        10,
        1010,
        1010,
        [one.first, one.last],
      ]);
      expect(evidence["summary"]).toMatch(/^calls every 300 s, 2,000 of 2,000 expected calls over 6.9 d, 10 hosts talk to it$/);
    }
  });

  it("reads a file whose header changes in the middle right, although it would be split", async () => {
    const result = await hunted(["turned.log"], 2);
    const { rows: count, malformedRows } = result.files[0]?.reports[0] ?? {};
    expect([count, malformedRows]).toEqual([ROWS, 0]);
    expect(figures(result)).toEqual(figures(await hunted(["conn.log"], 1)));
  });

  it.skipIf(process.platform === "win32")("loses nothing of a pipe beside a file whose header changes in the middle", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writing = writeFile(pipe, HEADER + large.slice(0, 50).join("").replaceAll("192.0.2.", "198.51.100."));
    const result = await hunted(["pipe", "turned.log"], 2);
    await writing;
    expect(result.files.map((file) => file.reports[0]?.rows)).toEqual([50, ROWS]);
  });

  it("counts lines from the start of the file, whichever part a problem is in", async () => {
    for (const threads of [1, 2]) {
      const { problems, malformedRows } = (await hunted(["broken.log"], threads)).files[0]?.reports[0] ?? {};
      expect(malformedRows).toBe(2);
      expect(problems?.map((problem) => problem.line)).toEqual([6 + 21, 6 + ROWS - 9]);
    }
  });

  it("drops what is read twice", async () => {
    const result = await hunted(["conn.log", "part-1.gz"], 2);
    expect(result.duplicateRows).toBe(ROWS / 4);
    expect(result.results[0]?.beacons).toEqual((await hunted(["conn.log"], 1)).results[0]?.beacons);
  });

  it("describes each file by itself and all together", async () => {
    const result = await hunted(["small.log", "part-3.gz"], 2, true);
    const [small, part] = result.files;
    expect(small?.figures).toMatchObject({ duplicateRows: 0, first: result.first });
    expect(part?.figures?.last).toBe(result.last);
    expect(small?.figures?.groups).toBeGreaterThan(10);
    expect(result.groups).toBeGreaterThanOrEqual(Math.max(small?.figures?.groups ?? 0, part?.figures?.groups ?? 0));
    expect(result.hosts).toBeGreaterThan(900);
  });

  it("counts the top talkers over all threads", async () => {
    const { files } = await findLogs([join(folder, "conn.log")]);
    const [one, two] = await Promise.all([1, 2].map((threads) => huntLogs(files, { searches: [], topTalkers: 15, threads })));
    expect(one?.talkers).toHaveLength(15);
    expect(one?.talkers?.[0]).toMatchObject({ destination: "192.0.2.1", port: 443, connectionCount: ROWS / 100 });
    expect(two?.talkers).toEqual(one?.talkers);
  });

  it("tells what flows carry, with any number of threads", async () => {
    const { files } = await findLogs([join(folder, "conn.log"), join(folder, "part-2.gz")]);
    const payloadOf = [
      { source: "10.0.0.3", destination: "192.0.2.1", port: 443, protocol: "tcp" },
      { source: "10.0.0.4", destination: "192.0.2.1", port: 443, protocol: "udp" },
    ];
    for (const threads of [1, 2]) {
      const { payload } = await huntLogs(files, { searches: [], payloadOf, threads });
      // The log has no bytes; its rows without a state are there nevertheless.
      const nothing = { bytesUp: null, bytesDown: null, medianDurationSeconds: null };
      expect(payload).toEqual([
        { ...nothing, connStates: [{ state: "-", share: 1 }] },
        { ...nothing, connStates: [] },
      ]);
    }
  });

  it("ends when it is told to", async () => {
    const { files } = await findLogs([join(folder, "conn.log")]);
    const stop = new AbortController();
    const hunt = huntLogs(files, { searches: [planSearch("quick")], threads: 2, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(hunt).rejects.toThrow("enough");
  });

  it("reports a file that vanished, and reads the others", async () => {
    const { files } = await findLogs([join(folder, "small.log")]);
    const gone = { name: "gone.log", path: join(folder, "gone.log"), size: 100, stream: false };
    const result = await huntLogs([gone, ...files], { searches: [planSearch("quick")] });
    expect(result.files[0]?.reports[0]).toMatchObject({ rows: 0, damaged: "no such file" });
    expect(result.files[1]?.reports[0]?.rows).toBe(50);
  });
});
