import type { Insight } from "../insight.js";

export const leastQueriedDomains: Insight = {
  index: "dns_logs",
  name: "least_queried_domains",
  title: "Domains that are hardly asked for",
  description: "Registered domains with the fewest queries. New infrastructure of an intruder is asked for by few hosts, seldom.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/dns/main.zeek.html", "https://publicsuffix.org"],
  body: {
    size: 0,
    query: {
      bool: {
        // Two labels at least, and no reverse look-ups: what holds for a name holds for its registered domain, and of those there are fewer.
        filter: [{ wildcard: { registered_domain: { value: "*?.?*" } } }],
        must_not: [{ wildcard: { registered_domain: { value: "*.arpa" } } }],
      },
    },
    aggs: {
      least_queried_domains: {
        terms: { field: "registered_domain", size: 100, order: [{ sum_count: "asc" }, { _key: "asc" }] },
        aggs: { sum_count: { sum: { field: "count" } }, unique_clients: { cardinality: { field: "orig_h" } } },
      },
    },
  },
};
