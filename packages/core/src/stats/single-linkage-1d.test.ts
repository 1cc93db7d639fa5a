import fc from "fast-check";
import { agnes } from "ml-hclust";
import { describe, expect, it } from "vitest";
import { singleLinkage1d } from "./single-linkage-1d.js";

function nodes(values: readonly number[]): string[] {
  const found: string[] = [];
  singleLinkage1d(Float64Array.from(values), (from, to) => found.push(`${from}-${to}`));
  return found;
}

/** The runs of a dendrogram of agnes, leaves and all. */
function agnesNodes(values: readonly number[]): string[] {
  const distances = values.map((a) => values.map((b) => Math.abs(a - b)));
  const found: string[] = [];
  agnes(distances, { method: "single", isDistanceMatrix: true }).traverse((node) => {
    const members = node.indices();
    expect(Math.max(...members) - Math.min(...members)).toBe(members.length - 1);
    found.push(`${Math.min(...members)}-${Math.max(...members)}`);
  });
  return found;
}

describe("singleLinkage1d", () => {
  it("has the nodes of agnes with single linkage", () => {
    // Distinct gaps: with equal ones the order of joining is ours to define.
    const gaps = fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(gaps, (steps) => {
        const values = [0];
        for (const step of steps) values.push((values.at(-1) ?? 0) + step);
        expect(nodes(values).sort()).toEqual(agnesNodes(values).sort());
      }),
      { numRuns: 300 },
    );
  });

  it("closes equal gaps from the lowest values up", () => {
    expect(nodes([1, 2, 3, 4])).toEqual(["0-0", "1-1", "0-1", "2-2", "0-2", "3-3", "0-3"]);
    expect(nodes([0, 5, 6, 11, 12])).toEqual(["0-0", "1-1", "2-2", "1-2", "0-2", "3-3", "4-4", "3-4", "0-4"]);
    expect(nodes([7])).toEqual(["0-0"]);
    expect(nodes([])).toEqual([]);
  });

  it("has n - 1 runs, children before parents, whatever the values", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1 }), (values) => {
        const found = nodes(values.sort((a, b) => a - b));
        expect(found.length).toBe(2 * values.length - 1);
        expect(new Set(found).size).toBe(found.length);
        expect(found.at(-1)).toBe(`0-${values.length - 1}`);
      }),
    );
  });
});
