import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../testing/rows.js";
import { createEngine } from "../zeek/engine.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import { connSchema } from "../zeek/schemas/conn.js";
import { CONN_SERVICES, CONN_STATES } from "./carried.js";
import { FlowBuilder, flowColumns } from "./flow-builder.js";
import { type FlowShard, joinShards } from "./flow-shard.js";
import { visitFlows } from "./visit-flows.js";

interface Row {
  readonly micros: number;
  readonly source: string;
  readonly originPort: number | null;
  readonly up: number | null;
  readonly down: number | null;
  readonly ip: number | null;
  readonly state: string | null;
  readonly service: string | null;
}

const HEADER =
  "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\torig_bytes\tresp_bytes\tconn_state\torig_ip_bytes\n";
const line = ({ micros, source, originPort, up, down, ip, state, service }: Row): string =>
  `0.${String(micros).padStart(6, "0")}\t${source}\t${[originPort, "192.0.2.1", 443, "tcp", service, up, down, state, ip].map((value) => value ?? "-").join("\t")}\n`;

function shardOf(engine: ReadEngine, rows: readonly Row[], log = HEADER): FlowShard {
  const builder = new FlowBuilder(engine, { carried: true });
  const reader = engine.reader({ schema: connSchema, columns: flowColumns(true), source: "conn.log" }, (batch) => builder.add(batch));
  reader.push(bytesOf(log + rows.map(line).join("")));
  reader.end();
  return builder.finish();
}

type Carries = [micros: number, up: number | null, down: number | null, ip: number | null, state: string | null, service: string | null];
const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
const byJson = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

function carried(engine: ReadEngine, shards: readonly FlowShard[]): Record<string, Carries[]> {
  const flows: Record<string, Carries[]> = {};
  visitFlows(engine, joinShards(shards), { minConnections: 1 }, (flow) => {
    const all = flow.carried;
    if (!all) throw new Error("nothing is carried");
    flows[flow.source] = [...flow.times]
      .map(
        (time, i): Carries => [
          time,
          known(all.bytesUp[i] ?? 0),
          known(all.bytesDown[i] ?? 0),
          known(all.ipBytesUp[i] ?? 0),
          CONN_STATES[all.states[i] ?? -1] ?? null,
          CONN_SERVICES[all.services[i] ?? -1] ?? null,
        ],
      )
      .sort(byJson);
  });
  return flows;
}

const MOST = 4_294_967_294;
const clipped = (bytes: number | null): number | null => bytes && Math.min(bytes, MOST);

/** The definition: one of each (time, origin port), whatever it carries; rows without a port are never the same. */
function naive(rows: readonly Row[]): Record<string, Carries[]> {
  const flows: Record<string, Carries[]> = {};
  const seen = new Set<string>();
  for (const row of rows) {
    const identity = JSON.stringify([row.source, row.micros, row.originPort]);
    if (row.originPort !== null && seen.has(identity)) continue;
    seen.add(identity);
    const service = row.service?.split(",").find((name) => (CONN_SERVICES as readonly string[]).includes(name)) ?? null;
    const state = (CONN_STATES as readonly string[]).includes(row.state ?? "") ? row.state : null;
    flows[row.source] = [...(flows[row.source] ?? []), [row.micros, clipped(row.up), clipped(row.down), clipped(row.ip), state, service]];
  }
  for (const list of Object.values(flows)) list.sort(byJson);
  return flows;
}

const bytes = fc.option(fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.constantFrom(0, MOST, MOST + 1, 2 ** 40)));
const row: fc.Arbitrary<Row> = fc
  .record({
    micros: fc.integer({ min: 1, max: 40 }),
    source: fc.constantFrom("10.0.0.1", "10.0.0.2", "2001:db8::1"),
    originPort: fc.option(fc.constantFrom(0, 1, 65_535)),
    up: bytes,
    down: bytes,
    ip: bytes,
    state: fc.option(fc.constantFrom(...CONN_STATES, "NEW")),
    service: fc.option(fc.constantFrom("dns", "ssl,http", "smtp,ssl", "gssapi,smb", "irc")),
  })
  // A record seen twice carries the same both times.
  .map((made) =>
    made.originPort === null ? made : { ...made, up: made.micros, down: made.originPort, ip: 7, state: "SF", service: "dns" },
  );

describe.each(["wasm", "typescript"] as const)("what connections carry, read by the %s engine", (kind) => {
  it("stays with its connection, whatever the order and however many read", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 100 }), fc.integer({ min: 1, max: 3 }), (rows, width) => {
        const engines = Array.from({ length: width }, () => createEngine({ kind }));
        const shards = engines.map((engine, s) =>
          shardOf(
            engine,
            rows.filter((_, i) => i % width === s),
          ),
        );
        expect(carried(engines[0] as ReadEngine, shards)).toEqual(naive(rows));
      }),
      { numRuns: 150 },
    );
  });

  it("is unset where the log has no such column, and absent where nobody asked", () => {
    const engine = createEngine({ kind });
    const log = "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\n0.000005\ta\t1\tb\t2\n";
    expect(carried(engine, [shardOf(engine, [], log)])).toEqual({ a: [[5, null, null, null, null, null]] });
    const builder = new FlowBuilder(engine);
    const reader = engine.reader({ schema: connSchema, columns: flowColumns(false), source: "conn.log" }, (batch) => builder.add(batch));
    reader.push(bytesOf(log));
    reader.end();
    visitFlows(engine, joinShards([builder.finish()]), { minConnections: 1 }, (flow) => expect(flow.carried).toBeUndefined());
  });
});
