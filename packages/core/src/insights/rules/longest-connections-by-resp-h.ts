import type { Insight } from "../insight.js";

export const longestConnectionsByRespH: Insight = {
  index: "conn_logs",
  name: "longest_connections_by_resp_h",
  title: "Longest connections, by destination",
  description: "The servers with the longest single connection, in seconds. Sessions that stay open for hours carry remote control.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: [{ exists: { field: "duration" } }] } },
    aggs: {
      longest_connections_by_resp_h: {
        terms: { field: "resp_h", size: 100, order: [{ max_duration: "desc" }, { _key: "asc" }] },
        aggs: { max_duration: { max: { field: "duration" } } },
      },
    },
  },
};
