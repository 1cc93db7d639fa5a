import { type ReactNode, useCallback } from "react";
import type { Beacon, Connection } from "../api.js";
import { grouped, minutes, shown, time, zoneName } from "../words.js";
import { Chart } from "./plot.js";

const COLOURS = ["#0369a1", "#b45309", "#4d7c0f", "#7e22ce"];
/** Intervals further from a sleep than this, as a factor, are none of it. */
const NEAR = 1.25;

/** The sleep that an interval belongs to, from 1 on; 0: none. */
function sleepOf(length: number, modes: Beacon["evidence"]["modes"]): number {
  return 1 + modes.findIndex(({ medianMinutes }) => length / medianMinutes < NEAR && medianMinutes / length < NEAR);
}

const sleepName = (sleep: number, modes: Beacon["evidence"]["modes"]): string =>
  sleep === 0 ? "between sleeps" : `sleep of ${minutes(modes[sleep - 1]?.medianMinutes ?? 0)}`;

/** A beacon in words and charts. */
export function BeaconView({
  beacon,
  connections,
}: {
  readonly beacon: Beacon;
  readonly connections: readonly Connection[] | undefined;
}): ReactNode {
  const { evidence } = beacon;
  const { intervalMinutes, timeline, modes, labels = [], signs, names, all } = evidence;
  const domain = ["between sleeps", ...modes.map((_, i) => sleepName(i + 1, modes))];
  const color = { domain, range: ["#888", ...COLOURS], legend: true };
  const width = (intervalMinutes.to - intervalMinutes.from) / intervalMinutes.counts.length;
  const bins = intervalMinutes.counts.map((count, i) => {
    const from = intervalMinutes.from + i * width;
    return { from, to: from + width, count, sleep: sleepName(sleepOf(from + width / 2, modes), modes) };
  });
  const start = Date.parse(timeline.from);
  const step = (Date.parse(timeline.to) - start) / timeline.counts.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a beacon does not change
  const drawIntervals = useCallback(
    (plot: typeof import("@observablehq/plot"), pixels: number) =>
      plot.plot({
        width: pixels,
        height: 220,
        x: { label: "minutes" },
        y: { label: "intervals", grid: true },
        color,
        marks: [plot.rectY(bins, { x1: "from", x2: "to", y: "count", fill: "sleep" }), plot.ruleY([0])],
      }),
    [beacon],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a beacon does not change
  const drawTimeline = useCallback(
    (plot: typeof import("@observablehq/plot"), pixels: number) =>
      plot.plot({
        width: pixels,
        height: 220,
        x: { type: "utc", label: "time (UTC)" },
        y: { label: "connections", grid: true },
        marks: [
          plot.rectY(
            timeline.counts.map((count, i) => ({ from: new Date(start + i * step), to: new Date(start + (i + 1) * step), count })),
            { x1: "from", x2: "to", y: "count", fill: "#b45309" },
          ),
          plot.ruleY([0]),
        ],
      }),
    [beacon],
  );
  return (
    <>
      <h1>
        {shown(beacon.source)} → {shown(beacon.destination)} {beacon.port}/{shown(beacon.protocol)}
      </h1>
      <p className="card">
        <span className={`severity ${evidence.severity ?? ""}`}>
          Score {beacon.score.toFixed(1)}
          {evidence.severity ? `, ${evidence.severity}` : ""}
        </span>
        : {evidence.summary ?? `${grouped(beacon.connectionCount)} connections, one every ${minutes(Number(evidence["medianMinutes"]))}`}.
        {labels.length > 0 ? ` Likely harmless: ${labels.map((label) => shown(label)).join("; ")}.` : ""}
      </p>
      <div className="charts">
        <Chart
          title="Intervals, coloured by the sleep that they belong to"
          draw={drawIntervals}
          table={{
            head: ["From", "To", "Intervals", "Sleep"],
            rows: bins
              .filter(({ count }) => count > 0)
              .map(({ from, to, count, sleep }) => [minutes(from), minutes(to), grouped(count), sleep]),
          }}
        />
        <Chart
          title="Connections over time"
          draw={drawTimeline}
          table={{
            head: [`From (${zoneName()})`, "Connections"],
            rows: timeline.counts.map((count, i) => [time(new Date(start + i * step).toISOString()), grouped(count)]),
          }}
        />
        {connections && connections.length > 1 && <OverTime connections={connections} modes={modes} />}
      </div>
      <div className="charts">
        {signs && (
          <dl className="card" aria-label="Signs">
            {Object.entries(signs).map(([name, value]) => (
              <Term key={name} name={name} text={value === null ? "the log does not tell" : `${(100 * value).toFixed(0)} %`} />
            ))}
          </dl>
        )}
        <dl className="card" aria-label="Evidence">
          <Term name="Names" text={names.map((name) => shown(name)).join(", ") || "UNKNOWN"} />
          <Term
            name="Connections"
            text={`${grouped(beacon.connectionCount)}, from ${time(beacon.firstOccurrence)} to ${time(beacon.lastOccurrence)} ${zoneName()}`}
          />
          <Term name="Hosts that talk to it" text={grouped(evidence.prevalence)} />
          <Term
            name="Sleeps"
            text={
              modes
                .map(
                  ({ medianMinutes, share, jitterPercent }) =>
                    `${minutes(medianMinutes)} (${(100 * share).toFixed(0)} %, jitter ${jitterPercent.toFixed(0)} %)`,
                )
                .join(", ") || "none"
            }
          />
          {Object.entries(all).map(([name, value]) => (
            <Term key={name} name={name} text={typeof value === "number" ? String(Number(value.toFixed(3))) : value} />
          ))}
          {connections && <Term name="States" text={stateMix(connections)} />}
        </dl>
      </div>
    </>
  );
}

const Term = ({ name, text }: { readonly name: string; readonly text: string }): ReactNode => (
  <>
    <dt>{name}</dt>
    <dd>{text}</dd>
  </>
);

function stateMix(connections: readonly Connection[]): string {
  const counts = new Map<string, number>();
  for (const { state } of connections) counts.set(state ?? "–", (counts.get(state ?? "–") ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([state, count]) => `${state} ${((100 * count) / connections.length).toFixed(0)} %`)
    .join(", ");
}

/** Intervals and bytes of each call, over time. */
function OverTime({
  connections,
  modes,
}: {
  readonly connections: readonly Connection[];
  readonly modes: Beacon["evidence"]["modes"];
}): ReactNode {
  const times = connections.map((one) => Date.parse(one.time));
  const gaps = times.slice(1).map((at, i) => {
    const length = (at - (times[i] ?? at)) / 60_000;
    return { at: new Date(at), minutes: length, sleep: sleepName(sleepOf(length, modes), modes) };
  });
  const domain = ["between sleeps", ...modes.map((_, i) => sleepName(i + 1, modes))];
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn again with other connections
  const drawGaps = useCallback(
    (plot: typeof import("@observablehq/plot"), width: number) =>
      plot.plot({
        width,
        height: 220,
        x: { type: "utc", label: "time (UTC)" },
        y: { label: "interval, minutes", grid: true },
        color: { domain, range: ["#888", ...COLOURS] },
        marks: [plot.dot(gaps, { x: "at", y: "minutes", fill: "sleep", r: 2 })],
      }),
    [connections],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn again with other connections
  const drawBytes = useCallback(
    (plot: typeof import("@observablehq/plot"), width: number) => {
      const sizes = connections.flatMap(({ bytesUp, bytesDown }, i) => [
        { at: new Date(times[i] ?? 0), bytes: bytesUp, way: "up" },
        { at: new Date(times[i] ?? 0), bytes: bytesDown, way: "down" },
      ]);
      return plot.plot({
        width,
        height: 220,
        x: { type: "utc", label: "time (UTC)" },
        y: { label: "bytes", grid: true },
        color: { domain: ["up", "down"], range: ["#b45309", "#0369a1"], legend: true },
        marks: [
          plot.dot(
            sizes.filter(({ bytes }) => bytes !== null),
            { x: "at", y: "bytes", fill: "way", r: 2 },
          ),
        ],
      });
    },
    [connections],
  );
  return (
    <>
      <Chart title="Interval before each call, over time" draw={drawGaps} />
      <Chart title="Bytes of each call, up and down" draw={drawBytes} />
    </>
  );
}
