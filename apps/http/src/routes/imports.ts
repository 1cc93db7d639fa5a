import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CoreError, isImportName } from "@heliograph/core";
import { findLogs, type LogFile } from "@heliograph/runtime";
import type { ImportOutcome } from "@heliograph/runtime/logs";
import { PathError } from "@heliograph/runtime/runs";
import type { FastifyInstance } from "fastify";
import type { Context } from "../context.js";
import { HttpError } from "../problem.js";
import { answers, anything, list, query, record, text } from "../schemas.js";

/** Bytes of an upload, at most. */
const MOST_UPLOADED = 2 ** 31;
/** Imports that are remembered. */
const MOST_KEPT = 200;
const NAMES = { test: isImportName, what: "conn, dns, ssl or http logs and no JSON records" };

interface ImportJob {
  readonly id: string;
  readonly paths: readonly string[];
  state: "running" | "done" | "failed";
  readonly files: ImportOutcome[];
  error?: string;
}

/** Imports of logs: files inside the folders that the server may read, and uploads. */
export function importRoutes(app: FastifyInstance, { logs, roots, config, closing }: Context): void {
  const jobs = new Map<string, ImportJob>();
  const internal = config.filter?.internal_networks;
  const outcome = {
    name: text("File"),
    rows: { ...anything, description: "Rows imported, by index" },
    isKnown: { type: "boolean", description: "The same content was imported before: nothing was done" },
    malformedRows: { type: "integer" },
    invalidValues: { type: "integer", description: "Values that do not fit their fields: kept in the documents, not searched" },
    otherRows: { type: "integer", description: "Rows of logs that no index keeps" },
    problems: { type: "array", items: { type: "object", additionalProperties: true }, description: "The first few, with their lines" },
    failure: text("Why nothing of it, or not all, could be read"),
  };
  const job = {
    id: text("Id of the import"),
    paths: { type: "array", items: { type: "string" } },
    state: { type: "string", enum: ["running", "done", "failed"] },
    files: { type: "array", items: { type: "object", properties: outcome } },
    error: text("Why it failed"),
  };

  /** @param shown the name of a file as the request knows it: where the server's folders lie is nobody's business */
  const run = async (one: ImportJob, files: readonly LogFile[], shown: (path: string) => string): Promise<void> => {
    try {
      for (const file of files) {
        const done = await logs.importFile(file, { internal, signal: closing });
        const name = shown(file.name);
        one.files.push({ ...done, name, failure: done.failure?.replaceAll(file.name, name) });
      }
      one.state = "done";
    } catch (cause) {
      one.state = "failed";
      one.error = cause instanceof CoreError ? cause.message : "the import was interrupted";
    }
  };

  app.post(
    "/imports",
    {
      schema: {
        tags: ["Imports"],
        summary: "Import logs into the store, to query them",
        body: {
          type: "object",
          additionalProperties: false,
          required: ["paths"],
          properties: {
            paths: {
              type: "array",
              minItems: 1,
              maxItems: 1000,
              items: { type: "string" },
              description: "Files and folders as log_dir names them: /NAME of a folder that the server may read, or a path below one",
            },
          },
        },
        response: answers(record(job), 400, 403, 422),
      },
    },
    async (request) => {
      const { paths } = request.body as { paths: string[] };
      const resolved: string[] = [];
      try {
        for (const path of paths) resolved.push(await roots.resolve(path));
      } catch (cause) {
        if (cause instanceof PathError) throw new HttpError(cause.reason === "outside" ? 403 : 422, `paths: ${cause.message}`, "paths");
        throw cause;
      }
      const found = await findLogs(resolved, { names: NAMES });
      const [problem] = found.problems;
      if (found.files.length === 0 && problem) throw new HttpError(422, `paths: ${basename(problem.name)}: ${problem.reason}`, "paths");
      if ([...jobs.values()].filter(({ state }) => state === "running").length >= 20)
        throw new HttpError(429, "too many imports are under way");
      const one: ImportJob = { id: randomUUID(), paths, state: "running", files: [] };
      jobs.set(one.id, one);
      const [oldest] = jobs.keys();
      if (jobs.size > MOST_KEPT && oldest !== undefined) jobs.delete(oldest);
      void run(one, found.files, (path) => {
        const place = resolved.findIndex((root) => path === root || path.startsWith(`${root}/`));
        return place === -1 ? basename(path) : `${paths[place]?.replace(/\/$/, "") ?? ""}${path.slice(resolved[place]?.length ?? 0)}`;
      });
      return one;
    },
  );
  app.get(
    "/imports",
    { schema: { tags: ["Imports"], summary: "Imports since the server started", response: answers(list(job)) } },
    async () => [...jobs.values()],
  );
  app.get(
    "/import",
    {
      schema: {
        tags: ["Imports"],
        summary: "One import",
        querystring: query(["id"], { id: text("Id of the import") }),
        response: answers(record(job), 400, 404),
      },
    },
    async (request) => {
      const { id } = request.query as { id: string };
      const one = jobs.get(id);
      if (!one) throw new HttpError(404, `there is no import ${JSON.stringify(id.slice(0, 60))}`, "id");
      return one;
    },
  );
  app.register(async (upload) => {
    upload.removeAllContentTypeParsers();
    upload.addContentTypeParser("*", { bodyLimit: MOST_UPLOADED }, (_request, payload, done) => done(null, payload));
    upload.setValidatorCompiler(() => () => true);
    upload.post(
      "/imports/upload",
      {
        schema: {
          tags: ["Imports"],
          summary: "Import a log that is sent as the body",
          querystring: query(["name"], { name: text("Name of the file, such as conn.log.gz: it helps to tell the log type") }),
          response: answers(record(outcome), 400, 413),
        },
      },
      async (request) => {
        const { name } = request.query as { name?: string };
        if (name === undefined || !/^[\w.:+-]{1,200}$/.test(name) || name.startsWith("."))
          throw new HttpError(400, "name must be the name of a file: letters, digits and . : + _ - only", "name");
        const body = request.body as Readable | undefined;
        if (!body || typeof body.pipe !== "function") throw new HttpError(400, "the body is empty: send the log");
        const folder = join(logs.folder, "uploads", randomUUID());
        await mkdir(folder, { recursive: true, mode: 0o700 });
        try {
          const path = join(folder, name);
          let length = 0;
          await pipeline(
            body,
            async function* (chunks: AsyncIterable<Buffer>) {
              for await (const chunk of chunks) {
                length += chunk.length;
                if (length > MOST_UPLOADED) throw new HttpError(413, `an upload may have ${MOST_UPLOADED} bytes at most`);
                yield chunk;
              }
            },
            createWriteStream(path, { mode: 0o600 }),
          );
          const { size } = await stat(path);
          const done = await logs.importFile({ name, path, size, stream: false }, { internal, signal: closing });
          return { ...done, failure: done.failure?.replaceAll(folder, "") };
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    );
  });
}
