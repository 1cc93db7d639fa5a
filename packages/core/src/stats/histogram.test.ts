import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { histogram } from "./histogram.js";

describe("histogram", () => {
  it("counts values in equal bins, the greatest in the last", () => {
    expect(histogram(Float64Array.of(0, 1, 2, 3, 4, 4), 4)).toEqual({ from: 0, to: 4, counts: [1, 1, 1, 3] });
    expect(histogram(Float64Array.of(5, 5, 5), 4)).toEqual({ from: 5, to: 5, counts: [3] });
  });

  it("counts every value once", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }), (values) => {
        const { from, to, counts } = histogram(Float64Array.from(values), 24);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
        expect([from, to]).toEqual([Math.min(...values), Math.max(...values)]);
      }),
    );
  });
});
