import { DNS_FAILED } from "../filters.js";
import type { Insight } from "../insight.js";

export const topClientsWithDnsErrors: Insight = {
  index: "dns_logs",
  name: "top_clients_with_dns_errors",
  title: "Hosts with most failed queries",
  description: "Hosts whose queries fail most. Generated names that do not exist leave a trail of NXDOMAIN.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/dns/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: [DNS_FAILED] } },
    aggs: {
      top_clients_with_dns_errors: {
        terms: { field: "orig_h", size: 100, order: [{ sum_count: "desc" }, { _key: "asc" }] },
        aggs: { sum_count: { sum: { field: "count" } }, rcode_name: { terms: { field: "rcode_name", size: 10 } } },
      },
    },
  },
};
