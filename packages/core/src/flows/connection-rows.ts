import { addressCode } from "../zeek/address.js";
import type { ColumnBatch, ColumnValues } from "../zeek/column-batch.js";
import type { ReadEngine } from "../zeek/log-reader.js";

/** A connection record from elsewhere than a log; null and undefined: not told. */
export interface ConnectionRow {
  /** Start in whole microseconds since 1970-01-01 UTC. */
  readonly micros: number;
  readonly source: string;
  readonly originPort?: number | null | undefined;
  readonly destination: string;
  readonly port: number;
  readonly protocol?: string | null | undefined;
  readonly service?: string | null | undefined;
  readonly bytesUp?: number | null | undefined;
  readonly bytesDown?: number | null | undefined;
  readonly ipBytesUp?: number | null | undefined;
  readonly connState?: string | null | undefined;
}

/** Connection records as a batch with the columns that `flowColumns(true)` names. */
export function connectionBatch(engine: ReadEngine, rows: readonly ConnectionRow[]): ColumnBatch {
  const count = rows.length;
  const addresses = engine.dictionary("address");
  const address = (of: (row: ConnectionRow) => string): ColumnValues => ({
    kind: "address",
    values: Int32Array.from({ length: count }, (_, i) => addressCode(addresses, of(rows[i] as ConnectionRow))),
    dictionary: addresses,
  });
  const code = (name: string, of: (row: ConnectionRow) => string | null | undefined): ColumnValues => {
    const dictionary = engine.dictionary(name);
    const values = Int32Array.from({ length: count }, (_, i) => {
      const text = of(rows[i] as ConnectionRow);
      return text === null || text === undefined || text === "" ? -1 : dictionary.encode(text);
    });
    return { kind: "code", values, dictionary };
  };
  const port = (of: (row: ConnectionRow) => number | null | undefined): ColumnValues => ({
    kind: "port",
    values: Int32Array.from({ length: count }, (_, i) => of(rows[i] as ConnectionRow) ?? -1),
  });
  const bytes = (of: (row: ConnectionRow) => number | null | undefined): ColumnValues => ({
    kind: "count",
    values: Float64Array.from({ length: count }, (_, i) => of(rows[i] as ConnectionRow) ?? Number.NaN),
    exact: new Map(),
  });
  return {
    rows: count,
    columns: new Map<string, ColumnValues>([
      ["ts", { kind: "time", values: Float64Array.from({ length: count }, (_, i) => rows[i]?.micros ?? Number.NaN) }],
      ["id.orig_h", address(({ source }) => source)],
      ["id.orig_p", port(({ originPort }) => originPort)],
      ["id.resp_h", address(({ destination }) => destination)],
      ["id.resp_p", port(({ port: own }) => own)],
      ["proto", code("proto", ({ protocol }) => protocol)],
      ["service", code("service", ({ service }) => service)],
      ["orig_bytes", bytes(({ bytesUp }) => bytesUp)],
      ["resp_bytes", bytes(({ bytesDown }) => bytesDown)],
      ["orig_ip_bytes", bytes(({ ipBytesUp }) => ipBytesUp)],
      ["conn_state", code("conn_state", ({ connState }) => connState)],
    ]),
  };
}
