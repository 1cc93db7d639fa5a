import { PassThrough, Readable } from "node:stream";
import { type Beacon, formatTime, parseTime } from "@heliograph/core";
import { connectionRows, findLogs } from "@heliograph/runtime";
import { API_COLUMNS, apiRow, csvRows, evidenceFrom, htmlReport, MOST_SHOWN, type Totals } from "@heliograph/runtime/report";
import { isCluster, PathError, type Run, type RunService, type StoredBeacon } from "@heliograph/runtime/runs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../context.js";
import { HttpError } from "../problem.js";
import { answers, anything, query, record, text } from "../schemas.js";
import { runOf } from "./results.js";

/** A run as the API shows it: where it looks by name, not by where that lies on the server. */
const shown = ({ source, ...run }: Run): object => ({ ...run, source: source.name });

const ofRun = { type: "object", required: ["id"], properties: { id: text("The run") } } as const;
const FINAL = new Set(["done", "failed", "cancelled"]);
const KEEP_ALIVE_MS = 15_000;
const POLL_MS = 1000;

/** A kept beacon as the searches give it. */
const beaconOf = ({ evidence, firstOccurrence, lastOccurrence, ...beacon }: StoredBeacon): Beacon => ({
  ...beacon,
  ...evidenceFrom(evidence),
  firstOccurrence: parseTime(firstOccurrence),
  lastOccurrence: parseTime(lastOccurrence),
});

async function page(run: Run, { runs }: RunService): Promise<string> {
  const beacons: Beacon[] = [];
  let count = 0;
  for await (const some of runs.beaconPages(run.id)) {
    count += some.length;
    if (beacons.length < MOST_SHOWN) beacons.push(...some.map(beaconOf));
  }
  return htmlReport([{ search: { name: run.search, parameters: run.parameters }, beacons, count }], run.summary as Totals);
}

async function* lines(run: Run, { runs }: RunService): AsyncGenerator<string> {
  for await (const some of runs.beaconPages(run.id)) yield some.map((beacon) => `${JSON.stringify(beacon)}\n`).join("");
}

async function exported(format: string, run: Run, manager: RunService): Promise<{ type: string; body: string | Readable }> {
  switch (format) {
    case "html":
      return { type: "text/html; charset=utf-8", body: await page(run, manager) };
    case "ndjson":
      return { type: "application/x-ndjson", body: Readable.from(lines(run, manager)) };
    default: {
      const rows = (await manager.runs.beacons(run.id)).map((beacon) => Object.values(apiRow(beacon)));
      return { type: "text/csv; charset=utf-8", body: await csvRows(API_COLUMNS, rows) };
    }
  }
}

/** What a table shows of a beacon. */
function listedBeacon({ evidence, ...beacon }: StoredBeacon): object {
  const {
    severity = null,
    summary = null,
    labels = [],
    medianMinutes,
    prevalence,
    modes,
    timeline,
    family,
  } = evidence as {
    readonly family?: { readonly id: number };
    readonly severity?: string;
    readonly summary?: string;
    readonly labels?: readonly string[];
    readonly medianMinutes: number;
    readonly prevalence: number;
    readonly modes?: readonly { readonly jitterPercent: number }[];
    readonly timeline?: { readonly counts: readonly number[] };
  };
  const jitterPercent = modes?.[0]?.jitterPercent ?? null;
  return {
    ...beacon,
    severity,
    summary,
    labels,
    intervalMinutes: medianMinutes,
    jitterPercent,
    prevalence,
    timeline: timeline?.counts ?? [],
    family: family?.id ?? null,
  };
}

/** The beacons of a run as a JSON list, a page at a time: there may be more than fit in memory with their evidence. */
async function* listedPieces(run: Run, { runs }: RunService): AsyncGenerator<string> {
  let separator = "[";
  for await (const some of runs.beaconPages(run.id)) {
    yield some
      .map((beacon) => {
        const piece = `${separator}${JSON.stringify(listedBeacon(beacon))}`;
        separator = ",";
        return piece;
      })
      .join("");
  }
  yield separator === "[" ? "[]" : "]";
}

/** Reads the connections of a beacon from the logs of its run. */
async function connectionsOf(run: Run, beacon: StoredBeacon, { roots, sources }: Context): Promise<readonly object[]> {
  const source = await sources.get(run.source.name);
  if (source && isCluster(source)) throw new HttpError(422, "the run's logs are in a cluster: ask it for the connections, under Query");
  const path = await roots.resolve(run.source.name).catch((cause: unknown) => {
    if (cause instanceof PathError) throw new HttpError(cause.reason === "outside" ? 403 : 422, cause.message);
    throw cause;
  });
  const { files } = await findLogs([path]);
  const [first, last] = [parseTime(beacon.firstOccurrence), parseTime(beacon.lastOccurrence)];
  const rows = await connectionRows(files, beacon, { start: first, end: last });
  return rows.map(({ micros, ...rest }) => ({ time: formatTime(micros), ...rest }));
}

