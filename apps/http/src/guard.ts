import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Context } from "./context.js";
import { sendProblem } from "./problem.js";

/** Paths that need no key. */
const OPEN = [
  /^\/healthz$/,
  /^\/readyz$/,
  /^\/(?:api\/)?docs(?:\/|$)/,
  /^\/(?:api\/)?openapi\.json$/,
  /^\/(?:local\/?)?(?:index\.html|assets\/[^/]+)?$/,
];

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

/** Whether an address is one of this machine's own. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host.toLowerCase()) || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function hostOf(request: FastifyRequest): string {
  const header = request.headers.host ?? "";
  return header.replace(/:\d+$/, "").toLowerCase();
}

/** Whether a browser sends the request for a page of somebody else: such a page must not start or delete anything here. */
function isForeign(request: FastifyRequest): boolean {
  if (request.headers["sec-fetch-site"] === "cross-site") return true;
  const { origin } = request.headers;
  if (origin === undefined || origin === "null") return origin === "null";
  try {
    return new URL(origin).host !== request.headers.host;
  } catch {
    return true;
  }
}

/** The key of `Authorization: ApiKey …`, as Elasticsearch's clients send it: as it is, or behind an id and a colon in base64. */
export function authorizedKey(header: string | undefined): string | undefined {
  const given = /^ApiKey\s+(\S+)$/i.exec(header ?? "")?.[1];
  if (given === undefined) return undefined;
  const decoded = Buffer.from(given, "base64").toString("utf8");
  return /^[\x21-\x7e]+:[\x21-\x7e]+$/.test(decoded) ? decoded.slice(decoded.indexOf(":") + 1) : given;
}

/**
 * Lets in who may: with a key once there is one; on a loopback address without keys, whoever calls the server by a loopback name, so
 * that no page of a browser reaches it by way of another name or origin.
 */
export function addGuard(app: FastifyInstance, { keys }: Context, loopback: boolean): void {
  app.addHook("onRequest", async (request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    if (isForeign(request)) return sendProblem(request, reply, 403, "requests of other sites are not answered");
    if (OPEN.some((pattern) => pattern.test(path))) return;
    if (!(await keys.required())) {
      if (loopback && !isLoopback(hostOf(request)))
        return sendProblem(
          request,
          reply,
          403,
          "this server answers to localhost alone until it has an API key; see heliograph keys create",
        );
      return;
    }
    // The Insights API has words of its own for who may not.
    if (path.startsWith("/data/") || path === "/data") return;
    const given = request.headers["x-api-key"] ?? authorizedKey(request.headers.authorization);
    if (typeof given !== "string" || given === "") return sendProblem(request, reply, 401, "an API key is needed: send it as x-api-key");
    if (!(await keys.find(given))) return sendProblem(request, reply, 401, "the API key is not valid");
  });
}
