import type { Insight } from "../insight.js";

export const topUploadersByRespH: Insight = {
  index: "conn_logs",
  name: "top_uploaders_by_resp_h",
  title: "Most bytes sent, by destination",
  description: "Payload bytes that were sent to each server.",
  references: ["https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html"],
  body: {
    size: 0,
    aggs: {
      top_uploaders_by_resp_h: {
        terms: { field: "resp_h", size: 100, order: [{ sum_orig_bytes: "desc" }, { _key: "asc" }] },
        aggs: { sum_orig_bytes: { sum: { field: "orig_bytes" } }, sum_orig_ip_bytes: { sum: { field: "orig_ip_bytes" } } },
      },
    },
  },
};
