import { events } from "../filters.js";
import type { Insight } from "../insight.js";

export const cloudtrailChanges: Insight = {
  index: "cloudtrail_logs",
  name: "cloudtrail_changes",
  title: "Changes of CloudTrail itself",
  description: "Trails made, changed, stopped and removed (CIS AWS Foundations 4.5): who stops the log hides what follows.",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: events("cloudtrail.amazonaws.com", ["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"]),
    sort: [{ ts: "desc" }, "_doc"],
  },
};
