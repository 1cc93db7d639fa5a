import { QueryError } from "../query-error.js";

/** What a query string says: a tree of words, phrases, ranges and patterns. */
export type LuceneNode =
  | { readonly kind: "bool"; readonly clauses: readonly LuceneClause[]; readonly boost: number }
  | {
      readonly kind: "word";
      readonly field: string | undefined;
      readonly text: string;
      readonly hasWildcard: boolean;
      readonly raw: string;
      readonly fuzzy: string | undefined;
      readonly boost: number;
    }
  | { readonly kind: "phrase"; readonly field: string | undefined; readonly text: string; readonly slop: number; readonly boost: number }
  | { readonly kind: "regexp"; readonly field: string | undefined; readonly text: string; readonly boost: number }
  | {
      readonly kind: "range";
      readonly field: string | undefined;
      readonly from: string | undefined;
      readonly to: string | undefined;
      readonly includeFrom: boolean;
      readonly includeTo: boolean;
      readonly boost: number;
    };

export interface LuceneClause {
  readonly occur: "must" | "should" | "mustNot";
  readonly node: LuceneNode;
}

type TokenKind =
  | "and"
  | "or"
  | "not"
  | "plus"
  | "minus"
  | "open"
  | "close"
  | "word"
  | "phrase"
  | "regexp"
  | "colon"
  | "range"
  | "caret"
  | "tilde"
  | "end";

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Unescaped. */
  readonly value: string;
  readonly hasWildcard: boolean;
  readonly at: number;
  readonly range?: {
    readonly from: string | undefined;
    readonly to: string | undefined;
    readonly includeFrom: boolean;
    readonly includeTo: boolean;
  };
}

const DEEPEST = 50;
const SPECIAL = new Set([...'+-!(){}[]^"~:/ \t\n\r\u3000']);
const SPACE = new Set([..." \t\n\r\u3000"]);

const failed = (query: string, reason: string): QueryError =>
  new QueryError("query_shard_exception", `Failed to parse query [${query.slice(0, 200)}]`, {
    cause: new QueryError("parse_exception", `Cannot parse '${query.slice(0, 200)}': ${reason}`),
    atRun: true,
  });

function unescaped(query: string, text: string): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") {
      out += text[i];
      continue;
    }
    const next = text[++i];
    if (next === undefined) throw failed(query, "Term can not end with escape character.");
    const unicode = next === "u" ? /^[0-9a-fA-F]{4}/.exec(text.slice(i + 1))?.[0] : undefined;
    if (unicode) {
      out += String.fromCharCode(Number.parseInt(unicode, 16));
      i += 4;
    } else out += next;
  }
  return out;
}

