import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponential, randomFrom } from "../../testing/random.js";
import { burstsOf } from "./bursts.js";
import { collapse, gapsOf } from "./calls.js";
import { coverageOf } from "./coverage.js";
import { driftOf } from "./drift.js";
import { periodicityOf } from "./periodicity.js";
import { persistenceOf } from "./persistence.js";
import { reachOf } from "./prevalence.js";
import { regularityOf } from "./regularity.js";
import { bestView, rhythmOf } from "./rhythm.js";
import { significanceOf } from "./significance.js";
import { sizesOf } from "./sizes.js";

const SECOND = 1e6;
/** Times in microseconds of gaps in seconds. */
function timesOf(gaps: readonly number[]): Float64Array {
  const times = new Float64Array(gaps.length + 1);
  gaps.forEach((gap, i) => {
    times[i + 1] = (times[i] ?? 0) + Math.round(gap * SECOND);
  });
  return times;
}
const flowOf = (gaps: readonly number[]) => ({ times: timesOf(gaps), gaps: Float64Array.from(gaps, (gap) => Math.round(gap * SECOND)) });

describe("collapse", () => {
  it("makes a page load one call", () => {
    const gaps = Array.from({ length: 20 }, () => [...new Array<number>(29).fill(0.05), 300]).flat();
    const calls = collapse(timesOf(gaps), 1.5 * SECOND);
    expect([...calls.starts].map((start) => Math.round(start / SECOND)).slice(0, 3)).toEqual([0, 301, 603]);
    expect([...(calls.sizes ?? [])]).toEqual([...new Array<number>(20).fill(30), 1]);
    expect(burstsOf(calls)).toMatchObject({ connectionsPerCall: 30, mostConnections: 30, closenessSeconds: 1.5 });
    expect(burstsOf(calls).value).toBeCloseTo(20 / 21, 12);
  });

  it("loses no connection, and leaves no two calls that close", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 40, noNaN: true })), fc.integer({ min: 0, max: 20 }), (gaps, closeness) => {
        const times = timesOf(gaps);
        const { starts, sizes } = collapse(times, closeness * SECOND);
        expect([...(sizes ?? [])].reduce((sum, size) => sum + size, 0)).toBe(times.length);
        for (let call = 1, row = sizes?.[0] ?? 0; call < starts.length; row += sizes?.[call++] ?? 0) {
          expect(times[row]).toBe(starts[call]);
          expect((times[row] ?? 0) - (times[row - 1] ?? 0)).toBeGreaterThan(closeness * SECOND);
        }
      }),
    );
  });
});

describe("bestView", () => {
  it("takes connections apart or together, as they make most sense", () => {
    expect(bestView(flowOf(new Array<number>(100).fill(0.5)), 6)?.calls).toMatchObject({ closeness: 0, sizes: undefined });
    const bursts = Array.from({ length: 30 }, (_, i) => [...new Array<number>(1 + (i % 7)).fill(0.2), 300]).flat();
    expect(bestView(flowOf(bursts), 6)?.calls.closeness).toBe(1.5 * SECOND);
    expect(bestView(flowOf([1, 1]), 6)).toBeUndefined();
  });
});

describe("regularityOf", () => {
  it("is full for a timer, a half for a jitter of half, and nearly nothing for calls at random", () => {
    const random = randomFrom(1);
    const of = (next: () => number): number => regularityOf(Float64Array.from({ length: 2001 }, next).sort()).value;
    expect(of(() => 60)).toBe(1);
    expect(of(() => 60 * (0.5 + random()))).toBeCloseTo(0.64, 1);
    expect(of(() => exponential(random, 60))).toBeLessThan(0.06);
    expect(regularityOf(Float64Array.of(1, 2, 3, 4, 9))).toMatchObject({ madByMedian: 1 / 3, quartileSkew: 0.4 });
    expect(regularityOf(new Float64Array(9)).value).toBe(0);
  });
});

