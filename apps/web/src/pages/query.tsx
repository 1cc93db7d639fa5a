import { type ReactNode, useEffect, useState } from "react";
import { ApiError, ask } from "../api.js";
import { Problem } from "../parts/feedback.js";
import { TimeWindow } from "../parts/time-window.js";
import { setParams, usePlace } from "../route.js";
import { useAnswer } from "../use-answer.js";
import { grouped } from "../words.js";
import { PlainTable } from "./run.js";

interface Answer {
  readonly hits: { readonly total: number; readonly hits: readonly { readonly _source: Readonly<Record<string, unknown>> }[] };
  readonly aggregations?: unknown;
}

const INDEXES = ["conn_logs", "dns_logs", "http_logs", "ssl_logs", "cloudtrail_logs", "object_logs"];
/** What stands in every query; the index's fields are offered beside. */
const WORDS = [
  "query",
  "bool",
  "filter",
  "must",
  "must_not",
  "should",
  "term",
  "terms",
  "match",
  "range",
  "exists",
  "field",
  "gte",
  "lte",
  "size",
  "sort",
  "aggs",
  "asc",
  "desc",
  "sum",
  "cardinality",
  "date_histogram",
];
const EXAMPLE = JSON.stringify({ query: { term: { resp_p: 443 } }, sort: [{ ts: "desc" }], size: 50 }, undefined, 2);

interface Properties {
  readonly [name: string]: { readonly properties?: Properties };
}

/** The paths of a mapping's fields. */
const fieldsOf = (properties: Properties = {}, above = ""): string[] =>
  Object.entries(properties).flatMap(([name, field]) =>
    field.properties ? fieldsOf(field.properties, `${above}${name}.`) : [`${above}${name}`],
  );

/** Where a JSON text is wrong: line and column, if the parser told. */
function placeOf(text: string, message: string): string {
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? Number.NaN);
  if (Number.isNaN(position)) return message;
  const before = text.slice(0, position).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message}`;
}

/** A query in Elasticsearch's DSL, its hits as a table and all of it as JSON. */
export function Query(): ReactNode {
  const { params } = usePlace();
  const index = params.get("index") ?? "conn_logs";
  const from = params.get("from") ?? "now-1d";
  const to = params.get("to") ?? "now";
  const [text, setText] = useState(() => {
    const given = params.get("q");
    try {
      return given === null ? EXAMPLE : JSON.stringify(JSON.parse(given), undefined, 2);
    } catch {
      return given ?? EXAMPLE;
    }
  });
  // Where there is no such index yet, there are no fields to offer.
  const mapping = useAnswer<Readonly<Record<string, { readonly mappings: { readonly properties?: Properties } }>>>(`/es/${index}/_mapping`);
  const [answer, setAnswer] = useState<Answer>();
  const [error, setError] = useState<Error>();
  const change = (changes: Readonly<Record<string, string>>): void => setParams({ ...Object.fromEntries(params), ...changes });
  const run = async (): Promise<void> => {
    setError(undefined);
    try {
      let q: unknown;
      try {
        q = JSON.parse(text);
      } catch (cause) {
        throw new Error(placeOf(text, cause instanceof Error ? cause.message : String(cause)));
      }
      change({ q: JSON.stringify(q) });
      setAnswer(await ask<Answer>("/data/query", { method: "POST", body: { index, q, time_from: from, time_to: to } }));
    } catch (cause) {
      setAnswer(undefined);
      const reason =
        cause instanceof ApiError
          ? (cause.answer as { error?: { root_cause?: { line?: number; col?: number }[] } } | undefined)?.error?.root_cause?.[0]
          : undefined;
      setError(
        reason?.line === undefined
          ? (cause as Error)
          : new Error(`line ${reason.line}, column ${reason.col ?? 1}: ${(cause as Error).message}`),
      );
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: who comes with a query wants its answer
  useEffect(() => {
    if (params.get("q") !== null) void run();
  }, []);
  const word = /["']?([A-Za-z_]\w*)$/.exec(text)?.[1] ?? "";
  const fields = Object.values(mapping.answer ?? {}).flatMap(({ mappings }) => fieldsOf(mappings.properties));
  const offers =
    word.length < 2 ? [] : [...new Set([...fields, ...WORDS])].filter((one) => one.startsWith(word) && one !== word).slice(0, 8);
  return (
    <>
      <h1>Query</h1>
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <div className="row">
          <label>
            Index
            <br />
            <select value={index} onChange={(event) => change({ index: event.target.value })}>
              {INDEXES.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <TimeWindow from={from} to={to} change={change} />
        </div>
        <label>
          Search in Elasticsearch's Query DSL
          <textarea
            rows={10}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void run();
            }}
          />
        </label>
        {offers.length > 0 && (
          <p className="row">
            {offers.map((offer) => (
              <button key={offer} type="button" onClick={() => setText(text + offer.slice(word.length))}>
                {offer}
              </button>
            ))}
          </p>
        )}
        <button className="main" type="submit">
          Ask
        </button>{" "}
        <span className="help">or Ctrl and Enter</span>
      </form>
      {error && <Problem error={error} />}
      {answer && (
        <>
          <p role="status">
            {grouped(answer.hits.total)} {answer.hits.total === 1 ? "document" : "documents"}
          </p>
          <PlainTable rows={answer.hits.hits.map(({ _source }) => _source)} />
          <details>
            <summary>The answer as JSON</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
            <pre tabIndex={0}>{JSON.stringify(answer, undefined, 2)}</pre>
          </details>
        </>
      )}
    </>
  );
}
