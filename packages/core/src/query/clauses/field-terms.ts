import { Bitmap } from "../columns/bitmap.js";
import type { TextValuesColumn } from "../columns/column.js";
import { addressWords, networkRange } from "../columns/ip-address.js";
import type { Segment } from "../columns/segment.js";
import { compareTexts, markAddresses, type NumberRange, selectCode, selectCodes, selectNumbers } from "../columns/select.js";
import { textIndex } from "../columns/text-index.js";
import type { Field } from "../mapping/field.js";
import { compact } from "../mapping/field-value.js";
import { illegalArgument, QueryError } from "../query-error.js";
import { type Clause, ConstantClause, matchNone, type QueryContext, type Scores } from "./clause.js";
import { bm25, inverseDocumentFrequency } from "./statistics.js";

/** A value of a query, as JSON has it; numbers as written. */
export type QueryValue = string | number | bigint | boolean;

export type Select = (segment: Segment) => Bitmap;

/** A text column of a field in a segment; undefined when no row has one. */
export function textColumn(segment: Segment, field: Field): TextValuesColumn | undefined {
  const column = segment.column(field.column);
  return column?.kind === "text" ? column : undefined;
}

/** Whether a field leaves a text of its column out. */
export const isIgnored = (field: Field, text: string): boolean => field.ignoreAbove !== undefined && text.length > field.ignoreAbove;

/** Rows with a value, or a word of an analysed field, that passes. */
export function selectTexts(field: Field, passes: (text: string) => boolean): Select {
  return (segment) => {
    const column = textColumn(segment, field);
    if (!column) return new Bitmap(segment.rows);
    const { dictionary } = column;
    const mask = new Uint8Array(dictionary.size);
    let found = false;
    if (field.traits.analyzed && field.analyzer) {
      const index = textIndex(column, field.analyzer);
      for (const word of index.words()) {
        if (!passes(word)) continue;
        found = true;
        for (const code of index.postings(word).codes) mask[code] = 1;
      }
    } else {
      for (let code = 0; code < mask.length; code++) {
        const text = dictionary.text(code);
        if (isIgnored(field, text) || !passes(text)) continue;
        mask[code] = 1;
        found = true;
      }
    }
    // What no entry of the dictionary has, no row has.
    return found ? selectCodes(column, mask) : new Bitmap(segment.rows);
  };
}

/** Rows with one exact value or word. */
export function selectText(field: Field, text: string): Select {
  return (segment) => {
    const column = textColumn(segment, field);
    if (!column) return new Bitmap(segment.rows);
    if (field.traits.analyzed && field.analyzer) {
      const { codes } = textIndex(column, field.analyzer).postings(text);
      if (codes.length === 0) return new Bitmap(segment.rows);
      const mask = new Uint8Array(column.dictionary.size);
      for (const code of codes) mask[code] = 1;
      return selectCodes(column, mask);
    }
    return isIgnored(field, text) ? new Bitmap(segment.rows) : selectCode(column, column.dictionary.find(text));
  };
}

/** A word of a text field: scored by BM25. */
export class WordClause implements Clause {
  readonly #context: QueryContext;
  readonly #field: Field;
  readonly #word: string;
  readonly #boost: number;
  readonly #select: Select;

  constructor(context: QueryContext, field: Field, word: string, boost: number) {
    this.#context = context;
    this.#field = field;
    this.#word = word;
    this.#boost = boost;
    this.#select = selectText(field, word);
  }

  get isScored(): boolean {
    return this.#field.traits.analyzed === true;
  }

  match(segment: Segment): Bitmap {
    return this.#select(segment);
  }

  #weight: number | undefined;

  get weight(): number {
    const { statistics } = this.#context;
    this.#weight ??= this.#boost * inverseDocumentFrequency(statistics.field(this.#field).rows, statistics.count(this.#select));
    return this.#weight;
  }

