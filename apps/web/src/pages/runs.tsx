import { type ReactNode, useState } from "react";
import { ask, type ListedBeacon, type Run } from "../api.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { Table } from "../parts/table.js";
import { href } from "../route.js";
import { useAnswer } from "../use-answer.js";
import { grouped, shown, time, zoneName } from "../words.js";

const REFRESH_MS = 2000;

/** All runs; two of them can be compared, and any deleted. */
export function Runs(): ReactNode {
  const { answer: runs, error, again } = useAnswer<readonly Run[]>("/api/runs", REFRESH_MS);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [compared, setCompared] = useState<Comparison>();
  const [failure, setFailure] = useState<Error>();
  if (error) return <Problem error={error} again={again} />;
  if (!runs) return <Waiting />;
  const attempt = (work: () => Promise<void>): void => {
    setFailure(undefined);
    work().catch((cause: unknown) => setFailure(cause as Error));
  };
  return (
    <>
      <h1>Runs</h1>
      {failure && <Problem error={failure} />}
      {runs.length === 0 ? (
        <p className="notice">
          There are no runs yet. <a href="#/hunt">Start a hunt</a>.
        </p>
      ) : (
        <>
          <p>
            <button
              type="button"
              disabled={chosen.length !== 2}
              onClick={() => attempt(async () => setCompared(await compare(chosen, runs)))}
            >
              Compare the two chosen
            </button>
          </p>
          <div className="scroll">
            <Table head={["Choose", `Started (${zoneName()})`, "Search", "Logs", "State", "Beacons", "Actions"]} numbers={["Beacons"]}>
              {runs.map((run) => (
                <tr key={run.id}>
                  <td>
                    <input
                      type="checkbox"
                      aria-label={`Choose the run of ${time(run.createdAt)}`}
                      disabled={run.state !== "done"}
                      checked={chosen.includes(run.id)}
                      onChange={(event) =>
                        setChosen(event.target.checked ? [...chosen, run.id].slice(-2) : chosen.filter((id) => id !== run.id))
                      }
                    />
                  </td>
                  <td>
                    <a href={href(["runs", run.id])}>{time(run.startedAt ?? run.createdAt)}</a>
                  </td>
                  <td>{run.search}</td>
                  <td>{shown(run.source)}</td>
                  <td>
                    {run.state}
                    {run.state === "running" ? ` ${(100 * run.progress).toFixed(0)} %` : ""}
                    {run.error ? `: ${shown(run.error, 120)}` : ""}
                  </td>
                  <td className="n">{run.state === "done" ? grouped(run.beaconCount) : ""}</td>
                  <td>
                    <RunActions run={run} attempt={attempt} again={again} />
                  </td>
                </tr>
              ))}
            </Table>
          </div>
          {compared && <ComparisonView {...compared} />}
        </>
      )}
    </>
  );
}

function RunActions({
  run,
  attempt,
  again,
}: {
  readonly run: Run;
  readonly attempt: (work: () => Promise<void>) => void;
  readonly again: () => void;
}): ReactNode {
  if (run.state === "queued" || run.state === "running") {
    return (
      <button
        type="button"
        onClick={() =>
          attempt(async () => {
            await ask(`/api/runs/${run.id}/cancel`, { method: "POST" });
            again();
          })
        }
      >
        Cancel
      </button>
    );
  }
  return (
    <button
      type="button"
      onClick={() => {
        if (!confirm(`Delete the run of ${time(run.createdAt)} with its ${grouped(run.beaconCount)} beacons and its log?`)) return;
        attempt(async () => {
          await ask(`/api/results/beacon_results?beacon_group=${run.id}`, { method: "DELETE" });
          again();
        });
      }}
    >
      Delete
    </button>
  );
}

interface Comparison {
  readonly before: Run;
  readonly after: Run;
  readonly news: readonly ListedBeacon[];
  readonly gone: readonly ListedBeacon[];
  readonly changed: readonly (readonly [ListedBeacon, ListedBeacon])[];
}

const keyOf = ({ source, destination, port, protocol }: ListedBeacon): string => `${source} ${destination} ${port} ${protocol}`;
/** Scores that differ by less are the same. */
const CHANGED = 1;

async function compare(chosen: readonly string[], runs: readonly Run[]): Promise<Comparison> {
  const [before, after] = runs.filter(({ id }) => chosen.includes(id)).sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  if (!before || !after) throw new Error("choose two runs");
  const beaconsOf = async ({ id }: Run): Promise<Map<string, ListedBeacon>> =>
    new Map((await ask<readonly ListedBeacon[]>(`/api/runs/${id}/beacons`)).map((beacon) => [keyOf(beacon), beacon]));
  const [old, fresh] = [await beaconsOf(before), await beaconsOf(after)];
  return {
    before,
    after,
    news: [...fresh].flatMap(([key, beacon]) => (old.has(key) ? [] : [beacon])),
    gone: [...old].flatMap(([key, beacon]) => (fresh.has(key) ? [] : [beacon])),
    changed: [...fresh].flatMap(([key, beacon]) => {
      const last = old.get(key);
      return last && Math.abs(last.score - beacon.score) >= CHANGED ? [[last, beacon] as const] : [];
    }),
  };
}

function ComparisonView({ before, after, news, gone, changed }: Comparison): ReactNode {
  const line = (beacon: ListedBeacon): string =>
    `${shown(beacon.source)} → ${shown(beacon.destination)} ${beacon.port}/${shown(beacon.protocol)}`;
  const list = (title: string, lines: readonly string[]): ReactNode => (
    <>
      <h3>
        {title}: {grouped(lines.length)}
      </h3>
      <ul>
        {lines.slice(0, 200).map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </>
  );
  return (
    <section className="card" aria-live="polite">
      <h2>
        From {time(before.createdAt)} to {time(after.createdAt)}
      </h2>
      {list(
        "New",
        news.map((beacon) => `${line(beacon)}, score ${beacon.score.toFixed(1)}`),
      )}
      {list("Gone", gone.map(line))}
      {list(
        "Changed",
        changed.map(([last, beacon]) => `${line(beacon)}: score ${last.score.toFixed(1)} to ${beacon.score.toFixed(1)}`),
      )}
    </section>
  );
}
