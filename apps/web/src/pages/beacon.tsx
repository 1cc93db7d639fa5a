import { type ReactNode, useState } from "react";
import type { Beacon, Connection, ListedBeacon } from "../api.js";
import { BeaconView } from "../parts/beacon-view.js";
import { Problem, Waiting } from "../parts/feedback.js";
import { Table } from "../parts/table.js";
import { href } from "../route.js";
import { useAnswer } from "../use-answer.js";
import { shown, time, zoneName } from "../words.js";

const PAGE = 1000;

interface ConnectionPage {
  readonly total: number;
  readonly connections: readonly Connection[];
}

/** One beacon: why it was found, how it behaves, its connections, and what is like it. */
export function BeaconPage({ id, n }: { readonly id: string; readonly n: string }): ReactNode {
  const { answer: beacon, error, again } = useAnswer<Beacon>(`/api/runs/${id}/beacons/${n}`);
  const [skip, setSkip] = useState(0);
  const page = useAnswer<ConnectionPage>(`/api/runs/${id}/beacons/${n}/connections?from=${skip}&size=${PAGE}`);
  const all = useAnswer<readonly ListedBeacon[]>(beacon?.evidence.family === undefined ? undefined : `/api/runs/${id}/beacons`);
  if (error) return <Problem error={error} again={again} />;
  if (!beacon) return <Waiting />;
  const window = { from: beacon.firstOccurrence, to: beacon.lastOccurrence };
  return (
    <>
      <p>
        <a href={href(["runs", id])}>Back to the run</a>
      </p>
      <BeaconView beacon={beacon} connections={page.answer?.connections} />
      <h2>About both ends</h2>
      <ul>
        {[beacon.source, beacon.destination].map((host, end) => (
          <li key={host}>
            <a
              href={href(["query"], {
                index: "conn_logs",
                q: JSON.stringify({ query: { term: { [end === 0 ? "orig_h" : "resp_h"]: host } } }),
                ...window,
              })}
            >
              All connections {end === 0 ? "from" : "to"} {shown(host)}
            </a>
          </li>
        ))}
        <li>
          <a href={href(["insights"], { index: "conn_logs", insight: "max_connections_by_resp_h", ...window })}>
            Who is connected to most in that time
          </a>
        </li>
      </ul>
      <h2>Connections (times in {zoneName()})</h2>
      {page.error ? (
        <p className="notice">{page.error.message}</p>
      ) : !page.answer ? (
        <Waiting />
      ) : (
        <>
          <p className="row">
            <span role="status">
              {skip + 1} to {Math.min(skip + PAGE, page.answer.total)} of {page.answer.total}
            </span>
            <button type="button" disabled={skip === 0} onClick={() => setSkip(Math.max(0, skip - PAGE))}>
              Earlier
            </button>
            <button type="button" disabled={skip + PAGE >= page.answer.total} onClick={() => setSkip(skip + PAGE)}>
              Later
            </button>
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <section className="scroll" style={{ maxHeight: "24rem", overflow: "auto" }} tabIndex={0} aria-label="Connections">
            <Table
              head={["Time", "Source port", "Seconds", "Bytes up", "Bytes down", "State"]}
              numbers={["Source port", "Seconds", "Bytes up", "Bytes down"]}
            >
              {page.answer.connections.map((one) => (
                <tr key={`${one.time} ${one.originPort}`}>
                  <td>{time(one.time)}</td>
                  <td className="n">{one.originPort ?? "–"}</td>
                  <td className="n">{one.durationSeconds ?? "–"}</td>
                  <td className="n">{one.bytesUp ?? "–"}</td>
                  <td className="n">{one.bytesDown ?? "–"}</td>
                  <td>{one.state ?? "–"}</td>
                </tr>
              ))}
            </Table>
          </section>
        </>
      )}
      {all.answer && beacon.evidence.family && (
        <>
          <h2>Beacons that behave alike</h2>
          <ul>
            {all.answer
              .filter((one) => one.family === beacon.evidence.family?.id && one.n !== beacon.n)
              .slice(0, 100)
              .map((one) => (
                <li key={one.n}>
                  <a href={href(["runs", id, String(one.n)])}>
                    {shown(one.source)} → {shown(one.destination)} {one.port}
                  </a>
                  , score {one.score.toFixed(1)}
                </li>
              ))}
          </ul>
        </>
      )}
    </>
  );
}