  scores(segment: Segment): Scores {
    const { weight } = this;
    const column = textColumn(segment, this.#field);
    const { analyzer, traits } = this.#field;
    if (!column || !traits.analyzed || !analyzer) return weight;
    const index = textIndex(column, analyzer);
    const { codes, frequencies } = index.postings(this.#word);
    const frequencyOf = new Map(codes.map((code, place) => [code, frequencies[place] ?? 0]));
    return wordScores(
      segment,
      column,
      index.lengths,
      averageLength(this.#context, this.#field),
      weight,
      (code) => frequencyOf.get(code) ?? 0,
    );
  }
}

export function averageLength({ statistics }: QueryContext, field: Field): number {
  const { rows, words } = statistics.field(field);
  return rows === 0 ? 1 : words / rows;
}

/** BM25 of each row from how often a text of the dictionary has what is looked for. */
export function wordScores(
  segment: Segment,
  column: TextValuesColumn,
  lengths: Int32Array,
  average: number,
  weight: number,
  frequencyOf: (code: number) => number,
): Float64Array {
  const scores = new Float64Array(segment.rows);
  const { offsets, codes } = column;
  if (!offsets) {
    const scoreOf = new Float64Array(lengths.length).map((_zero, code) => bm25(weight, frequencyOf(code), lengths[code] ?? 0, average));
    for (let row = 0; row < scores.length; row++) scores[row] = scoreOf[codes[row] ?? -1] ?? 0;
    return scores;
  }
  for (let row = 0; row < scores.length; row++) {
    let frequency = 0;
    let length = 0;
    for (let place = offsets[row] ?? 0; place < (offsets[row + 1] ?? 0); place++) {
      const code = codes[place] ?? -1;
      frequency += frequencyOf(code);
      length += lengths[code] ?? 0;
    }
    if (frequency > 0) scores[row] = bm25(weight, frequency, length, average);
  }
  return scores;
}

/** A double just above or below another. */
function nextDouble(value: number, up: boolean): number {
  if (!Number.isFinite(value)) return value;
  const buffer = new Float64Array([value]);
  const bits = new BigInt64Array(buffer.buffer);
  if (value === 0) return up ? Number.MIN_VALUE : -Number.MIN_VALUE;
  bits[0] = (bits[0] ?? 0n) + (value > 0 === up ? 1n : -1n);
  return buffer[0] ?? value;
}

/** One end of a range of numbers. */
export interface NumberBound {
  readonly value: number | bigint;
  readonly inclusive: boolean;
}

/** The closed range between two ends; undefined: open on that side. */
export function numberRange(from: NumberBound | undefined, to: NumberBound | undefined): NumberRange {
  const end = (bound: NumberBound | undefined, up: boolean): { value: number; exact: bigint | undefined } => {
    if (!bound) return { value: up ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY, exact: undefined };
    const { value, inclusive } = bound;
    if (typeof value === "bigint") {
      const exact = inclusive ? value : value + (up ? 1n : -1n);
      const kept = compact(exact);
      return { value: Number(kept), exact };
    }
    const isWhole = Number.isSafeInteger(value);
    return {
      value: inclusive ? value : nextDouble(value, up),
      exact: isWhole ? BigInt(value) + (inclusive ? 0n : up ? 1n : -1n) : undefined,
    };
  };
  const low = end(from, true);
  const high = end(to, false);
  return { low: low.value, high: high.value, exactLow: low.exact, exactHigh: high.exact };
}

const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** A number of a query, every digit kept. */
export function queryNumber(value: QueryValue): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "boolean") throw new QueryError("number_format_exception", `For input string: "${value}"`);
  const text = value.trim();
  if (/^[+-]?\d{1,400}$/.test(text)) return compact(BigInt(text.replace(/^\+/, "")));
  if (text === "" || !DECIMAL.test(text))
    throw new QueryError("number_format_exception", text === "" ? "empty String" : `For input string: "${value.slice(0, 100)}"`);
  return Number(text);
}

/** A truth value of a query. */
function queryBoolean(value: QueryValue): number {
  if (value === true || value === "true" || value === "T") return 1;
  if (value === false || value === "false" || value === "F" || value === "") return 0;
  throw illegalArgument(`Can't parse boolean value [${String(value)}], expected [true] or [false]`);
}

/** Microseconds of a date of a query, both ends of what it leaves open. */
export function queryDate(
  context: QueryContext,
  field: Field,
  value: QueryValue,
  roundUp: boolean,
  timeZone?: string,
  format = field.format,
): number {
  if (typeof value === "boolean") throw new QueryError("parse_exception", `failed to parse date field [${value}]`);
  const micros = Number(format?.parseMath(value, { now: context.now, roundUp, ...(timeZone !== undefined && { timeZone }) }) ?? 0n);
  // A `date` keeps milliseconds, and so does what it is compared with.
  return field.type === "date" ? Math.floor(micros / 1000) * 1000 : micros;
}

/** Rows with an address, or with one of a network. */
function selectAddress(field: Field, text: string): Select {
  const range = networkRange(text);
  const words = range ? undefined : addressWords(text);
  const first = range?.first ?? words;
  const last = range?.last ?? words;
  if (!first || !last) throw illegalArgument(`'${text}' is not an IP string literal.`);
  return (segment) => {
    const column = segment.column(field.column);
    if (column?.kind !== "ip") return new Bitmap(segment.rows);
    const mask = new Uint8Array(column.addresses.length / 4);
    markAddresses(column, first, last, mask);
    const one = mask.indexOf(1);
    if (one === -1) return new Bitmap(segment.rows);
    return mask.indexOf(1, one + 1) === -1 ? selectCode(column, one) : selectCodes(column, mask);
  };
}

export function selectNumber(field: Field, range: NumberRange): Select {
  return (segment) => {
    // What the segment knows of the column may spare reading it.
    const bounds = segment.bounds?.(field.column);
    if (bounds && (bounds[1] < range.low || bounds[0] > range.high)) return new Bitmap(segment.rows);
    if (bounds?.[2] && bounds[0] >= range.low && bounds[1] <= range.high) return Bitmap.full(segment.rows);
    const column = segment.column(field.column);
    return column?.kind === "number" ? selectNumbers(column, range) : new Bitmap(segment.rows);
  };
}

/**
 * The clause of one value of one field, without analysis.
 * @throws QueryError when the field's type has no such value
 */
export function termClause(context: QueryContext, field: Field, value: QueryValue, boost: number, caseInsensitive = false): Clause {
  if (!field.isIndexed) throw notIndexed(field);
  switch (field.traits.family) {
    case "text": {
      const text = field.normalizer ? field.normalizer(String(value)) : String(value);
      if (caseInsensitive) {
        const folded = text.toLowerCase();
        return new ConstantClause(
          selectTexts(field, (one) => one.toLowerCase() === folded),
          boost,
        );
      }
      return new WordClause(context, field, text, boost);
    }
    case "number": {
      const number =
        field.traits.round && typeof queryNumber(value) === "number" ? field.traits.round(Number(queryNumber(value))) : queryNumber(value);
      if (field.traits.range && typeof number === "number" && !Number.isInteger(number)) return matchNone();
      const scaled = field.type === "scaled_float" ? Math.round(Number(number) * field.scalingFactor) / field.scalingFactor : number;
      const bound: NumberBound = { value: scaled, inclusive: true };
      return new ConstantClause(selectNumber(field, numberRange(bound, bound)), boost);
    }
    case "date": {
      const low = queryDate(context, field, value, false);
      const high = queryDate(context, field, value, true);
      return new ConstantClause(selectNumber(field, numberRange({ value: low, inclusive: true }, { value: high, inclusive: true })), boost);
    }
    case "boolean": {
      const bound: NumberBound = { value: queryBoolean(value), inclusive: true };
      return new NumberTermClause(context, field, selectNumber(field, numberRange(bound, bound)), boost);
    }
    case "ip":
      return new ConstantClause(selectAddress(field, String(value)), boost);
    case "none":
      throw notIndexed(field);
  }
}

/** A truth value: scored by how rare it is, as a keyword is. */
class NumberTermClause extends ConstantClause {
  readonly #context: QueryContext;
  readonly #field: Field;
  readonly #all: Select;
  readonly #factor: number;

  constructor(context: QueryContext, field: Field, select: Select, boost: number) {
    super(select, boost);
    this.#context = context;
    this.#field = field;
    this.#all = select;
    this.#factor = boost;
  }

  override scores(): Scores {
    const { statistics } = this.#context;
    return this.#factor * inverseDocumentFrequency(statistics.field(this.#field).rows, statistics.count(this.#all));
  }
}

export function notIndexed(field: Field): QueryError {
  return field.traits.family === "none"
    ? illegalArgument(`Field [${field.path}] of type [${field.type}] is kept in the documents and cannot be searched`)
    : illegalArgument(`Cannot search on field [${field.path}] since it is not indexed.`);
}

/** The order of texts in ranges and sorts. */
export { compareTexts };