describe("periodicityOf", () => {
  const of = (times: Float64Array, period: number) =>
    periodicityOf(times, gapsOf({ starts: times, sizes: undefined, closeness: 0 }), 0.95 * period * SECOND, 1.05 * period * SECOND);

  it("survives calls that are missed", () => {
    const random = randomFrom(2);
    const times = Float64Array.from({ length: 200 }, (_, i) => i * 300 * SECOND + random() * SECOND).filter(() => random() > 0.5);
    const { coherence, value, periodSeconds, periodErrorSeconds, logP } = of(times, 300);
    expect(coherence).toBeGreaterThan(0.99);
    expect(value).toBeGreaterThan(0.95);
    expect(Math.abs(periodSeconds - 300)).toBeLessThan(Math.max(3 * periodErrorSeconds, 0.05));
    expect(logP).toBeLessThan(-50);
  });

  it("survives calls in between", () => {
    const random = randomFrom(3);
    const calls = Array.from({ length: 200 }, (_, i) => i * 300 * SECOND);
    const visits = Array.from({ length: 300 }, () => random() * 60_000 * SECOND);
    const { echo, echoChance, value, logP } = of(Float64Array.from([...calls, ...visits]).sort(), 300);
    expect(echo).toBeGreaterThan(0.4);
    expect(echoChance).toBeLessThan(0.3);
    expect(value).toBeGreaterThan(0.2);
    expect(logP).toBeLessThan(-10);
  });

  it("says what period it found, within its error", () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const random = randomFrom(seed);
      const { periodSeconds, periodErrorSeconds } = of(timesOf(Array.from({ length: 120 }, () => 600 * (0.97 + 0.06 * random()))), 600);
      expect(Math.abs(periodSeconds - 600) / periodErrorSeconds).toBeLessThan(4);
      expect(periodErrorSeconds).toBeLessThan(2);
    }
  });

  it("finds none in calls at random", () => {
    let found = 0;
    for (let seed = 0; seed < 500; seed++) {
      const random = randomFrom(seed);
      const times = Float64Array.from({ length: 100 }, () => 86_400 * SECOND * random()).sort();
      if (of(times, 900 * random() + 100).logP < Math.log(0.01)) found++;
    }
    expect(found).toBeLessThanOrEqual(5);
  });
});

describe("persistenceOf", () => {
  const of = (gaps: readonly number[], usual: number) => {
    const { times, gaps: own } = flowOf(gaps);
    return persistenceOf(times, own, usual * SECOND);
  };

  it("counts the calls that were expected", () => {
    expect(of(new Array<number>(95).fill(900), 900)).toMatchObject({ value: 1, seen: 96, expected: 96, hoursActiveShare: 1 });
    expect(of([...new Array<number>(10).fill(60), 180, ...new Array<number>(10).fill(60)], 60)).toMatchObject({ seen: 22, expected: 24 });
  });

  it("takes nights for interruptions, not for missed calls", () => {
    const day = new Array<number>(100).fill(300);
    const { seen, expected, interruptions, interruptedShare, longestGapSeconds, value } = of([...day, 57_000, ...day], 300);
    expect({ seen, expected, interruptions, longestGapSeconds }).toEqual({
      seen: 202,
      expected: 202,
      interruptions: 1,
      longestGapSeconds: 57_000,
    });
    expect(interruptedShare).toBeCloseTo(57 / 117, 3);
    expect(value).toBeCloseTo(1 - 0.4 * (57 / 117), 3);
  });
});

describe("sizesOf", () => {
  const of = (up: readonly number[], down: readonly number[] = up) =>
    sizesOf({ bytesUp: Float64Array.from(up), bytesDown: Float64Array.from(down) });

  it("is full for the same each time, and less the further they spread", () => {
    expect(of([404, 404, 404, 404])).toMatchObject({ value: 1, bytesUp: 404, sameUp: 1, spreadUp: 0 });
    expect(of([100, 110, 90, 105, 95]).value).toBeGreaterThan(0.9);
    expect(of([1, 20, 400, 8000, 160_000]).value).toBeLessThan(0.3);
    expect(of([404, 404, 404], [1, 100, 10_000]).value).toBeCloseTo((1 + 1 / 3) / 2, 2);
  });

  it("does with what the log tells", () => {
    expect(of([Number.NaN, 404], [Number.NaN, Number.NaN]).value).toBe(1);
    expect(of([Number.NaN]).value).toBeNaN();
    expect(of([]).value).toBeNaN();
  });
});

