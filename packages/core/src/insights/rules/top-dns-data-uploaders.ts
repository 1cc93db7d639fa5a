import type { Insight } from "../insight.js";

export const topDnsDataUploaders: Insight = {
  index: "dns_logs",
  name: "top_dns_data_uploaders",
  title: "Hosts that send most in names",
  description: "Bytes of the names that each host asks for, as they are written: data that leaves inside DNS queries makes them long.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/dns/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: [{ exists: { field: "query_length" } }] } },
    aggs: {
      top_dns_data_uploaders: {
        terms: { field: "orig_h", size: 100, order: [{ sum_query_length: "desc" }, { _key: "asc" }] },
        aggs: { sum_query_length: { sum: { field: "query_length" } }, sum_count: { sum: { field: "count" } } },
      },
    },
  },
};
