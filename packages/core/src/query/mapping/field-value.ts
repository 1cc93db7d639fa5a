import { type AddressWords, addressWords } from "../columns/ip-address.js";
import { illegalArgument, QueryError } from "../query-error.js";
import type { Field } from "./field.js";

/** What a column holds of one value. */
export type StoredValue = string | number | bigint | AddressWords;

const MOST_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function numberFormat(text: string): QueryError {
  return new QueryError("number_format_exception", `For input string: "${text.slice(0, 100)}"`);
}

/** A whole number as a column holds it: a bigint only where a double would round it. */
export const compact = (value: bigint): number | bigint => (value >= -MOST_SAFE && value <= MOST_SAFE ? Number(value) : value);

const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** A number of a field with a whole type; fractions are cut. */
function wholeNumber(field: Field, value: unknown, [least, greatest]: readonly [bigint, bigint]): number | bigint {
  let exact: bigint;
  if (typeof value === "bigint") exact = value;
  else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw numberFormat(String(value));
    if (!field.coerce && !Number.isInteger(value)) throw illegalArgument(`${value} cannot be converted to ${field.type} without data loss`);
    exact = BigInt(Math.trunc(value));
  } else if (typeof value === "string") {
    if (!field.coerce) throw illegalArgument(`${capital(field.type)} value passed as String`);
    if (/^[+-]?\d{1,40}$/.test(value.trim())) exact = BigInt(value.trim().replace(/^\+/, ""));
    else if (DECIMAL.test(value) && Math.abs(Number(value)) < 1e300) exact = BigInt(Math.trunc(Number(value)));
    else throw numberFormat(value);
  } else throw illegalArgument(`failed to parse a ${field.type} from ${shown(value)}`);
  if (exact < least || exact > greatest) {
    throw illegalArgument(`Value [${exact}] is out of range for ${field.type === "integer" ? "an integer" : `a ${field.type}`}`);
  }
  return compact(exact);
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
const shown = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? one.toString() : one))?.slice(0, 100) ?? "nothing";

function decimalNumber(field: Field, value: unknown): number {
  let number: number;
  if (typeof value === "number") number = value;
  else if (typeof value === "bigint") number = Number(value);
  else if (typeof value === "string") {
    if (!field.coerce) throw illegalArgument(`${capital(field.type)} value passed as String`);
    if (value.trim() === "") throw numberFormat("empty String");
    if (!DECIMAL.test(value)) throw numberFormat(value);
    number = Number(value);
  } else throw illegalArgument(`failed to parse a ${field.type} from ${shown(value)}`);
  if (field.type === "scaled_float") return Math.round(number * field.scalingFactor) / field.scalingFactor;
  const rounded = field.traits.round ? field.traits.round(number) : number;
  if (!Number.isFinite(rounded)) throw illegalArgument(`[${field.type}] supports only finite values, but got [${String(value)}]`);
  return rounded;
}

/** Whole numbers, decimals and truth values as JSON writes them are texts too. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  throw illegalArgument(`Can't get text on a ${Array.isArray(value) ? "START_ARRAY" : "START_OBJECT"}`);
}

function booleanValue(value: unknown): number {
  if (value === true || value === "true") return 1;
  if (value === false || value === "false" || value === "") return 0;
  throw illegalArgument(`Failed to parse value [${String(value)}] as only [true] or [false] are allowed.`);
}

/** Microseconds that a double holds whole, and dates beyond it to their milliseconds. */
const MOST_MICROS = 8_640_000_000_000_000_000n;

function dateValue(field: Field, value: unknown): number {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint")
    throw illegalArgument(`failed to parse date field [${shown(value)}]`);
  const micros = field.format?.parse(value, { now: 0n }) ?? 0n;
  if (micros > MOST_MICROS || micros < -MOST_MICROS) throw illegalArgument(`date [${String(value)}] is out of range`);
  // A `date` keeps milliseconds, a `date_nanos` here microseconds.
  return field.type === "date" ? Math.floor(Number(micros) / 1000) * 1000 : Number(micros);
}

function ipValue(value: unknown): AddressWords {
  const words = typeof value === "string" ? addressWords(value.trim()) : undefined;
  if (!words) throw illegalArgument(`'${String(value)}' is not an IP string literal.`);
  return words;
}

/**
 * One value of a document as the field's column holds it: a text, a number, microseconds, 1 or 0, or an address. Undefined for a text that
 * the field leaves out.
 * @throws QueryError with the reason, when the field cannot hold the value
 */
export function storedValue(field: Field, value: unknown): StoredValue | undefined {
  switch (field.traits.family) {
    case "text": {
      const text = textOf(value);
      // A column shared with a sub-field holds what either wants: the field's own limit is applied when it is read.
      return field.normalizer
        ? field.ignoreAbove !== undefined && text.length > field.ignoreAbove
          ? undefined
          : field.normalizer(text)
        : text;
    }
    case "number":
      if (typeof value === "boolean") throw illegalArgument(`failed to parse a ${field.type} from a boolean`);
      return field.traits.range ? wholeNumber(field, value, field.traits.range) : decimalNumber(field, value);
    case "date":
      return dateValue(field, value);
    case "boolean":
      return booleanValue(value);
    case "ip":
      return ipValue(value);
    case "none":
      // That it is there is all that is kept.
      return 1;
  }
}
