import type { JsonNode } from "../json/json-tree.js";
import { fuzziness } from "../lucene/edit-distance.js";
import { illegalArgument, parsingError, QueryError } from "../query-error.js";
import { BoolClause } from "./bool.js";
import { type Clause, matchNone, type QueryContext } from "./clause.js";
import { operatorOf } from "./match.js";
import { minimumShouldMatch } from "./minimum-should-match.js";
import { Params } from "./params.js";
import { fuzzyTest, prefixClause, textTest } from "./pattern.js";
import { combine, matchPhrase, matchText, type WeightedField, weightedFields } from "./text-query.js";

interface SimpleOptions {
  readonly fields: readonly WeightedField[];
  readonly operator: "or" | "and";
  readonly flags: ReadonlySet<string>;
}

const FLAGS = ["AND", "OR", "NOT", "PREFIX", "PHRASE", "PRECEDENCE", "ESCAPE", "WHITESPACE", "FUZZY", "NEAR", "SLOP"];
const DEEPEST = 50;

/** Reads the forgiving syntax: `+` and, `|` or, `-` not, `"phrase"~2`, `word*`, `word~1`, brackets. What makes no sense is a word, or nothing. */
class SimpleParser {
  readonly #context: QueryContext;
  readonly #options: SimpleOptions;
  readonly #text: string;
  #at = 0;

  constructor(context: QueryContext, text: string, options: SimpleOptions) {
    this.#context = context;
    this.#text = text;
    this.#options = options;
  }

