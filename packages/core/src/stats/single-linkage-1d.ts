/** Takes a node of a dendrogram: the sorted values `from .. to`, `to` included. */
export type NodeVisitor = (from: number, to: number) => void;

/**
 * The dendrogram of single linkage over sorted values: each single value, then each run that appears when the gaps between
 * neighbours are closed from the smallest to the largest, equal gaps from the lowest values up. Children come before
 * their parents, not otherwise in order of height. Linear in time and memory.
 *
 * A gap's run reaches to the nearest gaps on both sides that close later, which a stack finds: no distance is ever stored.
 * @see Gower, Ross: Minimum spanning trees and single linkage cluster analysis (1969)
 */
export function singleLinkage1d(sorted: Float64Array, visit: NodeVisitor): void {
  const n = sorted.length;
  // Open gaps, widest first; gap k lies between values k and k + 1. `lefts` is the first value of the run it will close.
  const gaps = new Float64Array(Math.max(0, n - 1));
  const lefts = new Int32Array(gaps.length);
  let open = 0;
  for (let at = 0; at < n; at++) {
    visit(at, at);
    const gap = at + 1 < n ? (sorted[at + 1] ?? 0) - (sorted[at] ?? 0) : Number.POSITIVE_INFINITY;
    let left = at;
    // A narrower gap to the left closes before this one, and so does an equal one.
    while (open > 0 && (gaps[open - 1] ?? 0) <= gap) {
      open--;
      left = lefts[open] ?? 0;
      visit(left, at);
    }
    if (at + 1 < n) {
      gaps[open] = gap;
      lefts[open] = left;
      open++;
    }
  }
}
