import { CoreError, parseDateInput } from "@heliograph/core";
import { type ExactValue, parseExact, QueryError, writeJson } from "@heliograph/core/query";
import { ClusterError } from "@heliograph/runtime/cluster";
import { isoMicros, LogRefusal, runInsight, timeFilter } from "@heliograph/runtime/logs";
import type { ApiKey, Grant } from "@heliograph/runtime/runs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../context.js";
import { bodyText, readTextBodies } from "../es/bodies.js";
import { authorizedKey } from "../guard.js";
import { HttpError } from "../problem.js";
import { text } from "../schemas.js";

/** Codes of refusals, by status. */
const CODES: Readonly<Record<number, string>> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  413: "request_too_large",
  415: "unsupported_media_type",
  429: "rate_limited",
  500: "internal_error",
  502: "cluster_failed",
  503: "unavailable",
  504: "timeout",
};

/** What every refusal looks like: a sentence, a code, the request's id, and Elasticsearch's error where a query was wrong. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  message: string,
  error?: unknown,
  code = CODES[status],
): FastifyReply {
  return reply
    .code(status)
    .type("application/json")
    .send(writeJson({ message, code: code ?? "error", request_id: request.id, ...(error !== undefined && { error }), status }));
}

function answerFailure(cause: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (cause instanceof QueryError) return refuse(request, reply, cause.status, cause.reason, cause.response().error);
  if (cause instanceof LogRefusal)
    return refuse(request, reply, cause.status === 499 ? 400 : cause.status, cause.message, cause.response.error);
  if (cause instanceof ClusterError)
    return refuse(
      request,
      reply,
      cause.status >= 400 && cause.status < 500 && cause.status !== 401 && cause.status !== 403 ? cause.status : 502,
      cause.message,
    );
  if (cause instanceof CoreError) return refuse(request, reply, 400, cause.message);
  if (cause instanceof HttpError) return refuse(request, reply, cause.statusCode, cause.message);
  const status = (cause as { statusCode?: number }).statusCode ?? 500;
  if (status < 500) return refuse(request, reply, status, cause instanceof Error ? cause.message : "the request is wrong");
  request.log.error({ err: cause }, "request failed");
  return refuse(request, reply, 500, "something went wrong here; the server's log has more under the request's id");
}

type Plain = Record<string, ExactValue>;
const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);

/** A time range of a request, in microseconds. */
export interface AskedRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** The times of a request; absent ones are the last day. */
export async function rangeOf(body: Plain, now: bigint): Promise<AskedRange> {
  const from = await parseDateInput(body["time_from"], { name: "time_from", now, absent: "now-1d" });
  const to = await parseDateInput(body["time_to"], { name: "time_to", now, absent: "now", roundUp: true });
  if (from > to) throw new HttpError(400, "time_from is after time_to", "time_from");
  return { from, to };
}

function whole(body: Plain, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) throw new HttpError(400, `${name} must be a whole number`, name);
  return number;
}

