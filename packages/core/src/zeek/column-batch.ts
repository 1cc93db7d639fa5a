import type { Dictionary, TextColumn } from "./dictionary.js";

/** Microseconds since 1970-01-01 UTC, whole; NaN: unset. */
export interface TimeValues {
  readonly kind: "time";
  readonly values: Float64Array;
}

/** Dictionary codes; -1: unset. */
export interface CodeValues {
  readonly kind: "code";
  readonly values: Int32Array;
  readonly dictionary: Dictionary;
}

/** Address codes, see `addressText`; -1: unset. `dictionary` holds the texts that are no dotted quad. */
export interface AddressValues {
  readonly kind: "address";
  readonly values: Int32Array;
  readonly dictionary: Dictionary;
}

/** 0..65535; -1: unset. */
export interface PortValues {
  readonly kind: "port";
  readonly values: Int32Array;
}

/** Numbers (kind `count`: whole); NaN: unset. `exact` holds, by row, the counts above 2^53, which `values` rounds. */
export interface NumberValues {
  readonly kind: "number" | "count";
  readonly values: Float64Array;
  readonly exact: ReadonlyMap<number, bigint>;
}

/** 1, 0; 255: unset. */
export interface FlagValues {
  readonly kind: "flag";
  readonly values: Uint8Array;
}

/** UTF-8 texts; `valid[row]` 0: unset. */
export interface TextValues extends TextColumn {
  readonly kind: "text";
  readonly valid: Uint8Array;
}

/** Lists of texts: row r holds the items `offsets[r] .. offsets[r + 1]`; `valid[row]` 0: unset. */
export interface ListValues {
  readonly kind: "list";
  readonly offsets: Int32Array;
  readonly valid: Uint8Array;
  readonly items: TextValues;
}

export type ColumnValues = TimeValues | AddressValues | CodeValues | PortValues | NumberValues | FlagValues | TextValues | ListValues;

/**
 * Some consecutive rows of a log, by column name; every column has length `rows`. The arrays may be views of a
 * reader's memory: they are valid until the function that was handed the batch returns. Copy what you keep.
 */
export interface ColumnBatch {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, ColumnValues>;
}
