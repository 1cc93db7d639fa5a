import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALL_COLUMNS, bytesOf, readRows } from "../testing/rows.js";
import { sharedData } from "../testing/shared-data.js";
import { createEngine } from "./engine.js";
import type { ReadOptions } from "./log-reader.js";

const HEADER = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2024-01-01-00-00-00\n";
const FIELDS =
  "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tlocal_orig\ttunnel_parents\n";
const TYPES = "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tbool\tset[string]\n";
const COLUMNS = [
  "ts",
  "uid",
  "id.orig_h",
  "id.orig_p",
  "id.resp_h",
  "id.resp_p",
  "proto",
  "service",
  "duration",
  "orig_bytes",
  "local_orig",
  "tunnel_parents",
];
const ROW = "1600000000.000001\tCa\t10.0.0.1\t5000\t192.0.2.1\t443\ttcp\tssl\t1.5\t10\tT\t(empty)";

interface Case {
  readonly what: string;
  readonly log: string | Uint8Array;
  readonly options?: Partial<ReadOptions>;
  /** Expected values of some columns, a row each. */
  readonly rows: readonly Record<string, unknown>[];
  readonly malformed?: number;
  readonly invalid?: number;
  readonly other?: number;
  /** Expected first problem: line and part of the reason. */
  readonly problem?: readonly [line: number, reason: string];
}

const tsv = (...rows: string[]): string => HEADER + FIELDS + TYPES + rows.map((row) => `${row}\n`).join("");
const withField = (index: number, value: string): string => ROW.split("\t").with(index, value).join("\t");

