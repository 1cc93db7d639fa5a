/** What `sortTimes` leaves in the arrays: so many connections, and so many duplicates dropped. */
export interface SortedTimes {
  readonly count: number;
  readonly duplicates: number;
}

/** Moves allowed to an insertion sort before a group counts as unordered; logs are nearly sorted. */
const MOVES_PER_ROW = 8;

/**
 * Sorts the first `rows` times in place and drops duplicates: rows with the same time and the same origin port are
 * one; a row without one (-1) is never a duplicate. Origin ports are not in step with the times afterwards.
 */
export function sortTimes(times: Float64Array, originPorts: Int32Array, rows: number): SortedTimes {
  let ties = false;
  let budget = rows * MOVES_PER_ROW;
  for (let i = 1; i < rows; i++) {
    const time = times[i] ?? 0;
    let j = i - 1;
    let before = times[j] ?? 0;
    if (before <= time) {
      if (before === time) ties = true;
      continue;
    }
    const port = originPorts[i] ?? -1;
    while (j >= 0 && before > time) {
      times[j + 1] = before;
      originPorts[j + 1] = originPorts[j] ?? -1;
      j--;
      budget--;
      before = times[j] ?? 0;
    }
    if (j >= 0 && before === time) ties = true;
    times[j + 1] = time;
    originPorts[j + 1] = port;
    if (budget < 0) {
      sortByIndex(times, originPorts, rows);
      ties = true;
      break;
    }
  }
  return ties ? dropDuplicates(times, originPorts, rows) : { count: rows, duplicates: 0 };
}

/** Sorts both arrays by time; the ports only where times are equal, since nobody looks at them otherwise. */
function sortByIndex(times: Float64Array, originPorts: Int32Array, rows: number): void {
  const sorted = times.slice(0, rows).sort();
  let distinct = true;
  for (let i = 1; i < rows && distinct; i++) distinct = sorted[i] !== sorted[i - 1];
  if (distinct) {
    // No ties: no port is ever looked at.
    times.set(sorted);
    return;
  }
  const oldTimes = times.slice(0, rows);
  const oldPorts = originPorts.slice(0, rows);
  const order = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) order[i] = i;
  order.sort((a, b) => (oldTimes[a] ?? 0) - (oldTimes[b] ?? 0));
  for (let i = 0; i < rows; i++) {
    times[i] = oldTimes[order[i] ?? 0] ?? 0;
    originPorts[i] = oldPorts[order[i] ?? 0] ?? -1;
  }
}

function dropDuplicates(times: Float64Array, originPorts: Int32Array, rows: number): SortedTimes {
  let count = 0;
  for (let from = 0; from < rows; ) {
    const time = times[from] ?? 0;
    let to = from + 1;
    while (to < rows && times[to] === time) to++;
    let kept = 1;
    if (to - from > 1) {
      const ports = originPorts.subarray(from, to).sort();
      for (let i = 1; i < ports.length; i++) if (ports[i] === -1 || ports[i] !== ports[i - 1]) kept++;
    }
    times.fill(time, count, count + kept);
    count += kept;
    from = to;
  }
  return { count, duplicates: rows - count };
}
