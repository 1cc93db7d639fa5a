import { OUTBOUND } from "../filters.js";
import type { Insight } from "../insight.js";

export const topExternalUploadersByOrigH: Insight = {
  index: "conn_logs",
  name: "top_external_uploaders_by_orig_h",
  title: "Most bytes sent outside",
  description: "Payload bytes that each internal host sent to external ones: where data leaves, it shows here.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    query: { bool: { filter: OUTBOUND } },
    aggs: {
      top_external_uploaders_by_orig_h: {
        terms: { field: "orig_h", size: 100, order: [{ sum_orig_bytes: "desc" }, { _key: "asc" }] },
        aggs: { sum_orig_bytes: { sum: { field: "orig_bytes" } }, sum_orig_ip_bytes: { sum: { field: "orig_ip_bytes" } } },
      },
    },
  },
};
