import { RE2JS } from "re2js";
import { illegalArgument } from "../query-error.js";

/** Whether a whole text matches. */
export type TextTest = (text: string) => boolean;

const META = new Set([..."\\.+*?()|[]{}^$"]);
const quoted = (character: string): string => (META.has(character) ? `\\${character}` : character);
const MOST_REPEATED = 1000;

/** Numbers from `low` to `high` as an expression, digit by digit; `width` fixes the number of digits. */
function numbers(low: number, high: number, width: number): string {
  const alternatives: string[] = [];
  let at = low;
  while (at <= high) {
    // The largest block that starts here, ends within the range, and shares the digits before its free ones.
    let free = 0;
    while (
      at % 10 ** (free + 1) === 0 &&
      at + 10 ** (free + 1) - 1 <= high &&
      String(at).length === String(at + 10 ** (free + 1) - 1).length
    )
      free++;
    let count = 1;
    const digit = Math.floor(at / 10 ** free) % 10;
    while (digit + count <= 9 && at + (count + 1) * 10 ** free - 1 <= high) count++;
    const head = String(Math.floor(at / 10 ** free));
    const last = count === 1 ? head.slice(-1) : `[${digit}-${digit + count - 1}]`;
    const block = `${head.slice(0, -1)}${last}${"[0-9]".repeat(free)}`;
    const digits = head.length + free;
    alternatives.push(width > digits ? "0".repeat(width - digits) + block : width === 0 ? `0*${block}` : block);
    at += count * 10 ** free;
  }
  return `(?:${alternatives.join("|")})`;
}

/** Which optional operators a pattern may use, by Lucene's flags. */
interface Operators {
  readonly complement: boolean;
  readonly interval: boolean;
  readonly intersection: boolean;
  readonly anyString: boolean;
  readonly empty: boolean;
}

function operatorsOf(flags: string): Operators {
  const names = flags
    .toUpperCase()
    .split("|")
    .map((name) => name.trim());
  const known = ["ALL", "ANYSTRING", "AUTOMATON", "COMPLEMENT", "EMPTY", "INTERSECTION", "INTERVAL", "NONE"];
  for (const name of names) if (!known.includes(name)) throw illegalArgument(`Unknown regexp flag [${name.slice(0, 40)}]`);
  const has = (name: string): boolean => names.includes("ALL") || names.includes(name);
  return {
    complement: has("COMPLEMENT"),
    interval: has("INTERVAL"),
    intersection: has("INTERSECTION"),
    anyString: has("ANYSTRING"),
    empty: has("EMPTY"),
  };
}

const failed = (pattern: string, reason: string): Error => illegalArgument(`failed to parse regexp [${pattern.slice(0, 100)}]: ${reason}`);

/** Where an intersection or a complement stands at the top of a pattern. */
function splitTop(pattern: string, mark: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === "\\") i++;
    else if (character === '"') {
      const end = pattern.indexOf('"', i + 1);
      if (end === -1) return [pattern];
      i = end;
    } else if (character === "[") {
      const end = classEnd(pattern, i);
      if (end === -1) return [pattern];
      i = end;
    } else if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === mark && depth === 0) {
      parts.push(pattern.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(pattern.slice(start));
  return parts;
}

/** The place of the bracket that closes a character class. */
function classEnd(pattern: string, from: number): number {
  for (let i = from + 1 + (pattern[from + 1] === "^" ? 1 : 0); i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "]") return i;
  }
  return -1;
}