const cases: readonly Case[] = [
  {
    what: "a plain row",
    log: tsv(ROW),
    rows: [
      {
        ts: 1_600_000_000_000_001,
        uid: "Ca",
        "id.orig_h": "10.0.0.1",
        "id.orig_p": 5000,
        "id.resp_h": "192.0.2.1",
        "id.resp_p": 443,
        proto: "tcp",
        service: "ssl",
        duration: 1.5,
        orig_bytes: 10,
        local_orig: true,
        tunnel_parents: [],
      },
    ],
  },
  { what: "a header alone", log: HEADER + FIELDS + TYPES, rows: [] },
  { what: "nothing", log: "", rows: [] },
  { what: "no newline at the end", log: tsv(ROW).slice(0, -1), rows: [{ uid: "Ca", tunnel_parents: [] }] },
  { what: "CRLF line ends", log: tsv(ROW, ROW).replaceAll("\n", "\r\n"), rows: [{ tunnel_parents: [] }, { uid: "Ca" }] },
  { what: "a byte order mark", log: `\ufeff${tsv(ROW)}`, rows: [{ uid: "Ca" }] },
  { what: "a closing line and unknown directives", log: `${tsv(ROW)}#close\n#strange\tthing\n#close  2019-01-01\n`, rows: [{ uid: "Ca" }] },
  { what: "blank lines", log: tsv(ROW, "", ROW), rows: [{ uid: "Ca" }, { uid: "Ca" }] },
  {
    what: "unset optional fields",
    log: tsv("1.5\t-\t10.0.0.1\t-\t192.0.2.1\t443\t-\t-\t-\t-\t-\t-"),
    rows: [
      {
        uid: null,
        "id.orig_p": null,
        proto: null,
        service: null,
        duration: null,
        orig_bytes: null,
        local_orig: null,
        tunnel_parents: null,
      },
    ],
  },
  {
    what: "unset required fields are malformed rows",
    log: tsv(withField(0, "-"), withField(2, "-"), withField(4, "-"), withField(5, "-"), ROW),
    rows: [{ uid: "Ca" }],
    malformed: 4,
    problem: [9, "ts is unset"],
  },
  {
    what: "markers are compared before escapes are undone",
    log: tsv(withField(7, "\\x2d"), withField(7, "(empty)"), withField(7, "\\x28empty)"), withField(7, "a\\\\b\\x09c")),
    rows: [{ service: "-" }, { service: "" }, { service: "(empty)" }, { service: "a\\b\tc" }],
  },
  {
    what: "sets are split before escapes are undone",
    log: tsv(withField(11, "\\x2c,CC,\\x2c\\x2c,-,(empty)")),
    rows: [{ tunnel_parents: [",", "CC", ",,", null, ""] }],
  },
  {
    what: "UTF-8, as it is and escaped, and bytes that are none",
    log: bytesOf(
      `${tsv(withField(7, "caf\\xc3\\xa9"), withField(7, "caf\u00c3\u00a9"), withField(7, "\\xff!"), withField(7, "\u00fe!"))}`,
      true,
    ),
    rows: [{ service: "café" }, { service: "café" }, { service: "\\xff!" }, { service: "\\xfe!" }],
  },
  {
    what: "too few and too many columns",
    log: tsv(ROW, "1.5\tx", `${ROW}\textra`, ROW),
    rows: [{ uid: "Ca" }, { uid: "Ca" }],
    malformed: 2,
    problem: [10, "2 columns where the header has 12"],
  },
  {
    what: "ports at their bounds, and with a protocol",
    log: tsv(
      withField(5, "0"),
      withField(5, "65535"),
      withField(5, "80/tcp"),
      withField(5, "65536"),
      withField(5, "x"),
      withField(5, "-1"),
    ),
    rows: [{ "id.resp_p": 0 }, { "id.resp_p": 65_535 }, { "id.resp_p": 80 }],
    malformed: 3,
    problem: [12, 'id.resp_p is not a port (0 to 65535): "65536"'],
  },
  {
    what: "an optional value that cannot be read is unset and counted",
    log: tsv(withField(3, "70000"), withField(9, "many"), withField(10, "maybe")),
    rows: [{ "id.orig_p": null }, { orig_bytes: null }, { local_orig: null }],
    invalid: 3,
    problem: [9, "id.orig_p is not a port"],
  },
  {
    what: "counts above 2^53 keep every digit",
    log: tsv(withField(9, "18446744073709551615"), withField(9, "9007199254740993"), withField(9, "18446744073709551616")),
    rows: [{ orig_bytes: 18_446_744_073_709_551_615n }, { orig_bytes: 9_007_199_254_740_993n }, { orig_bytes: null }],
    invalid: 1,
  },
  {
    what: "intervals: negative, with an exponent, not finite",
    log: tsv(withField(8, "-0.5"), withField(8, "1e-3"), withField(8, "nan"), withField(8, "0.123456789012345678")),
    rows: [{ duration: -0.5 }, { duration: 0.001 }, { duration: null }, { duration: 0.123_456_789_012_345_68 }],
  },
  {
    what: "addresses as they are written: IPv6, not canonical, not addresses",
    log: tsv(
      withField(2, "fe80::1%eth0"),
      withField(2, "2001:0db8:0000:0000:0000:0000:0000:0001"),
      withField(2, "010.0.0.1"),
      withField(2, "256.1.1.1"),
      withField(2, "host"),
      withField(2, "1.2.3.4"),
    ),
    rows: [
      { "id.orig_h": "fe80::1%eth0" },
      { "id.orig_h": "2001:0db8:0000:0000:0000:0000:0000:0001" },
      { "id.orig_h": "010.0.0.1" },
      { "id.orig_h": "256.1.1.1" },
      { "id.orig_h": "host" },
      { "id.orig_h": "1.2.3.4" },
    ],
  },
  {
    what: "a header that changes in the middle",
    log: `${tsv(ROW)}#fields\tid.resp_p\tts\tid.resp_h\tid.orig_h\n#types\tport\ttime\taddr\taddr\n53\t7.25\t192.0.2.9\t10.9.9.9\n`,
    rows: [
      { uid: "Ca" },
      { ts: 7_250_000, "id.resp_p": 53, "id.orig_h": "10.9.9.9", uid: null, proto: null, tunnel_parents: null, local_orig: null },
    ],
  },
  {
    what: "another separator, markers and set separator",
    log: "#separator \\x2c\n#set_separator,;\n#empty_field,EMPTY\n#unset_field,NONE\n#path,conn\n#fields,ts,id.orig_h,id.resp_h,id.resp_p,proto,service,tunnel_parents\n1.5,10.0.0.1,192.0.2.1,80,-,EMPTY,a;NONE\n",
    rows: [{ proto: "-", service: "", tunnel_parents: ["a", null] }],
  },
  {
    what: "a separator of several characters",
    log: "#separator ||\n#path||conn\n#fields||ts||id.orig_h||id.resp_h||id.resp_p\n1.5||10.0.0.1||192.0.2.1||80\n",
    rows: [{ ts: 1_500_000, "id.resp_p": 80 }],
  },
  {
    what: "columns in any order, unknown ones ignored",
    log: "#path\tconn\n#fields\t_node_name\tid.resp_p\tnew_thing\tts\tid.resp_h\tid.orig_h\nworker-1\t80\tx\t1.5\t192.0.2.1\t10.0.0.1\n",
    rows: [{ ts: 1_500_000, "id.orig_h": "10.0.0.1", "id.resp_h": "192.0.2.1", "id.resp_p": 80 }],
  },
  {
    what: "another scope separator, and an alias",
    log: "#path\tconn\n#fields\tts\tid_orig_h\tdst\tid_resp_p\n1.5\t10.0.0.1\t192.0.2.1\t80\n",
    options: { aliases: { dst: "id.resp_h" } },
    rows: [{ "id.orig_h": "10.0.0.1", "id.resp_h": "192.0.2.1" }],
  },
  {
    what: "a plain line of names",
    log: "ts\tid.orig_h\tid.resp_h\tid.resp_p\n1.5\t10.0.0.1\t192.0.2.1\t80\n",
    rows: [{ ts: 1_500_000, "id.resp_p": 80 }],
  },
  {
    what: "no names at all, and names from the caller",
    log: "1.5\t10.0.0.1\t192.0.2.1\t80\n",
    options: { fields: ["ts", "id.orig_h", "id.resp_h", "id.resp_p"] },
    rows: [{ ts: 1_500_000, "id.resp_p": 80 }],
  },
  { what: "no names at all", log: "1.5\t10.0.0.1\t192.0.2.1\t80\nLorem ipsum\n", rows: [], malformed: 2, problem: [1, "no #fields line"] },
  {
    what: "types that do not fit the fields",
    log: `${HEADER}${FIELDS}#types\ttime\n${ROW}\n`,
    rows: [],
    malformed: 1,
    problem: [9, "#types names 1 columns, #fields 12"],
  },
  {
    what: "a log that lacks a required column",
    log: "#path\tconn\n#fields\tts\tid.orig_h\n1.5\t10.0.0.1\n",
    rows: [],
    malformed: 1,
    problem: [3, "the #fields line names no id.resp_h"],
  },
  { what: "a log of another type", log: `${HEADER.replace("conn", "dns")}${FIELDS}${ROW}\n${ROW}\n`, rows: [], other: 2 },
  {
    what: "a _path column beats #path",
    log: "#path\tdns\n#fields\t_path\tts\tid.orig_h\tid.resp_h\tid.resp_p\nconn\t1.5\t10.0.0.1\t192.0.2.1\t80\nweird\t-\t-\t-\t-\n-\t2.5\t10.0.0.1\t192.0.2.1\t80\n",
    rows: [{ ts: 1_500_000 }, { ts: 2_500_000 }],
    other: 1,
  },
  {
    what: "a _path is a field like any other: escapes, bytes that are no UTF-8, empty",
    log: bytesOf(
      "#fields\t_path\tts\tid.orig_h\tid.resp_h\tid.resp_p\nco\\x6en\t1.5\ta\tb\t80\n\u00c3eird\t1.5\ta\tb\t80\n(empty)\t1.5\ta\tb\t80\n",
      true,
    ),
    rows: [{ ts: 1_500_000 }],
    other: 2,
  },
  {
    what: "a row that starts like a comment",
    log: "#fields\tservice\tts\tid.orig_h\tid.resp_h\tid.resp_p\n\\x23a\t1.5\t10.0.0.1\t192.0.2.1\t80\n",
    rows: [{ service: "#a" }],
  },
  {
    what: "JSON: what Zeek writes",
    log: '{"ts":1600000000.000001,"uid":"Ca","id.orig_h":"10.0.0.1","id.orig_p":5000,"id.resp_h":"192.0.2.1","id.resp_p":443,"proto":"tcp","service":"ssl","duration":1.5,"orig_bytes":10,"local_orig":true,"tunnel_parents":[]}\n',
    rows: [
      { ts: 1_600_000_000_000_001, uid: "Ca", "id.orig_p": 5000, local_orig: true, duration: 1.5, tunnel_parents: [], missed_bytes: null },
    ],
  },
  {
    what: "JSON: nested id, blanks, another order, null, unknown members",
    log: [
      '{"id":{"orig_h":"10.0.0.1","orig_p":1,"resp_h":"192.0.2.1","resp_p":80},"ts":1.5}',
      '{ "id.resp_p" : 80 , "ts":1.5,"id.orig_h":"10.0.0.1","id.resp_h":"192.0.2.1"}',
      '{"ts": 1.5, "id.orig_h": "10.0.0.1", "id.resp_h": "192.0.2.1", "id.resp_p": 80, "proto": null, "x": {"y": [1, {"z": "}"}]}}',
      '{"x":[[],{}],"id_orig_h":"10.0.0.1","id.resp_h":"192.0.2.1","id.resp_p":80,"ts":1.5}\r',
      "",
    ].join("\n"),
    rows: [
      { "id.orig_h": "10.0.0.1", "id.orig_p": 1, "id.resp_p": 80 },
      { "id.orig_h": "10.0.0.1", "id.resp_p": 80 },
      { proto: null, "id.resp_p": 80 },
      { "id.orig_h": "10.0.0.1", "id.resp_p": 80 },
    ],
  },
  {
    what: "JSON: times and numbers of every form",
    log: ["1.5e0", '"1970-01-01T00:00:01.5Z"', "1500000000000", "18446743758090351616", "1714867270.9132699966", '"1.5"', '"soon"', "true"]
      .map(
        (ts) =>
          `{"ts":${ts},"id.orig_h":"a","id.resp_h":"b","id.resp_p":8e1,"orig_bytes":404.0,"orig_pkts":9007199254740993,"resp_pkts":1.5}\n`,
      )
      .join(""),
    rows: [
      { ts: 1_500_000, "id.resp_p": 80, orig_bytes: 404, orig_pkts: 9_007_199_254_740_993n, resp_pkts: null },
      { ts: 1_500_000 },
      { ts: 1_500_000_000_000_000 },
      { ts: -315_619_200_000_000 },
      { ts: 1_714_867_270_913_270 },
      { ts: 1_500_000 },
    ],
    malformed: 2,
    invalid: 8,
  },
  {
    what: "JSON: escapes, private use bytes, lists",
    log: [
      '{"ts":1.5,"id.orig_h":"10.0.0\\u002e1","id.resp_h":"b","id.resp_p":1,"service":"a\\"b\\\\c\\/\\n","tunnel_parents":["x",null,"\\u00e9"],"uid":"é"}',
      '{"ts":1.5,"id.orig_h":"10.0.0.1","id.resp_h":"b","id.resp_p":1,"service":"\\udb80\\udcff!","\\u0075id":"via escape"}',
      "",
    ].join("\n"),
    rows: [
      { "id.orig_h": "10.0.0.1", service: 'a"b\\c/\n', tunnel_parents: ["x", null, "é"], uid: "é" },
      { "id.orig_h": "10.0.0.1", service: "\\xff!", uid: "via escape" },
    ],
  },
  {
    what: "JSON: a dash is a dash",
    log: '{"ts":1.5,"id.orig_h":"-","id.resp_h":"b","id.resp_p":1,"proto":"-","service":"(empty)"}\n',
    rows: [{ "id.orig_h": "-", proto: "-", service: "(empty)" }],
  },
  {
    what: "JSON: lines that are no objects",
    log: '{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1}\n{"ts":1.5,"id.orig_h":"a"\n[1]\n{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1} x\n{"ts":01,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1}\n{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1,"x":"\u0001"}\n',
    rows: [{ ts: 1_500_000 }],
    malformed: 5,
    problem: [2, "not valid JSON"],
  },
  {
    what: "JSON: what follows the last wanted member is checked as well",
    log: '{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1,"z":1}\n{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1,"z":tru}\n{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1,}\n{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1,"z":1.}\n',
    rows: [{ ts: 1_500_000 }],
    malformed: 3,
  },
  {
    what: "JSON: the last of two members of a name counts",
    log: '{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1,"id.resp_p":2}\n',
    rows: [{ "id.resp_p": 2 }],
  },
  {
    what: "JSON: records of several logs in one stream",
    log: '{"_path":"conn","ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1}\n{"_path":"dns","ts":"x","query":"q"}\n{"_path":"d\\u006es"}\n{"ts":2.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1}\n',
    rows: [{ ts: 1_500_000 }, { ts: 2_500_000 }],
    other: 2,
  },
  {
    what: "JSON: a dns log by its fields",
    log: '{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":53,"query":"q","qtype":1}\n{"ts":1.5}\n',
    options: { source: "records" },
    rows: [],
    other: 2,
  },
  {
    what: "lists and records where one value belongs",
    log: '{"ts":1.5,"id.orig_h":["a"],"id.resp_h":"b","id.resp_p":1}\n{"ts":1.5,"id.orig_h":"a","id.resp_h":"b","id.resp_p":1,"service":{"a":1},"orig_bytes":[1],"uid":[1]}\n',
    rows: [{ "id.orig_h": "a", service: null, orig_bytes: null, uid: "[1]" }],
    malformed: 1,
    invalid: 2,
  },
  {
    what: "a line longer than allowed, and the rows around it",
    log: tsv(ROW, withField(1, "x".repeat(3000)), ROW, withField(1, "y".repeat(1500))),
    options: { maxLineBytes: 2000 },
    rows: [{ uid: "Ca" }, { uid: "Ca" }, { uid: "y".repeat(1500) }],
    malformed: 1,
    problem: [10, "longer than 2000 bytes"],
  },
  {
    what: "a line longer than the default allows",
    log: tsv(ROW, withField(1, "x".repeat(1_100_000)), ROW, withField(1, "y".repeat(1_000_000))),
    rows: [{ uid: "Ca" }, { uid: "Ca" }, { uid: "y".repeat(1_000_000) }],
    malformed: 1,
    problem: [10, "longer than 1048576 bytes"],
  },
  { what: "only a line that never ends", log: "x".repeat(1_200_000), rows: [], malformed: 1 },
];

