import type { Insight } from "../insight.js";

export const rareCertificates: Insight = {
  index: "ssl_logs",
  name: "rare_certificates",
  title: "Certificates that are hardly seen",
  description:
    "Server certificates with the fewest connections, by fingerprint, or by subject and issuer where the log has none. Self-made ones of an intruder are seen by few hosts.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/ssl/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: [{ exists: { field: "cert_fp" } }] } },
    aggs: {
      rare_certificates: {
        terms: { field: "cert_fp", size: 100, order: [{ sum_count: "asc" }, { _key: "asc" }] },
        aggs: {
          sum_count: { sum: { field: "count" } },
          unique_clients: { cardinality: { field: "orig_h" } },
          first_seen: { min: { field: "ts" } },
          sample: { top_hits: { size: 1, _source: ["subject", "issuer", "server_name", "validation_status"], sort: [{ ts: "asc" }] } },
        },
      },
    },
  },
};