/** A pattern of Lucene without intersection and complement, in the syntax of RE2. */
function translated(pattern: string, operators: Operators): string {
  let out = "";
  for (let i = 0; i < pattern.length; i++) {
    const character = String.fromCodePoint(pattern.codePointAt(i) ?? 0);
    i += character.length - 1;
    switch (character) {
      case "\\": {
        const next = pattern[++i];
        if (next === undefined) throw failed(pattern, "it ends in a backslash");
        out += "dDwWsS".includes(next) ? `\\${next}` : quoted(next);
        break;
      }
      case '"': {
        const end = pattern.indexOf('"', i + 1);
        if (end === -1) throw failed(pattern, "a quote is not closed");
        out += [...pattern.slice(i + 1, end)].map(quoted).join("");
        i = end;
        break;
      }
      case "[": {
        const end = classEnd(pattern, i);
        if (end === -1) throw failed(pattern, "a character class is not closed");
        out += characterClass(pattern.slice(i + 1, end), pattern);
        i = end;
        break;
      }
      case "^":
      case "$":
        out += quoted(character);
        break;
      case "@":
        out += operators.anyString ? "(?:.*)" : "@";
        break;
      case "#":
        out += operators.empty ? "[^\\x{0}-\\x{10FFFF}]" : "#";
        break;
      case "<": {
        const interval = /^<(\d{1,9})-(\d{1,9})>/.exec(pattern.slice(i));
        if (!operators.interval) out += "<";
        else if (!interval) throw failed(pattern, "interval syntax error");
        else {
          const [all = "", a = "0", b = "0"] = interval;
          out += numbers(Math.min(Number(a), Number(b)), Math.max(Number(a), Number(b)), a.length === b.length ? a.length : 0);
          i += all.length - 1;
        }
        break;
      }
      case "&":
      case "~":
        if (character === "&" ? operators.intersection : operators.complement) {
          throw failed(pattern, `the operator ${character} is supported around a whole expression only`);
        }
        out += character;
        break;
      case "{": {
        const repeat = /^\{(\d+)(?:(,)(\d*))?\}/.exec(pattern.slice(i));
        if (!repeat) throw failed(pattern, "a repetition such as {2,5} is malformed");
        const [all = "", least = "0", comma, most = ""] = repeat;
        if (Number(least) > MOST_REPEATED || Number(most) > MOST_REPEATED)
          throw failed(pattern, `a repetition is more than ${MOST_REPEATED}`);
        out += comma === undefined ? `{${least}}` : `{${least},${most}}`;
        i += all.length - 1;
        break;
      }
      case "(":
        if (pattern[i + 1] === ")") {
          out += "(?:)";
          i++;
        } else out += "(?:";
        break;
      case "*":
      case "+":
      case "?":
        // In Lucene a second operator repeats the repetition; it is no lazy one.
        if (/[*+?}]$/.test(out) && !/\\[*+?}]$/.test(out))
          out = `(?:${out})`.replace(/^\(\?:(.*)\)$/s, (_all, inner: string) => regroup(inner));
        out += character;
        break;
      default:
        out += character === "}" || character === "]" ? quoted(character) : character;
    }
  }
  return out;
}

/** Groups the last repeated atom, so that it can be repeated again. */
function regroup(text: string): string {
  const repeat = /(?:[*+?]|\{\d+(?:,\d*)?\})$/.exec(text);
  if (!repeat) return text;
  const before = text.slice(0, repeat.index);
  let start = before.length - 1;
  if (before.endsWith(")")) {
    let depth = 0;
    for (; start >= 0; start--) {
      if (before[start - 1] === "\\") continue;
      if (before[start] === ")") depth++;
      else if (before[start] === "(" && --depth === 0) break;
    }
  } else if (before.endsWith("]")) start = before.lastIndexOf("[");
  else if (before[start - 1] === "\\") start--;
  return `${before.slice(0, start)}(?:${before.slice(start)}${repeat[0]})`;
}