const chunkSizes = (bytes: number): number[] => (bytes > 100_000 ? [65_536, 300_000, 1e9] : [1, 2, 3, 7, 64, 1000, 1e9]);

describe.each(["wasm", "typescript"] as const)("the %s reader", (kind) => {
  it.each(cases)("reads $what", ({ log, options, rows, malformed = 0, invalid = 0, other = 0, problem }) => {
    const bytes = typeof log === "string" ? bytesOf(log) : log;
    for (const size of chunkSizes(bytes.length)) {
      const read = readRows(createEngine({ kind }), bytes, size, options);
      expect(read.rows.map((row, index) => Object.fromEntries(Object.keys(rows[index] ?? {}).map((name) => [name, row[name]])))).toEqual(
        rows,
      );
      const { malformedRows, invalidValues, otherRows, problems } = read.report;
      expect({ malformedRows, invalidValues, otherRows }).toEqual({ malformedRows: malformed, invalidValues: invalid, otherRows: other });
      if (problem) {
        expect(problems[0]?.line).toBe(problem[0]);
        expect(problems[0]?.reason).toContain(problem[1]);
      }
    }
  });

  it("uses the engine that was asked for", () => {
    expect(createEngine({ kind }).kind).toBe(kind);
  });
});

/** Both readers must agree on bytes, at any chunk size: rows, report and all. */
function expectAgreement(bytes: Uint8Array, sizes: readonly number[], options: Partial<ReadOptions> = {}): void {
  const reference = readRows(createEngine({ kind: "typescript" }), bytes, 1e9, options);
  for (const size of sizes) expect(readRows(createEngine({ kind: "wasm" }), bytes, size, options)).toEqual(reference);
}

