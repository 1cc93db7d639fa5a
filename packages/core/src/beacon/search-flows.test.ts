import { describe, expect, it } from "vitest";
import { FLOW_COLUMNS, FlowBuilder } from "../flows/flow-builder.js";
import { type FlowShard, joinShards } from "../flows/flow-shard.js";
import { bytesOf } from "../testing/rows.js";
import { createEngine } from "../zeek/engine.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import { connSchema } from "../zeek/schemas/conn.js";
import { joinFindings, planSearch, searchFlows } from "./search-flows.js";

const HEADER = "#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
/** So many connections every ten minutes. */
const rows = (source: string, destination: string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${1_600_000_000 + i * 600}.0\t${source}\t${i}\t${destination}\t443\ttcp\n`).join("");

function shardOf(engine: ReadEngine, log: string): FlowShard {
  const builder = new FlowBuilder(engine);
  const reader = engine.reader({ schema: connSchema, columns: FLOW_COLUMNS, source: "conn.log" }, (batch) => builder.add(batch));
  reader.push(bytesOf(HEADER + log));
  reader.end();
  return builder.finish();
}

describe("searchFlows", () => {
  const searches = [planSearch("quick"), planSearch("hierarchical")];

  it("counts the internal hosts that talk to a beacon's destination, over all shards and threads", async () => {
    const engines = [createEngine({ seed: [1, 2, 3, 4] }), createEngine({ seed: [1, 2, 3, 4] })];
    const logs = [
      rows("10.0.0.1", "192.0.2.1", 20) + rows("10.0.0.2", "192.0.2.1", 1) + rows("198.51.100.1", "192.0.2.1", 3),
      rows("10.0.0.1", "192.0.2.1", 5) + rows("10.0.0.3", "192.0.2.1", 2) + rows("10.0.0.4", "192.0.2.2", 20),
    ];
    const flows = joinShards(engines.map((engine, i) => shardOf(engine, logs[i] ?? "")));
    const found = async (internalNetworks?: string[]): Promise<Record<string, number>> => {
      const parts = await Promise.all(
        engines.map((_, thread) => {
          let bucket = thread - engines.length;
          const nextBucket = (): number => {
            bucket += engines.length;
            return bucket;
          };
          return searchFlows(createEngine({ seed: [1, 2, 3, 4] }), flows, searches, { nextBucket });
        }),
      );
      const { results } = joinFindings(flows, searches, parts, { internalNetworks });
      return Object.fromEntries((results[0]?.beacons ?? []).map(({ destination, prevalence }) => [destination, prevalence]));
    };
    expect(await found()).toEqual({ "192.0.2.1": 3, "192.0.2.2": 1 });
    expect(await found(["198.51.100.0/24", "10.0.0.1"])).toEqual({ "192.0.2.1": 2, "192.0.2.2": 0 });
  });

  it("explains every flow of two connections and more, beacon or not", async () => {
    const engine = createEngine();
    const shard = shardOf(engine, rows("10.0.0.1", "192.0.2.1", 20) + rows("10.0.0.2", "192.0.2.1", 5) + rows("10.0.0.3", "192.0.2.1", 1));
    const flows = joinShards([shard]);
    const found = await searchFlows(engine, flows, searches, { explain: true });
    const { results, explained } = joinFindings(flows, searches, [found], { explain: true });
    expect(results.map(({ beacons }) => beacons.map(({ source }) => source))).toEqual([["10.0.0.1"], []]);
    const bySource = new Map(explained?.flows.map((flow) => [flow.source, flow]));
    expect([...bySource.keys()].sort()).toEqual(["10.0.0.1", "10.0.0.2"]);
    expect(explained?.omitted).toBe(0);
    expect(bySource.get("10.0.0.1")?.searches.map(({ search, score }) => [search.name, score])).toEqual([
      ["quick", 100],
      ["hierarchical", undefined],
    ]);
    expect(bySource.get("10.0.0.1")?.searches[0]?.steps.every(({ passed }) => passed)).toBe(true);
    expect(bySource.get("10.0.0.2")?.searches[0]?.steps).toEqual([
      { step: "gaps of at least 2 minutes", measured: 4, comparison: "at least", limit: 10, unit: "", passed: false },
    ]);
    expect(bySource.get("10.0.0.2")?.profile.medianMinutes).toBe(10);
  });

  it("explains a thousand flows and counts the others", async () => {
    const engine = createEngine();
    const log = Array.from({ length: 1010 }, (_, i) => rows(`10.0.${i >> 8}.${i & 255}`, "192.0.2.1", 2)).join("");
    const { explained } = await searchFlows(engine, joinShards([shardOf(engine, log)]), searches, { explain: true });
    expect([explained?.flows.length, explained?.omitted]).toEqual([1000, 10]);
  });
});