describe("driftOf", () => {
  it("finds a timer that slows down, and takes the trend out", () => {
    const random = randomFrom(4);
    const gaps = Float64Array.from({ length: 100 }, (_, i) => 60e6 * 1.5 ** (i / 99) * (0.98 + 0.04 * random()));
    const { value, change, steadied } = driftOf(gaps, 73e6);
    expect(value).toBeGreaterThan(0.95);
    expect(change).toBeCloseTo(0.5, 1);
    expect(regularityOf(steadied.slice().sort()).value).toBeGreaterThan(0.95);
  });

  it("finds none in jitter, in a timer, and in a few gaps", () => {
    const random = randomFrom(5);
    expect(
      driftOf(
        Float64Array.from({ length: 200 }, () => 60e6 * (0.5 + random())),
        60e6,
      ),
    ).toMatchObject({ value: 0, change: 0 });
    expect(driftOf(new Float64Array(50).fill(60e6), 60e6)).toMatchObject({ value: 0, change: 0 });
    expect(driftOf(Float64Array.of(1, 2, 3, 4), 2.5)).toMatchObject({ value: 0, change: 0 });
  });
});

describe("the surroundings", () => {
  it("rate few hosts above many, a few of a few below a few of many, and out above in", () => {
    const of = (hosts: number, all = 2000) => reachOf(hosts, all, 5, "outbound").value;
    expect(of(1)).toBe(1);
    expect(of(2)).toBeCloseTo(0.834, 3);
    expect(of(10)).toBeCloseTo(0.45, 3);
    expect(of(1000)).toBe(0.02);
    expect(of(4, 5)).toBeCloseTo(1 - 0.6 * 0.75, 12);
    expect(of(1, 1)).toBe(1);
    expect(["outbound", "external", "internal", "inbound"].map((way) => reachOf(1, 9, 5, way as "outbound").value)).toEqual([
      1, 1, 0.4, 0.2,
    ]);
  });

  it("rate what covers the log above what is active for a moment", () => {
    const day: readonly [number, number] = [0, 86_400 * SECOND];
    expect(coverageOf(0, 86_400 * SECOND, 0, day)).toEqual({ value: 1, captureHours: 24, activeHours: 24 });
    expect(coverageOf(0, 86_400 * SECOND, 0.5, day).activeHours).toBe(12);
    expect(coverageOf(0, 60 * SECOND, 0, day).value).toBeLessThan(0.15);
    expect(coverageOf(0, 0, 0, [0, 0]).value).toBe(0.05);
  });

  it("doubt what one of so many groups would do by chance", () => {
    expect(significanceOf(-20 * Math.LN10, 1e6)).toMatchObject({ value: 1, log10P: -20, log10Expected: -14 });
    expect(significanceOf(-6 * Math.LN10, 1e6).value).toBeCloseTo(0.5, 6);
    expect(significanceOf(-4 * Math.LN10, 1e6).value).toBeCloseTo(0.05, 6);
    expect(significanceOf(0, 0).value).toBe(0.5);
  });
});

describe("rhythmOf", () => {
  it("tells the concentration of a timer from that of jitter and of chance", () => {
    const of = (gaps: readonly number[]): number => {
      const view = bestView(flowOf(gaps), 6);
      return view?.windows.windows.length ? rhythmOf(view).concentration : 0;
    };
    const random = randomFrom(6);
    expect(of(new Array<number>(50).fill(60))).toBeGreaterThan(0.99);
    const jitter = of(Array.from({ length: 200 }, () => 60 * (0.5 + random())));
    expect(jitter).toBeGreaterThan(0.6);
    expect(of(Array.from({ length: 200 }, () => exponential(random, 60)))).toBeLessThan(0.1);
    expect(of(Array.from({ length: 200 }, (_, i) => 60 * 2 ** (i / 200)))).toBeGreaterThan(0.99);
  });
});