describe("the two readers agree", () => {
  it.each(cases)("on $what", ({ log, options }) => {
    const bytes = typeof log === "string" ? bytesOf(log) : log;
    expectAgreement(bytes, chunkSizes(bytes.length), options);
  });

  it("on every case with bytes changed, cut and repeated", () => {
    const logs = cases
      .map(({ log }) => (typeof log === "string" ? bytesOf(log) : log))
      .filter((log) => log.length > 0 && log.length < 5000);
    const noise = bytesOf('\t\n\r#-,"\\{}[]:. 0159eE+\u0000x(é');
    const change = fc.record({ at: fc.nat(), byte: fc.nat(noise.length - 1), cut: fc.nat(40), kind: fc.nat(3) });
    fc.assert(
      fc.property(fc.constantFrom(...logs), fc.array(change, { maxLength: 6 }), fc.integer({ min: 1, max: 600 }), (log, changes, size) => {
        let bytes = [...log];
        for (const { at, byte, cut, kind } of changes) {
          const place = at % Math.max(1, bytes.length);
          if (kind === 0) bytes[place] = noise[byte] ?? 0;
          else if (kind === 1) bytes.splice(place, cut);
          else if (kind === 2) bytes.splice(place, 0, noise[byte] ?? 0);
          else bytes = [...bytes, ...bytes.slice(place)];
        }
        expectAgreement(Uint8Array.from(bytes), [size, 1e9]);
      }),
      { numRuns: 400 },
    );
  });

  it("on thousands of rows across batches and chunks, with odd ones among them", () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => {
      const row = ROW.replace("10.0.0.1", `10.${i % 7}.${i % 200}.${i % 11}`).replace("Ca", `C${i}`);
      if (i % 997 === 0) return "broken";
      return i % 501 === 0 ? row.replace("1600000000.000001", "2020-01-01T00:00:00Z") : row;
    });
    expectAgreement(bytesOf(tsv(...rows)), [1000, 262_144, 1e9]);
  });

  it("on a log whose header changes at every other line", () => {
    const log = Array.from({ length: 3000 }, (_, i) => `#unset_field\t${i % 2 ? "-" : "~"}\n${ROW.replace("ssl", "~")}\n`).join("");
    expectAgreement(bytesOf(HEADER + FIELDS + log), [5000, 1e9]);
  });

  it("when only some columns are wanted", () => {
    expectAgreement(bytesOf(tsv(ROW, ROW.replace("10.0.0.1", "-"))), [1, 1e9], { columns: ["uid", "service"] });
    expectAgreement(bytesOf('{"uid":"a","ts":"bad"}\n{"uid":"b"}\n'), [1, 1e9], { columns: ["uid"] });
  });
});