function tokens(query: string): Token[] {
  const found: Token[] = [];
  const push = (kind: TokenKind, text: string, at: number, more: Partial<Token> = {}): void => {
    found.push({ kind, text, value: text, hasWildcard: false, at, ...more });
  };
  let i = 0;
  while (i < query.length) {
    const character = query[i] ?? "";
    const at = i;
    if (SPACE.has(character)) {
      i++;
      continue;
    }
    if (query.startsWith("&&", i) || query.startsWith("||", i)) {
      push(character === "&" ? "and" : "or", query.slice(i, i + 2), at);
      i += 2;
    } else if (character === '"') {
      let end = i + 1;
      while (end < query.length && query[end] !== '"') end += query[end] === "\\" ? 2 : 1;
      if (end >= query.length)
        throw failed(
          query,
          `Lexical error at line 1, column ${query.length + 1}.  Encountered: <EOF> after: "${query.slice(i).slice(0, 40)}"`,
        );
      push("phrase", query.slice(i, end + 1), at, { value: unescaped(query, query.slice(i + 1, end)) });
      i = end + 1;
    } else if (character === "/") {
      let end = i + 1;
      while (end < query.length && query[end] !== "/") end += query[end] === "\\" ? 2 : 1;
      if (end >= query.length)
        throw failed(
          query,
          `Lexical error at line 1, column ${query.length + 1}.  Encountered: <EOF> after : "${query.slice(i).slice(0, 40)}"`,
        );
      push("regexp", query.slice(i, end + 1), at, { value: query.slice(i + 1, end).replace(/\\\//g, "/") });
      i = end + 1;
    } else if (character === "[" || character === "{") {
      const range = readRange(query, i);
      push("range", query.slice(i, range.end), at, { range });
      i = range.end;
    } else if (character === "(") push("open", character, i++);
    else if (character === ")") push("close", character, i++);
    else if (character === "+") push("plus", character, i++);
    else if (character === "-") push("minus", character, i++);
    else if (character === "!") push("not", character, i++);
    else if (character === ":") push("colon", character, i++);
    else if (character === "^") {
      const number = /^\^(\d+(?:\.\d+)?|\.\d+)/.exec(query.slice(i));
      if (!number) throw failed(query, `Encountered "^" at column ${i}: was expecting a number`);
      push("caret", number[1] ?? "1", at);
      i += number[0].length;
    } else if (character === "~") {
      const number = /^~(\d+(?:\.\d+)?|\.\d+)?/.exec(query.slice(i));
      push("tilde", number?.[1] ?? "", at);
      i += number?.[0].length ?? 1;
    } else if (character === "]" || character === "}") {
      throw failed(query, `Encountered " "${character}" "${character} "" at line 1, column ${i}.`);
    } else {
      let end = i;
      let hasWildcard = false;
      while (end < query.length) {
        const one = query[end] ?? "";
        if (one === "\\") {
          end += 2;
          continue;
        }
        // A plus, a minus and a slash within a word are part of it; "&&" and "||" end it.
        if (SPECIAL.has(one) && !(end > i && (one === "+" || one === "-" || one === "!" || one === "/"))) break;
        if (one === "*" || one === "?") hasWildcard = true;
        end++;
      }
      const text = query.slice(i, Math.min(end, query.length));
      const kind = text === "AND" ? "and" : text === "OR" ? "or" : text === "NOT" ? "not" : "word";
      push(kind, text, at, { value: unescaped(query, text), hasWildcard });
      i = end;
    }
  }
  push("end", "<EOF>", query.length);
  return found;
}

function readRange(query: string, from: number): NonNullable<Token["range"]> & { readonly end: number } {
  let i = from + 1;
  const skip = (): void => {
    while (i < query.length && SPACE.has(query[i] ?? "")) i++;
  };
  const goop = (): string => {
    skip();
    if (query[i] === '"') {
      const end = query.indexOf('"', i + 1);
      if (end === -1) throw failed(query, "a quote in a range is not closed");
      const text = query.slice(i + 1, end);
      i = end + 1;
      return unescaped(query, text);
    }
    const start = i;
    while (i < query.length && !SPACE.has(query[i] ?? "") && query[i] !== "]" && query[i] !== "}") i += query[i] === "\\" ? 2 : 1;
    if (i === start) throw failed(query, `a range at column ${from} lacks an end`);
    return unescaped(query, query.slice(start, i));
  };
  const low = goop();
  skip();
  if (!/^TO\b/.test(query.slice(i))) throw failed(query, `Encountered a range without TO at column ${i}`);
  i += 2;
  const high = goop();
  skip();
  const close = query[i];
  if (close !== "]" && close !== "}") throw failed(query, `a range at column ${from} is not closed`);
  const open = (text: string): string | undefined => (text === "*" || text === "" ? undefined : text);
  return { from: open(low), to: open(high), includeFrom: query[from] === "[", includeTo: close === "]", end: i + 1 };
}

/**
 * Reads the syntax of Lucene's classic query parser as Elasticsearch's `query_string` extends it: words, phrases, fields, ranges also as `>=5`,
 * wildcards, regular expressions, `AND OR NOT && || ! + -`, brackets, `^` and `~`.
 * @throws QueryError `query_shard_exception` caused by `parse_exception`
 */
export function parseLucene(query: string, defaultOperator: "or" | "and"): LuceneNode {
  const list = tokens(query);
  let at = 0;
  const peek = (): Token => list[at] ?? (list[list.length - 1] as Token);
  const next = (): Token => list[at++] ?? (list[list.length - 1] as Token);
  const unexpected = (token: Token): QueryError => failed(query, `Encountered "${token.text.slice(0, 40)}" at line 1, column ${token.at}.`);

  const parseClauses = (field: string | undefined, depth: number): LuceneNode => {
    if (depth > DEEPEST) throw failed(query, `it is nested deeper than ${DEEPEST} brackets`);
    const clauses: { occur: LuceneClause["occur"]; node: LuceneNode }[] = [];
    for (;;) {
      let conjunction: "and" | "or" | undefined;
      let token = peek();
      if (token.kind === "end" || token.kind === "close") break;
      if (token.kind === "and" || token.kind === "or") {
        if (clauses.length === 0) throw unexpected(token);
        conjunction = token.kind;
        next();
        token = peek();
      }
      let modifier: "must" | "mustNot" | undefined;
      if (token.kind === "plus") modifier = "must";
      else if (token.kind === "minus" || token.kind === "not") modifier = "mustNot";
      if (modifier) next();
      const node = parseOne(field, depth);
      // As Lucene: AND makes the clause before required, OR makes it optional where AND is the default.
      const last = clauses.at(-1);
      if (last && conjunction === "and" && last.occur === "should") last.occur = "must";
      if (last && conjunction === "or" && defaultOperator === "and" && last.occur === "must") last.occur = "should";
      let occur: LuceneClause["occur"];
      if (modifier) occur = modifier;
      else if (defaultOperator === "or") occur = conjunction === "and" ? "must" : "should";
      else occur = conjunction === "or" ? "should" : "must";
      clauses.push({ occur, node });
    }
    return { kind: "bool", clauses, boost: 1 };
  };

  const boostOf = (): number => {
    if (peek().kind !== "caret") return 1;
    return Number(next().text);
  };

  const parseOne = (field: string | undefined, depth: number): LuceneNode => {
    const token = next();
    if ((token.kind === "word" || token.kind === "and" || token.kind === "or") && peek().kind === "colon" && token.kind === "word") {
      next();
      const name = token.value;
      const comparison = /^(>=|<=|>|<)(.*)$/.exec(peek().text);
      if (peek().kind === "word" && comparison) {
        next();
        const operator = comparison[1] ?? "";
        const value = unescaped(query, comparison[2] || (peek().kind === "word" || peek().kind === "minus" ? joined() : ""));
        if (value === "") throw failed(query, `a comparison of [${name}] lacks a value`);
        const isLow = operator.startsWith(">");
        const inclusive = operator.length === 2;
        return {
          kind: "range",
          field: name,
          from: isLow ? value : undefined,
          to: isLow ? undefined : value,
          includeFrom: inclusive,
          includeTo: inclusive,
          boost: boostOf(),
        };
      }
      if (peek().kind === "word" && peek().text === "*") {
        next();
        return { kind: "word", field: "_exists_", text: name, raw: name, hasWildcard: false, fuzzy: undefined, boost: boostOf() };
      }
      return parseOne(name, depth);
    }
    switch (token.kind) {
      case "open": {
        const node = parseClauses(field, depth + 1);
        if (next().kind !== "close") throw failed(query, `Encountered "<EOF>" at line 1, column ${query.length}. Was expecting ")"`);
        const boost = boostOf();
        return node.kind === "bool" ? { ...node, boost } : node;
      }
      case "word": {
        let fuzzy: string | undefined;
        if (peek().kind === "tilde") fuzzy = next().text || "AUTO";
        return { kind: "word", field, text: token.value, raw: token.text, hasWildcard: token.hasWildcard, fuzzy, boost: boostOf() };
      }
      case "phrase": {
        const slop = peek().kind === "tilde" ? Math.trunc(Number(next().text || 0)) : 0;
        return { kind: "phrase", field, text: token.value, slop, boost: boostOf() };
      }
      case "regexp":
        return { kind: "regexp", field, text: token.value, boost: boostOf() };
      case "range": {
        const { range } = token;
        return {
          kind: "range",
          field,
          from: range?.from,
          to: range?.to,
          includeFrom: range?.includeFrom ?? true,
          includeTo: range?.includeTo ?? true,
          boost: boostOf(),
        };
      }
      default:
        throw unexpected(token);
    }
  };

  /** A value after a comparison that the lexer took for more than one token, such as -5. */
  const joined = (): string => {
    let text = "";
    if (peek().kind === "minus") text += next().text;
    if (peek().kind === "word") text += next().text;
    return text;
  };

  const node = parseClauses(undefined, 0);
  if (peek().kind !== "end") throw unexpected(peek());
  return node;
}
