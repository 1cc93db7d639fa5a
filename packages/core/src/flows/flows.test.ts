import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FilterPlan, planFilter, removedRows } from "../filter/filter-plan.js";
import { bytesOf } from "../testing/rows.js";
import type { ColumnValues } from "../zeek/column-batch.js";
import { createEngine } from "../zeek/engine.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import { connSchema } from "../zeek/schemas/conn.js";
import { FLOW_COLUMNS, FlowBuilder } from "./flow-builder.js";
import { type FlowShard, joinShards } from "./flow-shard.js";
import { RowFilter, type TimeBounds } from "./row-filter.js";
import { visitFlows } from "./visit-flows.js";

interface Row {
  readonly micros: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly originPort: number | null;
  readonly protocol: string | null;
}

const HEADER = "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
const line = (row: Row): string =>
  `${[`${Math.floor(row.micros / 1e6)}.${String(row.micros % 1e6).padStart(6, "0")}`, row.source, row.originPort ?? "-", row.destination, row.port, row.protocol ?? "-"].join("\t")}\n`;

function shardOf(engine: ReadEngine, rows: readonly Row[], bounds: TimeBounds = {}): FlowShard {
  const builder = new FlowBuilder(engine);
  const filter = new RowFilter(bounds);
  const reader = engine.reader({ schema: connSchema, columns: FLOW_COLUMNS, source: "conn.log" }, (batch) =>
    builder.add(filter.apply(batch)),
  );
  reader.push(bytesOf(HEADER + rows.map(line).join("")));
  reader.end();
  return builder.finish();
}

type Flows = Record<string, number[]>;

interface Visited {
  readonly flows: Flows;
  readonly groups: number;
  readonly duplicates: number;
}

/** All flows of shards; as many threads as there are engines visit a part of the buckets each. */
function visited(engines: readonly ReadEngine[], shards: readonly FlowShard[], filter?: FilterPlan): Visited & { removed: object } {
  const flows: Flows = {};
  const joined = joinShards(shards);
  const totals = engines.map((engine, thread) => {
    let bucket = thread - engines.length;
    const nextBucket = (): number => {
      bucket += engines.length;
      return bucket;
    };
    return visitFlows(engine, joined, { minConnections: 1, nextBucket, filter }, (flow) => {
      expect([...flow.gaps]).toEqual([...flow.times].slice(1).map((time, i) => time - (flow.times[i] ?? 0)));
      const key = [flow.source, flow.destination, flow.port, flow.protocol].join(" ");
      expect(flows[key]).toBeUndefined();
      flows[key] = [...flow.times];
    });
  });
  return {
    flows,
    groups: totals.reduce((sum, { groups }) => sum + groups, 0),
    duplicates: totals.reduce((sum, { duplicateRows }) => sum + duplicateRows, 0),
    removed: removedRows(totals.map(({ removed }) => removed)),
  };
}

function flowsOf(engines: readonly ReadEngine[], shards: readonly FlowShard[], filter?: FilterPlan): Visited {
  const { removed: _, ...rest } = visited(engines, shards, filter);
  return rest;
}

/** The definition: group by text, sort, one of each (time, origin port). */
function naive(rows: readonly Row[]): Visited {
  const flows: Flows = {};
  const seen = new Set<string>();
  let duplicates = 0;
  for (const row of rows) {
    const key = [row.source, row.destination, row.port, row.protocol ?? "-"].join(" ");
    const identity = `${key} ${row.micros} ${row.originPort}`;
    if (row.originPort !== null && seen.has(identity)) {
      duplicates++;
      continue;
    }
    seen.add(identity);
    const times = flows[key] ?? [];
    times.push(row.micros);
    flows[key] = times;
  }
  for (const times of Object.values(flows)) times.sort((a, b) => a - b);
  return { flows, groups: Object.keys(flows).length, duplicates };
}

const row: fc.Arbitrary<Row> = fc.record({
  micros: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 2_000_000_000_000_000 })),
  source: fc.constantFrom("10.0.0.1", "10.0.0.2", "255.255.255.255", "fe80::1", "2001:db8:85a3::8a2e:370:7334"),
  destination: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1"),
  port: fc.constantFrom(80, 443),
  originPort: fc.option(fc.constantFrom(0, 1, 65_535)),
  protocol: fc.constantFrom("tcp", "udp", "-", null),
});