describe("TSV and JSON of the same records", () => {
  it("give the same columns", () => {
    const time = fc.integer({ min: 1, max: 2_000_000_000_999_999 });
    const octet = fc.nat(255);
    const record = fc.record({
      micros: time,
      source: fc.tuple(octet, octet, octet, octet).map((quad) => quad.join(".")),
      destination: fc.oneof(
        fc.constant("2001:db8::1"),
        fc.tuple(octet, octet, octet, octet).map((quad) => quad.join(".")),
      ),
      port: fc.nat(65_535),
      originPort: fc.option(fc.nat(65_535)),
      service: fc.option(fc.stringMatching(/^[a-z][a-z,._ ]{0,20}$/)),
      bytes: fc.option(fc.nat()),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        const seconds = (micros: number): string => `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
        const fields = "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tservice\torig_bytes\n";
        const asTsv = records.map((r) =>
          [seconds(r.micros), r.source, r.originPort ?? "-", r.destination, r.port, r.service ?? "-", r.bytes ?? "-"].join("\t"),
        );
        const asJson = records.map(
          (r) =>
            `{"ts":${seconds(r.micros)},"id.orig_h":"${r.source}"${r.originPort === null ? "" : `,"id.orig_p":${r.originPort}`},"id.resp_h":"${r.destination}","id.resp_p":${r.port}${r.service === null ? "" : `,"service":"${r.service}"`}${r.bytes === null ? "" : `,"orig_bytes":${r.bytes}`}}`,
        );
        const lines = (rows: string[]): string => rows.map((row) => `${row}\n`).join("");
        const fromTsv = readRows(createEngine(), bytesOf(fields + lines(asTsv)), 1e9).rows;
        const fromJson = readRows(createEngine(), bytesOf(lines(asJson)), 1e9).rows;
        expect(fromJson).toEqual(fromTsv);
        expect(fromTsv).toHaveLength(records.length);
      }),
      { numRuns: 200 },
    );
  });
});

const shared = sharedData();
describe.skipIf(!shared)("real logs", () => {
  const folder = shared ?? "";
  it("m57: 8,462 rows, none malformed", () => {
    const { report } = readRows(createEngine(), readFileSync(`${folder}m57/conn.log`), 65_536);
    expect([report.rows, report.malformedRows, report.invalidValues]).toEqual([8462, 0, 0]);
  });

  it("the readers agree on all of them", () => {
    const files = ["edge", "m57", "tutorial"].flatMap((name) => readdirSync(folder + name).map((file) => `${folder}${name}/${file}`));
    for (const file of files) {
      const packed = readFileSync(file);
      const bytes = file.endsWith(".gz") ? gunzipSync(packed) : packed;
      const options = { source: file, columns: ALL_COLUMNS };
      expectAgreement(bytes.subarray(0, 300_000), [bytes.length < 20_000 ? 1 : 997, 1e9], options);
    }
  });

  it("the logs made to break readers: every bad row is accounted for", () => {
    const expected: Record<string, readonly [rows: number, malformed: number, other: number]> = {
      "truncated_conn.log": [58, 1, 0],
      "truncated_conn_json.log": [3, 1, 0],
      "truncated_conn_top.log": [0, 59, 0],
      "text_file_conn.log": [0, 5, 0],
      "has_unknown_field_http.log": [0, 0, 5],
      "json_with_all_fields_conn.log": [29, 0, 0],
    };
    for (const [file, figures] of Object.entries(expected)) {
      const { report } = readRows(createEngine(), readFileSync(`${folder}edge/${file}`), 100, { source: file });
      expect([file, report.rows, report.malformedRows, report.otherRows]).toEqual([file, ...figures]);
    }
  });
});

it("reads columns by the names the schema knows only", () => {
  expect(() =>
    createEngine().reader({ schema: { path: "conn", columns: [], required: [] }, columns: ["nope"], source: "x" }, () => undefined),
  ).toThrow(/conn logs have no column nope/);
  expect(COLUMNS.every((name) => ALL_COLUMNS.includes(name))).toBe(true);
});
