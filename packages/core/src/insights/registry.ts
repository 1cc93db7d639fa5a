import type { Insight } from "./insight.js";
import { cloudtrailChanges } from "./rules/cloudtrail-changes.js";
import { consoleLoginFailures } from "./rules/console-login-failures.js";
import { erroneousActivity } from "./rules/erroneous-activity.js";
import { iamPolicyChanges } from "./rules/iam-policy-changes.js";
import { leastQueriedDomains } from "./rules/least-queried-domains.js";
import { longestConnectionsByOrigH } from "./rules/longest-connections-by-orig-h.js";
import { longestConnectionsByRespH } from "./rules/longest-connections-by-resp-h.js";
import { maxConnectionsByOrigH } from "./rules/max-connections-by-orig-h.js";
import { maxConnectionsByRespH } from "./rules/max-connections-by-resp-h.js";
import { networkAclChanges } from "./rules/network-acl-changes.js";
import { rareCertificates } from "./rules/rare-certificates.js";
import { rareDnsServers } from "./rules/rare-dns-servers.js";
import { rareJa3Hash } from "./rules/rare-ja3-hash.js";
import { s3BucketActivity } from "./rules/s3-bucket-activity.js";
import { securityGroupChanges } from "./rules/security-group-changes.js";
import { topClientsWithDnsErrors } from "./rules/top-clients-with-dns-errors.js";
import { topDnsDataUploaders } from "./rules/top-dns-data-uploaders.js";
import { topDnsServers } from "./rules/top-dns-servers.js";
import { topDownloadersByOrigH } from "./rules/top-downloaders-by-orig-h.js";
import { topDownloadersByRespH } from "./rules/top-downloaders-by-resp-h.js";
import { topExternalDownloadersByOrigH } from "./rules/top-external-downloaders-by-orig-h.js";
import { topExternalUploadersByOrigH } from "./rules/top-external-uploaders-by-orig-h.js";
import { topQueryingClients } from "./rules/top-querying-clients.js";
import { topUploadersByOrigH } from "./rules/top-uploaders-by-orig-h.js";
import { topUploadersByRespH } from "./rules/top-uploaders-by-resp-h.js";
import { unauthorizedActivity } from "./rules/unauthorized-activity.js";
import { vpcChanges } from "./rules/vpc-changes.js";

/** The insights that come with it: by index, then by name. */
export const INSIGHTS: readonly Insight[] = [
  leastQueriedDomains,
  rareDnsServers,
  topClientsWithDnsErrors,
  topDnsDataUploaders,
  topDnsServers,
  topQueryingClients,
  longestConnectionsByOrigH,
  longestConnectionsByRespH,
  maxConnectionsByOrigH,
  maxConnectionsByRespH,
  topDownloadersByOrigH,
  topDownloadersByRespH,
  topExternalDownloadersByOrigH,
  topExternalUploadersByOrigH,
  topUploadersByOrigH,
  topUploadersByRespH,
  rareCertificates,
  rareJa3Hash,
  cloudtrailChanges,
  consoleLoginFailures,
  erroneousActivity,
  iamPolicyChanges,
  networkAclChanges,
  s3BucketActivity,
  securityGroupChanges,
  unauthorizedActivity,
  vpcChanges,
];
