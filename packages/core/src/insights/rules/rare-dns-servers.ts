import { DNS_PORTS, MULTICAST_RESPONDER } from "../filters.js";
import type { Insight } from "../insight.js";

export const rareDnsServers: Insight = {
  index: "dns_logs",
  name: "rare_dns_servers",
  title: "DNS servers that are hardly asked",
  description: "Servers that few queries go to: a host that asks one of its own choice stands out here.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/dns/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: [DNS_PORTS], must_not: [MULTICAST_RESPONDER] } },
    aggs: {
      rare_dns_servers: {
        terms: { field: "resp_h", size: 100, order: [{ sum_count: "asc" }, { _key: "asc" }] },
        aggs: { sum_count: { sum: { field: "count" } } },
      },
    },
  },
};
