import { events } from "../filters.js";
import type { Insight } from "../insight.js";

export const securityGroupChanges: Insight = {
  index: "cloudtrail_logs",
  name: "security_group_changes",
  title: "Changes of security groups",
  description: "Rules of security groups opened and closed, groups made and removed (CIS AWS Foundations 4.10).",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: events(undefined, [
      "AuthorizeSecurityGroupIngress",
      "AuthorizeSecurityGroupEgress",
      "RevokeSecurityGroupIngress",
      "RevokeSecurityGroupEgress",
      "CreateSecurityGroup",
      "DeleteSecurityGroup",
    ]),
    sort: [{ ts: "desc" }, "_doc"],
  },
};
