import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef } from "react";
import type { ListedBeacon } from "../api.js";
import { setParams } from "../route.js";
import { grouped, minutes, shown, time, zoneName } from "../words.js";
import { Sparkline } from "./sparkline.js";

interface Column {
  readonly key: string;
  readonly title: string;
  readonly width: string;
  readonly number?: boolean;
  readonly value: (beacon: ListedBeacon) => number | string;
  readonly cell: (beacon: ListedBeacon) => ReactNode;
}

const COLUMNS: readonly Column[] = [
  { key: "score", title: "Score", width: "4.5rem", number: true, value: ({ score }) => score, cell: ({ score }) => score.toFixed(1) },
  {
    key: "severity",
    title: "Severity",
    width: "5.5rem",
    value: ({ score, severity }) => (severity === null ? -1 : score),
    cell: ({ severity }) => (severity === null ? "–" : <span className={`severity ${severity}`}>{severity}</span>),
  },
  { key: "source", title: "Source", width: "9rem", value: ({ source }) => source, cell: ({ source }) => shown(source) },
  {
    key: "destination",
    title: "Destination",
    width: "9rem",
    value: ({ destination }) => destination,
    cell: ({ destination }) => shown(destination),
  },
  { key: "name", title: "Name", width: "minmax(8rem, 1fr)", value: ({ name }) => name, cell: ({ name }) => shown(name) },
  {
    key: "port",
    title: "Port",
    width: "6rem",
    number: true,
    value: ({ port }) => port,
    cell: ({ port, protocol }) => `${port}/${shown(protocol)}`,
  },
  {
    key: "interval",
    title: "Every",
    width: "5rem",
    number: true,
    value: ({ intervalMinutes }) => intervalMinutes,
    cell: ({ intervalMinutes }) => minutes(intervalMinutes),
  },
  {
    key: "jitter",
    title: "Jitter",
    width: "4.5rem",
    number: true,
    value: ({ jitterPercent }) => jitterPercent ?? -1,
    cell: ({ jitterPercent }) => (jitterPercent === null ? "–" : `${jitterPercent.toFixed(0)} %`),
  },
  {
    key: "connections",
    title: "Conns",
    width: "5rem",
    number: true,
    value: ({ connectionCount }) => connectionCount,
    cell: ({ connectionCount }) => grouped(connectionCount),
  },
  {
    key: "hosts",
    title: "Hosts",
    width: "4rem",
    number: true,
    value: ({ prevalence }) => prevalence,
    cell: ({ prevalence }) => grouped(prevalence),
  },
  {
    key: "last",
    title: "Last",
    width: "11.5rem",
    value: ({ lastOccurrence }) => lastOccurrence,
    cell: ({ lastOccurrence }) => time(lastOccurrence),
  },
  {
    key: "timeline",
    title: "Over time",
    width: "8rem",
    value: ({ timeline }) => timeline.length,
    cell: ({ timeline }) => <Sparkline counts={timeline} label="connections over time" />,
  },
];

const ROW_PIXELS = 38.4;

/** Filters of the table, as they stand in the address bar. */
export interface TableFilter {
  readonly text: string;
  readonly least: number;
  readonly harmless: boolean;
  readonly sort: string;
  readonly descending: boolean;
}

export function filterOf(params: URLSearchParams): TableFilter {
  return {
    text: params.get("find") ?? "",
    least: Number(params.get("score") ?? 0) || 0,
    harmless: params.get("harmless") === "yes",
    sort: params.get("sort") ?? "score",
    descending: params.get("order") !== "up",
  };
}

