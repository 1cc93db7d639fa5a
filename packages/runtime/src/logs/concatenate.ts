import { type Column, IpBuilder, NumberBuilder, TextBuilder } from "@heliograph/core/query";
import type { FileSegment, NewSegment } from "./segment-file.js";

/**
 * The rows of segments that are still there, one after the other, as one; and for each segment where each of its rows went (-1: it is no longer there).
 */
export function concatenated(segments: readonly FileSegment[]): { readonly segment: NewSegment; readonly places: readonly Int32Array[] } {
  let rows = 0;
  const places = segments.map((segment) => {
    const place = new Int32Array(segment.rows).fill(-1);
    for (let row = 0; row < segment.rows; row++) if (!segment.deleted?.has(row)) place[row] = rows++;
    return place;
  });
  const paths = new Set(segments.flatMap((segment) => segment.paths));
  const columns = new Map<string, Column>();
  for (const path of paths) {
    const texts = new TextBuilder();
    const numbers = new NumberBuilder();
    const addresses = new IpBuilder();
    segments.forEach((segment, index) => {
      const column = segment.column(path);
      if (!column) return;
      for (let row = 0; row < segment.rows; row++) {
        const to = places[index]?.[row] ?? -1;
        if (to < 0) continue;
        const end = column.offsets ? (column.offsets[row + 1] ?? 0) : row + 1;
        for (let at = column.offsets ? (column.offsets[row] ?? 0) : row; at < end; at++) {
          if (column.kind === "number") {
            const value = column.exact.get(at) ?? (column.values[at] as number);
            if (typeof value === "bigint" || !Number.isNaN(value)) numbers.add(to, value);
            continue;
          }
          const code = column.codes[at] as number;
          if (code < 0) continue;
          if (column.kind === "text") texts.add(to, column.dictionary.text(code));
          else {
            const { addresses: words } = column;
            addresses.add(to, [words[4 * code] ?? 0, words[4 * code + 1] ?? 0, words[4 * code + 2] ?? 0, words[4 * code + 3] ?? 0]);
          }
        }
      }
    });
    const builder = [texts, numbers, addresses].find(({ size }) => size > 0);
    if (builder) columns.set(path, builder.build(rows));
  }
  const sources: string[] = [];
  const ids: string[] = [];
  const versions: number[] = [];
  const sequences: number[] = [];
  segments.forEach((segment, index) => {
    let row = 0;
    for (const source of segment.sources()) {
      if ((places[index]?.[row] ?? -1) >= 0) {
        sources.push(source);
        ids.push(segment.id(row));
        versions.push(segment.version(row));
        sequences.push(segment.sequence(row));
      }
      row++;
    }
  });
  return { segment: { rows, columns, sources, ids, versions, sequences }, places };
}
