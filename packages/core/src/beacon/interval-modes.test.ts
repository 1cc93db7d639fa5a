import fc from "fast-check";
import { kmeans } from "ml-kmeans";
import { describe, expect, it } from "vitest";
import { randomFrom } from "../testing/random.js";
import { type IntervalMode, intervalModes, mayHaveModes, sampleGaps } from "./interval-modes.js";

const modesOf = (minutes: readonly number[]): IntervalMode[] => {
  const sample = sampleGaps(Float64Array.from(minutes, (gap) => gap * 60e6));
  return intervalModes(sample, mayHaveModes(sample) ? kmeans : undefined);
};

describe("intervalModes", () => {
  it("shows both sleeps of a beacon, with shares and jitter", () => {
    const random = randomFrom(1);
    const gaps = Array.from({ length: 120 }, (_, i) => (i % 10 === 0 ? 10 : 1) * (0.95 + random() * 0.1));
    const [short, long, ...more] = modesOf(gaps);
    expect(more).toEqual([]);
    expect(short?.medianMinutes).toBeCloseTo(1, 1);
    expect(short?.share).toBeCloseTo(0.9, 10);
    // Uniform within 5 %: a standard deviation of 2.9 %.
    expect(short?.jitterPercent).toBeGreaterThan(2.5);
    expect(short?.jitterPercent).toBeLessThan(3.3);
    expect(long?.medianMinutes).toBeCloseTo(10, 0);
    expect(long?.share).toBeCloseTo(0.1, 10);
  });

  it("takes jitter, uniform or normal, narrow or wide, for one mode", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 0.6, noNaN: true }), fc.boolean(), (seed, jitter, normal) => {
        const random = randomFrom(seed);
        const noise = (): number => (normal ? (random() + random() + random() + random() - 2) / 1.2 : random() - 0.5);
        expect(modesOf(Array.from({ length: 250 }, () => 5 * (1 + jitter * noise())))).toHaveLength(1);
      }),
      { numRuns: 100 },
    );
  });

  it("never cuts a wide distribution in pieces, even when k-means is let loose on it", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0.2, max: 1.2, noNaN: true }), (seed, jitter) => {
        const random = randomFrom(seed);
        // Three lumps beside each other: what a clustering likes to take apart.
        const gaps = Array.from({ length: 120 }, (_, i) => 5 * Math.exp(jitter * (((i % 3) + random()) / 3)));
        expect(intervalModes(sampleGaps(Float64Array.from(gaps, (gap) => gap * 60e6)), kmeans)).toHaveLength(1);
      }),
      { numRuns: 50 },
    );
    // Two lumps that nearly touch: better described as two, yet no two sleeps.
    const near = Array.from({ length: 120 }, (_, i) => 5 * Math.exp((i % 2) * 0.21 + (0.19 * (i >> 1)) / 60));
    expect(
      intervalModes(
        near.sort((a, b) => a - b),
        kmeans,
      ),
    ).toHaveLength(1);
  });

  it("finds three sleeps, and leaves out a stray gap", () => {
    const random = randomFrom(3);
    const gaps = Array.from({ length: 300 }, (_, i) => ([1, 7, 60][i % 3] ?? 0) * (0.9 + random() * 0.2));
    const sleeps = modesOf(gaps)
      .map(({ medianMinutes }) => medianMinutes)
      .sort((a, b) => a - b);
    expect(sleeps).toHaveLength(3);
    for (const [i, wanted] of [1, 7, 60].entries()) expect(Math.abs((sleeps[i] ?? 0) / wanted - 1)).toBeLessThan(0.05);
    expect(modesOf([...new Array<number>(100).fill(5), ...new Array<number>(50).fill(30), 600]).map((mode) => mode.medianMinutes)).toEqual([
      5, 30,
    ]);
  });

  it("samples many gaps, always the same", () => {
    const random = randomFrom(4);
    const gaps = Array.from({ length: 100_000 }, (_, i) => (i % 5 === 0 ? 10 : 1) * (0.95 + random() * 0.1));
    const modes = modesOf(gaps);
    expect(modes.map(({ share }) => Number(share.toFixed(2)))).toEqual([0.8, 0.2]);
    expect(modesOf(gaps.reverse())).toEqual(modes);
  });

  it("has nothing to say of no gaps, and of gaps of 0", () => {
    expect(modesOf([])).toEqual([]);
    expect(modesOf([0, 0, 0])).toEqual([]);
    expect(modesOf([0, 2, 2])).toEqual([{ medianMinutes: 2, share: 1, jitterPercent: 0 }]);
  });
});
