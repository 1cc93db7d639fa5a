import { describe, expect, it } from "vitest";
import { bytesOf } from "../testing/rows.js";
import { createEngine } from "../zeek/engine.js";
import { connSchema } from "../zeek/schemas/conn.js";
import { FLOW_COLUMNS } from "./flow-builder.js";
import { type FlowKey, PAYLOAD_COLUMNS, PayloadCollector, type PayloadProfile, type PayloadRows, payloadProfiles } from "./payload.js";

const FIELDS = ["ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", ...PAYLOAD_COLUMNS];
/** time, source, port of the source, destination, port, protocol, duration, bytes up, bytes down, state */
type Row = readonly [number, string, number | "-", string, number, string, string, string, string, string];
const FLOW: FlowKey = { source: "10.0.0.1", destination: "192.0.2.1", port: 443, protocol: "tcp" };
const row = (time: number, up: string, down: string, state = "SF", originPort: number | "-" = time): Row => [
  time,
  "10.0.0.1",
  originPort,
  "192.0.2.1",
  443,
  "tcp",
  "1.5",
  up,
  down,
  state,
];

function collected(rows: readonly Row[], flows: readonly FlowKey[], fields = FIELDS): PayloadRows {
  const engine = createEngine();
  const collector = new PayloadCollector(engine, flows);
  const columns = [...FLOW_COLUMNS, ...PAYLOAD_COLUMNS];
  const reader = engine.reader({ schema: connSchema, columns, source: "conn.log" }, (batch) => collector.add(batch));
  const body = rows.map((values) => `${values.slice(0, fields.length).join("\t")}\n`).join("");
  reader.push(bytesOf(`#path\tconn\n#fields\t${fields.join("\t")}\n${body}`));
  reader.end();
  return collector.rows();
}
const profile = (...parts: PayloadRows[]): PayloadProfile | undefined => payloadProfiles(1, parts)[0];

describe("the payload of chosen flows", () => {
  it("has medians, the modal size with its share, and the mix of states", () => {
    const rows = [row(1, "100", "2000"), row(2, "100", "3000"), row(3, "140", "1000"), row(4, "-", "-", "S0")];
    expect(profile(collected(rows, [FLOW]))).toEqual({
      bytesUp: { median: 100, modal: 100, modalShare: 2 / 3, total: 340 },
      bytesDown: { median: 2000, modal: 1000, modalShare: 1 / 3, total: 6000 },
      medianDurationSeconds: 1.5,
      connStates: [
        { state: "SF", share: 0.75 },
        { state: "S0", share: 0.25 },
      ],
    });
  });

  it("counts a record once that is there twice, in one part or in two; never one without a source port", () => {
    const states = (...parts: PayloadRows[]): number | undefined => profile(...parts)?.bytesUp?.total;
    const once = collected([row(1, "100", "1"), row(2, "50", "1")], [FLOW]);
    expect(states(once, once)).toBe(150);
    expect(states(collected([row(1, "100", "1"), row(1, "100", "1"), row(1, "70", "1", "SF", 9)], [FLOW]))).toBe(170);
    expect(states(collected([row(1, "100", "1", "SF", "-"), row(1, "100", "1", "SF", "-")], [FLOW]))).toBe(200);
  });

  it("joins states by name: parts have their own codes", () => {
    const parts = [
      collected([row(1, "1", "1", "S0"), row(2, "1", "1", "SF")], [FLOW]),
      collected([row(3, "1", "1", "SF"), row(4, "1", "1", "RSTO")], [FLOW]),
    ];
    expect(profile(...parts)?.connStates).toEqual([
      { state: "SF", share: 0.5 },
      { state: "RSTO", share: 0.25 },
      { state: "S0", share: 0.25 },
    ]);
  });

  it("tells flows apart by port and protocol, and knows nothing of others", () => {
    const other = (values: Row, port: number, protocol: string): Row => values.with(4, port).with(5, protocol) as unknown as Row;
    const flows = [FLOW, { ...FLOW, port: 80 }, { ...FLOW, protocol: "-" }, { ...FLOW, source: "10.0.0.9" }];
    const rows = [
      row(1, "1", "1"),
      other(row(2, "20", "1"), 80, "tcp"),
      other(row(3, "300", "1"), 443, "-"),
      other(row(4, "4000", "1"), 443, "udp"),
    ];
    expect(payloadProfiles(flows.length, [collected(rows, flows)]).map(({ bytesUp }) => bytesUp?.total)).toEqual([1, 20, 300, undefined]);
  });

  it("says nothing where the log has no such columns", () => {
    expect(profile(collected([row(1, "1", "1")], [FLOW], FIELDS.slice(0, 6)))).toEqual({
      bytesUp: null,
      bytesDown: null,
      medianDurationSeconds: null,
      connStates: [{ state: "-", share: 1 }],
    });
  });
});
