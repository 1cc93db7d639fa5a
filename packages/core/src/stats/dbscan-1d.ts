/** Clusters of values on a line. */
export interface Clusters1d {
  /** For each value the number of its cluster, in order of value; -1: noise. */
  readonly labels: Int32Array;
  /** Members of each cluster. */
  readonly sizes: readonly number[];
}

/**
 * DBSCAN on sorted values: two values are neighbours when they differ by at most `eps`; one with at least `minSamples`
 * neighbours, itself included, is core; cores that are neighbours share a cluster; another value belongs to the
 * cluster of its nearest core within `eps` (the lower one when two are as near) or is noise. Linear in the values.
 * @see Ester, Kriegel, Sander, Xu: A density-based algorithm for discovering clusters (KDD 1996)
 */
export function dbscan1d(sorted: Float64Array, eps: number, minSamples: number): Clusters1d {
  const n = sorted.length;
  const labels = new Int32Array(n).fill(-1);
  const sizes: number[] = [];
  let low = 0;
  let high = 0;
  let lastCore = -1;
  for (let i = 0; i < n; i++) {
    const value = sorted[i] ?? 0;
    while (value - (sorted[low] ?? 0) > eps) low++;
    while (high < n && (sorted[high] ?? 0) - value <= eps) high++;
    if (high - low < minSamples) continue;
    if (lastCore < 0 || value - (sorted[lastCore] ?? 0) > eps) sizes.push(0);
    labels[i] = sizes.length - 1;
    sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + 1;
    lastCore = i;
  }
  if (sizes.length === 0) return { labels, sizes };
  joinBorders(sorted, eps, labels, sizes);
  return { labels, sizes };
}

/** Gives values that are not core to the nearest core in reach. */
function joinBorders(sorted: Float64Array, eps: number, labels: Int32Array, sizes: number[]): void {
  const n = sorted.length;
  const coreAbove = new Int32Array(n);
  for (let i = n - 1, core = -1; i >= 0; i--) {
    if ((labels[i] ?? -1) >= 0) core = i;
    coreAbove[i] = core;
  }
  let below = -1;
  for (let i = 0; i < n; i++) {
    const above = coreAbove[i] ?? -1;
    if (above === i) {
      below = i;
      continue;
    }
    const value = sorted[i] ?? 0;
    const distanceBelow = below < 0 ? Number.POSITIVE_INFINITY : value - (sorted[below] ?? 0);
    const distanceAbove = above < 0 ? Number.POSITIVE_INFINITY : (sorted[above] ?? 0) - value;
    const nearest = distanceBelow <= distanceAbove ? below : above;
    if (Math.min(distanceBelow, distanceAbove) > eps) continue;
    const cluster = labels[nearest] ?? -1;
    labels[i] = cluster;
    sizes[cluster] = (sizes[cluster] ?? 0) + 1;
  }
}
