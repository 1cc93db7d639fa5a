import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Beacon, listed, saveAs } from "../api.js";
import type { LocalMessage, LocalOrder } from "../local/protocol.js";
import { BeaconTable, filtered, filterOf } from "../parts/beacon-table.js";
import { BeaconView } from "../parts/beacon-view.js";
import { Problem } from "../parts/feedback.js";
import { href, usePlace } from "../route.js";
import { grouped } from "../words.js";

type Done = Extract<LocalMessage, { kind: "done" }>;

const SEARCHES = ["adaptive", "quick", "detailed", "hierarchical", "rita"];
const CSV_COLUMNS = [
  "source",
  "destination",
  "port",
  "protocol",
  "score",
  "severity",
  "name",
  "connectionCount",
  "firstOccurrence",
  "lastOccurrence",
  "summary",
] as const;

/** A cell as spreadsheets take it for nothing but text. */
function cell(value: unknown): string {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// Kept while the page lives: looking at a beacon and coming back costs no second hunt.
let kept: Done | undefined;

/** Hunts in files that the user opens, in this browser alone. */
export function Local(): ReactNode {
  const { params } = usePlace();
  const [done, setDone] = useState(kept);
  const [progress, setProgress] = useState<number>();
  const [error, setError] = useState<Error>();
  const [search, setSearch] = useState("adaptive");
  const [over, setOver] = useState(false);
  const worker = useRef<Worker>(undefined);
  const launch = useCallback((): Worker => {
    worker.current?.terminate();
    worker.current = new Worker(new URL("../local/hunt-worker.ts", import.meta.url), { type: "module" });
    return worker.current;
  }, []);
  // Loaded before it is needed: then the network may be gone.
  useEffect(() => {
    launch();
    return () => worker.current?.terminate();
  }, [launch]);
  const open = (files: readonly File[]): void => {
    if (files.length === 0) return;
    const own = progress === undefined && worker.current ? worker.current : launch();
    const total = files.reduce((sum, { size }) => sum + size, 0) || 1;
    setError(undefined);
    setDone(undefined);
    setProgress(0);
    own.onmessage = ({ data }: MessageEvent<LocalMessage>) => {
      if (data.kind === "progress") return setProgress(data.bytes / total);
      setProgress(undefined);
      if (data.kind === "failed") return setError(new Error(data.message));
      kept = data;
      setDone(data);
    };
    own.onerror = (event) => {
      setProgress(undefined);
      worker.current = undefined;
      setError(new Error(event.message || "the hunt ended without a word; is there enough memory?"));
    };
    own.postMessage({ files, searches: [search] } satisfies LocalOrder);
  };
  const beacons: readonly Beacon[] = done?.searches[0]?.beacons ?? [];
  const rows = useMemo(() => beacons.map(listed), [beacons]);
  const chosen = params.get("beacon");
  const beacon = chosen === null ? undefined : beacons.find(({ n }) => String(n) === chosen);
  if (beacon) {
    const { beacon: _, ...rest } = Object.fromEntries(params);
    return (
      <>
        <p>
          <a href={href(["local"], rest)}>Back to the table</a>
        </p>
        <BeaconView beacon={beacon} connections={undefined} />
      </>
    );
  }
  const exported = (): void => {
    const lines = filtered(rows, filterOf(params)).map((row) => CSV_COLUMNS.map((name) => cell(row[name])).join(","));
    saveAs(new Blob([`${CSV_COLUMNS.join(",")}\n${lines.join("\n")}\n`], { type: "text/csv" }), "beacons.csv");
  };
  return (
    <>
      <h1>Hunt in this browser</h1>
      <p className="notice">Files that you open here are read and searched in this browser. Nothing of them is sent anywhere.</p>
      <div className="row">
        <label>
          Search
          <br />
          <select value={search} onChange={(event) => setSearch(event.target.value)}>
            {SEARCHES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same by keyboard */}
      <div
        className={over ? "drop over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          open([...event.dataTransfer.files]);
        }}
      >
        <label>
          Drop conn logs here (TSV or JSON; plain, gzip, zip, zstd; dns, ssl and http logs for names), or choose them:
          <br />
          <input type="file" multiple onChange={(event) => open([...(event.target.files ?? [])])} />
        </label>
      </div>
      {progress !== undefined && (
        <label>
          Reads and searches
          <progress max={1} value={progress} />
        </label>
      )}
      {error && <Problem error={error} />}
      {done && (
        <>
          <p role="status">
            {grouped(done.rows)} connections in {grouped(done.groups)} groups, {done.seconds.toFixed(1)} s
          </p>
          {done.problems.length > 0 && (
            <ul className="error">
              {done.problems.slice(0, 20).map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          )}
          <p>
            <button type="button" onClick={exported}>
              Export CSV
            </button>
          </p>
          <BeaconTable
            beacons={rows}
            params={params}
            hrefOf={({ n }) => href(["local"], { ...Object.fromEntries(params), beacon: String(n) })}
          />
        </>
      )}
    </>
  );
}
