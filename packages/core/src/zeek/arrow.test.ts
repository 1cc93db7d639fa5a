import { describe, expect, it } from "vitest";
import { bytesOf } from "../testing/rows.js";
import { readRecordBatches, readTable } from "./arrow.js";

const LOG = `#path\tconn
#unset_field\t-
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tlocal_orig\ttunnel_parents
1600000000.000001\tCa\t10.0.0.1\t5000\t192.0.2.1\t443\ttcp\t1.5\t18446744073709551615\tT\ta,b
-1.5\tCb\t10.0.0.2\t-\t10.0.0.1\t53\tudp\t-\t-\tF\t-
2.5\t-\t10.0.0.1\t0\t192.0.2.1\t443\t-\t0\t0\t-\t(empty)
`;

describe("readTable", () => {
  it("gives Arrow types, nulls and shared dictionaries", async () => {
    const { table, reports } = await readTable(
      { name: "conn.log", data: bytesOf(LOG) },
      { columns: ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "proto", "duration", "orig_bytes", "local_orig", "tunnel_parents"] },
    );
    expect(reports[0]).toMatchObject({ rows: 3, malformedRows: 0, format: "tsv", truncated: false });
    const types = Object.fromEntries(table.schema.fields.map((field) => [field.name, String(field.type)]));
    expect(types).toEqual({
      ts: "Timestamp<MICROSECOND, UTC>",
      uid: "Utf8",
      "id.orig_h": "Dictionary<Int32, Utf8>",
      "id.orig_p": "Uint16",
      "id.resp_h": "Dictionary<Int32, Utf8>",
      proto: "Dictionary<Int32, Utf8>",
      duration: "Float64",
      orig_bytes: "Uint64",
      local_orig: "Bool",
      tunnel_parents: "List<Utf8>",
    });
    expect([...((table.getChild("ts")?.data[0]?.values ?? []) as BigInt64Array)]).toEqual([
      1_600_000_000_000_001n,
      -1_500_000n,
      2_500_000n,
    ]);
    const column = (name: string): unknown[] =>
      [...(table.getChild(name) ?? [])].map((value) => (value && typeof value === "object" ? [...(value as Iterable<unknown>)] : value));
    expect(column("uid")).toEqual(["Ca", "Cb", null]);
    expect(column("id.orig_h")).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.1"]);
    expect(column("id.resp_h")).toEqual(["192.0.2.1", "10.0.0.1", "192.0.2.1"]);
    expect(column("id.orig_p")).toEqual([5000, null, 0]);
    expect(column("proto")).toEqual(["tcp", "udp", null]);
    expect(column("duration")).toEqual([1.5, null, 0]);
    expect(column("orig_bytes")).toEqual([18_446_744_073_709_551_615n, null, 0n]);
    expect(column("local_orig")).toEqual([true, false, null]);
    expect(column("tunnel_parents")).toEqual([["a", "b"], null, []]);
  });

  it("is the same in record batches, and survives Arrow IPC", async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, i) => `${i}.5\tC${i}\t10.0.${i % 256}.1\t${i}\t192.0.2.1\t443\ttcp\t1\t${i}\tT\t-\n`,
    ).join("");
    const data = bytesOf(LOG + rows);
    const { table } = await readTable({ name: "conn.log", data });
    const arrow = await import("apache-arrow");
    const batches = [];
    for await (const batch of readRecordBatches({ name: "conn.log", data })) batches.push(batch);
    expect(batches.length).toBeGreaterThan(0);
    const joined = new arrow.Table(batches);
    const again = arrow.tableFromIPC(arrow.tableToIPC(table));
    for (const name of ["ts", "uid", "id.orig_h", "orig_bytes", "service"]) {
      const values = (of: typeof table): unknown[] => [...(of.getChild(name) ?? [])];
      expect(values(joined)).toEqual(values(table));
      expect(values(again)).toEqual(values(table));
    }
    expect(table.numRows).toBe(20_003);
  });
});
