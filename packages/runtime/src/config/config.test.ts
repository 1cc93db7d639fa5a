import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { effectiveConfig, loadConfig } from "./config.js";
import { configSchema } from "./config-schema.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, "heliograph.config.json");
  writeFileSync(path, text);
  return path;
}

describe("the configuration file", () => {
  it("fills in what it leaves open", async () => {
    const path = file('{"searches": {"detailed": {"spans": [[0, 1.5]]}}, "filter": {"ports": {"exclude": [53, "137-139"]}}, "threads": 2}');
    const { config } = await loadConfig(path);
    const effective = effectiveConfig(config, path);
    expect(effective).toMatchObject({
      file: path,
      searches: {
        quick: { delta: 20, call_back: 10, percent: 85, span_avg: 12, variance: 15 },
        detailed: { delta: 20, time_spans: [[0, 1.5]] },
        hierarchical: { line_amounts: [1] },
      },
      filter: { ports: { exclude: [53, "137-139"] }, direction: "any", default_filters: true },
      threads: 2,
    });
    // What it prints is a configuration again.
    const { file: _, ...again } = effective;
    expect(effectiveConfig((await loadConfig(file(JSON.stringify(again)))).config)).toEqual(again);
  });

  it("may be absent unless it is named", async () => {
    await expect(loadConfig(join(folder, "none.json"))).rejects.toThrow("none.json: no such file");
    expect(await loadConfig()).toEqual({ config: {} });
  });

  it.each([
    ['{\n  "threads": 2,\n}', "line 3, column 1: is no JSON"],
    ["[]", "the file must be object"],
    ['{"thread": 2}', "the file must NOT have additional properties (thread)"],
    ['{"threads": 0}', "threads must be >= 1"],
    ['{"searches": {"quick": {"percent": 101}}}', "searches.quick.percent must be <= 100"],
    ['{"searches": {"quick": {"line_amounts": [1]}}}', "searches.quick must NOT have additional properties (line_amounts)"],
    ['{"searches": {"detailed": {"time_spans": [[5, 0]]}}}', "time_spans must hold spans [low, high] with 0 <= low < high"],
    ['{"searches": {"detailed": {"time_spans": [[0, 5]], "spans": [[0, 5]]}}}', "time_spans is given twice"],
    ['{"filter": {"source": {"include": ["10.0.0.0/40"]}}}', 'source holds "10.0.0.0/40", which is no address'],
    ['{"filter": {"direction": "up"}}', "filter.direction must be equal to one of the allowed values"],
  ])("%j is refused: %s", async (text, message) => {
    const path = file(text);
    await expect(loadConfig(path)).rejects.toThrow(message);
    await expect(loadConfig(path)).rejects.toThrow(path);
  });

  it("has its schema published as it is", () => {
    const published = readFileSync(fileURLToPath(new URL("../../config.schema.json", import.meta.url)), "utf8");
    expect(JSON.parse(published)).toEqual(configSchema());
  });
});
