import { describe, expect, it } from "vitest";
import { planSearch } from "../beacon/search-flows.js";
import { type HuntResult, hunt } from "../hunt.js";
import { bytesOf } from "../testing/rows.js";
import { type ConnectionFilter, checkFilter } from "./connection-filter.js";
import { planFilter } from "./filter-plan.js";

/** source, destination, port, protocol, state, service; twelve rows ten minutes apart each. */
const GROUPS = [
  ["10.0.0.1", "203.0.113.1", 443, "tcp", "SF", "ssl"],
  ["10.0.0.2", "203.0.113.2", 80, "tcp", "S0", "-"],
  ["10.0.0.3", "10.0.0.9", 445, "tcp", "SF", "smb,gssapi"],
  ["198.51.100.7", "10.0.0.9", 8080, "tcp", "REJ", "-"],
  ["10.0.0.1", "224.0.0.251", 5353, "udp", "S0", "dns"],
  ["fe80::1", "ff02::fb", 5353, "udp", "S0", "dns"],
  ["127.0.0.1", "127.0.0.53", 53, "udp", "SF", "dns"],
  ["fd00::1", "2001:db8::1", 53, "udp", "SF", "dns"],
] as const;
const ROWS = 12;
const LOG = `#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\tservice\n${Array.from(
  { length: ROWS },
  (_, i) =>
    GROUPS.map(
      ([source, destination, port, protocol, state, service], g) =>
        `${1_600_000_000 + i * 600}.5\t${source}\t${1000 + i + g}\t${destination}\t${port}\t${protocol}\t${state}\t${service}\n`,
    ).join(""),
).join("")}`;

const hunted = (filter?: ConnectionFilter): Promise<HuntResult> =>
  hunt([{ name: "conn.log", data: bytesOf(LOG) }], { searches: [planSearch("quick")], ...(filter && { filter }) });
/** The places in GROUPS of the beacons found. */
const kept = ({ results }: HuntResult): number[] =>
  (results[0]?.beacons ?? [])
    .map((beacon) => GROUPS.findIndex(([from, to, port]) => from === beacon.source && to === beacon.destination && port === beacon.port))
    .sort();

describe("a filter", () => {
  it("leaves out loopback, link-local and multicast by default, counted, and nothing when that is off", async () => {
    const plain = await hunted();
    expect(kept(plain)).toEqual([0, 1, 2, 3, 7]);
    expect(plain.removedRows).toEqual({ default_filters: 3 * ROWS });
    expect(plain.groups).toBe(5);
    const all = await hunted({ default_filters: false });
    expect(kept(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(all.removedRows).toEqual({});
  });

  it.each<[ConnectionFilter, number[], string]>([
    [{ ports: { include: [443, "8000-8100"] } }, [0, 3], "ports"],
    [{ ports: { exclude: ["80-445"] } }, [3, 7], "ports"],
    [{ ports: { include: ["0-65535"], exclude: [443] } }, [1, 2, 3, 7], "ports"],
    [{ source: { include: ["10.0.0.0/30"] } }, [0, 1, 2], "source"],
    [{ source: { exclude: ["10.0.0.1", "fd00:0::1"] } }, [1, 2, 3], "source"],
    [{ source: { include: ["10.*"], exclude: ["*.3"] } }, [0, 1], "source"],
    [{ destination: { exclude: ["203.0.113.0/24", "2001:DB8:*"] } }, [2, 3], "destination"],
    [{ address: { include: ["10.0.0.9", "2001:db8::/32"] } }, [2, 3, 7], "address"],
    [{ address: { exclude: ["10.0.0.9", "203.0.113.2"] } }, [0, 7], "address"],
    [{ protocol: { include: ["UDP"] } }, [7], "protocol"],
    [{ conn_state: { exclude: ["s0", "REJ"] } }, [0, 2, 7], "conn_state"],
    [{ service: { include: ["gssapi", "-"] } }, [1, 2, 3], "service"],
    [{ service: { include: ["ssl"] } }, [0], "service"],
    [{ service: { exclude: ["-"] } }, [0, 2, 7], "service"],
    [{ service: { exclude: ["smb"] } }, [0, 1, 3, 7], "service"],
    [{ direction: "outbound" }, [0, 1, 7], "direction"],
    [{ direction: "inbound" }, [3], "direction"],
    [{ direction: "internal" }, [2], "direction"],
    [{ direction: "outbound", internal_networks: ["198.51.100.0/24"] }, [3], "direction"],
  ])("%j keeps %j", async (filter, expected, rule) => {
    const result = await hunted({ ...filter });
    expect(kept(result)).toEqual(expected);
    const removed = Object.values(result.removedRows).reduce((sum, rows) => sum + rows, 0);
    expect(removed).toBe((GROUPS.length - expected.length) * ROWS);
    expect(Object.keys(result.removedRows)).toContain(rule);
  });

  it("multicast and unspecified addresses are neither internal nor external", async () => {
    expect(kept(await hunted({ direction: "outbound", default_filters: false }))).toEqual([0, 1, 7]);
    expect(kept(await hunted({ direction: "internal", default_filters: false }))).toEqual([2, 6]);
  });

  it("removes rows, not groups, by state", async () => {
    const half = LOG.replaceAll(/SF\tssl/g, () => (half_++ % 2 ? "S0\tssl" : "SF\tssl"));
    const { removedRows } = await hunt([{ name: "conn.log", data: bytesOf(half) }], {
      searches: [],
      filter: { conn_state: { exclude: ["S0"] } },
    });
    expect(removedRows.conn_state).toBe(ROWS / 2 + 3 * ROWS);
  });

  it.each<[unknown, string]>([
    [[], "filter must be an object"],
    [{ port: {} }, 'filter has no member "port"; it has ports, source'],
    [{ ports: [443] }, "ports must be an object, got [443]"],
    [{ ports: { include: [70_000] } }, "ports must hold ports from 0 to 65535 or ranges such as 8000-8100, got 70000"],
    [{ ports: { include: ["90-80"] } }, 'got "90-80"'],
    [{ ports: { only: [1] } }, 'ports has no member "only"; it has include, exclude'],
    [{ source: { include: "10.0.0.1" } }, 'source must be a list, got "10.0.0.1"'],
    [{ source: { include: [""] } }, 'source must hold texts, got ""'],
    [
      { source: { include: ["10.0.0.300"] } },
      'source holds "10.0.0.300", which is no address, no network such as 10.0.0.0/8 and no pattern with *',
    ],
    [{ internal_networks: ["lan"] }, 'internal_networks holds "lan", which is neither an address nor a network'],
    [{ direction: "up" }, 'direction must be one of outbound, inbound, internal, any, got "up"'],
    [{ default_filters: "no" }, 'default_filters must be true or false, got "no"'],
    [JSON.parse('{"__proto__": {}}'), 'filter has no member "__proto__"'],
  ])("%j is refused: %s", (filter, message) => {
    expect(() => planFilter(checkFilter(filter))).toThrow(message);
  });
});
let half_ = 0;
