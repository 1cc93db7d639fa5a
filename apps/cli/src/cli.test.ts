import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { postgresPrograms, startPostgres } from "@heliograph/runtime/testing";
import { parseString } from "fast-csv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const bin = join(root, "apps/cli/bin/heliograph.js");
const examples = join(root, "examples/logs");
const planted = JSON.parse(readFileSync(join(root, "examples/planted.json"), "utf8")) as {
  rows: number;
  planted: { destination: string; intervalSeconds: number }[];
  benignPeriodic: { destination: string }[];
};
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const programs = postgresPrograms();

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command line. */
function heliograph(args: readonly string[], input?: string | Uint8Array, environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: { ...process.env, ...environment } });
    let out = "";
    let err = "";
    child.stdout.on("data", (data) => {
      out += String(data);
    });
    child.stderr.on("data", (data) => {
      err += String(data);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

interface JsonResult {
  search: string;
  parameters: Record<string, number>;
  beacons: {
    source: string;
    destination: string;
    port: number;
    protocol: string;
    score: number;
    connectionCount: number;
    firstOccurrence: string;
    lastOccurrence: string;
    evidence: Record<string, unknown>;
  }[];
  summary: Record<string, number>;
}
const hunted = async (args: readonly string[], input?: string | Uint8Array): Promise<JsonResult> => {
  const { code, out, err } = await heliograph(["hunt", "quick", "--json", ...args], input);
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out) as JsonResult;
};
const HEADER = "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
const rowsOf = (source: string, count = 30): string =>
  Array.from({ length: count }, (_, i) => `${1_600_000_000 + i * 600}.000000\t${source}\t${i}\t192.0.2.1\t443\ttcp\n`).join("");

describe("heliograph show", () => {
  const LOG = HEADER + rowsOf("10.0.0.1") + rowsOf("10.0.0.2", 5) + rowsOf("127.0.0.1", 12).replaceAll("192.0.2.1", "127.0.0.2");

  it("shows a pair with plots and says why it is a beacon", async () => {
    writeFileSync(join(folder, "pair.log"), LOG);
    const { code, out, err } = await heliograph(["show", "10.0.0.1", "192.0.2.1", "pair.log", "--explain"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(
      "10.0.0.1 -> 192.0.2.1 443/tcp\n  30 connections from 2020-09-13 12:26:40 to 2020-09-13 17:16:40 UTC, active in 6 hours\n",
    );
    expect(out).toContain("intervals: median 10min, mean 10min, median absolute deviation 0ms, coefficient of variation 0.00");
    expect(out).toMatch(/ 10min █{40} 29\n/);
    expect(out).toContain("quick: potential beacon, score 100.0\n    passed: gaps of at least 2 minutes: 29, wanted at least 10\n");
    expect(out).toContain("hierarchical: no potential beacon\n    failed: gaps of at least 20 minutes: 0, wanted at least 10\n");
    expect(out).not.toContain("10.0.0.2");
  });

  it("prints JSON, with the searches asked for and their options", async () => {
    const { out } = await heliograph(["show", "10.0.0.2", "192.0.2.1", "-", "--search", "quick", "--call-back", "4", "--json"], LOG);
    const { flows, omitted } = JSON.parse(out) as { flows: Record<string, unknown>[]; omitted: number };
    expect(omitted).toBe(0);
    expect(flows).toMatchObject([
      {
        source: "10.0.0.2",
        connectionCount: 5,
        evidence: { all: { medianMinutes: 10, hoursActive: 2 } },
        searches: [{ search: "quick", score: 100 }],
      },
    ]);
  });

  it("shows loopback when it is named, and says so when there is nothing", async () => {
    expect((await heliograph(["show", "127.0.0.1", "127.0.0.2", "-"], LOG)).out).toContain("12 connections");
    expect((await heliograph(["show", "10.9.9.9", "192.0.2.1", "-"], LOG)).out).toContain("No connections of these two hosts");
    const wrong = await heliograph(["show", "10.9.9.999", "192.0.2.1", "-"], LOG);
    expect([wrong.code, wrong.out]).toEqual([2, ""]);
    expect(wrong.err).toContain('source holds "10.9.9.999", which is no address');
  });
});

describe("a configuration file", () => {
  it("sets searches and filters; options go before it; config prints what is in force", async () => {
    const log = HEADER + rowsOf("10.0.0.1") + rowsOf("10.0.0.2");
    const config = {
      searches: { quick: { delta: 15, percent: 50 }, detailed: { delta: 3, spans: [[5, 15]] } },
      filter: { source: { exclude: ["10.0.0.2"] } },
    };
    writeFileSync(join(folder, "my.json"), JSON.stringify(config));
    const plain = await hunted(["-", "--config", "my.json"], log);
    expect(plain.parameters).toMatchObject({ delta: 15, percent: 50, call_back: 10 });
    expect(plain.beacons.map(({ source }) => source)).toEqual(["10.0.0.1"]);
    const over = await hunted(["-", "--config", "my.json", "--percent", "60", "--not-source", "10.0.0.1"], log);
    expect(over.parameters).toMatchObject({ delta: 15, percent: 60 });
    expect(over.beacons.map(({ source }) => source)).toEqual(["10.0.0.2"]);
    const spans = await heliograph(["hunt", "detailed", "-", "--json", "--config", "my.json", "--time-spans", "[[8,12]]"], log);
    expect((JSON.parse(spans.out) as JsonResult).parameters).toMatchObject({ delta: 3, time_spans: [[8, 12]] });
    const printed = JSON.parse((await heliograph(["config", "--config", "my.json"])).out) as {
      searches: Record<string, object>;
      filter: object;
    };
    expect(printed.searches["quick"]).toEqual({ delta: 15, call_back: 10, percent: 50, span_avg: 12, variance: 15 });
    expect(printed.filter).toMatchObject({ source: { exclude: ["10.0.0.2"] }, default_filters: true, direction: "any" });
    expect(JSON.parse((await heliograph(["config", "--schema"])).out)).toMatchObject({ title: "Heliograph configuration" });
    writeFileSync(join(folder, "wrong.json"), '{"filter": {"sources": {}}}');
    const wrong = await heliograph(["hunt", "quick", "-", "--config", "wrong.json"], log);
    expect([wrong.code, wrong.out]).toEqual([2, ""]);
    expect(wrong.err).toContain("wrong.json: filter must NOT have additional properties (sources)");
  });
});

describe("what beacons carry", () => {
  const FULL =
    "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state\n";
  const log = Array.from(
    { length: 30 },
    (_, i) =>
      `${1_600_000_000 + i * 600}.0\t10.0.0.1\t${i}\t192.0.2.1\t443\ttcp\t0.5\t${i < 27 ? 404 : 900}\t${1000 + i}\t${i % 3 ? "SF" : "RSTO"}\n`,
  ).join("");

  it("is read when it is asked for, and stands in evidence, page and show", async () => {
    writeFileSync(join(folder, "full.log"), FULL + log);
    const plain = await hunted(["full.log"]);
    expect(plain.beacons[0]?.evidence["payload"]).toBeUndefined();
    const { beacons } = await hunted(["full.log", "--details"]);
    expect(beacons[0]?.evidence["payload"]).toEqual({
      bytesUp: { median: 404, modal: 404, modalShare: 0.9, total: 27 * 404 + 3 * 900 },
      bytesDown: { median: 1014.5, modal: 1000, modalShare: 1 / 30, total: 30_000 + (29 * 30) / 2 },
      medianDurationSeconds: 0.5,
      connStates: [
        { state: "SF", share: 2 / 3 },
        { state: "RSTO", share: 1 / 3 },
      ],
    });
    const refused = await hunted(["full.log", "--details", "--conn-state", "SF", "--variance", "100", "--percent", "40"]);
    expect(refused.beacons[0]?.evidence["payload"]).toMatchObject({ connStates: [{ state: "SF", share: 1 }] });
    const page = await heliograph(["hunt", "quick", "full.log", "--format", "html"]);
    expect(page.out).toContain("median 404 B, 90 % exactly 404 B");
    const shown = await heliograph(["show", "10.0.0.1", "192.0.2.1", "full.log"]);
    expect(shown.out).toContain("  states: SF 67 %, RSTO 33 %\n");
  });

  it("says that a pipe cannot be read twice", async () => {
    const { code, out, err } = await heliograph(["hunt", "quick", "-", "--json", "--details"], FULL + log);
    expect(code).toBe(0);
    expect(err).toContain("note: standard input and pipes can be read once only");
    expect((JSON.parse(out) as JsonResult).beacons).toHaveLength(1);
  });
});

describe("heliograph top", () => {
  it("counts connections for each source, destination and port, protocols together", async () => {
    const udp = rowsOf("10.0.0.1", 7).replaceAll("tcp", "udp").replaceAll(".000000", ".500000");
    const log =
      HEADER +
      rowsOf("10.0.0.1", 9) +
      rowsOf("10.0.0.2", 12) +
      udp +
      rowsOf("10.0.0.3", 2) +
      rowsOf("10.0.0.2", 12) +
      rowsOf("127.0.0.1", 50);
    const { code, out, err } = await heliograph(["top", "-", "-n", "2", "--json"], log);
    expect([code, err]).toEqual([0, ""]);
    const talker = { destination: "192.0.2.1", port: 443 };
    expect(JSON.parse(out)).toEqual({
      talkers: [
        { source: "10.0.0.1", ...talker, connectionCount: 16 },
        { source: "10.0.0.2", ...talker, connectionCount: 12 },
      ],
    });
    expect((await heliograph(["top", "-", "--not-source", "10.0.0.0/31", "--format", "csv"], log)).out).toBe(
      "Source IP,Destination IP,Port,Connection Count\n10.0.0.2,192.0.2.1,443,12\n10.0.0.3,192.0.2.1,443,2\n",
    );
    expect((await heliograph(["top", "-", "-n", "1"], log)).out).toBe(
      "Conns  Source    Destination  Port\n   16  10.0.0.1  192.0.2.1     443\n",
    );
    expect((await heliograph(["top", "-", "-n", "0"], log)).code).toBe(2);
  });
});

describe("heliograph hunt quick", () => {
  it("finds what was planted in the example logs, as JSON", async () => {
    const result = await hunted([examples]);
    const expected = [...planted.planted.filter((beacon) => beacon.intervalSeconds >= 120), ...planted.benignPeriodic].map(
      (beacon) => beacon.destination,
    );
    expect(result.beacons.map((beacon) => beacon.destination).sort()).toEqual(expected.sort());
    expect(result.search).toBe("quick");
    expect(result.parameters).toEqual({ delta: 20, call_back: 10, percent: 85, span_avg: 12, variance: 15 });
    expect(result.summary).toMatchObject({ files: 24, rows: planted.rows, malformedRows: 0, duplicateRows: 0 });
    expect(Object.keys(result.summary)).toEqual(expect.arrayContaining(["groups", "bytes", "seconds"]));
    const [first] = result.beacons;
    expect(Object.keys(first ?? {})).toEqual([
      "source",
      "destination",
      "port",
      "protocol",
      "score",
      "connectionCount",
      "firstOccurrence",
      "lastOccurrence",
      "evidence",
    ]);
    expect(first?.firstOccurrence).toMatch(/^2025-03-12T\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(Object.keys(first?.evidence ?? {})).toEqual(
      expect.arrayContaining(["n", "meanMinutes", "medianMinutes", "jitterPercent", "epsMinutes", "clusterSize", "likelihood"]),
    );
    const { timeline, all, prevalence } = (first?.evidence ?? {}) as {
      timeline: { from: string; counts: number[] };
      all: Record<string, unknown>;
      prevalence: number;
    };
    expect(timeline.from).toBe(first?.firstOccurrence);
    expect(timeline.counts.reduce((sum, count) => sum + count, 0)).toBe(first?.connectionCount);
    expect(Object.keys(all)).toEqual(expect.arrayContaining(["madMinutes", "coefficientOfVariation", "longestGapMinutes", "hoursActive"]));
    expect(prevalence).toBeGreaterThan(0);
  });

  it("runs several searches in one reading, each with the options it has", async () => {
    const options = ["--delta", "1", "--time-spans", "[[0,1],[1,30]]", "--line-amounts", "1,5", "--variance", "15"];
    const { code, out, err } = await heliograph(["hunt", "quick,detailed,hierarchical", "--json", ...options, examples]);
    expect([code, err]).toEqual([0, ""]);
    const { searches, summary } = JSON.parse(out) as { searches: JsonResult[]; summary: Record<string, number> };
    expect(summary["rows"]).toBe(planted.rows);
    expect(searches.map(({ search, parameters }) => [search, parameters])).toEqual([
      ["quick", { delta: 1, call_back: 10, percent: 85, span_avg: 12, variance: 15 }],
      [
        "detailed",
        {
          delta: 1,
          time_spans: [
            [0, 1],
            [1, 30],
          ],
          call_back: 10,
          percent: 85,
          variance: 15,
        },
      ],
      ["hierarchical", { delta: 1, line_amounts: [1, 5], call_back: 10, variance: 15, percent: 85 }],
    ]);
    for (const { search, beacons } of searches) {
      const alone = await heliograph([
        "hunt",
        search,
        "--json",
        "--delta",
        "1",
        "--variance",
        "15",
        examples,
        ...(search === "detailed" ? options.slice(2, 4) : []),
      ]);
      expect(beacons).toEqual((JSON.parse(alone.out) as JsonResult).beacons);
    }
    expect(searches[2]?.beacons.length).toBeGreaterThan(3);
    const csv = await heliograph(["hunt", "detailed,hierarchical", "--format", "csv", examples]);
    expect(csv.out).toMatch(/Last Occurrence,Search\n1,.*,detailed\n/);
  });

  it("looks only at the connections asked for, and says what it left out", async () => {
    const all = await hunted([examples]);
    const one = all.beacons[0]?.destination ?? "";
    const only = await hunted([examples, "--destination", `${one}/32`, "--direction", "outbound"]);
    expect(only.beacons).toEqual(all.beacons.filter((beacon) => beacon.destination === one));
    expect(Object.keys(only.summary["removedRows"] ?? {})).toEqual(
      ["default_filters", "direction", "destination"].filter((rule) => rule in (only.summary["removedRows"] as unknown as object)),
    );
    const without = await hunted([examples, "--not-destination", one, "--not-conn-state", "S0,REJ", "--not-port", "1-122"]);
    expect(without.beacons.map((beacon) => beacon.destination)).not.toContain(one);
    expect(without.beacons.every((beacon) => beacon.port > 122)).toBe(true);
    expect(without.beacons.length).toBeGreaterThan(0);
    const { out } = await heliograph(["hunt", "quick", examples, "--port", "1"]);
    expect(out).toMatch(/^0 potential beacons \(quick\) among 4,943 connections in 0 groups .*; rows not used: .*by ports$/m);
  });

  it("prints a table for people, without colour where nobody sees it", async () => {
    const { code, out, err } = await heliograph(["hunt", "quick", examples]);
    expect([code, err]).toEqual([0, ""]);
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^Score {2}Source .*Intervals$/);
    expect(out).toContain("185.199.220.14");
    expect(out).toMatch(/[▁▂▃▄▅▆▇█]{5}/);
    expect(out).toMatch(/8 potential beacons \(quick\) among 4,943 connections/);
    expect(out).not.toContain("\u001b");
    expect(lines.filter((line) => / $/.test(line))).toEqual([]);
  });

  it("prints CSV with the column names of the API, and NDJSON", async () => {
    const csv = await heliograph(["hunt", "quick", "--format", "csv", examples]);
    const rows = await new Promise<string[][]>((resolve, reject) => {
      const read: string[][] = [];
      parseString<string[], string[]>(csv.out)
        .on("error", reject)
        .on("data", (row: string[]) => read.push(row))
        .on("end", () => resolve(read));
    });
    expect(rows[0]).toEqual([
      "ID",
      "Source IP",
      "Destination IP",
      "Port",
      "Score",
      "DNS",
      "Connection Count",
      "First Occurrence",
      "Last Occurrence",
    ]);
    expect(rows).toHaveLength(9);
    expect(rows[1]?.slice(0, 5)).toEqual(["1", "10.20.1.24", "185.199.220.14", "443", "100"]);
    const ndjson = await heliograph(["hunt", "quick", "--format", "ndjson", examples]);
    expect(
      ndjson.out
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { search: string }).search),
    ).toEqual(new Array(8).fill("quick"));
  });

  it("writes a page that needs nothing else, and Markdown, whatever is in the log", async () => {
    const hostile = (text: string): string => HEADER + rowsOf("10.0.0.1").replaceAll("192.0.2.1", text);
    writeFileSync(join(folder, "hostile.log"), hostile("<img src=x onerror=alert(1)>"));
    const page = await heliograph(["hunt", "quick", "hostile.log", "--format", "html"]);
    expect([page.code, page.err]).toEqual([0, ""]);
    expect(page.out).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(page.out).not.toMatch(/<img|<script|https?:|url\(/);
    expect(page.out).toContain("default-src 'none'");
    expect(page.out.match(/<svg/g)).toHaveLength(2);
    expect(page.out.match(/<rect/g)?.length).toBeGreaterThan(20);
    expect(page.out).toContain("10.0.0.1 → ");
    const markdown = await heliograph(["hunt", "quick,detailed", "-", "--format", "markdown"], hostile("a|b<i>[x](y)"));
    expect(markdown.out).toContain("## 1 potential beacon (quick)");
    expect(markdown.out).toContain("## 0 potential beacons (detailed)");
    expect(markdown.out).toContain("| 100.0 | 10.0.0.1 | a\\|b\\<i\\>\\[x\\]\\(y\\) | UNKNOWN | 443/tcp | 30 |");
  });

  it("shows both sleeps of a beacon with two", async () => {
    let seconds = 1_600_000_000;
    const log = Array.from({ length: 120 }, (_, i) => {
      seconds += i % 10 === 9 ? 600 : 60;
      return `${seconds}.000000\t10.0.0.1\t${i}\t192.0.2.1\t443\ttcp\n`;
    }).join("");
    const { beacons } = await hunted(["-", "--delta", "4", "--percent", "80", "--variance", "100000"], HEADER + log);
    expect(beacons[0]?.evidence["modes"]).toEqual([
      { medianMinutes: 1, share: 107 / 119, jitterPercent: 0 },
      { medianMinutes: 10, share: 12 / 119, jitterPercent: 0 },
    ]);
  });

  it("takes every parameter, both names of the bounds, and an output file", async () => {
    const fast = await hunted(["--delta", "2", "--call-back", "20", "--percent", "50", "--span-avg", "10", "--variance", "100", examples]);
    expect(fast.parameters).toEqual({ delta: 2, call_back: 20, percent: 50, span_avg: 10, variance: 100 });
    expect(fast.beacons.map((beacon) => beacon.destination)).toEqual(["193.142.146.35"]);
    for (const [start, end] of [
      ["--start", "--end"],
      ["--start-dte", "--end-dte"],
    ] as const) {
      const part = await hunted([start, "2025-03-12T06:00:00Z", end, "2025-03-12 12:00", examples]);
      expect(part.beacons[0]?.firstOccurrence.slice(0, 13)).toBe("2025-03-12T06");
      expect(part.summary["rowsOutside"]).toBeGreaterThan(1000);
    }
    const file = join(folder, "out.json");
    const { out } = await heliograph(["hunt", "quick", "--json", "--output", file, examples]);
    expect(out).toBe("");
    expect((JSON.parse(readFileSync(file, "utf8")) as JsonResult).beacons).toHaveLength(8);
  });

  it("reads standard input, plain, packed and as one of several", async () => {
    const plain = HEADER + rowsOf("10.0.0.1");
    writeFileSync(join(folder, "other.log"), HEADER + rowsOf("10.0.0.2"));
    expect((await hunted(["-"], plain)).beacons.map((beacon) => beacon.source)).toEqual(["10.0.0.1"]);
    expect((await hunted(["-", "other.log"], plain)).beacons.map((beacon) => beacon.source)).toEqual(["10.0.0.1", "10.0.0.2"]);
    const packed = readdirSync(examples)
      .sort()
      .map((name) => readFileSync(join(examples, name)));
    expect((await hunted(["-"], Buffer.concat(packed.slice(0, 12)))).beacons.length).toBeGreaterThan(3);
  });

  it.skipIf(process.platform === "win32")("reads a pipe that is named, as process substitution gives it", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writing = writeFile(pipe, HEADER + rowsOf("10.0.0.3"));
    expect((await hunted([pipe])).beacons.map((beacon) => beacon.source)).toEqual(["10.0.0.3"]);
    await writing;
  });

  it("never lets a log write to the terminal or into a spreadsheet", async () => {
    const hostile = (text: string): string =>
      `{"ts":1600000000,"id.orig_h":"${text}","id.resp_h":"192.0.2.1","id.resp_p":443,"proto":"tcp"}\n`;
    const log = ["\\u001b[31mred", "=cmd|'/c calc'!A0", "\\u202eevil"]
      .map((text) => Array.from({ length: 20 }, (_, i) => hostile(text).replace("1600000000", String(1_600_000_000 + i * 600))).join(""))
      .join("");
    const table = await heliograph(["hunt", "quick", "-"], log);
    expect(table.out).toContain("\\u{1b}[31mred");
    expect(table.out).toContain("\\u{202e}evil");
    expect(table.out).not.toMatch(/[\u001b\u202e]/);
    const csv = await heliograph(["hunt", "quick", "--format", "csv", "-"], log);
    expect(csv.out).toContain("\"'=cmd|");
    expect(csv.out).not.toMatch(/[\u001b\u202e]/);
  });

  it("exits 0 with malformed rows and truncated files, and says so", async () => {
    writeFileSync(join(folder, "some.log"), `${HEADER}${rowsOf("10.0.0.1")}broken\n`);
    const packed = readFileSync(join(examples, readdirSync(examples)[0] ?? ""));
    writeFileSync(join(folder, "cut.log.gz"), packed.subarray(0, packed.length - 200));
    const { code, out, err } = await heliograph(["hunt", "quick", "--json", "some.log", "cut.log.gz"]);
    expect(code).toBe(0);
    expect((JSON.parse(out) as JsonResult).summary).toMatchObject({ malformedRows: expect.any(Number), truncatedFiles: 1 });
    expect(err).toContain("some.log: 1 malformed rows left out\n  line 33: 1 columns where the header has 6");
    expect(err).toContain("cut.log.gz: ends in the middle of its compressed data");
  });

  it("exits 1 when a named input gives nothing readable, after reporting the rest", async () => {
    writeFileSync(join(folder, "good.log"), HEADER + rowsOf("10.0.0.1"));
    writeFileSync(join(folder, "text.log"), "Lorem ipsum\n");
    writeFileSync(join(folder, "dns.log"), "#path\tdns\n#fields\tts\tquery\n1.5\tx\n");
    for (const [input, reason] of [
      ["missing.log", "no such file or folder"],
      ["text.log", "has no readable row"],
      ["dns.log", "is a log of type dns, not conn"],
    ] as const) {
      const { code, out, err } = await heliograph(["hunt", "quick", "--json", input, "good.log"]);
      expect([input, code]).toEqual([input, 1]);
      expect(err).toContain(`heliograph: ${input}: ${reason}`);
      expect((JSON.parse(out) as JsonResult).beacons).toHaveLength(1);
    }
  });

  it.each([
    [["hunt", "quick"], "missing required argument"],
    [["hunt", "slow", "x"], 'search "slow" is unknown; there are adaptive, quick, detailed, hierarchical, rita'],
    [["hunt", "adaptive", "x", "--weights", "rythm=1"], "weights has rhythm, regularity"],
    [["hunt", "quick", "x", "--weights", "rhythm=1"], "--weights is no option of the quick search"],
    [["hunt", "quick", "x", "--source", "10.0.0.0/99"], 'source holds "10.0.0.0/99", which is no address, no network'],
    [["hunt", "quick", "x", "--direction", "up"], "direction must be one of outbound, inbound, internal, any"],
    [["hunt", "quick", "x", "--not-port", "99999"], "ports must hold ports from 0 to 65535"],
    [["hunt", "quick", "x", "--line-amounts", "1"], "--line-amounts is no option of the quick search"],
    [["hunt", "detailed", "x", "--spans", "[[0,5]]", "--time-spans", "[[0,5]]"], "time_spans is given twice"],
    [["hunt", "detailed", "x", "--time-spans", "[[5,0]]"], "time_spans must hold spans [low, high] with 0 <= low < high, got [5,0]"],
    [["hunt", "quick", "x", "--percent", "101"], "percent must be between 0 and 100, got 101"],
    [["hunt", "quick", "x", "--delta", "abc"], 'delta must be a number, got "abc"'],
    [["hunt", "quick", "x", "--start", "soon"], "start_dte is not a time"],
    [["hunt", "quick", "x", "--format", "xml"], "--format xml is unknown"],
    [["hunt", "quick", "x", "--threads", "0"], "--threads must be a whole number"],
    [["hunt", "quick", "x", "--nope"], "unknown option"],
    [["dance"], "unknown command"],
  ])("%j exits 2: %s", async (args, message) => {
    const { code, out, err } = await heliograph(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  it("is quiet when the reader of its output leaves", async () => {
    // A result larger than a pipe holds, and a reader that takes its first line.
    const log = HEADER + Array.from({ length: 400 }, (_, i) => rowsOf(`10.0.${i >> 8}.${i & 255}`, 12)).join("");
    writeFileSync(join(folder, "many.log"), log);
    const child = spawn(process.execPath, [bin, "hunt", "quick", "--json", "many.log"], { cwd: folder });
    let err = "";
    child.stderr.on("data", (data) => {
      err += String(data);
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, err]).toEqual([0, ""]);
  });

  it.skipIf(process.platform === "win32")("ends cleanly on Ctrl-C", async () => {
    const child = spawn(process.execPath, [bin, "hunt", "quick", "-"], { cwd: folder });
    let err = "";
    child.stderr.on("data", (data) => {
      err += String(data);
    });
    child.stdin.on("error", () => undefined);
    child.stdin.write(HEADER);
    const writing = setInterval(() => child.stdin.write(rowsOf("10.0.0.1")), 10);
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.kill("SIGINT");
    const code = await new Promise((resolve) => child.on("close", resolve));
    clearInterval(writing);
    expect([code, err]).toEqual([130, "interrupted\n"]);
  });
});

describe("heliograph summary", () => {
  it("describes each file and all together", async () => {
    const { code, out } = await heliograph(["summary", "--json", examples]);
    const { files, all } = JSON.parse(out) as { files: Record<string, unknown>[]; all: Record<string, unknown> };
    expect(code).toBe(0);
    expect(files).toHaveLength(24);
    expect(all).toMatchObject({ rows: planted.rows, malformedRows: 0, duplicateRows: 0 });
    expect(files.reduce((sum, file) => sum + Number(file["rows"]), 0)).toBe(planted.rows);
    expect(all["first"]).toBe(files[0]?.["first"]);
    expect(String(files[3]?.["first"])).toMatch(/^2025-03-12T03:/);
    const table = await heliograph(["summary", examples]);
    expect(table.out.trimEnd().split("\n")).toHaveLength(26);
    const csv = await heliograph(["summary", "--format", "csv", examples]);
    expect(csv.out.split("\n")[0]).toBe("file,bytes,rows,malformedRows,duplicateRows,first,last,groups,hosts");
  });
});

describe("the command", () => {
  it("prints its version and help", async () => {
    const version = await heliograph(["--version"]);
    expect([version.code, version.out]).toEqual([0, "0.1.0\n"]);
    const help = await heliograph(["hunt", "--help"]);
    expect(help.code).toBe(0);
    for (const flag of [
      "--delta",
      "--call-back",
      "--percent",
      "--span-avg",
      "--variance",
      "--start",
      "--end",
      "--threads",
      "--verbose",
      "--format",
      "--json",
      "--output",
    ]) {
      expect(help.out).toContain(flag);
    }
  });

  it("is an executable file that says so when it is not built", () => {
    expect(statSync(bin).mode & 0o111).not.toBe(0);
    expect(execFileSync("git", ["ls-files", "-s", bin], { cwd: root, encoding: "utf8" })).toMatch(/^100755 /);
  });
});

describe("JSON in pieces", () => {
  it.each([["quick"], ["quick,hierarchical"], ["hierarchical"]])("is laid out as the whole would be: %s", async (searches) => {
    for (const parameters of [[], ["--percent", "100", "--call-back", "100000"]]) {
      const { out } = await heliograph(["hunt", searches, "--json", ...parameters, examples]);
      expect(out).toBe(`${JSON.stringify(JSON.parse(out), undefined, 2)}\n`);
    }
  });
});

describe("names, allow lists and families", () => {
  const CONN = "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\n";
  const rows = (source: string, destination: string): string =>
    Array.from({ length: 30 }, (_, i) => `${1_600_000_000 + i * 600}.0\t${source}\t${i}\t${destination}\t443\ttcp\t400\t900\n`).join("");
  let office = "";

  beforeAll(() => {
    office = mkdtempSync(join(tmpdir(), "office-"));
    writeFileSync(
      join(office, "conn.log"),
      CONN + rows("10.0.0.1", "192.0.2.1") + rows("10.0.0.2", "192.0.2.2") + rows("10.0.0.3", "192.0.2.3"),
    );
    writeFileSync(
      join(office, "dns.log"),
      "#path\tdns\n#fields\tts\tid.orig_h\tquery\tanswers\n1599999999.0\t10.0.0.1\tc2.example\t192.0.2.1\n",
    );
    writeFileSync(
      join(office, "ssl.log"),
      "#path\tssl\n#fields\tts\tid.orig_h\tid.resp_h\tserver_name\n1600000001.0\t10.0.0.2\t192.0.2.2\tup.vendor.test\n",
    );
  });
  afterAll(() => rmSync(office, { recursive: true }));

  it("names destinations in every format, and UNKNOWN the one without a name", async () => {
    const table = await heliograph(["hunt", "quick", "--names", office]);
    expect([table.code, table.err]).toEqual([0, ""]);
    expect(table.out).toMatch(/Score +Source +Destination +Name +Port/);
    expect(table.out).toMatch(/10\.0\.0\.1 +192\.0\.2\.1 +c2\.example +443\/tcp/);
    expect(table.out).toMatch(/10\.0\.0\.3 +192\.0\.2\.3 +UNKNOWN +443\/tcp/);
    const { beacons } = await hunted(["--names", office]);
    expect(beacons.map(({ evidence }) => evidence["names"])).toEqual([["c2.example"], ["up.vendor.test"], []]);
    const csv = await heliograph(["hunt", "quick", "--names", "--format", "csv", office]);
    expect(csv.out.split("\n")[1]).toContain(",443,100,c2.example,30,");
    const page = await heliograph(["hunt", "quick", "--format", "html", office]);
    expect(page.out).toContain("<td>up.vendor.test</td>");
    expect((await heliograph(["show", "10.0.0.1", "192.0.2.1", office])).out).toContain("  names: c2.example\n");
  });

  it("the adaptive search goes by names, says what it thinks in every format, and lists all when asked", async () => {
    const updates = mkdtempSync(join(tmpdir(), "updates-"));
    const calls = (source: string, destination: string, port: number, protocol: string): string =>
      Array.from({ length: 100 }, (_, i) => `${1_600_000_000 + i * 600}.25\t${source}\t${i}\t${destination}\t${port}\t${protocol}\n`).join(
        "",
      );
    writeFileSync(
      join(updates, "conn.log"),
      HEADER +
        calls("10.0.0.1", "192.0.2.1", 443, "tcp") +
        calls("10.0.0.2", "192.0.2.2", 443, "tcp") +
        calls("10.0.0.3", "192.0.2.3", 123, "udp"),
    );
    writeFileSync(
      join(updates, "dns.log"),
      "#path\tdns\n#fields\tts\tid.orig_h\tquery\tanswers\n1599999999.0\t10.0.0.2\tfe2.update.microsoft.com\t192.0.2.2\n",
    );
    try {
      const { code, out, err } = await heliograph(["hunt", updates]);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toMatch(/Score +Source +Destination +Port +Conns +Hosts +What it does\n/);
      expect(out).toMatch(
        /100\.0 +10\.0\.0\.1 +192\.0\.2\.1 +443\/tcp +100 +1 +calls every 10 min, 100 of 100 expected calls over 16\.5 h, only host to talk to it\n/,
      );
      expect(out).not.toContain("192.0.2.2");
      expect(out).toContain("2 more score below 50 and are likely harmless (1 software updates, 1 time (NTP)); --all lists them");
      expect(out).toContain("3 potential beacons (adaptive) among");
      expect(out).toContain("The logs cover 16.5h: a beacon that calls less often than every 3.3h could not be seen\n");
      const all = await heliograph(["hunt", "--all", updates]);
      expect(all.out).toMatch(/192\.0\.2\.2 +fe2\.update\.microsoft\.com .+ software updates: calls every 10 min/);
      expect(all.out).not.toContain("--all lists them");
      const json = JSON.parse((await heliograph(["hunt", "adaptive", "--json", updates])).out) as JsonResult;
      expect(json.beacons.map(({ evidence: { severity, labels, names } }) => ({ severity, labels, names }))).toEqual([
        { severity: "critical", labels: [], names: [] },
        { severity: "low", labels: ["software updates"], names: ["fe2.update.microsoft.com"] },
        { severity: "low", labels: ["time (NTP)"], names: [] },
      ]);
      const services = JSON.stringify([{ label: "ours", names: ["update.microsoft.com"] }, { label: "software updates" }]);
      const own = JSON.parse((await heliograph(["hunt", "--json", "--services", services, updates])).out) as JsonResult;
      expect(own.beacons[1]?.evidence["labels"]).toEqual(["ours"]);
      for (const format of ["html", "markdown"]) {
        const text = (await heliograph(["hunt", "--format", format, updates])).out.replaceAll("\\", "");
        expect(text).toContain("calls every 10 min, 100 of 100 expected calls over 16.5 h, only host to talk to it");
        expect(text).toContain("software updates: calls every 10 min");
      }
      const csv = (await heliograph(["hunt", "--format", "csv", updates])).out.split("\n");
      expect(csv).toHaveLength(5);
      const both = JSON.parse((await heliograph(["hunt", "quick,rita", "--json", updates])).out) as { searches: JsonResult[] };
      expect(both.searches.map(({ search, beacons }) => [search, beacons.length])).toEqual([
        ["quick", 3],
        ["rita", 3],
      ]);
    } finally {
      rmSync(updates, { recursive: true });
    }
  });

  it("leaves out by name and by allow list, on the command line and in the configuration", async () => {
    const sources = ({ beacons }: JsonResult): string[] => beacons.map(({ source }) => source);
    const byName = await hunted(["--not-name", "vendor.test", office]);
    expect(sources(byName)).toEqual(["10.0.0.1", "10.0.0.3"]);
    expect(byName.summary["removedRows"]).toEqual({ names: 30 });
    expect(sources(await hunted(["--name", "*c2*", office]))).toEqual(["10.0.0.1"]);
    writeFileSync(join(office, "allowed.txt"), "vendor.test # updates\n192.0.2.3\n");
    expect(sources(await hunted(["--allow-list", join(office, "allowed.txt"), office]))).toEqual(["10.0.0.1"]);
    writeFileSync(join(office, "config.json"), JSON.stringify({ allow_lists: ["allowed.txt"], names: true }));
    const configured = await hunted(["--config", join(office, "config.json"), office]);
    expect(configured.beacons.map(({ source, evidence }) => [source, evidence["names"]])).toEqual([["10.0.0.1", ["c2.example"]]]);
    writeFileSync(join(office, "broken.txt"), "192.0.2.1\nnot a host\n");
    const broken = await heliograph(["hunt", "quick", "--allow-list", join(office, "broken.txt"), office]);
    expect([broken.code, broken.out]).toEqual([2, ""]);
    expect(broken.err).toContain('broken.txt: line 2: "not a host" is no address');
  });

  it("says when no log has names, and tells families", async () => {
    const alone = await heliograph(["hunt", "quick", "--names", "--families", "--json", "-"], CONN + rows("10.0.0.1", "192.0.2.1"));
    expect(alone.code).toBe(0);
    expect(alone.err).toContain("note: no dns, ssl or http logs lie beside the connection logs");
    expect(alone.err).toContain("note: standard input and pipes can be read once only");
    const { beacons, summary } = await hunted(["--families", office]);
    expect(beacons.map(({ evidence }) => evidence["family"])).toEqual(new Array(3).fill({ id: 1, size: 3, height: 0, assigned: false }));
    expect(summary["clusteredBeacons"]).toEqual([3]);
    expect((await heliograph(["hunt", "quick", "--families", office])).out).toMatch(/Hosts +Family +Every/);
  });
});

describe("runs, filter, keys and serve", () => {
  let data = "";
  const own = (...args: string[]): Promise<Ran> => heliograph(args, undefined, { HELIOGRAPH_DATA_DIR: data });
  const saved = async (): Promise<{ id: string; search: string; beaconCount: number }[]> => {
    const { out } = await own("runs", "list", "--json");
    return JSON.parse(out) as { id: string; search: string; beaconCount: number }[];
  };

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), "data-"));
    expect((await own("runs", "list")).out).toContain("There are no runs");
    const hunt = await own("hunt", "quick,hierarchical", "--save", examples);
    expect([hunt.code, hunt.err]).toEqual([0, expect.stringMatching(/^saved as run \S+\nsaved as run \S+\n$/)]);
  });
  afterAll(() => rmSync(data, { recursive: true }));

  it("keep what was found, a run for each search", async () => {
    const runs = await saved();
    expect(runs.map(({ search }) => search).sort()).toEqual(["hierarchical", "quick"]);
    const quick = runs.find(({ search }) => search === "quick");
    expect(quick?.beaconCount).toBe(8);
    const shown = await own("runs", "show", quick?.id.slice(0, 8) ?? "");
    expect(shown.out).toMatch(/10\.20\.1\.24 +185\.199\.220\.14 +UNKNOWN +443\/tcp +287/);
    const csv = await own("runs", "export", quick?.id ?? "");
    expect(csv.out.split("\n")).toHaveLength(10);
    expect(csv.out).toMatch(
      /^ID,Source IP,Destination IP,Port,Score,DNS,Connection Count,First Occurrence,Last Occurrence\n1,10\.20\.1\.24,/,
    );
    const ndjson = await own("runs", "export", quick?.id ?? "", "--format", "ndjson");
    expect(JSON.parse(ndjson.out.split("\n")[0] ?? "")).toMatchObject({ n: 1, evidence: { n: 286, clusterSize: 286 } });
    const whole = await own("runs", "export", quick?.id ?? "", "--json");
    expect(JSON.parse(whole.out)).toEqual(
      ndjson.out
        .trimEnd()
        .split("\n")
        .map((one) => JSON.parse(one) as object),
    );
    expect(whole.out).toBe(`${JSON.stringify(JSON.parse(whole.out), undefined, 2)}\n`);
    await own("runs", "export", quick?.id ?? "", "--format", "ndjson", "--output", join(folder, "run.ndjson"));
    expect(readFileSync(join(folder, "run.ndjson"), "utf8")).toBe(ndjson.out);
    expect(await own("runs", "show", "nothing")).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("there is no run nothing"),
    });
  });

  it("leave filtered hosts out, and delete runs", async () => {
    const quick = (await saved()).find(({ search }) => search === "quick")?.id ?? "";
    expect((await own("filter", "add", "185.199.220.14", "--description", "ours")).code).toBe(0);
    expect((await own("filter", "list")).out).toMatch(/185\.199\.220\.14 +UNKNOWN +\S+ \S+ +ours/);
    expect((await own("runs", "export", quick)).out).not.toContain("185.199.220.14");
    expect((await own("filter", "remove", "185.199.220.14")).code).toBe(0);
    expect((await own("filter", "remove", "185.199.220.14")).code).toBe(2);
    expect((await own("filter", "add", "10.0.0.0/8")).err).toContain("is no address");
    expect((await own("runs", "export", quick)).out).toContain("185.199.220.14");
    expect((await own("runs", "delete", quick)).out).toBe(`${quick} was deleted\n`);
    expect(await saved()).toHaveLength(1);
  });

  it("serve what is saved, with a key once there is one, until told to stop", async () => {
    const child = spawn(
      process.execPath,
      [bin, "serve", "--port", "0", "--root", `examples=${examples}`, "--log-level", "off", "--data-dir", data],
      { cwd: folder },
    );
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const line = await new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(String(text))));
    const url = /http:\S+?(?=,)/.exec(line)?.[0] ?? "";
    const groups = (await (await fetch(`${url}/api/results/beacon_groups`)).json()) as object[];
    expect(groups).toHaveLength((await saved()).length);
    const search = await fetch(`${url}/api/searches/quick_cluster`, { method: "POST", body: JSON.stringify({ log_dir: "/examples" }) });
    expect(await search.json()).toMatchObject({ cnt: 8 });
    const { key, name } = JSON.parse((await own("keys", "create", "me", "--json")).out) as { key: string; name: string };
    expect([key, name]).toEqual([expect.stringMatching(/^hg_[\w-]{43}$/), "me"]);
    const status = async (headers: Record<string, string>): Promise<number> => {
      const answer = await fetch(`${url}/api/runs`, { headers });
      await answer.text();
      return answer.status;
    };
    expect([await status({}), await status({ "x-api-key": key })]).toEqual([401, 200]);
    expect((await own("keys", "list")).out).toMatch(/me +\S+ \S+ +1,000 +1 +all +valid/);
    expect((await own("keys", "revoke", "me")).out).toBe("1 key was revoked\n");
    expect(await status({ "x-api-key": key })).toBe(401);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it.skipIf(programs === undefined)("serve and leave the searches to workers, until both are told to stop", async () => {
    const postgres = await startPostgres(programs ?? "");
    try {
      const database = await postgres.database();
      const common = ["--database", database, "--root", `examples=${examples}`, "--log-level", "off"];
      const launch = async (...args: string[]) => {
        const child = spawn(process.execPath, [bin, ...args, ...common], { cwd: folder });
        const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
        const line = await new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(String(text))));
        return { child, ended, url: /http:[^\s,]+/.exec(line)?.[0] ?? "" };
      };
      const server = await launch("serve", "--no-execute", "--port", "0");
      const worker = await launch("worker", "--port", "0", "--concurrency", "2");
      const search = await fetch(`${server.url}/api/searches/adaptive`, { method: "POST", body: JSON.stringify({ log_dir: "/examples" }) });
      const { beacon_group, cnt } = (await search.json()) as { beacon_group: string; cnt: number };
      expect(cnt).toBe(9);
      const results = (await (await fetch(`${server.url}/api/results/beacon_results?beacon_group=${beacon_group}`)).json()) as object[];
      expect(results).toHaveLength(9);
      expect(await (await fetch(`${worker.url}/healthz`)).json()).toEqual({ status: "ok" });
      for (const { child, ended } of [worker, server]) {
        child.kill("SIGTERM");
        expect(await ended).toBe(0);
      }
    } finally {
      await postgres.stop();
    }
  });

  it("keep clusters as data sources, their credentials from standard input", async () => {
    const source = (args: readonly string[], input?: string): Promise<Ran> => heliograph(["source", ...args, "--data-dir", data], input);
    const add = ["add", "siem", "--kind", "opensearch", "--url", "http://127.0.0.1:1", "--index", "zeek-*", "--username", "me"];
    expect(await source(add, "")).toMatchObject({ code: 2, err: expect.stringContaining("the password is missing") });
    expect(await source(add, "secret-word\n")).toMatchObject({ code: 0, out: "saved as data source siem\n" });
    expect(await source(add, "secret-word\n")).toMatchObject({ code: 2, err: expect.stringContaining("already") });
    expect((await source(["list"])).out).toMatch(/siem +opensearch +http:\/\/127\.0\.0\.1:1 zeek-\*/);
    const json = (await source(["list", "--json"])).out;
    expect(JSON.parse(json)).toMatchObject([{ name: "siem", indexes: { conn_logs: "zeek-*" } }]);
    expect(json).not.toContain("secret-word");
    expect(await source(["test", "siem"])).toMatchObject({ code: 2, err: expect.stringContaining("siem: 127.0.0.1:1 does not answer") });
    expect(await source(["add", "x", "--kind", "mysql", "--url", "http://h", "--index", "i"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("kind must be one of elasticsearch, opensearch, security-onion"),
    });
    expect((await source(["add", "files", "--path", "/examples"])).code).toBe(0);
    expect((await source(["remove", "siem"])).code).toBe(0);
    expect((await source(["remove", "siem"])).code).toBe(2);
    expect((await own("worker")).err).toContain("workers need runs in PostgreSQL");
  });

  it("say what is wrong with how they are called", async () => {
    expect(await own("serve", "--root", "examples")).toMatchObject({ code: 2, err: expect.stringContaining("--root must be NAME=PATH") });
    expect(await own("serve", "--root", "x=/no/such/folder")).toMatchObject({ code: 2, err: expect.stringContaining("no such folder") });
    expect(await own("serve", "--port", "70000")).toMatchObject({ code: 2, err: expect.stringContaining("--port must be") });
    const fresh = mkdtempSync(join(tmpdir(), "data-"));
    const open = await heliograph(["serve", "--host", "0.0.0.0", "--port", "0", "--data-dir", fresh]);
    expect([open.code, open.err]).toEqual([2, expect.stringContaining("heliograph keys create")]);
    rmSync(fresh, { recursive: true });
    expect(await heliograph(["runs", "list", "--data-dir", "/dev/null/x"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("/dev/null/x"),
    });
  });
});

