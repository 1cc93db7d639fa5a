import { type Detector, detectors } from "@heliograph/core";
import { parameterSchema } from "@heliograph/runtime";

/** Schemas that validate requests and describe them in the OpenAPI document. */
type Schema = Readonly<Record<string, unknown>>;

export const text = (description: string): Schema => ({ type: "string", description });

/** The body of a search: the detector's parameters and where to look. */
export function searchBody({ parameters }: Detector): Schema {
  const own = parameters.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((name) => [name, parameterSchema(spec)] as const));
  return {
    type: "object",
    additionalProperties: false,
    properties: {
      log_type: { type: "string", enum: ["conn"], default: "conn", description: "Type of the logs" },
      log_dir: text("Logs to search: /NAME of a folder that the server may read, or a path below one"),
      data_source: text("Name of a saved data source, instead of log_dir"),
      ...Object.fromEntries(own),
      start_dte: { type: "string", default: "", description: "Leave out connections before this time; empty: no bound" },
      end_dte: { type: "string", default: "", description: "Leave out connections after this time; empty: no bound" },
      filter: {
        type: "object",
        additionalProperties: true,
        description: "Which connections to look at; a member given here takes the place of the server's and the data source's",
      },
      zip: { type: "boolean", default: false, description: "log_dir is an archive or holds archives" },
      verbose: { type: "boolean", default: false, description: "Write what was decided of each group into the run's log" },
    },
  };
}

/** The paths of the searches in the public API. */
export const SEARCH_PATHS: readonly (readonly [path: string, detector: Detector])[] = detectors.map((detector) => [
  { quick: "quick_cluster", detailed: "detailed_cluster" }[detector.name] ?? detector.name,
  detector,
]);

export const problemSchema: Schema = {
  $id: "Problem",
  type: "object",
  description: "What went wrong (RFC 9457)",
  required: ["type", "title", "status", "detail", "request_id"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    parameter: text("The parameter that is wrong"),
    request_id: { type: "string" },
  },
};

/** Responses of a route: what it answers, and the problems it may answer instead. */
export function answers(schema: Schema, ...problems: number[]): Record<number, Schema> {
  const all = [...problems, 401, 500].map((status) => [status, { $ref: "Problem#" }] as const);
  return { 200: schema, ...Object.fromEntries(all) };
}

export const list = (properties: Record<string, Schema>): Schema => ({ type: "array", items: { type: "object", properties } });
export const record = (properties: Record<string, Schema>): Schema => ({ type: "object", properties });
export const anything: Schema = { type: "object", additionalProperties: true };
export const time = (description: string): Schema => ({ type: "string", description: `${description}; ISO 8601 UTC` });

export const runSchema: Schema = {
  $id: "Run",
  type: "object",
  properties: {
    id: text("The run, the beacon_group of its results"),
    search: text("Name of the search"),
    parameters: anything,
    source: text("Where it looks"),
    state: { type: "string", enum: ["queued", "running", "done", "failed", "cancelled"] },
    progress: { type: "number", minimum: 0, maximum: 1 },
    createdAt: time("When it was asked for"),
    startedAt: { ...time("When it started"), type: ["string", "null"] },
    finishedAt: { ...time("When it ended"), type: ["string", "null"] },
    beaconCount: { type: "integer", description: "Potential beacons, before hosts are filtered" },
    summary: { type: ["object", "null"], additionalProperties: true, description: "What was read" },
    error: { type: ["string", "null"], description: "Why it failed" },
    logFile: text("Its log"),
  },
};

/** Query parameters, all of them texts. */
export const query = (required: readonly string[], properties: Record<string, Schema>): Schema => ({
  type: "object",
  additionalProperties: false,
  required,
  properties,
});
