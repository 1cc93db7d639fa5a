import type { Insight } from "../insight.js";

export const consoleLoginFailures: Insight = {
  index: "cloudtrail_logs",
  name: "console_login_failures",
  title: "Failed console logins",
  description:
    "Attempts to log in to the console that failed (CIS AWS Foundations 4.6): a wrong password, and those of federated users and root, which say so in the answer alone.",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: {
      bool: {
        filter: [
          { term: { eventName: "ConsoleLogin" } },
          {
            bool: {
              should: [{ term: { errorMessage: "Failed authentication" } }, { term: { "responseElements.ConsoleLogin": "Failure" } }],
              minimum_should_match: 1,
            },
          },
        ],
      },
    },
    sort: [{ ts: "desc" }, "_doc"],
  },
};
