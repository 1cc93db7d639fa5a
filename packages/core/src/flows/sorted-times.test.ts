import { describe, expect, it } from "vitest";
import { dropDuplicates, TimeSorter } from "./sorted-times.js";

function sorted(rows: readonly (readonly [time: number, port: number])[]): { times: number[]; duplicates: number } {
  const times = Float64Array.from(rows, ([time]) => time);
  const numbers = Uint32Array.from(rows, (_, row) => row);
  const records = Int32Array.from(rows.flatMap(([, port]) => [0, 0, 0, 0, 0, port]));
  const ties = new TimeSorter().sort(times, numbers, 0, rows.length);
  const placed = { times, rows: numbers, records, recordWords: 6 };
  const count = ties ? dropDuplicates(placed, 0, rows.length) : rows.length;
  return { times: [...times.subarray(0, count)], duplicates: rows.length - count };
}

describe("TimeSorter", () => {
  it("drops a row of the same time and origin port, and never one without a port", () => {
    expect(
      sorted([
        [5, 1],
        [5, 1],
        [5, 1],
      ]),
    ).toEqual({ times: [5], duplicates: 2 });
    expect(
      sorted([
        [5, -1],
        [5, -1],
        [5, -1],
      ]),
    ).toEqual({ times: [5, 5, 5], duplicates: 0 });
    expect(
      sorted([
        [5, 1],
        [5, 2],
        [5, 1],
        [5, -1],
      ]),
    ).toEqual({ times: [5, 5, 5], duplicates: 1 });
    expect(
      sorted([
        [5, 1],
        [6, 1],
      ]),
    ).toEqual({ times: [5, 6], duplicates: 0 });
  });

  it("finds duplicates that come out of order, a few rows and many", () => {
    expect(
      sorted([
        [9, 1],
        [5, 7],
        [9, 1],
        [1, 1],
        [5, 7],
      ]),
    ).toEqual({ times: [1, 5, 9], duplicates: 2 });
    const backwards = Array.from({ length: 5000 }, (_, i) => [5000 - (i >> 1), i >> 1] as const);
    expect(sorted(backwards)).toEqual({ times: Array.from({ length: 2500 }, (_, i) => 2501 + i), duplicates: 2500 });
    const distinct = Array.from({ length: 5000 }, (_, i) => [5000 - i, 1] as const);
    expect(sorted(distinct).times).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1));
  });
});
