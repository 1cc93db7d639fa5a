import type { Analyzer, Token } from "../analysis/analyzer.js";
import type { TextValuesColumn } from "./column.js";

/** In which distinct texts a word stands, and how often in each. */
export interface Postings {
  readonly codes: readonly number[];
  readonly frequencies: readonly number[];
}

interface GrowingPostings {
  readonly codes: number[];
  readonly frequencies: number[];
}

const NOWHERE: Postings = { codes: [], frequencies: [] };

/**
 * The words of a column's distinct texts. Each text is analysed once, however many rows have it.
 */
export class TextIndex {
  readonly #column: TextValuesColumn;
  readonly #analyzer: Analyzer;
  readonly #postings = new Map<string, GrowingPostings>();
  /** Words in each distinct text. */
  readonly lengths: Int32Array;

  constructor(column: TextValuesColumn, analyzer: Analyzer) {
    this.#column = column;
    this.#analyzer = analyzer;
    const { dictionary } = column;
    this.lengths = new Int32Array(dictionary.size);
    for (let code = 0; code < dictionary.size; code++) {
      const tokens = this.tokens(code);
      this.lengths[code] = tokens.length;
      for (const { text } of tokens) {
        let postings = this.#postings.get(text);
        if (!postings) {
          postings = { codes: [], frequencies: [] };
          this.#postings.set(text, postings);
        }
        const last = postings.codes.length - 1;
        if (postings.codes[last] === code) postings.frequencies[last] = (postings.frequencies[last] ?? 0) + 1;
        else {
          postings.codes.push(code);
          postings.frequencies.push(1);
        }
      }
    }
  }

  postings(word: string): Postings {
    return this.#postings.get(word) ?? NOWHERE;
  }

  /** All words. */
  words(): IterableIterator<string> {
    return this.#postings.keys();
  }

  /** The words of one distinct text, in order. */
  tokens(code: number): Token[] {
    return this.#analyzer.analyze(this.#column.dictionary.text(code));
  }
}

const indexes = new WeakMap<TextValuesColumn, Map<Analyzer, TextIndex>>();

/** The words of a column by an analyzer, made once. */
export function textIndex(column: TextValuesColumn, analyzer: Analyzer): TextIndex {
  let known = indexes.get(column);
  if (!known) {
    known = new Map();
    indexes.set(column, known);
  }
  let index = known.get(analyzer);
  if (!index) {
    index = new TextIndex(column, analyzer);
    known.set(analyzer, index);
  }
  return index;
}
