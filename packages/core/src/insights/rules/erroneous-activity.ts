import type { Insight } from "../insight.js";

export const erroneousActivity: Insight = {
  index: "cloudtrail_logs",
  name: "erroneous_activity",
  title: "Calls that failed",
  description: "Every call with an error code, whatever the reason.",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: { bool: { filter: [{ exists: { field: "errorCode" } }] } },
    sort: [{ ts: "desc" }, "_doc"],
  },
};
