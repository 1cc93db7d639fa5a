import { printParseErrorCode, visit } from "jsonc-parser";
import { QueryError } from "../query-error.js";

/** 1-based place of a token in the text. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface JsonMember {
  readonly key: string;
  readonly at: Place;
  readonly value: JsonNode;
}

export interface JsonObject {
  readonly kind: "object";
  readonly at: Place;
  readonly members: readonly JsonMember[];
}

export interface JsonArray {
  readonly kind: "array";
  readonly at: Place;
  readonly items: readonly JsonNode[];
}

/** A text, number, truth value or null; `text` of a number is as written, so that none loses digits. */
export interface JsonScalar {
  readonly kind: "string" | "number" | "boolean" | "null";
  readonly at: Place;
  readonly value: string | number | boolean | null;
  readonly text: string;
}

export type JsonNode = JsonObject | JsonArray | JsonScalar;

const REASONS: Readonly<Record<string, string>> = {
  InvalidSymbol: "unrecognized token",
  InvalidNumberFormat: "invalid number",
  PropertyNameExpected: "was expecting a field name in double quotes",
  ValueExpected: "was expecting a value",
  ColonExpected: "was expecting a colon to separate field name and value",
  CommaExpected: "was expecting a comma to separate entries",
  CloseBraceExpected: "was expecting a closing brace of the object",
  CloseBracketExpected: "was expecting a closing bracket of the array",
  EndOfFileExpected: "unexpected content after the end of the value",
  InvalidCommentToken: "comments are not allowed",
  UnexpectedEndOfComment: "comments are not allowed",
  UnexpectedEndOfString: "unexpected end of a text",
  UnexpectedEndOfNumber: "unexpected end of a number",
  InvalidUnicode: "invalid \\u escape",
  InvalidEscapeCharacter: "unrecognized character escape",
  InvalidCharacter: "illegal unquoted control character in a text",
};

/** JSON's grammar, strictly: the scanner is lenient about the form of numbers. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

interface Open {
  readonly node: { kind: "object"; at: Place; members: JsonMember[] } | { kind: "array"; at: Place; items: JsonNode[] };
  readonly keys: Set<string>;
  key: { readonly key: string; readonly at: Place } | undefined;
}

/** How deep a body may nest. */
export const MOST_NESTED = 200;

const jsonError = (reason: string, line: number, column: number): QueryError =>
  new QueryError("json_parse_exception", `${reason} at line ${line}, column ${column}`, { at: { line, column } });

/**
 * Reads JSON with the place of each token and the digits of each number.
 * @throws QueryError `json_parse_exception`: no JSON, a key twice in one object, or deeper than `MOST_NESTED`
 */
export function parseJson(text: string): JsonNode {
  const open: Open[] = [];
  let root: JsonNode | undefined;
  const place = (value: JsonNode): void => {
    const top = open.at(-1);
    if (!top) root ??= value;
    else if (top.node.kind === "array") top.node.items.push(value);
    else if (top.key) {
      top.node.members.push({ ...top.key, value });
      top.key = undefined;
    }
  };
  const begin = (node: Open["node"], line: number, column: number): void => {
    if (open.length >= MOST_NESTED) throw jsonError(`the body is nested deeper than ${MOST_NESTED} levels`, line, column);
    open.push({ node, keys: new Set(), key: undefined });
  };
  const end = (): void => {
    const top = open.pop();
    if (top) place(top.node);
  };
  visit(
    text,
    {
      onObjectBegin: (_offset, _length, line, column) =>
        begin({ kind: "object", at: { line: line + 1, column: column + 1 }, members: [] }, line + 1, column + 1),
      onArrayBegin: (_offset, _length, line, column) =>
        begin({ kind: "array", at: { line: line + 1, column: column + 1 }, items: [] }, line + 1, column + 1),
      onObjectEnd: end,
      onArrayEnd: end,
      onObjectProperty: (key, _offset, _length, line, column) => {
        const top = open.at(-1);
        if (!top) return;
        if (top.keys.has(key)) throw jsonError(`Duplicate field '${key.slice(0, 100)}'`, line + 1, column + 1);
        top.keys.add(key);
        top.key = { key, at: { line: line + 1, column: column + 1 } };
      },
      onLiteralValue: (value: unknown, offset, length, line, column) => {
        const at = { line: line + 1, column: column + 1 };
        const written = text.slice(offset, offset + length);
        if (typeof value === "number") {
          if (!NUMBER.test(written)) throw jsonError(`invalid number [${written.slice(0, 40)}]`, at.line, at.column);
          place({ kind: "number", at, value, text: written });
        } else if (typeof value === "string") place({ kind: "string", at, value, text: value });
        else if (typeof value === "boolean") place({ kind: "boolean", at, value, text: written });
        else place({ kind: "null", at, value: null, text: "null" });
      },
      onError: (code, offset, length, line, column) => {
        const found = text.slice(offset, offset + Math.min(length, 20));
        throw jsonError(
          `${REASONS[printParseErrorCode(code)] ?? "unexpected content"}${found ? `, found [${found}]` : ""}`,
          line + 1,
          column + 1,
        );
      },
    },
    { disallowComments: true, allowTrailingComma: false },
  );
  if (!root) throw jsonError("the body is empty", 1, 1);
  return root;
}

/** A value of a text of JSON that keeps every digit of its numbers: whole numbers beyond 2^53 are bigints. */
export type ExactValue = string | number | bigint | boolean | null | ExactValue[] | { [key: string]: ExactValue };

/** The plain value of a tree. Objects have no prototype, so that no key means anything but itself. */
export function exactValue(node: JsonNode): ExactValue {
  if (node.kind === "array") return node.items.map(exactValue);
  if (node.kind === "object") {
    const object: Record<string, ExactValue> = Object.create(null) as Record<string, ExactValue>;
    for (const { key, value } of node.members) object[key] = exactValue(value);
    return object;
  }
  if (node.kind === "number" && !Number.isSafeInteger(node.value) && /^-?\d+$/.test(node.text)) return BigInt(node.text);
  return node.value;
}

/** A whole number of sixteen digits or more may be one that a double cannot hold. */
const LONG_NUMBER = /(?:^|[\s:,[-])\d{16,}(?=[\s,\]}]|$)/;

/**
 * Reads a text of JSON as `ExactValue`, by the fast built-in parser where no number can lose digits.
 * @throws QueryError `json_parse_exception`
 */
export function parseExact(text: string): ExactValue {
  if (!LONG_NUMBER.test(text)) {
    try {
      return JSON.parse(text) as ExactValue;
    } catch {
      // The slower parser says where.
    }
  }
  return exactValue(parseJson(text));
}
