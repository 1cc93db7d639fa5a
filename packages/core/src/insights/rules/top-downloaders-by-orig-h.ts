import type { Insight } from "../insight.js";

export const topDownloadersByOrigH: Insight = {
  index: "conn_logs",
  name: "top_downloaders_by_orig_h",
  title: "Most bytes received, by source",
  description: "Payload bytes that each host received from those it called.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    aggs: {
      top_downloaders_by_orig_h: {
        terms: { field: "orig_h", size: 100, order: [{ sum_resp_bytes: "desc" }, { _key: "asc" }] },
        aggs: { sum_resp_bytes: { sum: { field: "resp_bytes" } }, sum_resp_ip_bytes: { sum: { field: "resp_ip_bytes" } } },
      },
    },
  },
};
