import { medianSorted } from "simple-statistics";
import { addressCode } from "../zeek/address.js";
import type { AddressValues, CodeValues, ColumnBatch, NumberValues, PortValues, TimeValues } from "../zeek/column-batch.js";
import type { ReadEngine } from "../zeek/log-reader.js";

/** The columns that tell what connections carry; read beside `FLOW_COLUMNS`. */
export const PAYLOAD_COLUMNS = ["duration", "orig_bytes", "resp_bytes", "conn_state"] as const;

/** What names a connection group. */
export interface FlowKey {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: string;
}

/** Rows of chosen flows as plain arrays, which can be posted to another thread; NaN: unset. */
export interface PayloadRows {
  /** The flow's place in the list of those chosen. */
  readonly flows: readonly number[];
  readonly times: readonly number[];
  /** -1: unset. */
  readonly originPorts: readonly number[];
  readonly durations: readonly number[];
  readonly bytesUp: readonly number[];
  readonly bytesDown: readonly number[];
  /** Places in `stateNames`; -1: unset. */
  readonly states: readonly number[];
  readonly stateNames: readonly string[];
}

/** Sizes of a flow's connections, of those where the log tells them. */
export interface SizeProfile {
  readonly median: number;
  /** The size that comes most often, the smallest of several. */
  readonly modal: number;
  /** Share of the connections that have it, 0..1: a beacon that says the same each time is near 1. */
  readonly modalShare: number;
  readonly total: number;
}

/** What a flow carries, duplicates dropped; null where the log does not tell. */
export interface PayloadProfile {
  /** Payload bytes from source to destination. */
  readonly bytesUp: SizeProfile | null;
  readonly bytesDown: SizeProfile | null;
  readonly medianDurationSeconds: number | null;
  /** Zeek's connection states with their shares, the largest first; `-`: unset. */
  readonly connStates: readonly { readonly state: string; readonly share: number }[];
}

/** Collects what chosen flows carry from the batches of logs. Memory grows with the rows of those flows alone. */
export class PayloadCollector {
  readonly #noProtocol: number;
  /** By source, then by destination: the chosen flows between the two. */
  readonly #pairs = new Map<number, Map<number, { readonly port: number; readonly protocol: number; readonly flow: number }[]>>();
  readonly #rows = {
    flows: [] as number[],
    times: [] as number[],
    originPorts: [] as number[],
    durations: [] as number[],
    bytesUp: [] as number[],
    bytesDown: [] as number[],
    states: [] as number[],
  };
  readonly #engine: ReadEngine;

  constructor(engine: ReadEngine, flows: readonly FlowKey[]) {
    this.#engine = engine;
    const addresses = engine.dictionary("address");
    const protocols = engine.dictionary("proto");
    this.#noProtocol = protocols.encode("-");
    flows.forEach(({ source, destination, port, protocol }, flow) => {
      const from = addressCode(addresses, source);
      const to = addressCode(addresses, destination);
      const ofSource = this.#pairs.get(from) ?? new Map();
      this.#pairs.set(from, ofSource);
      ofSource.set(to, [...(ofSource.get(to) ?? []), { port, protocol: protocols.encode(protocol), flow }]);
    });
  }

  /** Takes a batch with the columns of `FLOW_COLUMNS` and `PAYLOAD_COLUMNS`. */
  add(batch: ColumnBatch): void {
    const { columns } = batch;
    const sources = (columns.get("id.orig_h") as AddressValues).values;
    const destinations = (columns.get("id.resp_h") as AddressValues).values;
    const ports = (columns.get("id.resp_p") as PortValues).values;
    const protocols = (columns.get("proto") as CodeValues).values;
    for (let row = 0; row < batch.rows; row++) {
      const flows = this.#pairs.get(sources[row] ?? -1)?.get(destinations[row] ?? -1);
      if (!flows) continue;
      const code = protocols[row] ?? -1;
      const protocol = code === -1 ? this.#noProtocol : code;
      const found = flows.find((known) => known.port === ports[row] && known.protocol === protocol);
      if (found) this.#take(columns, row, found.flow);
    }
  }

  #take(columns: ColumnBatch["columns"], row: number, flow: number): void {
    const number = (name: string): number => (columns.get(name) as NumberValues).values[row] ?? Number.NaN;
    const rows = this.#rows;
    rows.flows.push(flow);
    rows.times.push((columns.get("ts") as TimeValues).values[row] ?? 0);
    rows.originPorts.push((columns.get("id.orig_p") as PortValues).values[row] ?? -1);
    rows.durations.push(number("duration"));
    rows.bytesUp.push(number("orig_bytes"));
    rows.bytesDown.push(number("resp_bytes"));
    rows.states.push((columns.get("conn_state") as CodeValues).values[row] ?? -1);
  }

  /** What was collected so far. */
  rows(): PayloadRows {
    const states = this.#engine.dictionary("conn_state");
    return { ...this.#rows, stateNames: Array.from({ length: states.size }, (_, code) => states.text(code)) };
  }
}

interface PayloadRow {
  readonly time: number;
  readonly originPort: number;
  readonly duration: number;
  readonly up: number;
  readonly down: number;
  readonly state: string;
}

/** One record seen twice counts once, as in the searches: the same time and the same source port. */
function withoutDuplicates(rows: PayloadRow[]): PayloadRow[] {
  rows.sort((a, b) => a.time - b.time || a.originPort - b.originPort);
  return rows.filter((row, i) => {
    const before = rows[i - 1];
    return !before || row.originPort === -1 || row.time !== before.time || row.originPort !== before.originPort;
  });
}

function counted<Value>(values: readonly Value[]): Map<Value, number> {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function sizeProfile(values: readonly number[]): SizeProfile | null {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const [modal, times] = [...counted(sorted)].reduce((most, next) => (next[1] > most[1] ? next : most));
  return { median: medianSorted(sorted), modal, modalShare: times / sorted.length, total: sorted.reduce((sum, value) => sum + value, 0) };
}

function profileOf(rows: readonly PayloadRow[]): PayloadProfile {
  const durations = rows
    .map((row) => row.duration)
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  return {
    bytesUp: sizeProfile(rows.map((row) => row.up)),
    bytesDown: sizeProfile(rows.map((row) => row.down)),
    medianDurationSeconds: durations.length === 0 ? null : medianSorted(durations),
    connStates: [...counted(rows.map((row) => row.state))]
      .map(([state, count]) => ({ state, share: count / rows.length }))
      .sort((a, b) => b.share - a.share || (a.state < b.state ? -1 : 1)),
  };
}

/** What each of `count` flows carries, from the rows that any number of readers collected. */
export function payloadProfiles(count: number, parts: readonly PayloadRows[]): PayloadProfile[] {
  const rows: PayloadRow[][] = Array.from({ length: count }, () => []);
  for (const part of parts) {
    part.flows.forEach((flow, i) => {
      rows[flow]?.push({
        time: part.times[i] ?? 0,
        originPort: part.originPorts[i] ?? -1,
        duration: part.durations[i] ?? Number.NaN,
        up: part.bytesUp[i] ?? Number.NaN,
        down: part.bytesDown[i] ?? Number.NaN,
        state: part.stateNames[part.states[i] ?? -1] ?? "-",
      });
    });
  }
  return rows.map((own) => profileOf(withoutDuplicates(own)));
}
