import { type ReactNode, useCallback, useEffect, useState } from "react";
import { ask } from "../api.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { Chart } from "../parts/plot.js";
import { Table } from "../parts/table.js";
import { TimeWindow } from "../parts/time-window.js";
import { href, setParams, usePlace } from "../route.js";
import { useAnswer } from "../use-answer.js";
import { grouped, shown } from "../words.js";
import { PlainTable } from "./run.js";

interface Bucket {
  readonly key: string | number;
  readonly key_as_string?: string;
  readonly doc_count: number;
  readonly [metric: string]: unknown;
}

interface Answer {
  readonly hits?: { readonly total: number; readonly hits: readonly { readonly _source: Readonly<Record<string, unknown>> }[] };
  readonly [name: string]: unknown;
}

const SHOWN_BARS = 25;

/** Figures of a bucket by name. */
function figures(bucket: Bucket): [string, number][] {
  return Object.entries(bucket).flatMap(([name, metric]) => {
    const value = typeof metric === "object" && metric !== null && "value" in metric ? metric.value : undefined;
    return typeof value === "number" ? [[name, value] as [string, number]] : [];
  });
}

/** The insights: one at a time, as a chart and a table. */
export function Insights(): ReactNode {
  const { params } = usePlace();
  const list = useAnswer<Readonly<Record<string, readonly string[]>>>("/data/insights");
  const [answer, setAnswer] = useState<{ readonly name: string; readonly index: string; readonly value: Answer }>();
  const [error, setError] = useState<Error>();
  const index = params.get("index") ?? "";
  const insight = params.get("insight") ?? "";
  const from = params.get("from") ?? "now-1d";
  const to = params.get("to") ?? "now";
  const change = (changes: Readonly<Record<string, string>>): void => setParams({ ...Object.fromEntries(params), ...changes });
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked when the user says so, or came with a question
  useEffect(() => {
    if (index === "" || insight === "") return;
    const stop = new AbortController();
    setError(undefined);
    ask<Answer>("/data/insight", { method: "POST", body: { index, insight, time_from: from, time_to: to }, signal: stop.signal }).then(
      (value) => setAnswer({ name: insight, index, value }),
      (cause: unknown) => {
        if (!stop.signal.aborted) setError(cause as Error);
      },
    );
    return () => stop.abort();
  }, [index, insight, turn]);
  if (list.error) return <Problem error={list.error} again={list.again} />;
  if (!list.answer) return <Waiting />;
  return (
    <>
      <h1>Insights</h1>
      <form
        className="row card"
        onSubmit={(event) => {
          event.preventDefault();
          setTurn(turn + 1);
        }}
      >
        <label>
          Insight
          <br />
          <select
            value={`${index}/${insight}`}
            onChange={(event) => {
              const [own = "", name = ""] = event.target.value.split("/");
              change({ index: own, insight: name });
            }}
          >
            <option value="/">Choose one</option>
            {Object.entries(list.answer).map(([own, names]) => (
              <optgroup key={own} label={own}>
                {names.map((name) => (
                  <option key={name} value={`${own}/${name}`}>
                    {name.replaceAll("_", " ")}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </label>
        <TimeWindow from={from} to={to} change={change} />
        <button className="main" type="submit">
          Show
        </button>
      </form>
      {error ? (
        <Problem error={error} />
      ) : answer && answer.name === insight ? (
        <InsightView {...answer} window={{ from, to }} />
      ) : (
        <p className="notice">Choose an insight and a time.</p>
      )}
    </>
  );
}

function InsightView({
  name,
  index,
  value,
  window,
}: {
  readonly name: string;
  readonly index: string;
  readonly value: Answer;
  readonly window: { readonly from: string; readonly to: string };
}): ReactNode {
  const buckets = (value[name] as { readonly buckets?: readonly Bucket[] } | undefined)?.buckets ?? [];
  const metrics = buckets[0] ? figures(buckets[0]).map(([metric]) => metric) : [];
  const [metric] = metrics;
  const draw = useCallback(
    (plot: typeof import("@observablehq/plot"), width: number) => {
      const bars = buckets.slice(0, SHOWN_BARS).map((bucket) => ({
        key: shown(String(bucket.key_as_string ?? bucket.key), 40),
        value: metric === undefined ? bucket.doc_count : Number(figures(bucket).find(([own]) => own === metric)?.[1] ?? 0),
      }));
      return plot.plot({
        width,
        height: 60 + 22 * bars.length,
        marginLeft: 190,
        x: { label: metric ?? "records", grid: true },
        y: { label: null, domain: bars.map(({ key }) => key) },
        marks: [plot.barX(bars, { x: "value", y: "key", fill: "#b45309" }), plot.ruleX([0])],
      });
    },
    [buckets, metric],
  );
  if (value.hits)
    return (
      <>
        <p role="status">{grouped(value.hits.total)} records</p>
        <PlainTable rows={value.hits.hits.map(({ _source }) => _source)} />
      </>
    );
  if (buckets.length === 0) return <p className="notice">There is nothing in that time. Are logs of it imported (heliograph import)?</p>;
  const numbers = ["Records", ...metrics.map((one) => one.replaceAll("_", " "))];
  const field = /_by_(orig_h|resp_h)$/.exec(name)?.[1] ?? KEY_FIELDS[name];
  return (
    <>
      <Chart title={`${name.replaceAll("_", " ")}: the first ${Math.min(SHOWN_BARS, buckets.length)}`} draw={draw} />
      <div className="scroll">
        <Table head={["Key", ...numbers]} numbers={numbers}>
          {buckets.map((bucket) => {
            const text = shown(String(bucket.key_as_string ?? bucket.key));
            const query =
              field === undefined
                ? undefined
                : href(["query"], { index, q: JSON.stringify({ query: { term: { [field]: bucket.key } } }), ...window });
            return (
              <tr key={String(bucket.key)}>
                <td>{query === undefined ? text : <a href={query}>{text}</a>}</td>
                <td className="n">{grouped(bucket.doc_count)}</td>
                {figures(bucket).map(([one, figure]) => (
                  <td key={one} className="n">
                    {grouped(figure)}
                  </td>
                ))}
              </tr>
            );
          })}
        </Table>
      </div>
    </>
  );
}

/** What the keys of insights are, where their name does not say. */
const KEY_FIELDS: Readonly<Record<string, string>> = {
  top_dns_servers: "resp_h",
  rare_dns_servers: "resp_h",
  least_queried_domains: "registered_domain",
  top_querying_clients: "orig_h",
  top_clients_with_dns_errors: "orig_h",
  top_dns_data_uploaders: "orig_h",
  rare_ja3_hash: "ja3",
};
