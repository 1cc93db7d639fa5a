import { CoreError, checkFilter, planFilter } from "@heliograph/core";
import { CLUSTER_KINDS, ClusterError, checkCluster, PRESETS, testCluster } from "@heliograph/runtime/cluster";
import { isCluster, PathError } from "@heliograph/runtime/runs";
import type { FastifyInstance } from "fastify";
import type { Context } from "../context.js";
import { HttpError } from "../problem.js";
import { answers, anything, list, query, record, text } from "../schemas.js";

/** Data sources: a path of the server's under a name, with the filter that goes with it. */
export function sourceRoutes(app: FastifyInstance, { sources, roots }: Context): void {
  const name = { type: "string", minLength: 1, maxLength: 100, description: "Name of the data source" };
  const cluster = {
    kind: { type: "string", enum: CLUSTER_KINDS, description: "A cluster instead of a path" },
    url: text("Its address, such as https://cluster.example:9200"),
    indexes: { ...anything, description: 'Its indexes by our names, such as {"conn_logs": "zeek-conn-*"}' },
    preset: { type: "string", enum: Object.keys(PRESETS), description: "How its fields are called" },
    fields: { ...anything, description: "Paths of fields that lie elsewhere than the preset has them, by Zeek's names" },
    ca: text("PEM of the authority that signed its certificate"),
    verify: { type: "boolean", description: "Whether its certificate must be valid; default: it must" },
  };
  const secrets = {
    api_key: text("API key; kept sealed, never given back"),
    username: text("Name"),
    password: text("Password; kept sealed, never given back"),
  };
  const properties = {
    name,
    path: text("Path as log_dir names it"),
    filter: { ...anything, description: "Which connections to look at" },
    ...cluster,
  };
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
        body: { type: "object", additionalProperties: false, required: ["name"], properties: { ...properties, ...secrets } },
        response: answers(record(properties), 400, 403, 409, 422),
      },
    },
    async (request) => {
      const { name: given, path, filter = {}, ...rest } = request.body as { name: string; path?: string; filter?: object };
      const taken = (): HttpError => new HttpError(409, `there is a data source ${JSON.stringify(given)} already`, "name");
      try {
        const checked = checkFilter(filter);
        planFilter(checked);
        if ("kind" in rest) {
          if (path !== undefined) throw new HttpError(400, "a cluster has no path", "path");
          const logs = checkCluster(rest);
          if (!(await sources.addCluster(given, logs, checked))) throw taken();
          return sources.get(given);
        }
        if (path === undefined) throw new HttpError(400, "path is missing, or the kind of a cluster", "path");
        await roots.resolve(path);
        if (!(await sources.add({ name: given, path, filter: checked }))) throw taken();
        return { name: given, path, filter: checked };
      } catch (cause) {
        if (cause instanceof PathError) throw new HttpError(cause.reason === "outside" ? 403 : 422, `path: ${cause.message}`, "path");
        if (cause instanceof CoreError) throw new HttpError(400, cause.message, cause.column);
        throw cause;
      }
    },
  );
  app.post(
    "/data_sources/:name/test",
    {
      schema: {
        tags: ["Data sources"],
        summary: "Ask a cluster what a hunt would: is it reached, does it let us in, has it connection records",
        params: { type: "object", required: ["name"], properties: { name } },
        response: answers(anything, 400, 404, 502),
      },
    },
    async (request) => {
      const { name: given } = request.params as { name: string };
      const source = await sources.get(given);
      if (!source) throw new HttpError(404, `there is no data source ${JSON.stringify(given)}`, "name");
      if (!isCluster(source)) return { path: source.path, readable: await roots.resolve(source.path).then(() => true) };
      try {
        return await testCluster(await sources.cluster(given));
      } catch (cause) {
        if (cause instanceof ClusterError) throw new HttpError(502, cause.message);
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
