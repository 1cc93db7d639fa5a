import { events } from "../filters.js";
import type { Insight } from "../insight.js";

export const vpcChanges: Insight = {
  index: "cloudtrail_logs",
  name: "vpc_changes",
  title: "Changes of virtual networks",
  description: "Virtual networks and connections between them made, changed and removed (CIS AWS Foundations 4.14).",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: events(undefined, [
      "CreateVpc",
      "DeleteVpc",
      "ModifyVpcAttribute",
      "AcceptVpcPeeringConnection",
      "CreateVpcPeeringConnection",
      "DeleteVpcPeeringConnection",
      "RejectVpcPeeringConnection",
      "AttachClassicLinkVpc",
      "DetachClassicLinkVpc",
      "DisableVpcClassicLink",
      "EnableVpcClassicLink",
    ]),
    sort: [{ ts: "desc" }, "_doc"],
  },
};
