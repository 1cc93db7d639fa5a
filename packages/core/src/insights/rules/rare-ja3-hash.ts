import type { Insight } from "../insight.js";

export const rareJa3Hash: Insight = {
  index: "ssl_logs",
  name: "rare_ja3_hash",
  title: "TLS clients that are hardly seen",
  description: "JA3 fingerprints of TLS clients with the fewest connections: software that few hosts run.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/ssl/main.zeek.html", "https://github.com/salesforce/ja3"],
  body: {
    size: 0,
    query: { bool: { filter: [{ exists: { field: "ja3" } }], must_not: [{ term: { ja3: "" } }] } },
    aggs: {
      rare_ja3_hash: {
        terms: { field: "ja3", size: 100, order: [{ sum_count: "asc" }, { _key: "asc" }] },
        aggs: {
          sum_count: { sum: { field: "count" } },
          unique_clients: { cardinality: { field: "orig_h" } },
          sample: { top_hits: { size: 1, _source: ["orig_h", "server_name", "version", "cipher"], sort: [{ ts: "asc" }] } },
        },
      },
    },
  },
};
