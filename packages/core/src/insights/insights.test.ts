import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { logIndexNamed } from "../logs/log-index.js";
import { memoryIndex, search } from "../query/index.js";
import { checkInsight, INSIGHTS, insightAnswer, insightBody, isAggregation } from "./index.js";

const LISTED = {
  dns_logs: [
    "least_queried_domains",
    "rare_dns_servers",
    "top_clients_with_dns_errors",
    "top_dns_data_uploaders",
    "top_dns_servers",
    "top_querying_clients",
  ],
  conn_logs: [
    "longest_connections_by_orig_h",
    "longest_connections_by_resp_h",
    "max_connections_by_orig_h",
    "max_connections_by_resp_h",
    "top_downloaders_by_orig_h",
    "top_downloaders_by_resp_h",
    "top_external_downloaders_by_orig_h",
    "top_external_uploaders_by_orig_h",
    "top_uploaders_by_orig_h",
    "top_uploaders_by_resp_h",
  ],
  ssl_logs: ["rare_certificates", "rare_ja3_hash"],
  cloudtrail_logs: [
    "cloudtrail_changes",
    "console_login_failures",
    "erroneous_activity",
    "iam_policy_changes",
    "network_acl_changes",
    "s3_bucket_activity",
    "security_group_changes",
    "unauthorized_activity",
    "vpc_changes",
  ],
};

describe("the insights", () => {
  it("are those of the API page, a file each", () => {
    const byIndex: Record<string, string[]> = {};
    for (const { index, name } of INSIGHTS) byIndex[index] = [...(byIndex[index] ?? []), name];
    expect(byIndex).toEqual(LISTED);
    const files = readdirSync(fileURLToPath(new URL("./rules", import.meta.url))).map((file) =>
      file.replace(/\.ts$/, "").replaceAll("-", "_"),
    );
    expect(files.sort()).toEqual(INSIGHTS.map(({ name }) => name).sort());
  });

  it.each(INSIGHTS.map((insight) => [insight.name, insight] as const))(
    "%s is well-formed, explained, and asks for fields that there are",
    (_name, insight) => {
      expect(checkInsight(structuredClone(insight), "rule")).toEqual(insight);
      expect(insight.description.length).toBeGreaterThan(20);
      expect(insight.references.length).toBeGreaterThan(0);
      const mappings = logIndexNamed(insight.index)?.mappings;
      const { mapping } = memoryIndex([], { mappings });
      const text = JSON.stringify(insight.body);
      const fields = [...text.matchAll(/"field":"([^"]+)"|"(?:terms?|wildcard)":\{"([^"]+)":/g)]
        .map((match) => match[1] ?? match[2] ?? "")
        .filter((field) => field !== "field" && field !== "value");
      for (const field of fields) expect(mapping.field(field), field).toBeDefined();
      // Over nothing it answers with nothing.
      const answer = insightAnswer(insight, search(memoryIndex([], { mappings }), insightBody(insight), { now: 0 }));
      expect(answer).toEqual(
        isAggregation(insight)
          ? { [insight.name]: { doc_count_error_upper_bound: 0, sum_other_doc_count: 0, buckets: [] } }
          : { hits: { total: 0, hits: [] } },
      );
    },
  );

  it("give as many rows as asked for", () => {
    const insight = INSIGHTS.find(({ name }) => name === "top_dns_servers");
    if (!insight) throw new Error("there is none");
    const index = memoryIndex(
      Array.from({ length: 150 }, (_zero, i) => ({ resp_h: `10.0.0.${i}`, resp_p: 53, count: i })),
      { mappings: logIndexNamed("dns_logs")?.mappings },
    );
    const sized = (size?: number): { buckets: { key: string }[]; sum_other_doc_count: number } =>
      insightAnswer(insight, search(index, insightBody(insight, { size }), { now: 0 }))["top_dns_servers"] as {
        buckets: { key: string }[];
        sum_other_doc_count: number;
      };
    expect(sized().buckets).toHaveLength(100);
    expect(sized().sum_other_doc_count).toBe(50);
    expect(sized(1).buckets).toMatchObject([{ key: "10.0.0.149" }]);
  });

  it.each<[string, unknown, string]>([
    ["no object", [], "an insight is an object"],
    ["an unknown member", { index: "a", name: "b", title: "c", body: {}, foo: 1 }, "foo is no member of an insight"],
    ["no index", { name: "b", title: "c", body: {} }, "index must name an index"],
    ["a name of other letters", { index: "a", name: "B-c", title: "c", body: {} }, "name must be lower case letters"],
    ["no title", { index: "a", name: "b", body: {} }, "title must say"],
    ["no body", { index: "a", name: "b", title: "c" }, "body must be a search"],
    [
      "another name of the aggregation",
      { index: "a", name: "b", title: "c", body: { aggs: { x: { terms: { field: "f" } } } } },
      "the aggregation must have the insight's name, b",
    ],
    ["a wrong query", { index: "a", name: "b", title: "c", body: { query: { mtach: {} } } }, "unknown query [mtach] did you mean [match]?"],
    [
      "a wrong aggregation",
      { index: "a", name: "b", title: "c", body: { aggs: { b: { terms: { field: "f", sise: 1 } } } } },
      "[terms] query does not support [sise]",
    ],
  ])("refuse a rule with %s", (_name, rule, reason) => {
    expect(() => checkInsight(rule, "rules/mine.yaml")).toThrow(reason);
    expect(() => checkInsight(rule, "rules/mine.yaml")).toThrow("rules/mine.yaml: ");
  });
});
