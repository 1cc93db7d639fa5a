import { type Beacon, hunt, planSearch } from "@heliograph/core";
import { describe, expect, it } from "vitest";
import { htmlReport, MOST_SHOWN } from "./html-report.js";
import type { Totals } from "./reading.js";

const TOTALS: Totals = {
  files: 1,
  rows: 40,
  malformedRows: 0,
  duplicateRows: 0,
  groups: 1,
  bytes: 1000,
  seconds: 0.1,
  invalidValues: 0,
  otherRows: 0,
  rowsOutside: 0,
  truncatedFiles: 0,
  removedRows: {},
};

describe("htmlReport", () => {
  it("shows the first of very many, and says how many more there are", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${1_700_000_000 + i * 600}.0\t10.0.0.1\t${i}\t192.0.2.1\t443\ttcp`);
    const log = `#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n${rows.join("\n")}\n`;
    const { results } = await hunt([{ name: "conn.log", data: new TextEncoder().encode(log) }], { searches: [planSearch("quick")] });
    const [beacon] = results[0]?.beacons ?? [];
    const search = { name: "quick", parameters: { delta: 20 } };
    const many = new Array<Beacon>(MOST_SHOWN + 5).fill(beacon as Beacon);
    const page = htmlReport([{ search, beacons: many }], TOTALS);
    expect(page.match(/<section/g)).toHaveLength(MOST_SHOWN);
    expect(page).toContain("2,005 potential beacons (quick)");
    expect(page).toContain("Shown are the 2,000 with the highest scores; 5 more stand in CSV and NDJSON.");
    const few = htmlReport([{ search, beacons: many.slice(0, 3) }], TOTALS);
    expect(few.match(/<section/g)).toHaveLength(3);
    expect(few).not.toContain("more stand in");
    expect(htmlReport([{ search, beacons: many.slice(0, 3), count: 9 }], TOTALS)).toContain("9 potential beacons");
  });
});
