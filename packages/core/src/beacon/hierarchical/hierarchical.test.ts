import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectIn, repeated } from "../../testing/flows.js";
import type { ExplainedStep, Verdict } from "../detector.js";

const detect = (minutes: readonly number[], parameters: object = {}): Verdict | undefined => detectIn("hierarchical", minutes, parameters);

/** The definition, step by step: runs of values, joined over the smallest gap, the lowest first. */
function naiveLargest(values: readonly number[], variance: number): number {
  let runs = [...values].sort((a, b) => a - b).map((value) => [value]);
  let largest = 0;
  const judge = (run: readonly number[]): void => {
    const low = run[(run.length - 1) >> 1] ?? 0;
    const median = (low + (run[run.length >> 1] ?? 0)) / 2;
    if (median > 0 && run.every((value) => 100 * Math.abs(value - median) <= variance * median)) largest = Math.max(largest, run.length);
  };
  runs.forEach(judge);
  while (runs.length > 1) {
    let at = 0;
    const gap = (i: number): number => (runs[i + 1]?.[0] ?? 0) - (runs[i]?.at(-1) ?? 0);
    for (let i = 1; i + 1 < runs.length; i++) if (gap(i) < gap(at)) at = i;
    const joined = [...(runs[at] ?? []), ...(runs[at + 1] ?? [])];
    judge(joined);
    runs = [...runs.slice(0, at), joined, ...runs.slice(at + 2)];
  }
  return largest;
}

describe("hierarchical", () => {
  it("finds a regular beacon, with its evidence", () => {
    const verdict = detect([...repeated(30, 18), 33, 27, 90]);
    expect(verdict?.score).toBeCloseTo((100 * 20) / 21, 10);
    expect(verdict?.evidence).toEqual({
      n: 21,
      clusterSize: 20,
      clusterMinutes: [27, 33],
      medianMinutes: 30,
      deviationPercent: 10,
      likelihood: 20 / 21,
    });
  });

  it("takes gaps of at least delta, and at least call_back and the least line amount of them", () => {
    expect(detect(repeated(20, 10))?.score).toBe(100);
    expect(detect(repeated(20, 9))).toBeUndefined();
    expect(detect(repeated(19.999, 12))).toBeUndefined();
    expect(detect([...repeated(20, 10), ...repeated(1, 90)])?.score).toBe(100);
    expect(detect(repeated(20, 10), { line_amounts: [12] })).toBeUndefined();
    expect(detect(repeated(20, 10), { line_amounts: [12, 10] })?.score).toBe(100);
    expect(detect(repeated(20, 10), { line_amounts: [5], call_back: 11 })).toBeUndefined();
  });

  it("a cluster may deviate by exactly variance percent of its median", () => {
    const gaps = [...repeated(100, 9), 115, 85];
    expect(detect(gaps, { variance: 15, percent: 100 })?.score).toBe(100);
    expect(detect(gaps, { variance: 14.99, percent: 100 })).toBeUndefined();
  });

  it("the largest cluster must itself reach call_back", () => {
    expect(detect([...repeated(25, 9), ...repeated(50, 9)], { percent: 0 })).toBeUndefined();
    expect(detect([...repeated(25, 10), ...repeated(50, 9)], { percent: 0 })?.evidence["clusterSize"]).toBe(10);
  });

  it("a median of 0 is no beacon", () => {
    expect(detect(repeated(0, 20), { delta: 0 })).toBeUndefined();
  });

  it("finds the largest cluster that the definition finds, and the same when it explains", () => {
    const minute = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.double({ min: 0, max: 30, noNaN: true }));
    fc.assert(
      fc.property(fc.array(minute, { minLength: 1, maxLength: 40 }), fc.integer({ min: 0, max: 120 }), (minutes, variance) => {
        const parameters = { delta: 0, call_back: 1, percent: 0, variance };
        const largest = naiveLargest(
          minutes.map((gap) => Math.round(gap * 60_000_000)),
          variance,
        );
        expect(detect(minutes, parameters)?.evidence["clusterSize"] ?? 0).toBe(largest);
        const steps: ExplainedStep[] = [];
        expect(detectIn("hierarchical", minutes, parameters, (step) => steps.push(step))).toEqual(detect(minutes, parameters));
        expect(steps.at(-1)?.passed).toBe(largest > 0);
        const strict = { ...parameters, percent: 60 };
        expect(detect(minutes, strict) !== undefined).toBe(largest > 0 && largest / minutes.length >= 0.6);
      }),
      { numRuns: 1000 },
    );
  });

  it("a million gaps are a group like any other", () => {
    const gaps = Array.from({ length: 1_000_000 }, (_, i) => 30 + ((i * 7919) % 1000) / 1000);
    expect(detect(gaps)?.score).toBe(100);
    expect(detectIn("detailed", gaps)?.score).toBe(100);
  });
});
