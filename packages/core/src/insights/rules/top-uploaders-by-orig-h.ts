import type { Insight } from "../insight.js";

export const topUploadersByOrigH: Insight = {
  index: "conn_logs",
  name: "top_uploaders_by_orig_h",
  title: "Most bytes sent, by source",
  description: "Payload bytes that each host sent to those it called.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    aggs: {
      top_uploaders_by_orig_h: {
        terms: { field: "orig_h", size: 100, order: [{ sum_orig_bytes: "desc" }, { _key: "asc" }] },
        aggs: { sum_orig_bytes: { sum: { field: "orig_bytes" } }, sum_orig_ip_bytes: { sum: { field: "orig_ip_bytes" } } },
      },
    },
  },
};
