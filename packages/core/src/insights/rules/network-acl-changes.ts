import { events } from "../filters.js";
import type { Insight } from "../insight.js";

export const networkAclChanges: Insight = {
  index: "cloudtrail_logs",
  name: "network_acl_changes",
  title: "Changes of network access lists",
  description: "Access lists of networks and their entries made, changed and removed (CIS AWS Foundations 4.11).",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: events(undefined, [
      "CreateNetworkAcl",
      "CreateNetworkAclEntry",
      "DeleteNetworkAcl",
      "DeleteNetworkAclEntry",
      "ReplaceNetworkAclEntry",
      "ReplaceNetworkAclAssociation",
    ]),
    sort: [{ ts: "desc" }, "_doc"],
  },
};
