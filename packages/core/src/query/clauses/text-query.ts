import type { Analyzer, Token } from "../analysis/analyzer.js";
import { Bitmap } from "../columns/bitmap.js";
import type { Segment } from "../columns/segment.js";
import { selectCodes } from "../columns/select.js";
import { textIndex } from "../columns/text-index.js";
import { fuzziness } from "../lucene/edit-distance.js";
import type { Field } from "../mapping/field.js";
import { illegalArgument, QueryError, shardError } from "../query-error.js";
import { BoolClause, DisMaxClause } from "./bool.js";
import { type Clause, matchAll, matchNone, type QueryContext, type Scores } from "./clause.js";
import { averageLength, notIndexed, type QueryValue, selectText, termClause, textColumn, WordClause, wordScores } from "./field-terms.js";
import { minimumShouldMatch } from "./minimum-should-match.js";
import { fuzzyTest, prefixClause, textTest } from "./pattern.js";
import { inverseDocumentFrequency } from "./statistics.js";
import { fitted } from "./term.js";

/** How the words of a text are looked for in a field. */
export interface TextOptions {
  readonly operator?: "or" | "and";
  readonly minimum?: string | undefined;
  readonly fuzziness?: string | undefined;
  readonly prefixLength?: number;
  readonly transpositions?: boolean;
  readonly lenient?: boolean;
  readonly analyzer?: Analyzer | undefined;
  /** What a text without words matches. */
  readonly zeroTerms?: "none" | "all";
  readonly boost?: number;
}

/** Takes a value that the field's type does not have for nothing, when lenient. */
function leniently(lenient: boolean, make: () => Clause): Clause {
  try {
    return fitted(make);
  } catch (cause) {
    if (lenient && cause instanceof QueryError) return matchNone();
    throw cause;
  }
}

function wordsOf(field: Field, text: string, analyzer: Analyzer | undefined): Token[] {
  if (!field.traits.analyzed) return [{ text: field.normalizer ? field.normalizer(text) : text, position: 0 }];
  return (analyzer ?? field.searchAnalyzer)?.analyze(text) ?? [];
}

/** Rows of a field with the words of a text. */
export function matchText(context: QueryContext, field: Field, value: QueryValue, options: TextOptions): Clause {
  const { operator = "or", minimum, lenient = false, boost = 1, zeroTerms = "none" } = options;
  if (field.traits.family !== "text") {
    if (options.fuzziness !== undefined && !lenient) {
      throw shardError(`Can only use fuzzy queries on keyword and text fields - not on [${field.path}] which is of type [${field.type}]`);
    }
    return leniently(lenient, () => termClause(context, field, value, boost));
  }
  if (!field.isIndexed) throw shardError(notIndexed(field).reason);
  const words = wordsOf(field, String(value), options.analyzer);
  if (words.length === 0) return zeroTerms === "all" ? matchAll(boost) : matchNone();
  const clauses = words.map(({ text }) => {
    if (options.fuzziness === undefined) return new WordClause(context, field, text, boost);
    const allowed = fuzziness(options.fuzziness, text);
    if (allowed === undefined) throw illegalArgument(`Valid edit distances are [0, 1, 2] but was [${options.fuzziness.slice(0, 40)}]`);
    return textTest("fuzzy", field, fuzzyTest(text, allowed, options.prefixLength ?? 0, options.transpositions ?? true), boost);
  });
  const [only] = clauses;
  if (clauses.length === 1 && only) return only;
  if (operator === "and") return new BoolClause({ must: clauses, filter: [], should: [], mustNot: [], least: 0 });
  const least = minimum === undefined ? 1 : minimumShouldMatch(minimum, clauses.length);
  return new BoolClause({ must: [], filter: [], should: clauses, mustNot: [], least: Math.max(1, least) });
}

/** Words of a text in their order, `slop` moves apart; the last one may be a beginning only. */
class PhraseClause implements Clause {
  readonly isScored = true;
  readonly #context: QueryContext;
  readonly #field: Field;
  readonly #words: readonly Token[];
  readonly #slop: number;
  readonly #isPrefix: boolean;
  readonly #boost: number;

  constructor(context: QueryContext, field: Field, words: readonly Token[], slop: number, isPrefix: boolean, boost: number) {
    this.#context = context;
    this.#field = field;
    this.#words = words;
    this.#slop = slop;
    this.#isPrefix = isPrefix;
    this.#boost = boost;
  }

  /** How often each distinct text of a column has the phrase. */
  #frequencies(segment: Segment): ReadonlyMap<number, number> {
    const column = textColumn(segment, this.#field);
    const { analyzer } = this.#field;
    const found = new Map<number, number>();
    if (!column || !analyzer) return found;
    const index = textIndex(column, analyzer);
    const whole = this.#isPrefix ? this.#words.slice(0, -1) : this.#words;
    // Candidates have the rarest word.
    const lists = whole.map(({ text }) => index.postings(text).codes);
    const shortest = lists.sort((a, b) => a.length - b.length)[0];
    const candidates = shortest ?? Array.from({ length: column.dictionary.size }, (_zero, code) => code);
    for (const code of candidates) {
      const count = this.#count(index.tokens(code));
      if (count > 0) found.set(code, count);
    }
    return found;
  }

