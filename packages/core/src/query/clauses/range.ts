import { isTimeZone } from "../../time/calendar.js";
import { Bitmap } from "../columns/bitmap.js";
import { type AddressWords, addressWords, neighbour } from "../columns/ip-address.js";
import { compareTexts, markAddresses, selectCodes } from "../columns/select.js";
import type { JsonNode } from "../json/json-tree.js";
import { DateFormat } from "../mapping/date-format.js";
import type { Field } from "../mapping/field.js";
import { illegalArgument, parsingError } from "../query-error.js";
import { type Clause, ConstantClause, matchNone, type QueryContext } from "./clause.js";
import {
  type NumberBound,
  notIndexed,
  numberRange,
  type QueryValue,
  queryDate,
  queryNumber,
  selectNumber,
  selectTexts,
} from "./field-terms.js";
import { asScalar, oneField, scalarValue } from "./params.js";
import { fitted } from "./term.js";

/** One end of a range as asked for. */
export interface RangeEnd {
  readonly value: QueryValue;
  readonly inclusive: boolean;
}

/** A range of values of one field; an end that is undefined is open. */
export interface RangeRequest {
  readonly from: RangeEnd | undefined;
  readonly to: RangeEnd | undefined;
  readonly format?: string | undefined;
  readonly timeZone?: string | undefined;
}

const FIRST: AddressWords = [0, 0, 0, 0];
const LAST: AddressWords = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];

function addressBound(end: RangeEnd, step: 1 | -1): AddressWords | undefined {
  const words = addressWords(String(end.value));
  if (!words) throw illegalArgument(`'${String(end.value)}' is not an IP string literal.`);
  return end.inclusive ? words : neighbour(words, step);
}

/** Rows with a value in a range. */
export function rangeClause(context: QueryContext, field: Field, { from, to, format, timeZone }: RangeRequest, boost: number): Clause {
  if (!field.isIndexed) throw notIndexed(field);
  switch (field.traits.family) {
    case "text": {
      const low = from && String(field.normalizer ? field.normalizer(String(from.value)) : from.value);
      const high = to && String(field.normalizer ? field.normalizer(String(to.value)) : to.value);
      const least = from?.inclusive ? 0 : 1;
      const most = to?.inclusive ? 0 : -1;
      return new ConstantClause(
        selectTexts(
          field,
          (text) => (low === undefined || compareTexts(text, low) >= least) && (high === undefined || compareTexts(text, high) <= most),
        ),
        boost,
      );
    }
    case "number": {
      const bound = (end: RangeEnd | undefined): NumberBound | undefined =>
        end && { value: queryNumber(end.value), inclusive: end.inclusive };
      return new ConstantClause(selectNumber(field, numberRange(bound(from), bound(to))), boost);
    }
    case "date": {
      if (timeZone !== undefined && !isTimeZone(timeZone)) throw illegalArgument(`Unknown time-zone ID: ${timeZone.slice(0, 60)}`);
      const read = format === undefined ? field.format : new DateFormat(format);
      // Beyond `gt` and up to `lte` a date means all of what it leaves open.
      const low = from && { value: queryDate(context, field, from.value, !from.inclusive, timeZone, read), inclusive: from.inclusive };
      const high = to && { value: queryDate(context, field, to.value, to.inclusive, timeZone, read), inclusive: to.inclusive };
      return new ConstantClause(selectNumber(field, numberRange(low, high)), boost);
    }
    case "boolean": {
      const bound = (end: RangeEnd | undefined): NumberBound | undefined =>
        end && { value: end.value === true || end.value === "true" ? 1 : 0, inclusive: end.inclusive };
      return new ConstantClause(selectNumber(field, numberRange(bound(from), bound(to))), boost);
    }
    case "ip": {
      const first = from ? addressBound(from, 1) : FIRST;
      const last = to ? addressBound(to, -1) : LAST;
      if (!first || !last) return matchNone();
      return new ConstantClause((segment) => {
        const column = segment.column(field.column);
        if (column?.kind !== "ip") return new Bitmap(segment.rows);
        const mask = new Uint8Array(column.addresses.length / 4);
        markAddresses(column, first, last, mask);
        return mask.includes(1) ? selectCodes(column, mask) : new Bitmap(segment.rows);
      }, boost);
    }
    case "none":
      throw notIndexed(field);
  }
}

export function parseRange(context: QueryContext, node: JsonNode): Clause {
  const { field, value: at, outer } = oneField("range", node);
  if (at.kind !== "object") throw parsingError(`[range] query does not support [${field}]`, at.at);
  let from: QueryValue | undefined;
  let to: QueryValue | undefined;
  let includeLower = true;
  let includeUpper = true;
  let format: string | undefined;
  let timeZone: string | undefined;
  let boost = outer.boost();
  outer.done();
  for (const { key, value } of at.members) {
    if (value.kind === "object" || value.kind === "array") throw parsingError(`[range] query does not support [${key}]`, value.at);
    const given = value.kind === "null" ? undefined : scalarValue(value);
    switch (key) {
      case "gt":
      case "gte":
        from = given;
        includeLower = key === "gte";
        break;
      case "lt":
      case "lte":
        to = given;
        includeUpper = key === "lte";
        break;
      case "from":
        from = given;
        break;
      case "to":
        to = given;
        break;
      case "include_lower":
        includeLower = given === true || given === "true";
        break;
      case "include_upper":
        includeUpper = given === true || given === "true";
        break;
      case "format":
        format = String(given);
        break;
      case "time_zone":
        timeZone = String(given);
        break;
      case "boost":
        boost *= Number(asScalar(value, "range").value);
        if (!(boost >= 0)) throw illegalArgument("[boost] of [range] must be a number of at least 0");
        break;
      case "_name":
        break;
      case "relation":
        if (!/^(?:intersects|contains|within)$/i.test(String(given)))
          throw illegalArgument(`[range] query does not support relation [${String(given)}]`);
        break;
      default:
        throw parsingError(`[range] query does not support [${key}]`, value.at);
    }
  }
  return fitted(() => {
    if (timeZone !== undefined && !isTimeZone(timeZone)) throw illegalArgument(`Unknown time-zone ID: ${timeZone.slice(0, 60)}`);
    const mapped = context.mapping.field(field);
    if (!mapped) return matchNone();
    return rangeClause(
      context,
      mapped,
      {
        from: from === undefined ? undefined : { value: from, inclusive: includeLower },
        to: to === undefined ? undefined : { value: to, inclusive: includeUpper },
        format,
        timeZone,
      },
      boost,
    );
  });
}
