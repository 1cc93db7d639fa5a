import type { FlowKey, TimeBounds } from "@heliograph/core";
import type { LogFile } from "../files/find-logs.js";
import { huntLogs } from "./hunt-logs.js";

/** One connection of a flow; null: the log does not tell. */
export interface FlowConnection {
  /** Start in microseconds since 1970-01-01 UTC. */
  readonly micros: number;
  readonly originPort: number | null;
  readonly durationSeconds: number | null;
  readonly bytesUp: number | null;
  readonly bytesDown: number | null;
  readonly state: string | null;
}

/** Reads the connections of one flow from logs, in order of time, duplicates dropped. Memory grows with that flow alone. */
export async function connectionRows(
  files: readonly LogFile[],
  { source, destination, port, protocol }: FlowKey,
  bounds: TimeBounds,
): Promise<FlowConnection[]> {
  const rows: FlowConnection[] = [];
  const known = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) || value < 0 ? null : value);
  await huntLogs(files, {
    searches: [],
    bounds,
    payloadOf: [{ source, destination, port, protocol }],
    onPayload: (part) => {
      part.times.forEach((micros, i) => {
        rows.push({
          micros,
          originPort: known(part.originPorts[i]),
          durationSeconds: known(part.durations[i]),
          bytesUp: known(part.bytesUp[i]),
          bytesDown: known(part.bytesDown[i]),
          state: part.stateNames[part.states[i] ?? -1] ?? null,
        });
      });
    },
  });
  rows.sort((a, b) => a.micros - b.micros || (a.originPort ?? -1) - (b.originPort ?? -1));
  return rows.filter((row, i) => {
    const before = rows[i - 1];
    return !before || row.originPort === null || row.micros !== before.micros || row.originPort !== before.originPort;
  });
}
