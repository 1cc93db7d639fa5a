import type { Insight } from "../insight.js";

export const maxConnectionsByRespH: Insight = {
  index: "conn_logs",
  name: "max_connections_by_resp_h",
  title: "Most connections, by destination",
  description: "The servers with most connections: scanners, busy services, and beacons with short intervals.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    aggs: {
      max_connections_by_resp_h: {
        terms: { field: "resp_h", size: 100, order: [{ sum_count: "desc" }, { _key: "asc" }] },
        aggs: { sum_count: { sum: { field: "count" } } },
      },
    },
  },
};