/** Sends what happens to a run as server-sent events until it has ended. */
function streamEvents(run: Run, request: FastifyRequest, reply: FastifyReply, { manager, closing }: Context): FastifyReply {
  const stream = new PassThrough();
  const send = (event: string, data: object): void => void stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  let last = -1;
  const tell = async (): Promise<void> => {
    const current = await manager.runs.get(run.id);
    if (!current || FINAL.has(current.state)) {
      send("ended", current ? shown(current) : { id: run.id, state: "deleted" });
      stop();
    } else if (current.progress !== last) {
      last = current.progress;
      send("progress", { state: current.state, progress: current.progress });
    }
  };
  const quietly = (): void => void tell().catch(() => stop());
  const unlisten = manager.listen(run.id, (event) => {
    if (event.kind === "ended") return quietly();
    last = event.progress;
    send("progress", { state: "running", progress: event.progress, rows: event.rows, phase: event.phase });
  });
  // Another server may do the run: then the store tells.
  const poll = setInterval(quietly, POLL_MS);
  const alive = setInterval(() => void stream.write(": still here\n\n"), KEEP_ALIVE_MS);
  const stop = (): void => {
    unlisten();
    clearInterval(poll);
    clearInterval(alive);
    stream.end();
  };
  request.raw.once("close", stop);
  closing.addEventListener("abort", stop, { once: true });
  quietly();
  return reply.type("text/event-stream").header("cache-control", "no-store").header("x-accel-buffering", "no").send(stream);
}

/** Runs: how they stand, what they found, and how to end them. */
export function runRoutes(app: FastifyInstance, context: Context): void {
  const { manager } = context;
  const find = async (request: FastifyRequest): Promise<Run> => runOf((request.params as { id: string }).id, context, "id");
  app.get(
    "/runs",
    { schema: { tags: ["Runs"], summary: "All runs, the latest first", response: answers({ type: "array", items: { $ref: "Run#" } }) } },
    async () => (await manager.runs.list()).map(shown),
  );
  app.get(
    "/runs/:id",
    { schema: { tags: ["Runs"], summary: "How a run stands", params: ofRun, response: answers({ $ref: "Run#" }, 404) } },
    async (request) => shown(await find(request)),
  );
  app.get(
    "/runs/:id/events",
    { schema: { tags: ["Runs"], summary: "What happens to a run, as server-sent events", params: ofRun, produces: ["text/event-stream"] } },
    async (request, reply) => streamEvents(await find(request), request, reply, context),
  );
  app.post(
    "/runs/:id/cancel",
    {
      schema: {
        tags: ["Runs"],
        summary: "Cancel a run",
        params: ofRun,
        response: answers(record({ cancelled: { type: "boolean" } }), 404, 409),
      },
    },
    async (request) => {
      const run = await find(request);
      if (await manager.cancel(run.id)) return { cancelled: true };
      throw new HttpError(409, `the run ${run.id} is ${FINAL.has(run.state) ? `over (${run.state})` : "another server's"}`, "id");
    },
  );
  app.get(
    "/runs/:id/beacons",
    {
      schema: {
        tags: ["Runs"],
        summary: "The beacons of a run as a table shows them, hosts that are filtered left out",
        params: ofRun,
        response: answers({ type: "array", items: { type: "object", additionalProperties: true } }, 404),
      },
    },
    async (request, reply) => {
      const run = await find(request);
      return reply.type("application/json; charset=utf-8").send(Readable.from(listedPieces(run, manager)));
    },
  );
  app.get(
    "/runs/:id/beacons/:n/connections",
    {
      schema: {
        tags: ["Runs"],
        summary: "The connections of a beacon, read from the logs again",
        params: {
          type: "object",
          required: ["id", "n"],
          properties: { id: text("The run"), n: { type: "string", pattern: "^[1-9]\\d{0,8}$" } },
        },
        querystring: query([], {
          from: { type: "string", pattern: "^\\d{1,9}$", description: "Connections to skip" },
          size: { type: "string", pattern: "^\\d{1,4}$", description: "Connections at most (default: 1000)" },
        }),
        response: answers(anything, 400, 403, 404, 422),
      },
    },
    async (request) => {
      const run = await find(request);
      const { from = "0", size = "1000" } = request.query as { from?: string; size?: string };
      const beacon = await manager.runs.beacon(run.id, Number((request.params as { n: string }).n));
      if (!beacon) throw new HttpError(404, "the run has no such beacon", "n");
      const connections = await connectionsOf(run, beacon, context);
      return { total: connections.length, connections: connections.slice(Number(from), Number(from) + Number(size)) };
    },
  );
  app.get(
    "/runs/:id/beacons/:n",
    {
      schema: {
        tags: ["Runs"],
        summary: "One beacon with its evidence",
        params: {
          type: "object",
          required: ["id", "n"],
          properties: { id: text("The run"), n: { type: "string", pattern: "^[1-9]\\d{0,8}$" } },
        },
        response: answers(anything, 400, 404),
      },
    },
    async (request) => {
      const run = await find(request);
      const { n } = request.params as { n: string };
      const beacon = await manager.runs.beacon(run.id, Number(n));
      if (!beacon) throw new HttpError(404, `the run ${run.id} has no beacon ${n}`, "n");
      return beacon;
    },
  );
  app.get(
    "/runs/:id/export",
    {
      schema: {
        tags: ["Runs"],
        summary: "The potential beacons of a run as a file",
        params: ofRun,
        querystring: query([], { format: { type: "string", enum: ["csv", "ndjson", "html"], default: "csv", description: "How" } }),
      },
    },
    async (request, reply) => {
      const run = await find(request);
      const { format = "csv" } = request.query as { format?: string };
      if (run.summary === null) throw new HttpError(409, `the run ${run.id} is ${run.state}: there is nothing to export`, "id");
      const { type, body } = await exported(format, run, manager);
      return reply.type(type).header("content-disposition", `attachment; filename="beacons-${run.id}.${format}"`).send(body);
    },
  );
}
