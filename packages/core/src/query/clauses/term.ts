import { Bitmap } from "../columns/bitmap.js";
import type { Segment } from "../columns/segment.js";
import { selectCodes, selectNumberSet, selectPresent } from "../columns/select.js";
import type { JsonNode } from "../json/json-tree.js";
import { luceneWildcard } from "../lucene/regexp.js";
import type { Field } from "../mapping/field.js";
import { illegalArgument, parsingError, QueryError, shardError } from "../query-error.js";
import { type Clause, ConstantClause, matchAll, matchNone, type QueryContext } from "./clause.js";
import { isIgnored, type QueryValue, queryNumber, selectText, termClause, textColumn } from "./field-terms.js";
import { asScalar, itemsOf, oneField, Params, scalarValue, tokenName } from "./params.js";

/** A term of one of the fields that every document has without saying so; undefined for any other field. */
function metaTerm(context: QueryContext, field: string, values: readonly QueryValue[], boost: number): Clause | undefined {
  if (field === "_id") return idsClause(values.map(String), boost);
  if (field === "_index") return values.some((value) => luceneWildcard(String(value))(context.index)) ? matchAll(boost) : matchNone();
  return undefined;
}

/** A failure of a value that the field's type does not have, as Elasticsearch reports it. */
export function fitted<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof QueryError)) throw cause;
    throw cause.type === "query_shard_exception" ? cause : shardError(cause.reason, cause);
  }
}

export function parseTerm(context: QueryContext, node: JsonNode): Clause {
  const { field, value: at, outer } = oneField("term", node);
  if (at.kind === "array") throw parsingError("[term] query does not support array of values", at.at);
  let value: QueryValue | undefined;
  let boost = outer.boost();
  let caseInsensitive = false;
  if (at.kind === "object") {
    const params = new Params("term", at);
    const given = params.get("value") ?? params.get("term");
    if (given?.kind === "array") throw parsingError("[term] query does not support array of values", given.at);
    value = given && given.kind !== "object" && given.kind !== "null" ? scalarValue(given) : undefined;
    caseInsensitive = params.boolean("case_insensitive", false);
    boost *= params.boost();
    params.done();
  } else value = at.kind === "null" ? undefined : scalarValue(at);
  outer.done();
  if (value === undefined) throw illegalArgument("value cannot be null");
  return (
    metaTerm(context, field, [value], boost) ??
    fitted(() => {
      const mapped = context.mapping.field(field);
      return mapped ? termClause(context, mapped, value, boost, caseInsensitive) : matchNone();
    })
  );
}

/** Rows with any of some values of a field. */
export function anyOf(context: QueryContext, field: Field, values: readonly QueryValue[], boost: number): Clause {
  if (field.traits.family === "text" && !field.traits.analyzed) {
    if (!field.isIndexed) throw illegalArgument(`Cannot search on field [${field.path}] since it is not indexed.`);
    const wanted = values.map((value) => (field.normalizer ? field.normalizer(String(value)) : String(value)));
    const select = (segment: Segment): Bitmap => {
      const column = textColumn(segment, field);
      if (!column) return new Bitmap(segment.rows);
      const mask = new Uint8Array(column.dictionary.size);
      let found = false;
      const mark = (code: number): void => {
        mask[code] = 1;
        found = true;
      };
      // Many values are looked for by one walk over the dictionary.
      if (wanted.length > 8) {
        const set = new Set(wanted);
        for (let code = 0; code < mask.length; code++) if (set.has(column.dictionary.text(code))) mark(code);
      } else {
        for (const text of wanted) {
          const code = column.dictionary.find(text);
          if (code >= 0) mark(code);
        }
      }
      if (field.ignoreAbove !== undefined) {
        for (let code = 0; code < mask.length; code++)
          if (mask[code] === 1 && isIgnored(field, column.dictionary.text(code))) mask[code] = 0;
      }
      return found ? selectCodes(column, mask) : new Bitmap(segment.rows);
    };
    return new ConstantClause(select, boost);
  }
  if (field.traits.range && values.length > 1 && field.isIndexed) {
    const numbers = values.map(queryNumber);
    const small = numbers.filter((number): number is number => typeof number === "number" && Number.isInteger(number));
    // Those that a double holds are looked for in one pass.
    if (numbers.every((number) => typeof number === "number")) {
      return new ConstantClause((segment) => {
        const column = segment.column(field.column);
        return column?.kind === "number" ? selectNumberSet(column, small) : new Bitmap(segment.rows);
      }, boost);
    }
  }
  const clauses = values.map((value) =>
    field.traits.analyzed ? new ConstantClause(selectText(field, String(value)), boost) : termClause(context, field, value, boost),
  );
  return new ConstantClause((segment) => {
    const bitmap = new Bitmap(segment.rows);
    for (const clause of clauses) bitmap.or(clause.match(segment));
    return bitmap;
  }, boost);
}

