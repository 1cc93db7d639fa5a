import { DNS_PORTS } from "../filters.js";
import type { Insight } from "../insight.js";

export const topDnsServers: Insight = {
  index: "dns_logs",
  name: "top_dns_servers",
  title: "Busiest DNS servers",
  description: "The servers that answer most queries. A server that nobody set up may be a tunnel, or a way around your own.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/dns/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: [DNS_PORTS] } },
    aggs: {
      top_dns_servers: {
        terms: { field: "resp_h", size: 100, order: [{ sum_count: "desc" }, { _key: "asc" }] },
        aggs: { sum_count: { sum: { field: "count" } } },
      },
    },
  },
};
