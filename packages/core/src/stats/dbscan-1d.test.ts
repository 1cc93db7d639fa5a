import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dbscan1d } from "./dbscan-1d.js";

/** The definition, point by point. */
function naive(values: readonly number[], eps: number, minSamples: number): number[] {
  const near = (a: number, b: number): boolean => Math.abs(a - b) <= eps;
  const core = values.map((value) => values.filter((other) => near(value, other)).length >= minSamples);
  const labels = values.map(() => -1);
  let clusters = 0;
  for (let i = 0; i < values.length; i++) {
    if (!core[i] || labels[i] !== -1) continue;
    const queue = [i];
    labels[i] = clusters;
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (let j = 0; j < values.length; j++) {
        if (!core[j] || labels[j] !== -1 || !near(values[next] ?? 0, values[j] ?? 0)) continue;
        labels[j] = clusters;
        queue.push(j);
      }
    }
    clusters++;
  }
  return values.map((value, i) => {
    if (core[i]) return labels[i] ?? -1;
    let best = -1;
    for (let j = 0; j < values.length; j++) {
      if (!core[j] || !near(value, values[j] ?? 0)) continue;
      const distance = Math.abs(value - (values[j] ?? 0));
      const known = best < 0 ? Number.POSITIVE_INFINITY : Math.abs(value - (values[best] ?? 0));
      if (distance < known || (distance === known && (values[j] ?? 0) < (values[best] ?? 0))) best = j;
    }
    return best < 0 ? -1 : (labels[best] ?? -1);
  });
}

describe("dbscan1d", () => {
  it("is DBSCAN: a naive one in O(n²) labels every value alike", () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.double({ min: 0, max: 40, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 60 }),
        fc.oneof(fc.constant(0), fc.double({ min: 0, max: 6, noNaN: true })),
        fc.integer({ min: 1, max: 8 }),
        (values, eps, least) => {
          const sorted = Float64Array.from(values).sort();
          const { labels, sizes } = dbscan1d(sorted, eps, least);
          expect([...labels]).toEqual(naive([...sorted], eps, least));
          expect(sizes).toEqual(sizes.map((_, cluster) => labels.filter((label) => label === cluster).length));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("clusters equal values at eps 0, and gives a value between two clusters to the lower when both are as near", () => {
    expect([...dbscan1d(Float64Array.of(1, 1, 2, 3, 3), 0, 2).labels]).toEqual([0, 0, -1, 1, 1]);
    expect([...dbscan1d(Float64Array.of(-1, -1, 1, 3, 5, 7, 7), 2, 4).labels]).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(dbscan1d(new Float64Array(0), 1, 1)).toEqual({ labels: new Int32Array(0), sizes: [] });
  });
});
