import { describe, expect, it } from "vitest";
import { detectIn, repeated } from "../../testing/flows.js";
import type { Verdict } from "../detector.js";

const detect = (minutes: readonly number[], parameters: object = {}): Verdict | undefined => detectIn("quick", minutes, parameters);

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
