import type { Insight } from "../insight.js";

export const maxConnectionsByOrigH: Insight = {
  index: "conn_logs",
  name: "max_connections_by_orig_h",
  title: "Most connections, by source",
  description: "The hosts with most connections: scanners, busy services, and beacons with short intervals.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    aggs: {
      max_connections_by_orig_h: {
        terms: { field: "orig_h", size: 100, order: [{ sum_count: "desc" }, { _key: "asc" }] },
        aggs: { sum_count: { sum: { field: "count" } } },
      },
    },
  },
};
