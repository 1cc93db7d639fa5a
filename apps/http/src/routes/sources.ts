import { CoreError, checkFilter, planFilter } from "@heliograph/core";
import { PathError } from "@heliograph/runtime/runs";
import type { FastifyInstance } from "fastify";
import type { Context } from "../context.js";
import { HttpError } from "../problem.js";
import { answers, anything, list, query, record, text } from "../schemas.js";

/** Data sources: a path of the server's under a name, with the filter that goes with it. */
export function sourceRoutes(app: FastifyInstance, { sources, roots }: Context): void {
  const name = { type: "string", minLength: 1, maxLength: 100, description: "Name of the data source" };
  const properties = { name, path: text("Path as log_dir names it"), filter: { ...anything, description: "Which connections to look at" } };
  app.get(
    "/data_sources",
    { schema: { tags: ["Data sources"], summary: "Saved data sources", response: answers(list(properties)) } },
    async () => sources.list(),
  );
  app.post(
    "/data_sources",
    {
      schema: {
        tags: ["Data sources"],
        summary: "Save a data source",
        body: { type: "object", additionalProperties: false, required: ["name", "path"], properties },
        response: answers(record(properties), 400, 403, 409, 422),
      },
    },
    async (request) => {
      const { name: given, path, filter = {} } = request.body as { name: string; path: string; filter?: object };
      try {
        await roots.resolve(path);
        const checked = checkFilter(filter);
        planFilter(checked);
        if (!(await sources.add({ name: given, path, filter: checked })))
          throw new HttpError(409, `there is a data source ${JSON.stringify(given)} already`, "name");
        return { name: given, path, filter: checked };
      } catch (cause) {
        if (cause instanceof PathError) throw new HttpError(cause.reason === "outside" ? 403 : 422, `path: ${cause.message}`, "path");
        if (cause instanceof CoreError) throw new HttpError(400, cause.message, cause.column);
        throw cause;
      }
    },
  );
  app.delete(
    "/data_sources",
    {
      schema: {
        tags: ["Data sources"],
        summary: "Forget a data source",
        querystring: query(["name"], { name }),
        response: answers(record({ Deleted: { type: "boolean" }, Message: text("What happened") }), 400, 404),
      },
    },
    async (request) => {
      const { name: given } = request.query as { name: string };
      if (!(await sources.remove(given))) throw new HttpError(404, `there is no data source ${JSON.stringify(given)}`, "name");
      return { Deleted: true, Message: `the data source ${given} was forgotten` };
    },
  );
}
