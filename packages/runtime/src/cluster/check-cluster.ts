import { badParameter } from "@heliograph/core";
import { CLUSTER_KINDS, type ClusterKind } from "./cluster-client.js";
import type { ClusterLogs } from "./cluster-index.js";
import { PRESETS, type PresetName } from "./field-map.js";

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((one) => typeof one === "string" && one !== "");

/**
 * Checks what a caller says of a cluster.
 * @throws CoreError `bad-parameter`, whose `column` names the member
 */
export function checkCluster(given: Readonly<Record<string, unknown>>): ClusterLogs {
  const { kind, url, index, indexes, preset, fields, ca, verify, api_key, username, password, ...others } = given;
  const [other] = Object.keys(others);
  if (other !== undefined) throw badParameter(other, "is nothing that a cluster has");
  if (!(CLUSTER_KINDS as readonly unknown[]).includes(kind)) throw badParameter("kind", `must be one of ${CLUSTER_KINDS.join(", ")}`);
  if (typeof url !== "string" || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw badParameter("url", "must be an address such as https://cluster.example:9200");
  if (new URL(url).username || new URL(url).password)
    throw badParameter("url", "must hold no credentials: give username and password, or api_key");
  const fallback: PresetName = kind === "security-onion" ? "security-onion" : "zeek";
  const chosen = preset ?? fallback;
  if (typeof chosen !== "string" || !Object.hasOwn(PRESETS, chosen))
    throw badParameter("preset", `must be one of ${Object.keys(PRESETS).join(", ")}`);
  const named = indexes ?? (typeof index === "string" ? { conn_logs: index } : undefined);
  if (!isTexts(named) || Object.keys(named).length === 0)
    throw badParameter("indexes", 'must name indexes such as {"conn_logs": "zeek-conn-*"}');
  if (fields !== undefined && !isTexts(fields))
    throw badParameter("fields", 'must hold paths by Zeek\'s names such as {"id.orig_h": "source.ip"}');
  if (ca !== undefined && (typeof ca !== "string" || !ca.includes("BEGIN CERTIFICATE")))
    throw badParameter("ca", "must be a certificate in PEM");
  if (verify !== undefined && typeof verify !== "boolean") throw badParameter("verify", "must be true or false");
  const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
  if (api_key !== undefined && !isText(api_key)) throw badParameter("api_key", "must be a text");
  if ((username !== undefined || password !== undefined) && !(isText(username) && isText(password)))
    throw badParameter("username", "goes with a password");
  if (api_key !== undefined && username !== undefined)
    throw badParameter("api_key", "is given beside a name and a password; give one of them");
  const credentials = isText(api_key) ? api_key : isText(username) && isText(password) ? { username, password } : undefined;
  return {
    kind: kind as ClusterKind,
    url: url.replace(/\/+$/, ""),
    indexes: named,
    preset: chosen as PresetName,
    ...(fields !== undefined && { fields }),
    ...(typeof ca === "string" && { ca }),
    ...(verify === false && { verify }),
    ...(credentials !== undefined && { credentials }),
  };
}
