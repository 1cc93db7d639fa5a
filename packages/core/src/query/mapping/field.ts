import type { Analyzer, Normalizer } from "../analysis/analyzer.js";
import type { DateFormat } from "./date-format.js";

/** How the values of a field are held and compared. `none`: kept in the document alone. */
export type FieldFamily = "text" | "number" | "date" | "boolean" | "ip" | "none";

interface TypeTraits {
  readonly family: FieldFamily;
  /** Whether values are cut into words. */
  readonly analyzed?: true;
  /** Least and greatest whole number; undefined for types with fractions. */
  readonly range?: readonly [least: bigint, greatest: bigint];
  /** Rounds to what the type can hold. */
  readonly round?: (value: number) => number;
}

const whole = (bits: bigint): TypeTraits => ({ family: "number", range: [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] });

const half = new Float32Array(1);
const halfBits = new Uint32Array(half.buffer);

/** The nearest number of half precision. */
function halfPrecision(value: number): number {
  half[0] = value;
  const bits = halfBits[0] ?? 0;
  const exponent = ((bits >>> 23) & 255) - 127;
  if (exponent < -14) return Math.round(value * 2 ** 24) / 2 ** 24;
  halfBits[0] = (bits + 0xfff + ((bits >>> 13) & 1)) & ~0x1fff;
  return half[0] ?? value;
}

const NONE: TypeTraits = { family: "none" };

/** The field types that documents may be mapped to, by Elasticsearch's names. */
export const FIELD_TYPES: Readonly<Record<string, TypeTraits>> = {
  keyword: { family: "text" },
  constant_keyword: { family: "text" },
  wildcard: { family: "text" },
  version: { family: "text" },
  text: { family: "text", analyzed: true },
  match_only_text: { family: "text", analyzed: true },
  search_as_you_type: { family: "text", analyzed: true },
  long: whole(64n),
  integer: whole(32n),
  short: whole(16n),
  byte: whole(8n),
  unsigned_long: { family: "number", range: [0n, (1n << 64n) - 1n] },
  double: { family: "number" },
  float: { family: "number", round: Math.fround },
  half_float: { family: "number", round: halfPrecision },
  scaled_float: { family: "number" },
  date: { family: "date" },
  date_nanos: { family: "date" },
  boolean: { family: "boolean" },
  ip: { family: "ip" },
  // Accepted, so that documents with them can be kept; not searched.
  binary: NONE,
  geo_point: NONE,
  geo_shape: NONE,
  point: NONE,
  completion: NONE,
  dense_vector: NONE,
  integer_range: NONE,
  long_range: NONE,
  float_range: NONE,
  double_range: NONE,
  date_range: NONE,
  ip_range: NONE,
  rank_feature: NONE,
  percolator: NONE,
  join: NONE,
  token_count: NONE,
};

/** A field of an index: what its values are, and how they are read and searched. */
export interface Field {
  /** Full path, such as `user.name` or `title.keyword`. */
  readonly path: string;
  readonly type: string;
  readonly traits: TypeTraits;
  /** The column that holds its values: a sub-field of text shares its parent's. */
  readonly column: string;
  readonly analyzer: Analyzer | undefined;
  readonly searchAnalyzer: Analyzer | undefined;
  readonly normalizer: Normalizer | undefined;
  readonly format: DateFormat | undefined;
  /** Longer texts are not in this field; undefined: all are. */
  readonly ignoreAbove: number | undefined;
  readonly ignoreMalformed: boolean;
  readonly coerce: boolean;
  readonly nullValue: unknown;
  readonly copyTo: readonly string[];
  readonly scalingFactor: number;
  /** Whether queries may ask for it. */
  readonly isIndexed: boolean;
  /** Whether aggregations and sorts may ask for it. */
  readonly hasDocValues: boolean;
  /** Whether its values are of a sub-field, such as `title.keyword`. */
  readonly isSubField: boolean;
}
