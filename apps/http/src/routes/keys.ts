import { type KeyLimits, USUAL_LIMITS } from "@heliograph/runtime/runs";
import type { FastifyInstance } from "fastify";
import type { Context } from "../context.js";
import { HttpError } from "../problem.js";
import { answers, list, query, record, text } from "../schemas.js";

const HIDDEN = {
  id: text("The key's name for itself"),
  name: text("What it is for"),
  createdAt: text("When it was made"),
  revokedAt: { type: ["string", "null"] },
};

/** API keys, for whoever sits at the machine: a server that listens to the network does not let them be made over it. */
export function keyRoutes(app: FastifyInstance, { keys }: Context, loopback: boolean): void {
  app.addHook("onRequest", async (request) => {
    if (!loopback && request.routeOptions.url?.endsWith("/keys"))
      throw new HttpError(403, "keys are made on the server's machine: heliograph keys create, list, revoke");
  });
  app.get(
    "/keys",
    { schema: { tags: ["Keys"], summary: "The API keys, without what they are", response: answers(list(HIDDEN), 403) } },
    async () => (await keys.list()).map(({ id, name, createdAt, revokedAt }) => ({ id, name, createdAt, revokedAt })),
  );
  app.post(
    "/keys",
    {
      schema: {
        tags: ["Keys"],
        summary: "Make an API key; it is shown this once, and from then on every call needs one",
        body: {
          type: "object",
          additionalProperties: false,
          required: ["name"],
          properties: {
            name: { type: "string", minLength: 1, maxLength: 100 },
            unlimited: { type: "boolean", description: "As many requests to /data as wanted" },
          },
        },
        response: answers(record({ id: text("Its name for itself"), name: text("What it is for"), key: text("The key") }), 400, 403),
      },
    },
    async (request) => {
      const { name, unlimited = false } = request.body as { name: string; unlimited?: boolean };
      const limits: KeyLimits = unlimited ? { ...USUAL_LIMITS, perDay: null, perMinute: null } : USUAL_LIMITS;
      const { id, key } = await keys.create(name, limits);
      return { id, name, key };
    },
  );
  app.delete(
    "/keys",
    {
      schema: {
        tags: ["Keys"],
        summary: "Revoke an API key",
        querystring: query(["id"], { id: text("The key's name for itself") }),
        response: answers(record({ revoked: { type: "integer" } }), 400, 403, 404),
      },
    },
    async (request) => {
      const { id } = request.query as { id: string };
      const revoked = await keys.revoke(id);
      if (revoked === 0) throw new HttpError(404, `there is no key ${JSON.stringify(id)}`, "id");
      return { revoked };
    },
  );
}
