import { illegalArgument, QueryError } from "../query-error.js";

function one(text: string, optional: number): number {
  const percent = /^(-?\d+)%$/.exec(text);
  if (percent) {
    const share = (optional * Number(percent[1])) / 100;
    return share < 0 ? optional + Math.trunc(share) : Math.trunc(share);
  }
  if (!/^-?\d+$/.test(text))
    throw illegalArgument(`[minimum_should_match] is malformed: [${text.slice(0, 60)}]`, {
      cause: new QueryError("number_format_exception", `For input string: "${text.slice(0, 60)}"`),
    });
  const number = Number(text);
  return number < 0 ? optional + number : number;
}

/**
 * How many of `optional` clauses must match: `2`, `-1`, `75%`, `-25%`, `2<75%`, `2<-25% 9<-3`.
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/query-dsl-minimum-should-match.html
 * @throws QueryError for a text of another form
 */
export function minimumShouldMatch(text: string, optional: number): number {
  const trimmed = text.trim();
  let found: number;
  if (trimmed.includes("<")) {
    found = optional;
    for (const condition of trimmed.replace(/\s*<\s*/g, "<").split(/\s+/)) {
      const [limit = "", rule = ""] = condition.split("<");
      if (!/^\d+$/.test(limit)) throw illegalArgument(`[minimum_should_match] is malformed: [${text.slice(0, 60)}]`);
      if (optional <= Number(limit)) return Math.max(0, found);
      found = one(rule, optional);
    }
  } else found = one(trimmed, optional);
  return Math.max(0, found);
}
