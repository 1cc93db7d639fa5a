import { describe, expect, it } from "vitest";
import type { Flow } from "../../flows/flow.js";
import { planSearch } from "../search-flows.js";
import { quick } from "./quick.js";

/** A flow with gaps in minutes. */
function flowOf(minutes: readonly number[]): Flow {
  const gaps = Float64Array.from(minutes, (gap) => Math.round(gap * 60_000_000));
  const times = new Float64Array(gaps.length + 1);
  gaps.forEach((gap, i) => {
    times[i + 1] = (times[i] ?? 0) + gap;
  });
  return { source: "10.0.0.1", destination: "192.0.2.1", port: 443, protocol: "tcp", times, gaps };
}

const detect = (minutes: readonly number[], parameters: object = {}): ReturnType<typeof quick.detect> =>
  quick.detect(flowOf(minutes), planSearch("quick", parameters).parameters);
const repeated = (gap: number, times: number): number[] => new Array<number>(times).fill(gap);

describe("quick", () => {
  it("finds a regular beacon, with its evidence", () => {
    const verdict = detect(repeated(10, 20));
    expect(verdict?.score).toBe(100);
    expect(verdict?.evidence).toMatchObject({
      n: 20,
      meanMinutes: 10,
      medianMinutes: 10,
      jitterPercent: 0,
      clusterSize: 20,
      clusters: 1,
      likelihood: 1,
    });
    // (10 x 1.12 - 10 x 0.88) / 2 x 0.1
    expect(verdict?.evidence["epsMinutes"]).toBeCloseTo(0.12, 12);
  });

  it("needs call_back gaps", () => {
    expect(detect(repeated(10, 10))?.score).toBe(100);
    expect(detect(repeated(10, 9))).toBeUndefined();
    expect(detect(repeated(10, 9), { call_back: 9 })?.score).toBe(100);
  });

  it("leaves out gaps under two minutes, inclusive, when delta is 5 or more", () => {
    expect(detect([...repeated(10, 10), ...repeated(1.9, 30)])?.evidence["n"]).toBe(10);
    expect(detect(repeated(2, 10))?.evidence["n"]).toBe(10);
    expect(detect(repeated(1.9, 30), { delta: 5 })).toBeUndefined();
    expect(detect(repeated(1.9, 30), { delta: 4.9 })?.evidence["n"]).toBe(30);
  });

  it("keeps averages up to delta, and from delta on for slow beacons", () => {
    expect(detect(repeated(20, 12))?.score).toBe(100);
    expect(detect([...repeated(20, 11), 20.001])).toBeUndefined();
    expect(detect(repeated(480, 12), { delta: 480 })?.score).toBe(100);
    expect(detect(repeated(479.999, 12), { delta: 480 })).toBeUndefined();
    expect(detect(repeated(600, 12), { delta: 480 })?.score).toBe(100);
  });

  it("measures jitter signed and relative when delta is 5 or more", () => {
    // From 4 to 8 and back: +100 % and -50 % in turn, an average of more than 15 %.
    expect(
      detect(
        Array.from({ length: 21 }, (_, i) => (i % 2 ? 8 : 4)),
        { percent: 0 },
      ),
    ).toBeUndefined();
    // Ever shorter: a negative jitter passes any variance.
    const shrinking = Array.from({ length: 20 }, (_, i) => 15 - i * 0.2);
    expect(detect(shrinking, { variance: 0, percent: 0, call_back: 2 })?.evidence["jitterPercent"]).toBeLessThan(0);
  });

  it("measures jitter as sample variance over mean when delta is below 5", () => {
    const verdict = detect([1, 3, ...repeated(2, 10)], { delta: 4, percent: 0, call_back: 3 });
    // Sample variance 2 / 11, mean 2.
    expect(verdict?.evidence["jitterPercent"]).toBeCloseTo((100 * (2 / 11)) / 2, 10);
    expect(detect(repeated(0, 20), { delta: 1 })).toBeUndefined();
    expect(detect([1], { delta: 2, call_back: 1 })).toBeUndefined();
  });

  it("noise is no cluster, even at percent 0", () => {
    const spread = Array.from({ length: 10 }, (_, i) => 4 + i * 1.5);
    expect(detect(spread, { percent: 0, variance: 1000 })).toBeUndefined();
  });

  it("scores the share of the largest cluster", () => {
    const verdict = detect([...repeated(10, 18), 15, 15.5], { percent: 85, variance: 100 });
    expect(verdict?.score).toBe(90);
    expect(detect([...repeated(10, 18), 15, 15.5], { percent: 90.1, variance: 100 })).toBeUndefined();
  });
});

describe("parameters", () => {
  it("have the defaults of the public API", () => {
    expect(planSearch("quick").parameters).toEqual({ delta: 20, call_back: 10, percent: 85, span_avg: 12, variance: 15 });
  });

  it.each([
    [{ percent: 101 }, "percent must be between 0 and 100, got 101"],
    [{ percent: "85" }, 'percent must be a number, got "85"'],
    [{ percent: Number.NaN }, "percent must be a number, got null"],
    [{ delta: -1 }, "delta must be 0 or more, got -1"],
    [{ call_back: 2.5 }, "call_back must be a whole number, got 2.5"],
    [{ call_back: 0 }, "call_back must be 1 or more, got 0"],
    [{ detla: 5 }, "detla is not a parameter of this search; it has delta, call_back, percent, span_avg, variance"],
    [JSON.parse('{"__proto__": {"delta": 1}}'), "__proto__ is not a parameter"],
    [[], "parameters must be an object"],
    [null, "parameters must be an object"],
  ])("%j is refused: %s", (parameters, message) => {
    expect(() => planSearch("quick", parameters)).toThrow(message);
  });

  it("an unknown search is refused with the known ones", () => {
    expect(() => planSearch("nope")).toThrow('search "nope" is unknown; there are quick');
  });
});
