import { CoreError } from "../errors.js";
import { parseAggregations } from "../query/aggregations/parse-aggregations.js";
import { DEFAULT_LIMITS, type QueryContext } from "../query/clauses/clause.js";
import { parseQuery } from "../query/clauses/parse-query.js";
import { Statistics } from "../query/clauses/statistics.js";
import { Mapping } from "../query/mapping/mapping.js";
import type { SearchResponse } from "../query/search.js";
import { readBody } from "../query/search.js";

/**
 * A question that is worth asking of an index of logs: data, not code. `body` is a search in Elasticsearch's DSL, valid for a real cluster too; an insight
 * that aggregates has one aggregation, under its own name.
 */
export interface Insight {
  readonly index: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly references: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
}

type Plain = Record<string, unknown>;
const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);

/** Buckets or hits at most. */
export const MOST_INSIGHT_ROWS = 10_000;
export const DEFAULT_INSIGHT_ROWS = 100;

/** Whether an insight gives buckets; else hits. */
export const isAggregation = ({ name, body }: Insight): boolean => isObject(body["aggs"]) && Object.hasOwn(body["aggs"], name);

/** The search of an insight, with so many buckets or hits at most. */
export function insightBody(
  insight: Insight,
  { size, from }: { readonly size?: number | undefined; readonly from?: number | undefined } = {},
): Plain {
  if (!isAggregation(insight)) {
    return { ...insight.body, ...(size !== undefined && { size }), ...(from !== undefined && { from }) };
  }
  if (size === undefined) return insight.body;
  const aggs = insight.body["aggs"] as Record<string, Plain>;
  const own = aggs[insight.name] as Plain;
  const sized = Object.entries(own).map(([type, parameters]) => [
    type,
    type !== "aggs" && isObject(parameters) && "size" in parameters ? { ...parameters, size } : parameters,
  ]);
  return { ...insight.body, aggs: { ...aggs, [insight.name]: Object.fromEntries(sized) as Plain } };
}

/** The answer of an insight as the Insights API has it: the aggregation under the insight's name, or hits with a number as their total. */
export function insightAnswer(insight: Insight, response: SearchResponse): Plain {
  if (isAggregation(insight)) return { [insight.name]: response.aggregations?.[insight.name] ?? { buckets: [] } };
  const { total } = response.hits;
  return { hits: { total: typeof total === "object" ? total.value : (total ?? 0), hits: response.hits.hits } };
}

const NAME = /^[a-z][a-z0-9_]{0,99}$/;

/**
 * Reads an insight that somebody wrote: `{index, name, title, description?, references?, body}`.
 * @param source the file, for errors
 * @throws CoreError `bad-parameter` naming the file and what is wrong
 */
export function checkInsight(value: unknown, source: string): Insight {
  const bad = (reason: string): CoreError => new CoreError("bad-parameter", `${source}: ${reason}`, { source });
  if (!isObject(value)) throw bad("an insight is an object with index, name, title and body");
  const known = ["index", "name", "title", "description", "references", "body"];
  for (const key of Object.keys(value))
    if (!known.includes(key)) throw bad(`${key.slice(0, 60)} is no member of an insight; there are ${known.join(", ")}`);
  const { index, name, title, description = "", references = [], body } = value;
  if (typeof index !== "string" || index === "") throw bad("index must name an index, such as conn_logs");
  if (typeof name !== "string" || !NAME.test(name)) throw bad("name must be lower case letters, digits and _, such as rare_user_agents");
  if (typeof title !== "string" || title === "") throw bad("title must say in a few words what it shows");
  if (typeof description !== "string") throw bad("description must be a text");
  if (!Array.isArray(references) || references.some((one) => typeof one !== "string")) throw bad("references must be a list of texts");
  if (!isObject(body)) throw bad("body must be a search in Elasticsearch's DSL");
  const insight: Insight = { index, name, title, description, references: references as string[], body };
  const { aggs, aggregations } = body;
  if (aggregations !== undefined) throw bad("body: write aggs, not aggregations");
  if (aggs !== undefined && !isAggregation(insight)) throw bad(`body: the aggregation must have the insight's name, ${name}`);
  checkBody(insight, bad);
  return insight;
}

/** Reads the parts of the body as the engine would, over an index without fields. */
function checkBody({ body }: Insight, bad: (reason: string) => CoreError): void {
  const context: QueryContext = {
    index: "",
    mapping: new Mapping(),
    now: 0n,
    statistics: new Statistics([]),
    limits: DEFAULT_LIMITS,
    made: { clauses: 0 },
    check: () => {},
  };
  try {
    const tree = readBody(body);
    if (tree.kind !== "object") return;
    for (const { key, value } of tree.members) {
      if (key === "query") parseQuery(context, value);
      if (key === "aggs") {
        parseAggregations(
          {
            contexts: [context],
            made: { aggregations: 0 },
            typedKeys: false,
            find: () => ({ context, segment: undefined as never }),
            numberOf: () => 0,
          },
          value,
        );
      }
    }
  } catch (cause) {
    throw bad(`body: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
