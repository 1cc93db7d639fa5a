import { illegalArgument } from "../query-error.js";

/** A word of a text, and its place among the words: words that were left out leave a gap. */
export interface Token {
  readonly text: string;
  readonly position: number;
}

/** How a text becomes the words that are searched. */
export interface Analyzer {
  readonly name: string;
  analyze(text: string): Token[];
}

/** How a keyword is changed before it is kept and searched. */
export type Normalizer = (text: string) => string;

const STOP_WORDS = new Set(
  "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with".split(
    " ",
  ),
);
/** Longer words are cut in pieces, as Elasticsearch does. */
const LONGEST_WORD = 255;

type Tokenizer = (text: string) => string[];
type Filter = (words: (string | undefined)[]) => (string | undefined)[];

const each =
  (change: (word: string) => string): Filter =>
  (words) =>
    words.map((word) => (word === undefined ? undefined : change(word)));

/** Letters with marks as the plain letter. */
const folded = (word: string): string =>
  word
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/ß/g, "ss")
    .replace(/æ/g, "ae")
    .replace(/ø/g, "o");

let segmenter: Intl.Segmenter | undefined;

const ASCII_WORD = /[0-9A-Za-z_]+(?:['.][A-Za-z]+|[.,;'][0-9]+)*/g;

/**
 * Words by the rules of Unicode text segmentation; ideographs one by one.
 * @see UAX #29
 */
function standardWords(text: string): string[] {
  const words: string[] = [];
  if (/^[\x00-\x7f]*$/.test(text)) {
    for (const [word] of text.matchAll(ASCII_WORD)) {
      // A letter joins a letter over a point, a digit a digit: `a.1` is two words.
      for (const part of asciiParts(word)) if (!/^_+$/.test(part)) words.push(part);
    }
    return words;
  }
  segmenter ??= new Intl.Segmenter("en", { granularity: "word" });
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    if (!isWordLike) continue;
    if (/\p{Script=Han}|\p{Script=Hiragana}/u.test(segment)) words.push(...segment);
    else words.push(segment);
  }
  return words;
}

function asciiParts(word: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 1; i < word.length - 1; i++) {
    const mark = word[i] ?? "";
    if (/[0-9A-Za-z_]/.test(mark)) continue;
    const before = word[i - 1] ?? "";
    const after = word[i + 1] ?? "";
    const letters = /[A-Za-z]/.test(before) && /[A-Za-z]/.test(after);
    const digits = /[0-9]/.test(before) && /[0-9]/.test(after);
    if ((mark === "." || mark === "'") && (letters || digits)) continue;
    if ((mark === "," || mark === ";") && digits) continue;
    parts.push(word.slice(start, i));
    start = i + 1;
  }
  parts.push(word.slice(start));
  return parts;
}

const TOKENIZERS: Readonly<Record<string, Tokenizer>> = {
  standard: standardWords,
  whitespace: (text) => text.split(/\s+/u).filter((word) => word !== ""),
  keyword: (text) => (text === "" ? [] : [text]),
  letter: (text) => text.match(/\p{L}+/gu) ?? [],
  lowercase: (text) => (text.match(/\p{L}+/gu) ?? []).map((word) => word.toLowerCase()),
};

const FILTERS: Readonly<Record<string, Filter>> = {
  lowercase: each((word) => word.toLowerCase()),
  uppercase: each((word) => word.toUpperCase()),
  asciifolding: each(folded),
  trim: each((word) => word.trim()),
  stop: (words) => words.map((word) => (word !== undefined && STOP_WORDS.has(word) ? undefined : word)),
};

function pipeline(name: string, tokenizer: Tokenizer, filters: readonly Filter[]): Analyzer {
  return {
    name,
    analyze(text) {
      let words: (string | undefined)[] = tokenizer(text).flatMap((word) => {
        if (word.length <= LONGEST_WORD) return [word];
        const pieces: string[] = [];
        for (let at = 0; at < word.length; at += LONGEST_WORD) pieces.push(word.slice(at, at + LONGEST_WORD));
        return tokenizer === TOKENIZERS["keyword"] ? [word] : pieces;
      });
      for (const filter of filters) words = filter(words);
      return words.flatMap((word, position) => (word === undefined || word === "" ? [] : [{ text: word, position }]));
    },
  };
}