  #count(tokens: readonly Token[]): number {
    const places = new Map<string, number[]>();
    for (const { text, position } of tokens) {
      const known = places.get(text);
      if (known) known.push(position);
      else places.set(text, [position]);
    }
    const base = this.#words[0]?.position ?? 0;
    const lists = this.#words.map(({ text, position }, index) => {
      const isPrefix = this.#isPrefix && index === this.#words.length - 1;
      const at = isPrefix
        ? [...places].filter(([word]) => word.startsWith(text)).flatMap(([, positions]) => positions)
        : (places.get(text) ?? []);
      return at.map((place) => place - (position - base));
    });
    const [first, ...others] = lists;
    if (!first || lists.some((list) => list.length === 0)) return 0;
    if (this.#slop === 0) return first.filter((place) => others.every((list) => list.includes(place))).length;
    // Sloppy: shifted places that lie within `slop` of each other.
    let count = 0;
    for (const place of first) {
      const within = (low: number, at: number): boolean => {
        if (at === others.length) return true;
        return (others[at] ?? []).some((other) => other >= low && other <= low + this.#slop && within(low, at + 1));
      };
      for (let low = place - this.#slop; low <= place; low++) {
        if (!within(low, 0)) continue;
        count++;
        break;
      }
    }
    return count;
  }

  match(segment: Segment): Bitmap {
    const column = textColumn(segment, this.#field);
    const frequencies = this.#frequencies(segment);
    if (!column || frequencies.size === 0) return new Bitmap(segment.rows);
    const mask = new Uint8Array(column.dictionary.size);
    for (const code of frequencies.keys()) mask[code] = 1;
    return selectCodes(column, mask);
  }

  scores(segment: Segment): Scores {
    const column = textColumn(segment, this.#field);
    const { analyzer } = this.#field;
    if (!column || !analyzer) return 0;
    const { statistics } = this.#context;
    const { rows } = statistics.field(this.#field);
    const weight = this.#words.reduce(
      (sum, { text }) => sum + inverseDocumentFrequency(rows, statistics.count(selectText(this.#field, text))),
      0,
    );
    const frequencies = this.#frequencies(segment);
    const { lengths } = textIndex(column, analyzer);
    return wordScores(
      segment,
      column,
      lengths,
      averageLength(this.#context, this.#field),
      this.#boost * weight,
      (code) => frequencies.get(code) ?? 0,
    );
  }
}

/** Rows of a field with the words of a text next to each other. */
export function matchPhrase(
  context: QueryContext,
  field: Field,
  value: QueryValue,
  options: TextOptions & { readonly slop?: number; readonly isPrefix?: boolean },
): Clause {
  const { slop = 0, isPrefix = false, boost = 1, lenient = false, zeroTerms = "none" } = options;
  if (field.traits.family !== "text") return leniently(lenient, () => termClause(context, field, value, boost));
  if (!field.isIndexed) throw shardError(notIndexed(field).reason);
  const words = wordsOf(field, String(value), options.analyzer);
  const [only] = words;
  if (!only) return zeroTerms === "all" ? matchAll(boost) : matchNone();
  if (words.length === 1) return isPrefix ? prefixClause(field, only.text, false, boost) : new WordClause(context, field, only.text, boost);
  return new PhraseClause(context, field, words, slop, isPrefix, boost);
}

/** Rows with the words of a text, of which the last may be a beginning. */
export function matchBoolPrefix(context: QueryContext, field: Field, value: QueryValue, options: TextOptions): Clause {
  const { boost = 1, operator = "or", lenient = false } = options;
  if (field.traits.family !== "text") return leniently(lenient, () => termClause(context, field, value, boost));
  const words = wordsOf(field, String(value), options.analyzer);
  const last = words.at(-1);
  if (!last) return matchNone();
  const clauses: Clause[] = words.slice(0, -1).map(({ text }) => new WordClause(context, field, text, boost));
  clauses.push(prefixClause(field, last.text, false, boost));
  if (operator === "and") return new BoolClause({ must: clauses, filter: [], should: [], mustNot: [], least: 0 });
  const least = options.minimum === undefined ? 1 : Math.max(1, minimumShouldMatch(options.minimum, clauses.length));
  return new BoolClause({ must: [], filter: [], should: clauses, mustNot: [], least });
}

/** A field and how much it counts. */
export interface WeightedField {
  readonly field: Field;
  readonly weight: number;
}

/**
 * The fields of names such as `title^2` and `user.*`; names that no field has are left out. Of a pattern the fields that can be searched.
 * @throws QueryError for a weight that is no number
 */
export function weightedFields(context: QueryContext, names: readonly string[]): WeightedField[] {
  const found: WeightedField[] = [];
  for (const name of names) {
    const caret = name.lastIndexOf("^");
    const path = caret === -1 ? name : name.slice(0, caret);
    const weight = caret === -1 ? 1 : Number(name.slice(caret + 1));
    if (!(weight >= 0)) throw illegalArgument(`the weight of field [${name.slice(0, 100)}] is no number`);
    for (const field of context.mapping.fieldsMatching(path)) {
      if (path.includes("*") && (!field.isIndexed || field.traits.family === "none")) continue;
      if (!found.some((one) => one.field === field)) found.push({ field, weight });
    }
  }
  return found;
}

/** The best score of several fields, or the sum of them. */
export function combine(clauses: readonly Clause[], how: "best" | "sum", tieBreaker: number, boost = 1): Clause {
  const [only] = clauses;
  if (!only) return matchNone();
  if (clauses.length === 1 && boost === 1) return only;
  if (how === "best") return new DisMaxClause(clauses, tieBreaker, boost);
  return new BoolClause({ must: [], filter: [], should: clauses, mustNot: [], least: 1 }, boost);
}