/** The beacons that a filter leaves, in its order. */
export function filtered(beacons: readonly ListedBeacon[], { text, least, harmless, sort, descending }: TableFilter): ListedBeacon[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const left = beacons.filter((beacon) => {
    if (beacon.score < least || (!harmless && beacon.labels.length > 0)) return false;
    const all =
      `${beacon.source} ${beacon.destination} ${beacon.port}/${beacon.protocol} ${beacon.name} ${beacon.severity ?? ""} ${beacon.summary ?? ""} ${beacon.labels.join(" ")}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const column = COLUMNS.find(({ key }) => key === sort) ?? COLUMNS[0];
  const sign = descending ? -1 : 1;
  return left.sort((a, b) => {
    const [x, y] = [column?.value(a) ?? 0, column?.value(b) ?? 0];
    return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x) < String(y) ? -1 : x === y ? 0 : 1) || a.n - b.n;
  });
}

/** A table of many beacons, of which only those in sight are drawn. Sorting and filters stand in the address bar. */
export function BeaconTable({
  beacons,
  params,
  hrefOf,
  actions,
}: {
  readonly beacons: readonly ListedBeacon[];
  readonly params: URLSearchParams;
  readonly hrefOf: (beacon: ListedBeacon) => string | undefined;
  /** What can be done with a beacon, in a last column. */
  readonly actions?: (beacon: ListedBeacon) => ReactNode;
}): ReactNode {
  const filter = filterOf(params);
  const key = params.toString();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the filter is made of the parameters
  const rows = useMemo(() => filtered(beacons, filter), [beacons, key]);
  const hidden = beacons.filter(({ labels }) => labels.length > 0).length;
  const change = (changes: Readonly<Record<string, string>>): void => setParams({ ...Object.fromEntries(params), ...changes });
  const place = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
  });
  const template = [...COLUMNS.map(({ width }) => width), ...(actions ? ["7rem"] : [])].join(" ");
  return (
    <>
      <search className="row card">
        <label>
          <span>Find</span>
          <br />
          <input
            type="search"
            value={filter.text}
            placeholder="address, name, port, words"
            onChange={(event) => change({ find: event.target.value })}
          />
        </label>
        <label>
          <span>Score from</span>
          <br />
          <input type="number" min={0} max={100} value={filter.least} onChange={(event) => change({ score: event.target.value })} />
        </label>
        {hidden > 0 && (
          <label>
            <input
              type="checkbox"
              checked={filter.harmless}
              onChange={(event) => change({ harmless: event.target.checked ? "yes" : "" })}
            />{" "}
            Show {grouped(hidden)} that are likely harmless
          </label>
        )}
        <p role="status" className="dim" style={{ margin: 0 }}>
          {grouped(rows.length)} of {grouped(beacons.length)} beacons, times in {zoneName()}
        </p>
      </search>
      {rows.length === 0 ? (
        <p className="notice">
          {beacons.length === 0
            ? "This search found no beacon. Try another one, or a longer time."
            : "No beacon is left: change what you look for."}
        </p>
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: of 50,000 rows those in sight are drawn, each at its place, which a table cannot do
        <div
          ref={place}
          className="grid-table"
          role="table"
          aria-label="Beacons"
          aria-rowcount={rows.length + 1}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
          tabIndex={0}
          style={{ "--columns": template } as React.CSSProperties}
        >
          {/* biome-ignore lint/a11y/useFocusableInteractive: a heading row */}
          {/* biome-ignore lint/a11y/useSemanticElements: see above */}
          <div className="grid-head" role="row">
            {COLUMNS.map(({ key: name, title }) => (
              // biome-ignore lint/a11y/useFocusableInteractive: its button is
              // biome-ignore lint/a11y/useSemanticElements: see above
              <div
                key={name}
                role="columnheader"
                aria-sort={filter.sort === name ? (filter.descending ? "descending" : "ascending") : "none"}
              >
                <button type="button" onClick={() => change({ sort: name, order: filter.sort === name && filter.descending ? "up" : "" })}>
                  {title}
                  {filter.sort === name ? (filter.descending ? " ↓" : " ↑") : ""}
                </button>
              </div>
            ))}
            {actions && (
              // biome-ignore lint/a11y/useFocusableInteractive: a heading
              // biome-ignore lint/a11y/useSemanticElements: see above
              <div role="columnheader">
                <span className="grid-cell">Actions</span>
              </div>
            )}
          </div>
          {/* biome-ignore lint/a11y/useSemanticElements: see above */}
          <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative", minWidth: "74rem" }}>
            {virtual.getVirtualItems().map(({ index, start }) => {
              const beacon = rows[index];
              if (!beacon) return null;
              const address = hrefOf(beacon);
              return (
                // biome-ignore lint/a11y/useFocusableInteractive: its link is
                // biome-ignore lint/a11y/useSemanticElements: see above
                <div
                  key={beacon.n}
                  className="grid-row"
                  role="row"
                  aria-rowindex={index + 2}
                  style={{ top: start }}
                  title={[...beacon.labels, beacon.summary ?? ""].filter(Boolean).join(": ")}
                >
                  {COLUMNS.map(({ key: name, number, cell }) => (
                    // biome-ignore lint/a11y/useSemanticElements: see above
                    <div key={name} role="cell" className={number ? "grid-cell n" : "grid-cell"}>
                      {name === "destination" && address !== undefined ? <a href={address}>{cell(beacon)}</a> : cell(beacon)}
                    </div>
                  ))}
                  {actions && (
                    // biome-ignore lint/a11y/useSemanticElements: see above
                    <div role="cell" className="grid-cell">
                      {actions(beacon)}
                    </div>
                  )}
                </div>
              );
            })}
          </div>
        </div>
      )}
    </>
  );
}
