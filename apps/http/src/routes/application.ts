import { effectiveConfig } from "@heliograph/runtime";
import type { FastifyInstance } from "fastify";
import type { Context } from "../context.js";
import { answers, anything, record, text } from "../schemas.js";

/** Which program this is, and how it is set. */
export function applicationRoutes(app: FastifyInstance, { version, config, roots, store }: Context): void {
  app.get(
    "/application/version",
    {
      schema: {
        tags: ["Application"],
        summary: "Title, version and description",
        response: answers(record({ title: text("Title"), version: text("Version"), description: text("What it does") })),
      },
    },
    async () => ({ title: "Heliograph", version, description: "Find out who is calling home, from your Zeek logs." }),
  );
  app.get(
    "/application/configuration",
    { schema: { tags: ["Application"], summary: "The configuration in force", response: answers(anything) } },
    async () => ({ ...effectiveConfig(config), roots: roots.names, store: store.kind }),
  );
}