  #has(flag: string): boolean {
    return this.#options.flags.has(flag);
  }

  /** The clauses up to the closing bracket, or the end. */
  parse(depth = 0): readonly { readonly clause: Clause; readonly occur: "should" | "must" }[] {
    let found: { clause: Clause; occur: "should" | "must" }[] = [];
    let operation: "and" | "or" | undefined;
    let negations = 0;
    const add = (made: Clause | undefined): void => {
      if (!made) return;
      const clause = negations % 2 === 1 ? new BoolClause({ must: [], filter: [], should: [], mustNot: [made], least: 0 }) : made;
      negations = 0;
      const wanted = operation ?? this.#options.operator;
      operation = undefined;
      const [first] = found;
      const occur = wanted === "and" ? "must" : "should";
      // Operators bind from left to right: what came before becomes one clause when the operator changes.
      if (first && found.some((one) => one.occur !== occur)) {
        found = found.length === 1 ? [{ clause: first.clause, occur }] : [{ clause: joined(found, 1), occur }];
      }
      found.push({ clause, occur });
    };
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? "";
      if (character === "+" && this.#has("AND")) {
        this.#at++;
        if (found.length > 0) operation = "and";
      } else if (character === "|" && this.#has("OR")) {
        this.#at++;
        if (found.length > 0) operation = "or";
      } else if (character === "-" && this.#has("NOT")) {
        this.#at++;
        negations++;
      } else if (character === '"' && this.#has("PHRASE")) add(this.#phrase());
      else if (character === "(" && this.#has("PRECEDENCE") && depth < DEEPEST) {
        this.#at++;
        const inner = this.parse(depth + 1);
        add(inner.length === 0 ? undefined : joined(inner, 1));
      } else if (character === ")" && this.#has("PRECEDENCE")) {
        this.#at++;
        if (depth > 0) return found;
      } else if (/\s/.test(character)) {
        this.#at++;
        if (operation === undefined) negations = 0;
      } else add(this.#word());
    }
    return found;
  }

  #phrase(): Clause | undefined {
    let text = "";
    let i = this.#at + 1;
    for (; i < this.#text.length && this.#text[i] !== '"'; i++) {
      if (this.#text[i] === "\\" && this.#has("ESCAPE") && i + 1 < this.#text.length) i++;
      text += this.#text[i];
    }
    if (i >= this.#text.length) {
      // A quote that is not closed is left out.
      this.#at++;
      return undefined;
    }
    this.#at = i + 1;
    let slop = 0;
    const after = /^~(\d+)/.exec(this.#text.slice(this.#at));
    if (after && (this.#has("NEAR") || this.#has("SLOP"))) {
      slop = Number(after[1]);
      this.#at += after[0].length;
    }
    return this.#overFields(({ field, weight }) => matchPhrase(this.#context, field, text, { slop, boost: weight, lenient: true }));
  }

  #word(): Clause | undefined {
    let text = "";
    let isPrefix = false;
    let fuzzy: number | undefined;
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] ?? "";
      if (character === "\\" && this.#has("ESCAPE") && this.#at + 1 < this.#text.length) {
        text += this.#text[++this.#at];
        isPrefix = false;
        continue;
      }
      if (/\s/.test(character)) break;
      if (character === '"' && this.#has("PHRASE")) break;
      if ((character === "(" || character === ")") && this.#has("PRECEDENCE")) break;
      if (character === "|" && this.#has("OR")) break;
      if (character === "+" && this.#has("AND")) break;
      const near = /^~(\d*)(?=$|[\s()|+"])/.exec(this.#text.slice(this.#at));
      if (near && this.#has("FUZZY") && text !== "") {
        fuzzy = near[1] === "" ? (fuzziness("AUTO", text) ?? 2) : Math.min(2, Number(near[1]));
        this.#at += near[0].length;
        break;
      }
      text += character;
      isPrefix = character === "*" && this.#has("PREFIX");
    }
    if (text === "") return undefined;
    if (isPrefix) text = text.slice(0, -1);
    return this.#overFields(({ field, weight }) => {
      const word = field.traits.analyzed ? text.toLowerCase() : text;
      if (isPrefix) return prefixClause(field, word, false, weight);
      if (fuzzy !== undefined) return textTest("fuzzy", field, fuzzyTest(word, fuzzy, 0, true), weight);
      return matchText(this.#context, field, text, { boost: weight, lenient: true, operator: this.#options.operator });
    });
  }

  #overFields(make: (field: WeightedField) => Clause): Clause {
    const clauses = this.#options.fields.flatMap((field) => {
      try {
        return [make(field)];
      } catch (cause) {
        if (cause instanceof QueryError) return [];
        throw cause;
      }
    });
    return combine(clauses, "best", 1);
  }
}

function joined(found: readonly { readonly clause: Clause; readonly occur: "should" | "must" }[], least: number): Clause {
  const of = (occur: "should" | "must"): Clause[] => found.filter((one) => one.occur === occur).map((one) => one.clause);
  const should = of("should");
  const must = of("must");
  return new BoolClause({
    must,
    filter: [],
    should,
    mustNot: [],
    least: must.length === 0 || least > 1 ? Math.min(least, Math.max(1, should.length)) : 0,
  });
}

export function parseSimpleQueryString(context: QueryContext, node: JsonNode): Clause {
  if (node.kind !== "object") throw parsingError("[simple_query_string] query malformed, no start_object after query name", node.at);
  const params = new Params("simple_query_string", node);
  const query = params.text("query");
  const fieldsNode = params.get("fields");
  if (fieldsNode && fieldsNode.kind !== "array") throw parsingError("[simple_query_string] query does not support [fields]", fieldsNode.at);
  const names = params.texts("fields");
  const operator = operatorOf("simple_query_string", params.text("default_operator"));
  const flagsText = params.text("flags") ?? "ALL";
  const minimum = params.text("minimum_should_match");
  const analyzer = params.text("analyzer");
  for (const name of ["analyze_wildcard", "lenient", "auto_generate_synonyms_phrase_query", "fuzzy_transpositions"])
    params.boolean(name, true);
  for (const name of ["fuzzy_max_expansions", "fuzzy_prefix_length"]) params.whole(name, 0);
  params.text("quote_field_suffix");
  const boost = params.boost();
  params.done();
  if (query === undefined) throw parsingError("[simple_query_string] query text missing", node.at);
  if (analyzer !== undefined) context.mapping.analysis.analyzer(analyzer);
  const asked = /^-?\d+$/.test(flagsText)
    ? ["ALL"]
    : flagsText
        .toUpperCase()
        .split("|")
        .map((flag) => flag.trim());
  for (const flag of asked)
    if (![...FLAGS, "ALL", "NONE"].includes(flag)) throw illegalArgument(`Unknown simple_query_string flag [${flag.slice(0, 40)}]`);
  const flags = new Set(asked.includes("ALL") ? FLAGS : asked);
  const parser = new SimpleParser(context, query, { fields: weightedFields(context, names ?? ["*"]), operator, flags });
  const found = parser.parse();
  if (found.length === 0) return matchNone();
  const optional = found.filter(({ occur }) => occur === "should").length;
  const least = minimum === undefined || optional === 0 ? 1 : Math.max(1, minimumShouldMatch(minimum, optional));
  const clause = joined(found, least);
  return boost === 1 ? clause : new BoolClause({ must: [clause], filter: [], should: [], mustNot: [], least: 0 }, boost);
}
