import type { Bitmap } from "./bitmap.js";
import type { Column } from "./column.js";

/**
 * Some rows of an index: immutable columns, and the documents that they came from. How the columns come (from memory, from files)
 * is the owner's affair; `column` may load on the first call.
 */
export interface Segment {
  readonly rows: number;
  /** The column of a field's path; undefined when no row has a value. */
  column(path: string): Column | undefined;
  /** Least and greatest number of a column, and whether every row has one; undefined when it is not known. */
  bounds?(path: string): readonly [least: number, greatest: number, isFull: boolean] | undefined;
  /** The document of a row, as JSON. */
  source(row: number): string;
  id(row: number): string;
  /** The row of an `_id`, -1 when it is not here. */
  rowOf(id: string): number;
  /** Rows that are no longer there; undefined: all are. */
  readonly deleted: Bitmap | undefined;
  /** Sequence number of a row: grows with every change of the index. */
  sequence(row: number): number;
  version(row: number): number;
}
