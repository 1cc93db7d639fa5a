import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectIn, repeated } from "../../testing/flows.js";
import type { ExplainedStep, Verdict } from "../detector.js";

const detect = (minutes: readonly number[], parameters: object = {}): Verdict | undefined => detectIn("detailed", minutes, parameters);

describe("detailed", () => {
  it("finds a regular beacon and names its span", () => {
    const verdict = detect(repeated(25, 12));
    expect(verdict?.score).toBe(100);
    expect(verdict?.evidence).toEqual({
      n: 12,
      spanMinutes: [15, 35],
      epsMinutes: 1,
      clusterSize: 12,
      clusters: 1,
      clusterMinutes: [25, 25],
      meanMinutes: 25,
      medianMinutes: 25,
      deviationPercent: 0,
      likelihood: 1,
    });
  });

  it("takes only gaps longer than delta, and the share of all of those", () => {
    expect(detect(repeated(20, 12))).toBeUndefined();
    expect(detect(repeated(20, 12), { delta: 19.99 })?.score).toBe(100);
    // Gaps beyond every span count in n.
    expect(detect([...repeated(25, 9), 90], { percent: 90, call_back: 9 })?.score).toBe(90);
    expect(detect([...repeated(25, 9), 90], { percent: 90.1, call_back: 9 })).toBeUndefined();
    expect(detect([...repeated(25, 9), ...repeated(1, 50)], { call_back: 9 })?.score).toBe(100);
    expect(detect(repeated(25, 9))).toBeUndefined();
  });

  it("has both ends of a span inside, and clusters each span by itself", () => {
    const spans = { time_spans: [[10, 12]], delta: 1 };
    expect(detect([...repeated(10, 5), ...repeated(12, 5)], { ...spans, call_back: 5, percent: 50 })?.score).toBe(50);
    expect(
      detect([...repeated(9.999, 5), ...repeated(12, 5)], { ...spans, call_back: 5, percent: 50 })?.evidence["clusterMinutes"],
    ).toEqual([12, 12]);
    expect(detect(repeated(12.001, 10), spans)).toBeUndefined();
  });

  it("prefers the narrower of two spans with as large a cluster, then the one listed first", () => {
    const name = (time_spans: number[][]): unknown => detect(repeated(25, 12), { time_spans })?.evidence["spanMinutes"];
    expect(
      name([
        [0, 60],
        [20, 30],
        [15, 35],
      ]),
    ).toEqual([20, 30]);
    expect(
      name([
        [22, 32],
        [20, 30],
      ]),
    ).toEqual([22, 32]);
  });

  it("takes the lower of two clusters of one size in a span", () => {
    const verdict = detect([...repeated(30, 10), ...repeated(17, 10)], { percent: 50, time_spans: [[15, 35]], delta: 1 });
    expect(verdict?.evidence["clusterMinutes"]).toEqual([17, 17]);
  });

  it("leaves out clusters that vary too much, only when variance is given", () => {
    const loose = Array.from({ length: 20 }, (_, i) => 21 + i * 0.2);
    expect(detect(loose)?.score).toBe(100);
    expect(detect(loose, { variance: 3 })).toBeUndefined();
    // Mean 22.9, population standard deviation 1.1533: 5.036 %.
    expect(detect(loose, { variance: 5.04 })?.evidence["deviationPercent"]).toBeCloseTo(5.0361, 3);
    expect(detect(loose, { variance: 5.03 })).toBeUndefined();
    // A smaller cluster that varies little stands where the larger one does not.
    const both = [...Array.from({ length: 12 }, (_, i) => 16 + i * 0.1), ...repeated(30, 11)];
    const parameters = { delta: 1, percent: 10, time_spans: [[15, 35]] };
    expect(detect(both, parameters)?.evidence["clusterSize"]).toBe(12);
    expect(detect(both, { ...parameters, variance: 1 })?.evidence["clusterSize"]).toBe(11);
  });

  it("noise is no cluster, even at percent 0", () => {
    expect(
      detect(
        Array.from({ length: 10 }, (_, i) => 21 + i * 4),
        { percent: 0 },
      ),
    ).toBeUndefined();
  });

  it("explains up to the step that fails, and says the same with an explanation and without", () => {
    const steps: ExplainedStep[] = [];
    detectIn("detailed", [...repeated(25, 10), ...repeated(100, 10)], {}, (step) => steps.push(step));
    expect(steps.map(({ measured, limit, passed }) => [measured, limit, passed])).toEqual([
      [20, 10, true],
      [1, 1, true],
      [50, 85, false],
    ]);
    const minutes = fc.array(fc.oneof(fc.constantFrom(21, 25, 30), fc.double({ min: 0, max: 70, noNaN: true })), { maxLength: 60 });
    fc.assert(
      fc.property(
        minutes,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 100 }),
        fc.boolean(),
        (gaps, call_back, percent, vary) => {
          const parameters = { call_back, percent, delta: 2, ...(vary && { variance: 10 }) };
          expect(detectIn("detailed", gaps, parameters, () => undefined)).toEqual(detect(gaps, parameters));
        },
      ),
      { numRuns: 500 },
    );
  });
});
