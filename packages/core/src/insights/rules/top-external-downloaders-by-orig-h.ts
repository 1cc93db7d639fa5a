import { OUTBOUND } from "../filters.js";
import type { Insight } from "../insight.js";

export const topExternalDownloadersByOrigH: Insight = {
  index: "conn_logs",
  name: "top_external_downloaders_by_orig_h",
  title: "Most bytes received from outside",
  description: "Payload bytes that each internal host received from external ones.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: OUTBOUND } },
    aggs: {
      top_external_downloaders_by_orig_h: {
        terms: { field: "orig_h", size: 100, order: [{ sum_resp_bytes: "desc" }, { _key: "asc" }] },
        aggs: { sum_resp_bytes: { sum: { field: "resp_bytes" } }, sum_resp_ip_bytes: { sum: { field: "resp_ip_bytes" } } },
      },
    },
  },
};
