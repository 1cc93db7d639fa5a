import type { Insight } from "../insight.js";

export const topQueryingClients: Insight = {
  index: "dns_logs",
  name: "top_querying_clients",
  title: "Hosts that ask most",
  description: "The hosts with most DNS queries: resolvers, and hosts that tunnel or look for their operator by many names.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/dns/main.zeek.html"],
  body: {
    size: 0,
    aggs: {
      top_querying_clients: {
        terms: { field: "orig_h", size: 100, order: [{ sum_count: "desc" }, { _key: "asc" }] },
        aggs: { sum_count: { sum: { field: "count" } } },
      },
    },
  },
};
