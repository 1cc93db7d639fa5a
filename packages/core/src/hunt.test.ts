import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { LogInput } from "./archive/open.js";
import { type Beacon, planSearch } from "./beacon/search-flows.js";
import { hunt } from "./hunt.js";
import { sharedData } from "./testing/shared-data.js";
import { parseBounds } from "./time/bound.js";
import { parseTime } from "./zeek/time.js";

const folderInputs = (folder: string): LogInput[] =>
  readdirSync(folder).map((name) => ({ name, data: new Uint8Array(readFileSync(folder + name)) }));
const shown = (beacons: readonly Beacon[] | undefined): string[] =>
  (beacons ?? []).map((b) => `${b.source} ${b.destination} ${b.port} ${Number(b.score.toFixed(6))} ${b.connectionCount}`);

const examples = fileURLToPath(new URL("../../../examples/", import.meta.url));

interface Planted {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly intervalSeconds: number;
  readonly connections: number;
}

describe.each(["wasm", "typescript"] as const)("a hunt with the %s engine", (kind) => {
  it("finds what was planted in the example logs, and nothing else", async () => {
    const { rows, planted, benignPeriodic } = JSON.parse(readFileSync(`${examples}planted.json`, "utf8")) as Record<
      "planted" | "benignPeriodic",
      Planted[]
    > & { rows: number };
    const slow = [...planted, ...benignPeriodic].filter(({ intervalSeconds }) => intervalSeconds >= 120);
    const fast = planted.filter(({ intervalSeconds }) => intervalSeconds < 120);
    const key = ({ source, destination, port }: { source: string; destination: string; port: number }): string =>
      `${source} ${destination} ${port}`;
    const searches = [planSearch("quick"), planSearch("quick", { delta: 2, variance: 100 })];
    const { results, reports } = await hunt(folderInputs(`${examples}logs/`), { searches, kind });
    expect(results[0]?.beacons.map(key).sort()).toEqual(slow.map(key).sort());
    expect(results[1]?.beacons.map(key).sort()).toEqual(fast.map(key).sort());
    for (const { source, destination, connections } of slow) {
      const found = results[0]?.beacons.find((beacon) => beacon.source === source && beacon.destination === destination);
      expect(found?.connectionCount).toBe(connections);
    }
    expect(reports.reduce((sum, report) => sum + report.rows, 0)).toBe(rows);
    expect(reports.reduce((sum, report) => sum + report.malformedRows + report.invalidValues, 0)).toBe(0);
    expect(new Set(reports.map((report) => report.format))).toEqual(new Set(["tsv", "json"]));
  });
});

const shared = sharedData();
describe.skipIf(!shared)("known answers on the tutorial's logs", () => {
  const inputs = shared ? folderInputs(`${shared}tutorial/`) : [];
  it("quick", async () => {
    const searches = [planSearch("quick"), planSearch("quick", { delta: 1 })];
    const { results, reports, groups, duplicateRows } = await hunt(inputs, { searches });
    expect(shown(results[0]?.beacons)).toEqual(["8.8.8.1 7.7.7.1 80 100 289", "8.8.8.1 2.17.188.84 80 98.591549 72"]);
    expect(shown(results[1]?.beacons)).toEqual([]);
    expect([reports.reduce((sum, report) => sum + report.rows, 0), groups, duplicateRows]).toEqual([361, 2, 0]);
  });

  it("an hour seen twice counts once", async () => {
    const { results, duplicateRows } = await hunt([...inputs, ...inputs.slice(0, 3)], { searches: [planSearch("quick")] });
    expect(shown(results[0]?.beacons)).toEqual(["8.8.8.1 7.7.7.1 80 100 289", "8.8.8.1 2.17.188.84 80 98.591549 72"]);
    expect(duplicateRows).toBe(45);
  });
});

describe("time bounds", () => {
  it("are inclusive, UTC and start of day", () => {
    expect(parseBounds("2024-05-05", "2024-05-06 12:00:00.5")).toEqual({
      start: parseTime("2024-05-05T00:00:00Z"),
      end: parseTime("2024-05-06T12:00:00.500000Z"),
    });
    expect(parseBounds("", undefined)).toEqual({ start: undefined, end: undefined });
  });

  it("are refused when they are no times or the wrong way round", () => {
    expect(() => parseBounds("soon", "")).toThrow("start_dte is not a time");
    expect(() => parseBounds("2024-05-06", "2024-05-05")).toThrow("start_dte is after end_dte");
  });
});
