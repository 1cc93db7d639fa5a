import type { Clause, QueryContext } from "../clauses/clause.js";
import type { Column } from "../columns/column.js";
import type { Segment } from "../columns/segment.js";
import type { JsonNode } from "../json/json-tree.js";
import type { Field, FieldFamily } from "../mapping/field.js";
import { illegalArgument, QueryError } from "../query-error.js";

/** A segment that is aggregated, and the index that it belongs to. */
export interface Scope {
  readonly segment: Segment;
  readonly context: QueryContext;
  /** Scores of the rows, where hits are wanted with them. */
  readonly scores: (() => number | Float64Array) | undefined;
  /** The clause of a filter inside an aggregation, read by this index's mapping. */
  readonly filter: (node: JsonNode) => Clause;
}

/** A field for a computation over its values. */
export function fieldOf(scope: Scope, path: string): Field | undefined {
  return scope.context.mapping.field(path);
}

/** @throws QueryError for a field whose values are not kept for sorting and grouping */
export function checkDocValues(field: Field): void {
  if (field.hasDocValues) return;
  if (field.traits.analyzed) {
    throw new QueryError(
      "illegal_argument_exception",
      `Fielddata is disabled on [${field.path}]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [${field.path}] in order to load field data.`,
      { atRun: true },
    );
  }
  throw new QueryError(
    "illegal_argument_exception",
    `Can't load fielddata on [${field.path}] because fielddata is unsupported on fields of type [${field.type}]. Use doc values instead.`,
    { atRun: true },
  );
}

/** The column of a field that is to be computed with; undefined when the field is unknown or no row has it. */
export function valuesOf(
  scope: Scope,
  path: string,
  aggregation: string,
  families?: readonly FieldFamily[],
): { readonly field: Field; readonly column: Column | undefined } | undefined {
  const field = fieldOf(scope, path);
  if (!field) return undefined;
  if (families && !families.includes(field.traits.family)) {
    throw illegalArgument(`Field [${field.path}] of type [${field.type}] is not supported for aggregation [${aggregation}]`, {
      atRun: true,
    });
  }
  checkDocValues(field);
  return { field, column: scope.segment.column(field.column) };
}

/** Dates are microseconds in columns and milliseconds in answers. */
export const scaleOf = (field: Field): number => (field.traits.family === "date" ? 1000 : 1);