function characterClass(inner: string, pattern: string): string {
  const negated = inner.startsWith("^");
  const body = negated ? inner.slice(1) : inner;
  if (body === "") throw failed(pattern, "a character class is empty");
  let out = "";
  for (let i = 0; i < body.length; i++) {
    const character = String.fromCodePoint(body.codePointAt(i) ?? 0);
    i += character.length - 1;
    if (character === "\\") {
      const next = body[++i];
      if (next === undefined) throw failed(pattern, "it ends in a backslash");
      out += "dDwWsS".includes(next) ? `\\${next}` : `\\x{${(next.codePointAt(0) ?? 0).toString(16)}}`;
    } else out += character === "-" && i > 0 && i < body.length - 1 ? "-" : `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  }
  return `[${negated ? "^" : ""}${out}]`;
}

function compile(pattern: string, operators: Operators, caseInsensitive: boolean): TextTest {
  if (operators.intersection) {
    const alternatives = splitTop(pattern, "|");
    const parts = alternatives.length === 1 ? splitTop(pattern, "&") : [pattern];
    if (parts.length > 1) {
      const tests = parts.map((part) => compile(part, operators, caseInsensitive));
      return (text) => tests.every((test) => test(text));
    }
    if (alternatives.length > 1 && alternatives.some((part) => splitTop(part, "&").length > 1 || part.startsWith("~"))) {
      const tests = alternatives.map((part) => compile(part, operators, caseInsensitive));
      return (text) => tests.some((test) => test(text));
    }
  }
  if (operators.complement && pattern.startsWith("~")) {
    // The complement takes the one thing after it: a group, or what has no more after it.
    const rest = pattern.slice(1);
    const isGroup = rest.startsWith("(") && splitTop(rest.slice(0, -1), ")").length === 1 && rest.endsWith(")") && closesAtEnd(rest);
    if (!isGroup && [...rest].length > 1) throw failed(pattern, "the operator ~ is supported before a whole expression in brackets only");
    const test = compile(isGroup ? rest.slice(1, -1) : rest, operators, caseInsensitive);
    return (text) => !test(text);
  }
  const flags = RE2JS.DOTALL | (caseInsensitive ? RE2JS.CASE_INSENSITIVE : 0);
  try {
    const expression = RE2JS.compile(translated(pattern, operators), flags);
    return (text) => expression.testExact(text);
  } catch (cause) {
    if (cause instanceof Error && cause.name === "QueryError") throw cause;
    throw failed(pattern, cause instanceof Error ? cause.message.slice(0, 200) : "it is malformed");
  }
}

/** Whether the bracket that opens a text closes at its end. */
function closesAtEnd(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) return i === text.length - 1;
  }
  return false;
}

/**
 * A regular expression in Lucene's syntax, anchored at both ends, as a test that takes time proportional to the text. `&` and `~` are
 * understood around whole expressions.
 * @throws QueryError `illegal_argument_exception` for a pattern that is malformed or that cannot be translated
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/regexp-syntax.html
 */
export function luceneRegexp(pattern: string, flags = "ALL", caseInsensitive = false): TextTest {
  return compile(pattern, operatorsOf(flags), caseInsensitive);
}

const ANY_RUN = -1;
const ANY_ONE = -2;

/** `*` any run, `?` any one character, `\` before a character means it: a test of whole texts, in time proportional to pattern x text. */
export function luceneWildcard(pattern: string, caseInsensitive = false): TextTest {
  const steps: number[] = [];
  const wanted = caseInsensitive ? pattern.toLowerCase() : pattern;
  for (let i = 0; i < wanted.length; i++) {
    const character = wanted[i] ?? "";
    if (character === "\\" && i + 1 < wanted.length) steps.push(wanted.charCodeAt(++i));
    else if (character === "*") {
      if (steps.at(-1) !== ANY_RUN) steps.push(ANY_RUN);
    } else steps.push(character === "?" ? ANY_ONE : wanted.charCodeAt(i));
  }
  const fold = (text: string): string => (caseInsensitive ? text.toLowerCase() : text);
  const literal = (part: readonly number[]): string | undefined =>
    part.every((step) => step >= 0) ? String.fromCharCode(...part) : undefined;
  // Most patterns are a text with a star at one end or both.
  const whole = literal(steps);
  if (whole !== undefined) return (text) => fold(text) === whole;
  const starts = steps[0] === ANY_RUN;
  const ends = steps.at(-1) === ANY_RUN;
  const inner = literal(steps.slice(starts ? 1 : 0, ends ? -1 : undefined));
  if (inner !== undefined && starts && ends) return (text) => fold(text).includes(inner);
  if (inner !== undefined && ends) return (text) => fold(text).startsWith(inner);
  if (inner !== undefined && starts) return (text) => fold(text).endsWith(inner);
  const units = Int32Array.from(steps);
  return (text) => matchesSteps(units, fold(text));
}

function matchesSteps(steps: Int32Array, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const unit = text.charCodeAt(t);
    const step = p < steps.length ? (steps[p] as number) : Number.NaN;
    if (step === ANY_RUN) {
      star = p++;
      resume = t;
    } else if (step === unit) {
      p++;
      t++;
    } else if (step === ANY_ONE) {
      p++;
      // A character outside the first plane is two units.
      t += unit >= 0xd800 && unit < 0xdc00 && t + 1 < text.length ? 2 : 1;
    } else if (star >= 0) {
      p = star + 1;
      // A run does not end inside a character.
      const first = text.charCodeAt(resume);
      resume += first >= 0xd800 && first < 0xdc00 && resume + 1 < text.length ? 2 : 1;
      t = resume;
    } else return false;
  }
  while (p < steps.length && steps[p] === ANY_RUN) p++;
  return p === steps.length;
}
