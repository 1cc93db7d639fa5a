import { isAddress } from "@heliograph/core";
import { apiRow } from "@heliograph/runtime/report";
import type { Run } from "@heliograph/runtime/runs";
import type { FastifyInstance } from "fastify";
import type { Context } from "../context.js";
import { HttpError } from "../problem.js";
import { answers, list, query, record, text, time } from "../schemas.js";

const integer = { type: "integer" } as const;
const flag = { type: "boolean" } as const;
const deleted = record({ Deleted: flag, Message: text("What happened") });

/** The run of a beacon group; 404 when there is none. */
export async function runOf(id: string, { manager }: Context, parameter = "beacon_group"): Promise<Run> {
  const run = await manager.runs.get(id);
  if (!run) throw new HttpError(404, `there is no run ${JSON.stringify(id.slice(0, 100))}`, parameter);
  return run;
}

function groupRoutes(app: FastifyInstance, context: Context): void {
  const { runs } = context.manager;
  app.get(
    "/results/beacon_groups",
    {
      schema: {
        tags: ["Results"],
        summary: "The runs, the latest first",
        response: answers(
          list({ beacon_group: text("The run"), date: time("When it was asked for"), beacon_count: integer, log_file: text("Its log") }),
        ),
      },
    },
    async () =>
      (await runs.list()).map((run) => ({
        beacon_group: run.id,
        date: run.createdAt,
        beacon_count: run.beaconCount,
        log_file: run.logFile,
      })),
  );
  const byGroup = query(["beacon_group"], { beacon_group: text("The run") });
  app.get(
    "/results/beacon_results",
    {
      schema: {
        tags: ["Results"],
        summary: "The potential beacons of a run, without filtered hosts",
        querystring: byGroup,
        response: answers(
          list({
            ID: integer,
            "Source IP": text("Source"),
            "Destination IP": text("Destination"),
            Port: integer,
            Score: { type: "number" },
            DNS: text("Name of the destination; UNKNOWN: none"),
            "Connection Count": integer,
            "First Occurrence": time("First connection"),
            "Last Occurrence": time("Last connection"),
          }),
          400,
          404,
        ),
      },
    },
    async (request) => {
      const run = await runOf((request.query as { beacon_group: string }).beacon_group, context);
      return (await runs.beacons(run.id)).map(apiRow);
    },
  );
  app.delete(
    "/results/beacon_results",
    {
      schema: {
        tags: ["Results"],
        summary: "Delete a run with its results and its log",
        querystring: byGroup,
        response: answers(record({ Data: deleted, Log: deleted }), 400, 404, 409),
      },
    },
    async (request) => {
      const run = await runOf((request.query as { beacon_group: string }).beacon_group, context);
      const gone = await runs.delete(run.id);
      if (!gone) throw new HttpError(409, `the run ${run.id} is under way; cancel it first`, "beacon_group");
      return {
        Data: { Deleted: gone.data, Message: `the results of ${run.id} were deleted` },
        Log: { Deleted: gone.log, Message: gone.log ? `${run.logFile} was deleted` : `${run.logFile} had been deleted before` },
      };
    },
  );
  app.get(
    "/results/top_talkers",
    {
      schema: {
        tags: ["Results"],
        summary: "Who connects most: source, destination and port",
        querystring: byGroup,
        response: answers(
          list({
            ID: integer,
            "Source IP": text("Source"),
            "Destination IP": text("Destination"),
            Port: integer,
            "Total Number of Connections": integer,
          }),
          400,
          404,
        ),
      },
    },
    async (request) => {
      const run = await runOf((request.query as { beacon_group: string }).beacon_group, context);
      return (await runs.talkers(run.id)).map(({ n, source, destination, port, connectionCount }) => ({
        ID: n,
        "Source IP": source,
        "Destination IP": destination,
        Port: port,
        "Total Number of Connections": connectionCount,
      }));
    },
  );
}

function logRoutes(app: FastifyInstance, { manager: { runs } }: Context): void {
  const byFile = query(["log_file"], { log_file: text("Log of a run") });
  const unknown = (name: string): HttpError => new HttpError(404, `there is no log ${JSON.stringify(name.slice(0, 100))}`, "log_file");
  app.get(
    "/results/log_file",
    {
      schema: {
        tags: ["Results"],
        summary: "The log of a run",
        querystring: byFile,
        response: answers(record({ file_content: text("The log") }), 400, 404),
      },
    },
    async (request) => {
      const { log_file } = request.query as { log_file: string };
      const content = await runs.log(log_file);
      if (content === undefined) throw unknown(log_file);
      return { file_content: content };
    },
  );
  app.delete(
    "/results/log_file",
    { schema: { tags: ["Results"], summary: "Delete the log of a run", querystring: byFile, response: answers(deleted, 400, 404) } },
    async (request) => {
      const { log_file } = request.query as { log_file: string };
      if (!(await runs.deleteLog(log_file))) throw unknown(log_file);
      return { Deleted: true, Message: `${log_file} was deleted` };
    },
  );
}

function addressOf({ ip }: { ip?: string }): string {
  if (ip === undefined || ip === "") throw new HttpError(400, "ip is missing", "ip");
  if (!isAddress(ip)) throw new HttpError(400, `ip must be an address, got ${JSON.stringify(ip.slice(0, 60))}`, "ip");
  return ip.trim();
}

function hostRoutes(app: FastifyInstance, { hosts }: Context): void {
  const ip = query([], { ip: text("Address of the host"), description: text("Why") });
  app.get(
    "/results/filter_host",
    {
      schema: {
        tags: ["Results"],
        summary: "Hosts that are left out of all results",
        querystring: ip,
        response: answers(list({ IP: text("Address"), DNS: text("Name"), Description: text("Why"), Filtered_Date: time("Since") }), 400),
      },
    },
    async (request) => {
      const asked = request.query as { ip?: string };
      const wanted = asked.ip === undefined ? undefined : addressOf(asked);
      const all = await hosts.list();
      return all
        .filter((host) => wanted === undefined || host.ip === wanted)
        .map((host) => ({ IP: host.ip, DNS: host.dns, Description: host.description, Filtered_Date: host.filteredAt }));
    },
  );
  app.post(
    "/results/filter_host",
    {
      schema: {
        tags: ["Results"],
        summary: "Leave a host out of all results, past and future",
        querystring: ip,
        body: query([], { ip: text("Address of the host"), description: text("Why") }),
        response: answers(record({ Filtered: flag, Message: text("What happened") }), 400),
      },
    },
    async (request) => {
      const given = { ...(request.body as object | null), ...(request.query as object) } as { ip?: string; description?: string };
      const address = addressOf(given);
      const added = await hosts.add(address, given.description ?? "");
      return { Filtered: true, Message: added ? `${address} is left out of all results` : `${address} was left out before` };
    },
  );
  app.delete(
    "/results/filter_host",
    {
      schema: { tags: ["Results"], summary: "Let a host into results again", querystring: ip, response: answers(deleted, 400) },
    },
    async (request) => {
      const address = addressOf(request.query as { ip?: string });
      const removed = await hosts.remove(address);
      return { Deleted: removed, Message: removed ? `${address} is in the results again` : `${address} was not left out` };
    },
  );
}

/** Results of runs, their logs, and the hosts left out of them. */
export function resultRoutes(app: FastifyInstance, context: Context): void {
  groupRoutes(app, context);
  logRoutes(app, context);
  hostRoutes(app, context);
}
