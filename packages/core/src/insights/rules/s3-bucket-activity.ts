import { events } from "../filters.js";
import type { Insight } from "../insight.js";

export const s3BucketActivity: Insight = {
  index: "cloudtrail_logs",
  name: "s3_bucket_activity",
  title: "Changes of S3 bucket policies",
  description: "Access lists, policies, sharing, lifecycle and replication of buckets changed (CIS AWS Foundations 4.8).",
  references: ["https://www.cisecurity.org/benchmark/amazon_web_services"],
  body: {
    size: 100,
    query: events("s3.amazonaws.com", [
      "PutBucketAcl",
      "PutBucketPolicy",
      "PutBucketCors",
      "PutBucketLifecycle",
      "PutBucketReplication",
      "DeleteBucketPolicy",
      "DeleteBucketCors",
      "DeleteBucketLifecycle",
      "DeleteBucketReplication",
    ]),
    sort: [{ ts: "desc" }, "_doc"],
  },
};