const shared = process.env["HELIOGRAPH_SHARED"] ?? join(root, "../shared/data");
const present = (() => {
  try {
    return statSync(shared).isDirectory();
  } catch {
    console.warn("skipped: the real logs are not beside the repository (../shared/data)");
    return false;
  }
})();

describe.skipIf(!present)("known answers on real logs", () => {
  const ANSWER = ["8.8.8.1 7.7.7.1 80 100 289", "8.8.8.1 2.17.188.84 80 98.591549 72"];
  const shown = ({ beacons }: JsonResult): string[] =>
    beacons.map((b) => `${b.source} ${b.destination} ${b.port} ${Number(b.score.toFixed(6))} ${b.connectionCount}`);
  const tutorial = join(shared, "tutorial");

  it.each([
    ["quick --delta 1", []],
    ["detailed", ["8.8.8.1 2.17.188.84 80 100 72"]],
    ["detailed --delta 1", ANSWER],
    ["hierarchical", ["8.8.8.1 2.17.188.84 80 100 72"]],
    ["hierarchical --delta 1", ANSWER.slice(1)],
    ["hierarchical --delta 1 --variance 40", ANSWER],
  ])("the tutorial with %s", async (search, answer) => {
    const { out } = await heliograph(["hunt", ...search.split(" "), "--json", tutorial]);
    expect(shown(JSON.parse(out) as JsonResult)).toEqual(answer);
  });

  it("the tutorial and the office day with the adaptive search, without an option", async () => {
    const { beacons } = JSON.parse((await heliograph(["hunt", "--json", tutorial])).out) as JsonResult;
    expect(beacons.map(({ destination, evidence }) => [destination, evidence["severity"], evidence["labels"]])).toEqual([
      ["2.17.188.84", "critical", []],
      ["7.7.7.1", "critical", []],
    ]);
    expect(beacons[1]?.evidence["summary"]).toMatch(
      /^calls every 300 s ± 3\d%, 289 of 289 expected calls over 23\.9 h, 404 bytes up each time$/,
    );
    const office = JSON.parse((await heliograph(["hunt", "--json", join(shared, "m57/conn.log")])).out) as JsonResult;
    const labels = office.beacons.flatMap(({ evidence }) => evidence["labels"] as string[]);
    expect(labels).toEqual(expect.arrayContaining(["DHCP", "never answered", "service discovery"]));
    // The mail filter of four of five hosts calls its maker every two hours: regular indeed, and named.
    expect(office.beacons[0]).toMatchObject({
      evidence: { names: ["sn21.mailshell.net"], summary: expect.stringContaining("4 hosts talk to it") },
    });
  });

  it("the tutorial as a folder, as files, as one concatenated gzip, as a zip and as TSV", async () => {
    const names = readdirSync(tutorial).sort();
    expect(shown(await hunted([tutorial]))).toEqual(ANSWER);
    expect(shown(await hunted(names.map((name) => join(tutorial, name))))).toEqual(ANSWER);
    writeFileSync(join(folder, "all.gz"), Buffer.concat(names.map((name) => readFileSync(join(tutorial, name)))));
    expect(shown(await hunted(["all.gz"]))).toEqual(ANSWER);
    const { BlobReader, BlobWriter, ZipWriter } = await import("@zip.js/zip.js");
    const zip = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
    for (const name of names) await zip.add(name, new BlobReader(new Blob([readFileSync(join(tutorial, name))])));
    writeFileSync(join(folder, "tutorial.zip"), new Uint8Array(await (await zip.close()).arrayBuffer()));
    expect(shown(await hunted(["tutorial.zip"]))).toEqual(ANSWER);
    const lines = names.flatMap((name) =>
      gunzipSync(readFileSync(join(tutorial, name)))
        .toString("utf8")
        .trimEnd()
        .split("\n"),
    );
    const tsv = lines.map((line) => {
      // The digits of the time as they stand, which a parsed number loses.
      const time = /"ts":([\d.]+)/.exec(line)?.[1] ?? "-";
      const row = JSON.parse(line) as Record<string, unknown>;
      return [time, row["id.orig_h"], row["id.orig_p"], row["id.resp_h"], row["id.resp_p"], row["proto"]].join("\t");
    });
    writeFileSync(join(folder, "tutorial.tsv"), `${HEADER}${tsv.join("\n")}\n`);
    expect((await hunted(["tutorial.tsv"])).beacons).toEqual((await hunted([tutorial])).beacons);
  });

  it("names what the logs of an office name", async () => {
    const { beacons } = await hunted([
      "--names",
      "--delta",
      "300",
      "--variance",
      "1000",
      "--percent",
      "10",
      "--not-destination",
      "192.168.0.0/16",
      join(shared, "m57/conn.log"),
    ]);
    expect(beacons.map(({ destination, evidence }) => [destination, (evidence["names"] as string[])[0]])).toEqual([
      ["212.227.97.133", "sn21.mailshell.net"],
      ["151.207.240.23", undefined],
      ["87.106.1.47", "sn21.mailshell.net"],
      ["208.97.132.223", "mail.m57.biz"],
    ]);
  });

  it("quick with delta 1 finds none", async () => {
    expect(shown(await hunted(["--delta", "1", tutorial]))).toEqual([]);
  });

  it("the logs made to break readers break nothing", async () => {
    const { code, out } = await heliograph([
      "summary",
      "--json",
      ...readdirSync(join(shared, "edge")).map((name) => join(shared, "edge", name)),
    ]);
    expect(code).toBe(1);
    const { files } = JSON.parse(out) as { files: { file: string; rows: number; malformedRows: number }[] };
    const figures = Object.fromEntries(
      files.map(({ file, rows, malformedRows }) => [file.slice(file.lastIndexOf("/") + 1), [rows, malformedRows]]),
    );
    expect(figures["truncated_conn.log"]).toEqual([58, 1]);
    expect(figures["truncated_conn_top.log"]).toEqual([0, 59]);
    expect(figures["text_file_conn.log"]).toEqual([0, 5]);
    expect(figures["open_conns_closed_conn.log"]).toEqual([59, 0]);
  });
});