/** The body of a request whatever its type says. */
export function dataBody(request: FastifyRequest): Plain {
  const given = bodyText(request);
  let value: unknown;
  try {
    value = given.trim() === "" ? {} : parseExact(given);
  } catch (cause) {
    throw new HttpError(400, `the body is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!isObject(value)) throw new HttpError(400, "the body must be a JSON object");
  return value;
}

/** What a request may ask for; undefined: there are no keys, and everybody may. */
const keysOf = new WeakMap<FastifyRequest, ApiKey>();

/** @throws HttpError 403 for an index that the request's key may not ask */
function checkIndex(request: FastifyRequest, index: string): void {
  const allowed = keysOf.get(request)?.indexes;
  if (allowed && !allowed.includes(index))
    throw new HttpError(403, `the API key may not ask ${index}; it may ask ${allowed.join(", ")}`, "index");
}

/** Says what is left of a key's allowance, in the header fields of the IETF's draft on rate limits. */
function tellAllowance(reply: FastifyReply, { perDay, perMinute }: ApiKey, { leftNow, leftToday, reset }: Grant): void {
  if (perDay === null && perMinute === null) return;
  const limits = [...(perMinute === null ? [] : [`${perMinute};w=60`]), ...(perDay === null ? [] : [`${perDay};w=86400`])];
  void reply
    .header("ratelimit-policy", limits.join(", "))
    .header("ratelimit-limit", String(Math.min(perMinute ?? Number.POSITIVE_INFINITY, perDay ?? Number.POSITIVE_INFINITY)))
    .header("ratelimit-remaining", String(Math.min(leftNow, leftToday)))
    .header("ratelimit-reset", String(reset));
}

/** The Insights API over the log store. */
export async function dataRoutes(app: FastifyInstance, { documents, insights, keys, quotas }: Context): Promise<void> {
  const methods: Readonly<Record<string, string>> = { "/data/query": "POST", "/data/insight": "POST", "/data/insights": "GET, HEAD" };
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const allowed = Object.hasOwn(methods, path) ? methods[path] : undefined;
    if (allowed === undefined) return refuse(request, reply, 404, `there is no ${path.slice(0, 200)}`);
    return refuse(request, reply.header("allow", allowed), 405, `${path} takes ${allowed}`);
  });
  // Who asks, and whether they may now, comes before what they ask.
  app.addHook("onRequest", async (request, reply) => {
    if (!(await keys.required())) return;
    const header = request.headers["x-api-key"];
    const given = (typeof header === "string" ? header : undefined) ?? authorizedKey(request.headers.authorization);
    if (given === undefined || given === "") {
      void reply.header("www-authenticate", "ApiKey");
      return refuse(request, reply, 401, "an API key is needed: send it as x-api-key");
    }
    const key = await keys.find(given);
    if (!key) return refuse(request, reply, 403, "Forbidden: the API key is not valid");
    keysOf.set(request, key);
    const grant = await quotas.take(key);
    tellAllowance(reply, key, grant);
    if (grant.granted) return;
    void reply.header("retry-after", String(grant.retryAfter));
    const isDay = grant.reason === "quota_exceeded";
    return refuse(
      request,
      reply,
      429,
      isDay ? "Limit Exceeded: the requests of today are used up" : "Too Many Requests",
      undefined,
      grant.reason,
    );
  });
  readTextBodies(app);
  app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply));
  // The body is read here, since it counts whatever type it says to have: the schema describes it.
  app.setValidatorCompiler(() => () => true);
  app.post(
    "/query",
    {
      schema: {
        tags: ["Data"],
        summary: "Run a query in Elasticsearch's Query DSL over an index",
        body: {
          type: "object",
          required: ["index"],
          properties: {
            index: text("Index, such as conn_logs"),
            q: {
              type: "object",
              description:
                'A search in Elasticsearch\'s Query DSL, such as {"query": {"match": {"resp_h": "192.0.2.1"}}}; default: everything',
            },
            time_from: { type: ["string", "number"], default: "now-1d", description: "Results from this time on, in almost any format" },
            time_to: { type: ["string", "number"], default: "now", description: "Results up to this time, in almost any format" },
            from: { type: "integer", minimum: 0, default: 0, description: "Hits to skip" },
            size: { type: "integer", minimum: 0, maximum: 10_000, default: 10, description: "Hits at most" },
          },
        },
      },
    },
    async (request, reply) => {
      const body = dataBody(request);
      const { index, q = {} } = body;
      for (const key of Object.keys(body)) {
        if (!["index", "q", "time_from", "time_to", "from", "size"].includes(key))
          throw new HttpError(400, `${key.slice(0, 100)} is no parameter of this call`, key);
      }
      if (typeof index !== "string" || index === "") throw new HttpError(400, "index is missing: name one, such as conn_logs", "index");
      if (/[,*]/.test(index)) throw new HttpError(404, `no such index [${index.slice(0, 100)}]: one is named at a time`, "index");
      checkIndex(request, index);
      const query = typeof q === "string" ? parseExact(q) : q;
      if (!isObject(query)) throw new HttpError(400, 'q must be an object, such as {"query": {"match_all": {}}}', "q");
      const now = Date.now();
      const { from, to } = await rangeOf(body, BigInt(now) * 1000n);
      const skip = whole(body, "from");
      const size = whole(body, "size");
      const gone = new AbortController();
      reply.raw.on("close", () => gone.abort());
      const json = await documents.search(
        {
          indexes: index,
          body: writeJson({
            ...query,
            ...(skip !== undefined && { from: skip }),
            ...(size !== undefined && { size }),
            track_total_hits: true,
          }),
          now,
          filter: timeFilter({ from, to }),
          window: { from: Number(from), to: Number(to) },
          totalAsInteger: true,
        },
        { signal: gone.signal },
      );
      return reply.header("x-time-from", isoMicros(from)).header("x-time-to", isoMicros(to)).type("application/json").send(json);
    },
  );

  app.get(
    "/insights",
    {
      schema: {
        tags: ["Data"],
        summary: "Indexes that have insights, and the insights of each",
        response: {
          200: {
            description: "Names of the insights, by index",
            type: "object",
            additionalProperties: { type: "array", items: { type: "string" } },
          },
        },
      },
    },
    async (request) => {
      const allowed = keysOf.get(request)?.indexes;
      return Object.fromEntries(Object.entries(insights.list()).filter(([index]) => !allowed || allowed.includes(index)));
    },
  );

  app.post(
    "/insight",
    {
      schema: {
        tags: ["Data"],
        summary: "What an insight finds: buckets under its name, or hits",
        body: {
          type: "object",
          required: ["index", "insight"],
          properties: {
            index: text("Index, such as dns_logs"),
            insight: text("Insight, such as top_dns_servers"),
            time_from: { type: ["string", "number"], default: "now-1d", description: "Results from this time on, in almost any format" },
            time_to: { type: ["string", "number"], default: "now", description: "Results up to this time, in almost any format" },
            size: { type: "integer", minimum: 1, maximum: 10_000, default: 100, description: "Buckets or hits at most" },
            from: { type: "integer", minimum: 0, default: 0, description: "Hits to skip, of insights that give hits" },
          },
        },
      },
    },
    async (request, reply) => {
      const body = dataBody(request);
      for (const key of Object.keys(body)) {
        if (!["index", "insight", "time_from", "time_to", "size", "from"].includes(key))
          throw new HttpError(400, `${key.slice(0, 100)} is no parameter of this call`, key);
      }
      const { index, insight: name } = body;
      if (typeof index !== "string" || index === "") throw new HttpError(400, "index is missing: name one, such as dns_logs", "index");
      if (typeof name !== "string" || name === "")
        throw new HttpError(400, "insight is missing: name one, such as top_dns_servers", "insight");
      checkIndex(request, index);
      const insight = insights.find(index, name);
      if (!insight) {
        const known = insights.list()[index];
        throw new HttpError(
          400,
          `there is no insight ${name.slice(0, 100)} of ${index.slice(0, 100)}; there ${known ? `are ${known.join(", ")}` : `are insights of ${Object.keys(insights.list()).join(", ")}`}`,
          "insight",
        );
      }
      const size = whole(body, "size");
      const skip = whole(body, "from");
      if (size !== undefined && (size < 1 || size > 10_000)) throw new HttpError(400, "size must be from 1 to 10000", "size");
      if (skip !== undefined && skip < 0) throw new HttpError(400, "from must not be negative", "from");
      const now = Date.now();
      const { from, to } = await rangeOf(body, BigInt(now) * 1000n);
      const gone = new AbortController();
      reply.raw.on("close", () => gone.abort());
      const json = await runInsight(documents, insight, { from, to, size, skip, now }, gone.signal);
      return reply.header("x-time-from", isoMicros(from)).header("x-time-to", isoMicros(to)).type("application/json").send(json);
    },
  );
}
