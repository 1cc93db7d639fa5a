// Precision and recall of ranked findings against labels.

/** Area under the precision-recall curve as average precision; findings with equal scores count together. */
export function averagePrecision(ranked, positives) {
  let area = 0;
  let found = 0;
  let seen = 0;
  for (let from = 0; from < ranked.length; ) {
    let to = from;
    let hits = 0;
    while (to < ranked.length && ranked[to].score === ranked[from].score) hits += ranked[to++].positive ? 1 : 0;
    found += hits;
    seen = to;
    area += (hits / positives) * (found / seen);
    from = to;
  }
  return area;
}

/** Precision among the first `k`; of those with equal scores a proportional part. */
export function precisionAt(ranked, k) {
  let hits = 0;
  let taken = 0;
  for (let from = 0; from < ranked.length && taken < k; ) {
    let to = from;
    let tied = 0;
    while (to < ranked.length && ranked[to].score === ranked[from].score) tied += ranked[to++].positive ? 1 : 0;
    const room = Math.min(k - taken, to - from);
    hits += (tied * room) / (to - from);
    taken += room;
    from = to;
  }
  return taken > 0 ? hits / Math.min(k, taken) : 0;
}

/** Counts at a threshold. `negatives`: groups without a beacon. */
export function atThreshold(ranked, threshold, positives, negatives) {
  const above = ranked.filter(({ score }) => score >= threshold);
  const hits = above.filter(({ positive }) => positive).length;
  const precision = above.length > 0 ? hits / above.length : 1;
  const recall = hits / positives;
  return {
    precision,
    recall,
    f1: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0,
    falsePer100k: ((above.length - hits) / negatives) * 1e5,
  };
}

/** The best recall at so many false positives per 100,000 groups, and the score it takes. */
export function recallAt(ranked, falsePer100k, positives, negatives) {
  const allowed = Math.floor((falsePer100k * negatives) / 1e5);
  let hits = 0;
  let wrong = 0;
  let best = { recall: 0, score: Number.POSITIVE_INFINITY };
  for (let from = 0; from < ranked.length; ) {
    let to = from;
    for (; to < ranked.length && ranked[to].score === ranked[from].score; to++) {
      if (ranked[to].positive) hits++;
      else wrong++;
    }
    if (wrong > allowed) break;
    best = { recall: hits / positives, score: ranked[from].score };
    from = to;
  }
  return best;
}
