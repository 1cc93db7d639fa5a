import { randomUUID } from "node:crypto";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyInstance } from "fastify";
import type { Context } from "./context.js";
import { esRoutes } from "./es/routes.js";
import { addGuard } from "./guard.js";
import { addMetrics } from "./metrics.js";
import { addPage } from "./page.js";
import { answerError, HttpError, sendProblem } from "./problem.js";
import { applicationRoutes } from "./routes/application.js";
import { dataRoutes } from "./routes/data.js";
import { importRoutes } from "./routes/imports.js";
import { keyRoutes } from "./routes/keys.js";
import { resultRoutes } from "./routes/results.js";
import { runRoutes } from "./routes/runs.js";
import { searchRoutes } from "./routes/searches.js";
import { sourceRoutes } from "./routes/sources.js";
import { problemSchema, runSchema } from "./schemas.js";

/** How a server is built. */
export interface ServerOptions {
  readonly loopback: boolean;
  /** Whether to log, and how much; false: nothing. */
  readonly log: false | "info" | "warn" | "debug";
  /** Bytes of a body at most. Default 1 MiB. */
  readonly bodyBytes?: number;
}

const BODY_BYTES = 1 << 20;
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="170" height="40" role="img" aria-label="Heliograph"><circle cx="18" cy="20" r="8" fill="#f59e0b"/><path d="M18 4v5M18 31v5M2 20h5M29 20h5M7 9l3.500 3.500M25.500 27.500L29 31M29 9l-3.500 3.500M10.500 27.500L7 31" stroke="#f59e0b" stroke-width="2"/><text x="44" y="27" font-family="sans-serif" font-size="20" fill="#fff">Heliograph</text></svg>`;

/** Bodies are JSON whatever their type says; no body is no parameter. */
function readJsonAlways(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // Whatever type was sent, or what is no type at all: one that is always taken.
  app.addHook("onRequest", async (request) => {
    request.raw.headers["content-type"] = "application/json";
  });
  app.addContentTypeParser("*", { parseAs: "string" }, (_, body, done) => {
    const text = String(body);
    if (text.trim() === "") return done(null, {});
    try {
      done(null, JSON.parse(text));
    } catch (cause) {
      done(new HttpError(400, `the body is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`));
    }
  });
}

/** Builds the server: every route, its checks and its documentation. */
export async function buildServer(context: Context, { loopback, log, bodyBytes = BODY_BYTES }: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: log === false ? false : { level: log, stream: process.stderr, redact: ["req.headers['x-api-key']"] },
    bodyLimit: bodyBytes,
    forceCloseConnections: "idle",
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 16_384 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allowUnionTypes: true } },
  });
  readJsonAlways(app);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, 404, `there is no ${request.method} ${request.url.split("?")[0]}`),
  );
  app.addSchema(problemSchema);
  app.addSchema(runSchema);
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("x-request-id", request.id).header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
  });
  app.addHook("preValidation", async (request) => {
    // No body at all is no parameter.
    request.body ??= {};
  });
  app.addHook("onSend", async (_, reply) => {
    // A connection that stays open would keep a server that stops waiting.
    if (context.closing.aborted) void reply.header("connection", "close");
  });
  addGuard(app, context, loopback);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Heliograph", version: context.version, description: "Find out who is calling home, from your Zeek logs." },
      components: { securitySchemes: { apiKey: { type: "apiKey", name: "x-api-key", in: "header" } } },
      security: [{ apiKey: [] }, {}],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json["$id"] ?? `schema-${index}`) },
  });
  await app.register(swaggerUi, {
    routePrefix: "/api/docs",
    theme: { title: "Heliograph API" },
    logo: { type: "image/svg+xml", content: Buffer.from(LOGO), href: "/api/docs/" },
  });
  addMetrics(app, context);
  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema: { hide: true } }, async (request, reply) => {
    try {
      await context.keys.required();
      return { status: "ready" };
    } catch {
      return sendProblem(request, reply, 503, "the store does not answer");
    }
  });
  app.get("/docs", { schema: { hide: true } }, async (_, reply) => reply.redirect("/api/docs/"));
  for (const path of ["/openapi.json", "/api/openapi.json"]) app.get(path, { schema: { hide: true } }, async () => app.swagger());
  await app.register(
    async (api) => {
      applicationRoutes(api, context);
      searchRoutes(api, context);
      resultRoutes(api, context);
      runRoutes(api, context);
      sourceRoutes(api, context);
      importRoutes(api, context);
      await api.register(async (own) => keyRoutes(own, context, loopback));
    },
    { prefix: "/api" },
  );
  await addPage(app);
  await app.register(async (data) => dataRoutes(data, context), { prefix: "/data" });
  await app.register(async (es) => esRoutes(es, context), { prefix: "/es" });
  await app.ready();
  return app;
}
