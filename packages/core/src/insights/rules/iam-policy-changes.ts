import { events } from "../filters.js";
import type { Insight } from "../insight.js";

export const iamPolicyChanges: Insight = {
  index: "cloudtrail_logs",
  name: "iam_policy_changes",
  title: "Changes of IAM policies",
  description: "Policies made, changed, attached and removed (CIS AWS Foundations 4.4), attempts that failed too.",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: events("iam.amazonaws.com", [
      "DeleteGroupPolicy",
      "DeleteRolePolicy",
      "DeleteUserPolicy",
      "PutGroupPolicy",
      "PutRolePolicy",
      "PutUserPolicy",
      "CreatePolicy",
      "DeletePolicy",
      "CreatePolicyVersion",
      "DeletePolicyVersion",
      "AttachRolePolicy",
      "DetachRolePolicy",
      "AttachUserPolicy",
      "DetachUserPolicy",
      "AttachGroupPolicy",
      "DetachGroupPolicy",
    ]),
    sort: [{ ts: "desc" }, "_doc"],
  },
};