describe.each(["wasm", "typescript"] as const)("flows of the %s engine", (kind) => {
  it("are the rows grouped by text, sorted, without duplicates, whatever the order of rows", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 120 }), (rows) => {
        const engine = createEngine({ kind });
        expect(flowsOf([engine], [shardOf(engine, rows)])).toEqual(naive(rows));
      }),
      { numRuns: 150 },
    );
  });

  it("are those that a filter leaves, untouched, and the others' rows are counted", () => {
    const filter = planFilter({ source: { exclude: ["10.0.0.1"] }, ports: { include: [443] }, default_filters: false });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 120 }), fc.integer({ min: 1, max: 3 }), (rows, width) => {
        const engines = Array.from({ length: width }, () => createEngine({ kind }));
        const shards = engines.map((engine, s) =>
          shardOf(
            engine,
            rows.filter((_, i) => i % width === s),
          ),
        );
        const kept = rows.filter((one) => one.source !== "10.0.0.1" && one.port === 443);
        const { removed, ...rest } = visited(engines, shards, filter);
        expect(rest).toEqual(naive(kept));
        const source = rows.filter((one) => one.source === "10.0.0.1").length;
        const ports = rows.length - kept.length - source;
        expect(removed).toEqual({ ...(source && { source }), ...(ports && { ports }) });
      }),
      { numRuns: 100 },
    );
  });

  it("are the same when several readers share the rows", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 120 }), fc.integer({ min: 2, max: 4 }), fc.integer(), (rows, width, deal) => {
        const engines = Array.from({ length: width }, (_, s) => createEngine({ kind: (s + deal) % 2 ? kind : "wasm" }));
        const readerOf = (i: number): number => Math.abs((i * 31 + deal) % width);
        const shards = engines.map((engine, s) =>
          shardOf(
            engine,
            rows.filter((_, i) => readerOf(i) === s),
          ),
        );
        expect(flowsOf(engines, shards)).toEqual(naive(rows));
      }),
      { numRuns: 100 },
    );
  });

  it("hold many groups, many rows of one group out of order, and all of one time", () => {
    const rows: Row[] = Array.from({ length: 70_000 }, (_, i) => ({
      micros: i % 3 === 0 ? 1_600_000_000_000_000 : (i * 7919 * 104_729) % 1_000_000_007,
      source: `10.${i % 3}.${(i * 31) % 251}.${(i * 17) % 199}`,
      destination: i % 2 ? "192.0.2.1" : "192.0.2.2",
      port: i % 5 === 0 ? 80 : 443,
      originPort: i % 60_000,
      protocol: "tcp",
    })).map((r, i) => (i % 4 === 0 ? { ...r, source: "10.9.9.9", destination: "192.0.2.9", port: 1 } : r));
    const engine = createEngine({ kind });
    expect(flowsOf([engine], [shardOf(engine, rows)])).toEqual(naive(rows));
  });

  it("tell thousands of groups of one pair of hosts apart", () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => ({
      micros: i,
      source: "10.0.0.1",
      destination: "192.0.2.1",
      port: (i * 7919) % 30_011,
      originPort: null,
      protocol: i % 2 ? "tcp" : "udp",
    }));
    const engine = createEngine({ kind });
    expect(flowsOf([engine], [shardOf(engine, rows)])).toEqual(naive(rows));
  });

  it("take batches of any size", () => {
    const engine = createEngine({ kind });
    const count = 20_000;
    const codes = (value: (i: number) => number): Int32Array => Int32Array.from({ length: count }, (_, i) => value(i));
    const dictionary = engine.dictionary("address");
    const builder = new FlowBuilder(engine);
    builder.add({
      rows: count,
      columns: new Map<string, ColumnValues>([
        ["ts", { kind: "time", values: Float64Array.from({ length: count }, (_, i) => i) }],
        ["id.orig_h", { kind: "address", values: codes((i) => i % 500), dictionary }],
        ["id.orig_p", { kind: "port", values: codes(() => -1) }],
        ["id.resp_h", { kind: "address", values: codes(() => 7), dictionary }],
        ["id.resp_p", { kind: "port", values: codes(() => 443) }],
        ["proto", { kind: "code", values: codes(() => -1), dictionary: engine.dictionary("proto") }],
      ]),
    });
    const { flows, groups } = flowsOf([engine], [builder.finish()]);
    expect([groups, flows["0.0.1.243 0.0.0.7 443 -"]?.length]).toEqual([500, count / 500]);
    expect(
      Object.values(flows)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it("drop the duplicates of one group, in whatever order its rows come", () => {
    const time = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2000 }));
    const one = fc.record({ micros: time, originPort: fc.option(fc.constantFrom(0, 1, 2)) });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 300 }), fc.boolean(), (parts, nearly) => {
        // Logs are nearly sorted: rows a few places off, and now and then one far back.
        const order = nearly
          ? parts.map((part, i) => ({ ...part, micros: part.micros % 20 === 0 ? part.micros : 20 * i - part.micros }))
          : parts;
        const rows = order.map((part) => ({ ...part, source: "10.0.0.1", destination: "192.0.2.1", port: 1, protocol: "tcp" }));
        const kept = rows.filter(({ micros }) => micros >= 0);
        const engine = createEngine({ kind });
        expect(flowsOf([engine], [shardOf(engine, kept)])).toEqual(naive(kept));
      }),
      { numRuns: 150 },
    );
  });

  it("leave out rows outside inclusive bounds", () => {
    const rows: Row[] = [1, 2, 3, 4, 5].map((micros) => ({
      micros,
      source: "a",
      destination: "b",
      port: 1,
      originPort: micros,
      protocol: "tcp",
    }));
    const engine = createEngine({ kind });
    expect(flowsOf([engine], [shardOf(engine, rows, { start: 2, end: 4 })]).flows).toEqual({ "a b 1 tcp": [2, 3, 4] });
  });
});
