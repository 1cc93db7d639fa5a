import { describe, expect, it } from "vitest";
import { flowOf } from "../../testing/flows.js";
import { planSearch } from "../search-flows.js";
import { rita } from "./rita.js";
import { ritaRegularity, ritaScore } from "./rita-score.js";

const regularity = (values: readonly number[], ofSmall = 1): number => ritaRegularity(Float64Array.from(values), ofSmall);

/** RITA's score of gaps in seconds and of sizes. */
function scoreOf(gaps: readonly number[], bytes: readonly number[] = [...gaps, 0].map(() => 100)) {
  const seconds = [0];
  for (const gap of gaps) seconds.push((seconds.at(-1) ?? 0) + gap);
  return ritaScore(Float64Array.from(seconds), Float64Array.from(gaps.filter((gap) => gap > 0)), Float64Array.from(bytes));
}

describe("ritaRegularity", () => {
  it.each([
    [new Array<number>(9).fill(60), 1],
    [[98, 99, 99, 100, 100, 100, 101, 101, 102], 0.995],
    [[98, 300, 98, 300, 98, 300, 98, 300, 98, 300], 0.746],
    [[1, 299, 25, 4975, 90, 2, 42, 500, 1500], 0.083],
  ])("of the gaps %j is %d", (gaps, expected) => {
    expect(regularity(gaps)).toBe(expected);
  });

  it("of zero sizes is a half", () => {
    expect(regularity(new Array<number>(10).fill(0), 0)).toBe(0.5);
  });
});

describe("ritaScore", () => {
  it("of a call an hour over a day is full: all slices have one call, but for the last", () => {
    expect(scoreOf(new Array<number>(24).fill(3600))).toEqual({ ts: 1, ds: 1, hist: 1, dur: 1, score: 1 });
  });

  it("goes by the deviation of the slices where few are used", () => {
    // Ten calls in each of five slices of a day, by hand: mean 50 / 24, deviation 4.061.
    const burst = new Array<number>(9).fill(1);
    const gaps = [...burst, 5 * 3600, ...burst, 5 * 3600, ...burst, 5 * 3600, ...burst, 9 * 3600 - 36, ...burst];
    expect(scoreOf(gaps)).toMatchObject({ hist: 0, dur: 0 });
    // Of 24 slices every third is empty: deviation / mean = sqrt(1 / 2) but for the last call.
    const two = Array.from({ length: 8 }, () => [600, 600, 600, 600, 600, 600, 7200]).flat();
    expect(scoreOf(two.slice(0, -1)).hist).toBeGreaterThan(0.2);
  });

  it("looks at the last day for the histogram, and takes a run around midnight for one", () => {
    const { hist, dur } = scoreOf([...new Array<number>(100).fill(60), 90_000, ...new Array<number>(24).fill(3600)]);
    expect([hist, dur]).toEqual([1, 1]);
    // Less than a day is as long as it is.
    expect(scoreOf([3600, 3600, 3600, 16 * 3600, 3600, 3600, 3600, 3600, 3599]).dur).toBe(1);
    expect(scoreOf([3600, 3600, 3600, 3600]).dur).toBe(0);
  });

  it("takes two heights of bars for regular, from eleven slices on", () => {
    // Every second hour ten calls, else two: far from even, and only two heights.
    const gaps = Array.from({ length: 24 }, (_, hour) => new Array<number>(hour % 2 ? 10 : 2).fill(hour % 2 ? 360 : 1800)).flat();
    expect(scoreOf(gaps).hist).toBe(1);
    // Eleven heights all over: by the deviation.
    const steps = Array.from({ length: 12 }, (_, hour) => new Array<number>(2 * hour + 1).fill(7200 / (2 * hour + 1))).flat();
    expect(scoreOf(steps).hist).toBeLessThan(0.5);
  });
});

describe("rita", () => {
  const detect = (minutes: readonly number[], bytes?: readonly number[], min_score = 0) => {
    const flow = flowOf(minutes);
    const sizes = Float64Array.from(bytes ?? []);
    const carried = bytes && {
      bytesUp: sizes,
      bytesDown: sizes,
      ipBytesUp: sizes,
      states: new Uint8Array(sizes.length),
      services: new Uint8Array(sizes.length),
    };
    return rita.detect(carried ? { ...flow, carried } : flow, planSearch("rita", { min_score }).parameters as { min_score: number });
  };

  it("reads the IP bytes, unset ones as 0", () => {
    const hourly = new Array<number>(24).fill(60);
    expect(detect(hourly, new Array<number>(25).fill(80))?.evidence["ds"]).toBe(1);
    expect(detect(hourly, new Array<number>(25).fill(Number.NaN))?.evidence["ds"]).toBe(0.5);
    expect(detect(hourly)?.evidence["ds"]).toBe(0.5);
    expect(detect(hourly)?.score).toBeCloseTo(87.5, 6);
  });

  it("leaves out what is too little, a strobe, and what is below the limit", () => {
    expect(detect([1, 1])).toBeUndefined();
    expect(detect([0, 1, 0, 1, 0.001])).toBeUndefined();
    expect(detect(new Array<number>(86_399).fill(1 / 60))).toBeUndefined();
    expect(detect(new Array<number>(24).fill(60), undefined, 88)).toBeUndefined();
  });
});