describe("imported logs", () => {
  const data = (): string => join(folder, "data");

  it("are imported once, queried, looked after and removed", async () => {
    const first = await heliograph(["import", examples, "--data-dir", data(), "--json"]);
    expect([first.code, first.err]).toEqual([0, ""]);
    const { files } = JSON.parse(first.out) as { files: { rows: Record<string, number>; isKnown: boolean }[] };
    expect(files).toHaveLength(24);
    const rows = files.reduce((sum, { rows: own }) => sum + (own["conn_logs"] ?? 0), 0);
    expect(rows).toBe(planted.rows);
    const again = await heliograph(["import", examples, "--data-dir", data()]);
    expect(again.out.match(/imported before/g)).toHaveLength(24);
    const [beacon] = planted.planted;
    const found = await heliograph([
      "query",
      "conn_logs",
      `{"size":0,"query":{"term":{"resp_h":"${beacon?.destination}"}},"aggs":{"from":{"terms":{"field":"orig_h"}}}}`,
      "--data-dir",
      data(),
      "--json",
    ]);
    const answer = JSON.parse(found.out) as { hits: { total: number }; aggregations: { from: { buckets: { doc_count: number }[] } } };
    expect(answer.hits.total).toBeGreaterThan(10);
    expect(answer.aggregations.from.buckets.reduce((sum, bucket) => sum + bucket.doc_count, 0)).toBe(answer.hits.total);
    const table = await heliograph(["query", "conn_logs", `resp_h:"${beacon?.destination}"`, "--data-dir", data(), "--size", "2"]);
    expect(table.out).toContain(`${answer.hits.total} hits in`);
    expect(table.out.split("\n")[1]).toContain(beacon?.destination);
    const csv = await heliograph([
      "query",
      "conn_logs",
      "",
      "--from",
      "2025-03-12T01:00",
      "--to",
      "2025-03-12T01:59",
      "--data-dir",
      data(),
      "--format",
      "csv",
      "--size",
      "1000",
    ]);
    const hours = csv.out.trim().split(/\r?\n/).slice(1);
    expect(hours.length).toBeGreaterThan(20);
    expect(hours.every((line) => line.startsWith("2025-03-12 01:"))).toBe(true);
    const status = await heliograph(["store", "status", "--data-dir", data()]);
    expect(status.out).toMatch(/conn_logs\s+[\d,]+\s+24/);
    expect((await heliograph(["store", "compact", "--data-dir", data()])).out).toBe("24 small segments put together\n");
    expect((await heliograph(["store", "prune", "--older-than", "1d", "--data-dir", data()])).out).toContain("rows in 1 segments removed");
    expect((await heliograph(["query", "conn_logs", "--data-dir", data()])).out).toContain("0 hits");
  });

  it("answer insights, imported or straight from files", async () => {
    const list = JSON.parse((await heliograph(["insights", "list", "--json"])).out) as { index: string; name: string }[];
    expect(list).toHaveLength(27);
    const direct = await heliograph(["insights", "run", "conn_logs", "max_connections_by_resp_h", "--logs", examples, "--size", "3"]);
    expect([direct.code, direct.err]).toEqual([0, ""]);
    expect(direct.out).toMatch(/^Most connections, by destination\n.*\n\nKey\s+sum_count\s+Rows\n\S+\s+█{24}\s+[\d,]+\s+[\d,]+\n/);
    const place = join(folder, "insights");
    await heliograph(["import", examples, "--data-dir", place]);
    const run = async (...args: string[]): Promise<Ran> =>
      heliograph(["insights", "run", "conn_logs", "max_connections_by_resp_h", "--data-dir", place, ...args]);
    const all = JSON.parse((await run("--from", "all", "--to", "all", "--json")).out) as {
      max_connections_by_resp_h: { buckets: { sum_count: { value: number } }[]; sum_other_doc_count: number };
    };
    const { buckets, sum_other_doc_count: others } = all.max_connections_by_resp_h;
    expect(buckets.reduce((sum, { sum_count: { value } }) => sum + value, 0) + others).toBe(planted.rows);
    expect((await run("--from", "2025-03-12", "--to", "2025-03-12", "--format", "csv", "--size", "2")).out.split("\n")[0]).toBe(
      "key,doc_count,sum_count",
    );
    // The day before now has nothing of the examples.
    expect(JSON.parse((await run("--json")).out)).toMatchObject({ max_connections_by_resp_h: { buckets: [] } });
    expect((await heliograph(["insights", "run", "conn_logs", "nothing"])).err).toContain("there is no insight nothing of conn_logs");
  });

  it("make keys with allowances", async () => {
    const place = join(folder, "keys");
    const made = await heliograph(["keys", "create", "hunter", "--unlimited", "--data-dir", place, "--json"]);
    expect(JSON.parse(made.out)).toMatchObject({ key: expect.stringMatching(/^hg_/), name: "hunter" });
    await heliograph(["keys", "create", "guest", "--per-day", "50", "--index", "dns_logs", "--data-dir", place]);
    const { out } = await heliograph(["keys", "list", "--data-dir", place]);
    expect(out).toMatch(/hunter\s+\S+ \S+\s+unlimited\s+unlimited\s+all\s+valid/);
    expect(out).toMatch(/guest\s+\S+ \S+\s+50\s+1\s+dns_logs\s+valid/);
    expect((await heliograph(["keys", "create", "x", "--per-day", "few", "--data-dir", place])).err).toContain(
      "--per-day must be a whole number",
    );
  });

  it("are watched for", async () => {
    const { code, out } = await heliograph(["watch", examples, "--once", "--data-dir", join(folder, "watched")]);
    expect(code).toBe(0);
    expect(out.match(/imported [\d,]+ rows/g)).toHaveLength(24);
    expect(out).toMatch(/beacon \S+ to \S+ port 443\/tcp: score/);
  });

  it.each<[readonly string[], string]>([
    [["import", "nothing.log"], "no such file or folder"],
    [["query", "nothing"], "no such index [nothing]"],
    [["query", "conn_logs", '{"query":{"mtach":{}}}'], "unknown query [mtach] did you mean [match]? (line 1, column 19)"],
    [["query", "conn_logs", "{"], "was expecting"],
    [["query", "conn_logs", "", "--from", "whenever"], "--from"],
    [["query", "conn_logs", "", "--size", "-1"], "--size must be a whole number"],
    [["store", "prune"], "say what to remove"],
    [["store", "prune", "--older-than", "soon"], "--older-than must be"],
    [["watch", "nowhere"], "no such file or folder"],
  ])("%j says what is wrong", async (args, message) => {
    const { code, err } = await heliograph([...args, "--data-dir", data()]);
    expect(code).not.toBe(0);
    expect(err).toContain(message);
    expect(err).not.toMatch(/\n\s+at /);
  });
});