const tokenizer = (name: string): Tokenizer => TOKENIZERS[name] as Tokenizer;
const filter = (name: string): Filter => FILTERS[name] as Filter;

const BUILT_IN: Readonly<Record<string, Analyzer>> = {
  standard: pipeline("standard", standardWords, [filter("lowercase")]),
  simple: pipeline("simple", tokenizer("lowercase"), []),
  whitespace: pipeline("whitespace", tokenizer("whitespace"), []),
  keyword: pipeline("keyword", tokenizer("keyword"), []),
  stop: pipeline("stop", tokenizer("lowercase"), [filter("stop")]),
};

export const STANDARD: Analyzer = BUILT_IN["standard"] as Analyzer;
export const KEYWORD: Analyzer = BUILT_IN["keyword"] as Analyzer;

type Settings = Readonly<Record<string, unknown>>;

const asObject = (value: unknown): Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Settings) : {};
const own = (object: Settings, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined);

/** The analyzers and normalizers of an index: Elasticsearch's simple ones, and those that its settings put together from the same parts. */
export class Analysis {
  readonly #settings: Settings;

  /** @param settings the index setting `analysis`: `{analyzer, normalizer, filter, tokenizer}` */
  constructor(settings?: unknown) {
    this.#settings = asObject(settings);
    // A wrong one is an error of the index, not of the first search.
    for (const name of Object.keys(asObject(own(this.#settings, "analyzer")))) this.analyzer(name);
    for (const name of Object.keys(asObject(own(this.#settings, "normalizer")))) this.normalizer(name);
  }

  /** @throws QueryError for a name that neither Elasticsearch's simple analyzers nor the settings have */
  analyzer(name: string): Analyzer {
    const custom = own(asObject(own(this.#settings, "analyzer")), name);
    if (custom !== undefined) {
      const { type = "custom", tokenizer: wanted = "standard", filter: filters = [] } = asObject(custom);
      if (type !== "custom") return this.#builtIn(String(type));
      return pipeline(name, this.#tokenizer(String(wanted)), this.#filters(filters));
    }
    return name === "default" ? STANDARD : this.#builtIn(name);
  }

  #builtIn(name: string): Analyzer {
    const analyzer = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
    if (!analyzer) throw illegalArgument(`analyzer [${name}] not found; known are ${Object.keys(BUILT_IN).join(", ")} and custom ones`);
    return analyzer;
  }

  #tokenizer(name: string): Tokenizer {
    const type = String(own(asObject(own(asObject(own(this.#settings, "tokenizer")), name)), "type") ?? name);
    const known = Object.hasOwn(TOKENIZERS, type) ? TOKENIZERS[type] : undefined;
    if (!known) throw illegalArgument(`tokenizer [${name}] not found; known are ${Object.keys(TOKENIZERS).join(", ")}`);
    return known;
  }

  #filters(names: unknown): Filter[] {
    return (Array.isArray(names) ? names : [names]).map((name: unknown) => {
      const type = String(own(asObject(own(asObject(own(this.#settings, "filter")), String(name))), "type") ?? name);
      const known = Object.hasOwn(FILTERS, type) ? FILTERS[type] : undefined;
      if (!known) throw illegalArgument(`filter [${String(name)}] not found; known are ${Object.keys(FILTERS).join(", ")}`);
      return known;
    });
  }

  /** @throws QueryError for a name that the settings lack */
  normalizer(name: string): Normalizer {
    const custom = own(asObject(own(this.#settings, "normalizer")), name);
    if (custom === undefined && name !== "lowercase") throw illegalArgument(`normalizer [${name}] not found`);
    const filters = custom === undefined ? [filter("lowercase")] : this.#filters(asObject(custom)["filter"] ?? []);
    return (text) => {
      let words: (string | undefined)[] = [text];
      for (const change of filters) words = change(words);
      return words[0] ?? "";
    };
  }
}