export function parseTerms(context: QueryContext, node: JsonNode): Clause {
  const { field, value: at, outer } = oneField("terms", node);
  if (at.kind === "object") throw parsingError("[terms] query does not support terms lookup: name the values", at.at);
  if (at.kind !== "array") throw parsingError(`[terms] query does not support [${field}]`, at.at);
  const boost = outer.boost();
  outer.done();
  if (at.items.length > context.limits.maxTerms) {
    throw illegalArgument(
      `The number of terms [${at.items.length}] used in the Terms Query request has exceeded the allowed maximum of [${context.limits.maxTerms}]. This maximum can be set by changing the [index.max_terms_count] index level setting.`,
    );
  }
  const values = at.items.map((item) => {
    if (item.kind === "object" || item.kind === "array")
      throw parsingError(`[terms] query does not support ${tokenName(item)} as a value`, item.at);
    if (item.kind === "null") throw illegalArgument("No value specified for terms query");
    return scalarValue(item);
  });
  return (
    metaTerm(context, field, values, boost) ??
    fitted(() => {
      const mapped = context.mapping.field(field);
      return mapped ? anyOf(context, mapped, values, boost) : matchNone();
    })
  );
}

/** Rows with at least so many of some values as a field of the row says. */
export function parseTermsSet(context: QueryContext, node: JsonNode): Clause {
  const { field, value: at, outer } = oneField("terms_set", node);
  if (at.kind !== "object") throw parsingError("[terms_set] query malformed, no start_object after query name", at.at);
  const params = new Params("terms_set", at);
  const terms = params.get("terms");
  const countField = params.text("minimum_should_match_field");
  const fixed = params.number("minimum_should_match", Number.NaN);
  const boost = params.boost() * outer.boost();
  params.done();
  outer.done();
  if (terms?.kind !== "array") throw parsingError("[terms_set] requires an array of terms", at.at);
  if (countField === undefined && Number.isNaN(fixed))
    throw parsingError("[terms_set] requires minimum_should_match_field or minimum_should_match; scripts are not supported", at.at);
  const mapped = context.mapping.field(field);
  const counts = countField === undefined ? undefined : context.mapping.field(countField);
  if (!mapped) return matchNone();
  const clauses = terms.items.map((item) => fitted(() => termClause(context, mapped, scalarValue(asScalar(item, "terms_set")), 1)));
  return new ConstantClause((segment) => {
    const found = clauses.map((clause) => clause.match(segment));
    const column = counts && segment.column(counts.column);
    const bitmap = new Bitmap(segment.rows);
    for (let row = 0; row < segment.rows; row++) {
      const needed = column?.kind === "number" ? (column.values[column.offsets ? (column.offsets[row] ?? 0) : row] ?? Number.NaN) : fixed;
      if (found.filter((one) => one.has(row)).length >= Math.max(1, needed)) bitmap.add(row);
    }
    return bitmap;
  }, boost);
}

function idsClause(ids: readonly string[], boost: number): Clause {
  return new ConstantClause((segment) => {
    const bitmap = new Bitmap(segment.rows);
    for (const id of ids) {
      const row = segment.rowOf(id);
      if (row >= 0) bitmap.add(row);
    }
    return bitmap;
  }, boost);
}

export function parseIds(_context: QueryContext, node: JsonNode): Clause {
  if (node.kind !== "object") throw parsingError("[ids] query malformed, no start_object after query name", node.at);
  const params = new Params("ids", node);
  const values = params.get("values");
  params.get("type");
  const boost = params.boost();
  for (const { key, value } of node.members) {
    if (!["values", "type", "boost", "_name"].includes(key)) throw parsingError(`[ids] unknown field [${key}]`, value.at);
  }
  if (!values) throw parsingError("[ids] requires providing [values]", node.at);
  return idsClause(
    itemsOf(values).map((item) => {
      if (item.kind !== "string" && item.kind !== "number")
        throw parsingError("Illegal value for id, expecting a string or number", item.at);
      return item.text;
    }),
    boost,
  );
}

/** Rows in which one of some fields has a value. */
export function existsClause(fields: readonly Field[], boost: number): Clause {
  return new ConstantClause((segment) => {
    const bitmap = new Bitmap(segment.rows);
    for (const field of fields) {
      // What the segment knows of the column may spare reading it.
      if (segment.bounds?.(field.column)?.[2]) return Bitmap.full(segment.rows);
      const column = segment.column(field.column);
      if (!column) continue;
      if (column.kind === "text" && field.ignoreAbove !== undefined) {
        const mask = new Uint8Array(column.dictionary.size);
        for (let code = 0; code < mask.length; code++) mask[code] = isIgnored(field, column.dictionary.text(code)) ? 0 : 1;
        bitmap.or(selectCodes(column, mask));
      } else bitmap.or(selectPresent(column));
    }
    return bitmap;
  }, boost);
}

export function parseExists(context: QueryContext, node: JsonNode): Clause {
  if (node.kind !== "object") throw parsingError("[exists] query malformed, no start_object after query name", node.at);
  const params = new Params("exists", node);
  const field = params.text("field");
  const boost = params.boost();
  params.done();
  if (field === undefined || field === "") throw parsingError("[exists] must be provided with a [field]", node.at);
  if (["_id", "_index", "_source"].includes(field)) return matchAll(boost);
  const fields = field.includes("*") ? context.mapping.fieldsMatching(field) : [context.mapping.field(field)].flatMap((one) => one ?? []);
  // An object exists when anything in it does.
  const inside = fields.length > 0 ? fields : context.mapping.fieldsMatching(`${field}.*`);
  return existsClause(inside, boost);
}
