import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponential, randomFrom } from "../../testing/random.js";
import { collapse, gapsOf } from "./calls.js";
import { chanceOf, crowdedWindows, divergence } from "./interval-windows.js";

const sortedOf = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort();

describe("chanceOf", () => {
  it.each([1.04, 1.3, 2.4, 3.2, 20])("a window of ratio %d holds no more of an exponential distribution wherever it stands", (ratio) => {
    let most = 0;
    for (let at = 0.001; at < 10; at += 0.001) most = Math.max(most, Math.exp(-at) - Math.exp(-ratio * at));
    expect(chanceOf(ratio)).toBeGreaterThanOrEqual(most);
    expect(chanceOf(ratio)).toBeCloseTo(most, 5);
  });

  it("of a window without end is all", () => {
    expect(chanceOf(Number.POSITIVE_INFINITY)).toBe(1);
  });
});

describe("divergence", () => {
  it("is Kullback and Leibler's, and nothing where a share is no more than chance", () => {
    expect(divergence(1, 0.5)).toBeCloseTo(Math.LN2, 12);
    expect(divergence(0.5, 0.25)).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 12);
    expect([divergence(0.2, 0.25), divergence(0.25, 0.25), divergence(1, 1)]).toEqual([0, 0, 0]);
  });
});

describe("crowdedWindows", () => {
  it("finds as full a window as there is", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 12, maxLength: 80 }), (tenths) => {
        // One crowd that no chance explains, and anything beside it.
        const sorted = sortedOf([...tenths.map((tenth) => tenth * 1e6), ...new Array<number>(60).fill(600e6)]);
        const { windows, share } = crowdedWindows(sorted, 0);
        const [first] = windows;
        expect(first && first.low <= 600e6 && first.high >= 600e6).toBe(true);
        for (const { low, high, count } of windows) expect(sorted.filter((gap) => gap >= low && gap <= high).length).toBe(count);
        expect(share).toBeCloseTo(windows.reduce((sum, { count }) => sum + count, 0) / sorted.length, 12);
      }),
    );
  });

  it("is sure of a timer, and tells both sleeps of one that has two", () => {
    const timer = crowdedWindows(sortedOf(new Array<number>(23).fill(60e6)), 0);
    expect(timer.share).toBe(1);
    expect(timer.logP).toBeLessThan(-60);
    const two = crowdedWindows(sortedOf([...new Array<number>(30).fill(60e6), ...new Array<number>(20).fill(700e6)]), 0);
    expect(two.windows.map(({ low }) => low / 1e6)).toEqual([60, 700]);
    expect(two.share).toBe(1);
  });

  it("takes pieces of one crowd for one window", () => {
    const random = randomFrom(5);
    const { windows } = crowdedWindows(sortedOf(Array.from({ length: 200 }, () => 300e6 * (0.9 + 0.2 * random()))), 0);
    expect(windows).toHaveLength(1);
    expect(windows[0]?.low).toBeGreaterThanOrEqual(270e6);
    expect(windows[0]?.high).toBeLessThanOrEqual(330e6);
  });

  it("has nothing to say of nothing, and of connections of one go", () => {
    expect(crowdedWindows(new Float64Array(0), 0)).toMatchObject({ windows: [], logP: 0 });
    expect(crowdedWindows(new Float64Array(50).fill(1500), 0)).toMatchObject({ windows: [], logP: 0 });
  });

  // The promise that the score stands on: what calls at random reach is no more likely than it says, whatever their rate does.
  const profiles: readonly (readonly [name: string, flow: (random: () => number) => number[]])[] = [
    ["a steady rate", (random) => Array.from({ length: 40 }, () => 86_400e6 * random())],
    ["working hours", (random) => Array.from({ length: 60 }, () => 86_400e6 * (Math.floor(5 * random()) + 0.35 + 0.3 * random()))],
    [
      "sessions",
      (random) =>
        Array.from({ length: 6 }, () => {
          const start = 86_400e6 * random();
          return Array.from({ length: 8 }, () => start + exponential(random, 300e6));
        }).flat(),
    ],
    [
      "two rates at once",
      (random) => [...Array.from({ length: 20 }, () => 86_400e6 * random()), ...Array.from({ length: 30 }, () => 3600e6 * random())],
    ],
  ];
  it.each(profiles)("its probability holds for calls at random with %s, joined or not", (_, flow) => {
    const random = randomFrom(11);
    const runs = 4000;
    const counts = { 0.1: 0, 0.01: 0, 0.001: 0 };
    for (let run = 0; run < runs; run++) {
      const times = Float64Array.from(flow(random)).sort();
      for (const closeness of [0, 15e6]) {
        const { logP } = crowdedWindows(gapsOf(collapse(times, closeness)).sort(), closeness);
        for (const level of [0.1, 0.01, 0.001] as const) if (logP < Math.log(level)) counts[level]++;
      }
    }
    expect(counts[0.1] / (2 * runs)).toBeLessThanOrEqual(0.1);
    expect(counts[0.01] / (2 * runs)).toBeLessThanOrEqual(0.01);
    expect(counts[0.001]).toBeLessThanOrEqual(8);
  });
});
