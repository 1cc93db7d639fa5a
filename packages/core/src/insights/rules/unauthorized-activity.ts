import type { Insight } from "../insight.js";

export const unauthorizedActivity: Insight = {
  index: "cloudtrail_logs",
  name: "unauthorized_activity",
  title: "Calls that were not allowed",
  description:
    "Calls refused for want of permission (CIS AWS Foundations 4.1), without the two kinds that happen all the time. Somebody who tries what a stolen key can do is refused often.",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: {
      bool: {
        filter: [
          {
            bool: {
              should: [
                { wildcard: { errorCode: { value: "*UnauthorizedOperation" } } },
                { wildcard: { errorCode: { value: "AccessDenied*" } } },
              ],
              minimum_should_match: 1,
            },
          },
        ],
        must_not: [{ term: { sourceIPAddress: "delivery.logs.amazonaws.com" } }, { term: { eventName: "HeadBucket" } }],
      },
    },
    sort: [{ ts: "desc" }, "_doc"],
  },
};
