import { type ReactNode, useState } from "react";
import { ask, download, type ListedBeacon, type Run } from "../api.js";
import { BeaconTable } from "../parts/beacon-table.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { Table } from "../parts/table.js";
import { href, usePlace } from "../route.js";
import { useAnswer } from "../use-answer.js";
import { shown, time, zoneName } from "../words.js";

const FINAL = new Set(["done", "failed", "cancelled"]);

/** One run: how it stands, its beacons, its busiest pairs, its log and how it was set. */
export function RunPage({ id }: { readonly id: string }): ReactNode {
  const { params } = usePlace();
  const [isOver, setOver] = useState(false);
  const { answer: run, error, again } = useAnswer<Run>(`/api/runs/${id}`, isOver ? undefined : 700);
  if (run && FINAL.has(run.state) && !isOver) setOver(true);
  if (error) return <Problem error={error} again={again} />;
  if (!run) return <Waiting />;
  return (
    <>
      <h1>
        {run.search} in {shown(run.source)}
      </h1>
      {!FINAL.has(run.state) && (
        <div className="card">
          <label>
            {run.state === "queued" ? "Waits for a free place" : "Reads and searches"}
            <progress max={1} value={run.state === "queued" ? undefined : run.progress} />
          </label>
          <button type="button" onClick={() => void ask(`/api/runs/${id}/cancel`, { method: "POST" }).then(again, again)}>
            Cancel
          </button>
        </div>
      )}
      {run.state === "failed" && <Problem error={new Error(`The run failed: ${run.error ?? "no reason is known"}`)} />}
      {run.state === "cancelled" && <p className="notice">The run was cancelled.</p>}
      {run.state === "done" && <Found run={run} params={params} />}
      <More run={run} />
    </>
  );
}

function Found({ run, params }: { readonly run: Run; readonly params: URLSearchParams }): ReactNode {
  const { answer: beacons, error, again } = useAnswer<readonly ListedBeacon[]>(`/api/runs/${run.id}/beacons`);
  const [undo, setUndo] = useState<string>();
  const [failure, setFailure] = useState<Error>();
  if (error) return <Problem error={error} again={again} />;
  if (!beacons) return <Waiting />;
  const host = (ip: string, method: "POST" | "DELETE"): void => {
    setFailure(undefined);
    ask(`/api/results/filter_host?ip=${encodeURIComponent(ip)}`, { method }).then(
      () => {
        setUndo(method === "POST" ? ip : undefined);
        again();
      },
      (cause: unknown) => setFailure(cause as Error),
    );
  };
  const save = (format: string): void => {
    setFailure(undefined);
    download(`/api/runs/${run.id}/export?format=${format}`, `beacons-${run.id.slice(0, 8)}.${format}`).catch((cause: unknown) =>
      setFailure(cause as Error),
    );
  };
  return (
    <>
      <p className="row">
        <button type="button" onClick={() => save("csv")}>
          Export CSV
        </button>
        <button type="button" onClick={() => save("ndjson")}>
          Export NDJSON
        </button>
        <button type="button" onClick={() => save("html")}>
          Export HTML
        </button>
      </p>
      {failure && <Problem error={failure} />}
      {undo !== undefined && (
        <p className="notice" role="status">
          {shown(undo)} is left out of all results.{" "}
          <button type="button" onClick={() => host(undo, "DELETE")}>
            Undo
          </button>
        </p>
      )}
      <BeaconTable
        beacons={beacons}
        params={params}
        hrefOf={({ n }) => href(["runs", run.id, String(n)])}
        actions={({ destination }) => (
          <button type="button" onClick={() => host(destination, "POST")} title={`Leave ${shown(destination)} out of all results`}>
            Filter host
          </button>
        )}
      />
    </>
  );
}

interface TalkerRow {
  readonly [name: string]: string | number;
}

function More({ run }: { readonly run: Run }): ReactNode {
  const [open, setOpen] = useState<string>();
  const talkers = useAnswer<readonly TalkerRow[]>(
    open === "talkers" && run.state === "done" ? `/api/results/top_talkers?beacon_group=${run.id}` : undefined,
  );
  const log = useAnswer<unknown>(open === "log" ? `/api/results/log_file?log_file=${encodeURIComponent(run.logFile)}` : undefined);
  const toggle = (name: string) => (event: React.SyntheticEvent<HTMLDetailsElement>) => {
    if (event.currentTarget.open) setOpen(name);
  };
  return (
    <>
      <details onToggle={toggle("talkers")}>
        <summary>Top talkers</summary>
        {talkers.error ? <Problem error={talkers.error} /> : null}
        {talkers.answer && <PlainTable rows={talkers.answer} />}
      </details>
      <details onToggle={toggle("log")}>
        <summary>Log of the run</summary>
        {log.error ? <Problem error={log.error} /> : null}
        {log.answer !== undefined && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
          <pre tabIndex={0}>{typeof log.answer === "string" ? log.answer : JSON.stringify(log.answer, undefined, 2)}</pre>
        )}
      </details>
      <details>
        <summary>How it was set, and what was read</summary>
        <dl className="card">
          <dt>Started ({zoneName()})</dt>
          <dd>{time(run.startedAt)}</dd>
          <dt>Ended</dt>
          <dd>{time(run.finishedAt)}</dd>
          {Object.entries(run.parameters).map(([name, value]) => (
            <Entry key={name} name={name} value={value} />
          ))}
          {Object.entries(run.summary ?? {}).map(([name, value]) => (
            <Entry key={name} name={name} value={value} />
          ))}
        </dl>
      </details>
    </>
  );
}

const Entry = ({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode => (
  <>
    <dt>{name}</dt>
    <dd>{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
  </>
);

/** Records as a table, a column for each member of the first. */
export function PlainTable({ rows }: { readonly rows: readonly Readonly<Record<string, unknown>>[] }): ReactNode {
  const [first] = rows;
  if (!first) return <p className="dim">There is nothing.</p>;
  const names = Object.keys(first);
  return (
    <div className="scroll">
      <Table head={names}>
        {rows.slice(0, 1000).map((row) => (
          <tr key={JSON.stringify(row).slice(0, 300)}>
            {names.map((name) => (
              <td key={name}>{shown(typeof row[name] === "object" ? JSON.stringify(row[name]) : String(row[name] ?? ""), 300)}</td>
            ))}
          </tr>
        ))}
      </Table>
    </div>
  );
}
