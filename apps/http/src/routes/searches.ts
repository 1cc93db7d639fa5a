import {
  type ConnectionFilter,
  CoreError,
  checkFilter,
  type Detector,
  parseBounds,
  planFilter,
  planSearch,
  type Search,
} from "@heliograph/core";
import { withAllowLists } from "@heliograph/runtime";
import { isCluster, PathError, type Run, TooManyRuns } from "@heliograph/runtime/runs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../context.js";
import { HttpError } from "../problem.js";
import { answers, query, record, SEARCH_PATHS, searchBody, text } from "../schemas.js";

interface SearchBody {
  readonly log_type?: string;
  readonly log_dir?: string;
  readonly data_source?: string;
  readonly start_dte?: string;
  readonly end_dte?: string;
  readonly zip?: boolean;
  readonly filter?: object;
  readonly verbose?: boolean;
  readonly [parameter: string]: unknown;
}

/** Runs what may be a caller's mistake; a parameter that is wrong is a 400 that names it. */
function asked<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof CoreError && cause.code === "bad-parameter") throw new HttpError(400, cause.message, cause.column);
    throw cause;
  }
}

function searchOf({ name, parameters }: Detector, body: SearchBody, { config }: Context): Search {
  const names = parameters.map(({ name: own, aliases = [] }) => [own, ...aliases]);
  const given = Object.entries(body).filter(([key]) => names.some((known) => known.includes(key)));
  const overruled = new Set(names.filter((known) => known.some((key) => key in body)).flat());
  const configured = Object.entries(config.searches?.[name] ?? {}).filter(([key]) => !overruled.has(key));
  return asked(() => planSearch(name, Object.fromEntries([...configured, ...given])));
}

/** Where a search looks. */
interface Place {
  readonly name: string;
  /** Undefined: a cluster, which is called as the source is. */
  readonly path: string | undefined;
  readonly filter: ConnectionFilter;
}

/** Where a search looks: a folder of the server's, or a saved data source with its filter. */
async function placeOf(body: SearchBody, { roots, sources }: Context): Promise<Place> {
  const { log_dir, data_source } = body;
  if (log_dir !== undefined && data_source !== undefined)
    throw new HttpError(400, "log_dir and data_source name two places; give one", "data_source");
  const source = data_source === undefined ? undefined : await sources.get(data_source);
  if (data_source !== undefined && !source)
    throw new HttpError(404, `there is no data source ${JSON.stringify(data_source)}`, "data_source");
  if (source && isCluster(source)) return { name: source.name, path: undefined, filter: source.filter };
  const named = source?.path ?? log_dir;
  if (named === undefined || named === "") throw new HttpError(400, "log_dir is missing: name the logs to search", "log_dir");
  try {
    return { name: named, path: await roots.resolve(named), filter: source?.filter ?? {} };
  } catch (cause) {
    if (!(cause instanceof PathError)) throw cause;
    throw new HttpError(cause.reason === "outside" ? 403 : 422, `log_dir: ${cause.message}`, "log_dir");
  }
}

/** The filter of a request. @throws CoreError `bad-parameter` */
function checkedFilter(given: object = {}): ConnectionFilter {
  const filter = checkFilter(given);
  planFilter(filter);
  return filter;
}

/** The server's filter with a data source's on top. */
async function filterOf(own: ConnectionFilter, { config }: Context): Promise<ConnectionFilter> {
  return withAllowLists(checkFilter({ ...config.filter, ...own }), config.allow_lists ?? []);
}

function wantsAsync(request: FastifyRequest): boolean {
  const { async: flag } = request.query as { async?: string };
  const prefer = request.headers["prefer"];
  return (
    flag === "true" ||
    String(prefer ?? "")
      .split(",")
      .some((part) => part.trim().toLowerCase() === "respond-async")
  );
}

const groupOf = (run: Run): object => ({ beacon_group: run.id, cnt: run.beaconCount, log_file: run.logFile });

async function answerRun(run: Run, request: FastifyRequest, reply: FastifyReply, { manager }: Context): Promise<unknown> {
  if (wantsAsync(request)) {
    return reply
      .code(202)
      .header("location", `/api/runs/${run.id}`)
      .header("preference-applied", "respond-async")
      .send({ ...groupOf(run), state: run.state });
  }
  const end = await manager.ended(run.id);
  const ended = end?.run ?? (await manager.runs.get(run.id)) ?? run;
  if (ended.state === "done") return groupOf(ended);
  if (ended.state === "cancelled") throw new HttpError(409, `the run ${run.id} was cancelled`);
  if (end?.unreadable) throw new HttpError(422, `${ended.error ?? "the logs cannot be read"} (${run.logFile})`, "log_dir");
  const late = ended.error?.startsWith("took longer");
  throw new HttpError(late ? 504 : 500, `the run ${run.id} failed: ${ended.error ?? "no reason is known"} (${run.logFile})`);
}

/** Starts searches. */
export function searchRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    "/searches",
    {
      schema: {
        tags: ["Searches"],
        summary: "The searches and their parameters",
        response: answers({ type: "array", items: { type: "object", additionalProperties: true } }),
      },
    },
    async () =>
      SEARCH_PATHS.map(([path, { name, title, description, parameters }]) => ({
        name,
        path,
        title,
        description,
        // What the server's configuration says goes before the search's own defaults.
        parameters: parameters.map((spec) => ({ ...spec, default: context.config.searches?.[name]?.[spec.name] ?? spec.default })),
      })),
  );
  for (const [path, detector] of SEARCH_PATHS) {
    app.post(
      `/searches/${path}`,
      {
        schema: {
          tags: ["Searches"],
          summary: detector.title,
          description: `${detector.description} Answers when the search has ended; with ?async=true or \`Prefer: respond-async\` at once, with 202 and the run's place.`,
          body: searchBody(detector),
          querystring: query([], { async: { type: "string", enum: ["true", "false"], description: "Answer at once" } }),
          response: {
            ...answers(
              record({
                beacon_group: text("The run and its results"),
                cnt: { type: "integer", description: "Potential beacons" },
                log_file: text("Log of the run"),
              }),
              400,
              403,
              404,
              409,
              413,
              422,
              503,
              504,
            ),
            202: record({
              beacon_group: text("The run"),
              cnt: { type: "integer" },
              log_file: text("Log of the run"),
              state: text("Its state"),
            }),
          },
        },
      },
      async (request, reply) => {
        const body = (request.body ?? {}) as SearchBody;
        const search = searchOf(detector, body, context);
        const bounds = asked(() => parseBounds(body.start_dte, body.end_dte));
        const { name, path: folder, filter } = await placeOf(body, context);
        const order = {
          search,
          paths: folder === undefined ? [] : [folder],
          ...(folder === undefined && { cluster: name }),
          bounds,
          filter: await filterOf({ ...filter, ...asked(() => checkedFilter(body.filter)) }, context),
          names: context.config.names ?? false,
          archives: body.zip ?? false,
          verbose: body.verbose ?? false,
          ...(context.config.threads !== undefined && { threads: context.config.threads }),
        };
        try {
          const run = await context.manager.submit(order, { name, paths: order.paths });
          return await answerRun(run, request, reply, context);
        } catch (cause) {
          if (cause instanceof TooManyRuns) throw new HttpError(503, cause.message);
          throw cause;
        }
      },
    );
  }
}
