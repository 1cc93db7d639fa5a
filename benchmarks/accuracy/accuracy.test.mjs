import { hunt, planSearch } from "@heliograph/core";
import { describe, expect, it } from "vitest";
import { atThreshold, averagePrecision, precisionAt, recallAt } from "./measure.mjs";
import { makeWorld } from "./world.mjs";

const ranked = (text) => [...text].map((mark, place) => ({ score: 100 - place, positive: mark === "+" }));

describe("the measures", () => {
  it("are those of the textbooks", () => {
    expect(averagePrecision(ranked("++"), 2)).toBe(1);
    expect(averagePrecision(ranked("+-+"), 2)).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(averagePrecision(ranked("-+"), 4)).toBeCloseTo(1 / 8, 12);
    expect(precisionAt(ranked("++--+"), 4)).toBe(0.5);
    expect(precisionAt(ranked("+"), 10)).toBe(1);
    const { f1, ...others } = atThreshold(ranked("+-+-"), 98, 4, 1000);
    expect(others).toEqual({ precision: 2 / 3, recall: 0.5, falsePer100k: 100 });
    expect(f1).toBeCloseTo(4 / 7, 12);
    expect(recallAt(ranked("++-+-+"), 100, 5, 1000)).toEqual({ recall: 3 / 5, score: 97 });
  });

  it("take equal scores together, whatever their order", () => {
    const tied = (text) => [...text].map((mark) => ({ score: 100, positive: mark === "+" }));
    expect(averagePrecision(tied("+-"), 1)).toBe(averagePrecision(tied("-+"), 1));
    expect(averagePrecision(tied("+-"), 1)).toBe(0.5);
    expect(precisionAt(tied("+---"), 2)).toBe(0.25);
    expect(recallAt(tied("+-"), 0, 1, 1000).recall).toBe(0);
  });
});

// What the full bench measures over a million groups, guarded over a few thousand.
it("the adaptive search finds the planted beacons of a network, and little else above them", async () => {
  const { conn, dns, labels, groups } = makeWorld({ seed: 500, groups: 6000, beacons: 110, capture: 86_400, classes: CLASSES });
  const { results } = await hunt([{ name: "conn.log", data: each(conn) }], {
    searches: [planSearch("adaptive"), planSearch("rita", { min_score: 0 })],
    nameLogs: [{ name: "dns.log", data: each(dns) }],
  });
  const [adaptive, rita] = results.map(({ beacons }) =>
    beacons.map(({ source, destination, port, protocol, score }) => ({
      score,
      positive: labels.has(`${source} ${destination} ${port} ${protocol}`),
    })),
  );
  const { recall, falsePer100k } = atThreshold(adaptive, 70, labels.size, groups);
  expect(recall).toBeGreaterThan(0.95);
  expect(falsePer100k).toBeLessThan(100);
  expect(averagePrecision(adaptive, labels.size)).toBeGreaterThan(averagePrecision(rita, labels.size) + 0.2);
}, 60_000);

const CLASSES = [
  "fixed",
  "uniform jitter",
  "normal jitter",
  "one-sided jitter",
  "high jitter",
  "fast",
  "missed",
  "extra",
  "working hours",
  "two modes",
  "drift",
];

async function* each(buffers) {
  yield* buffers;
}
