import { randomUUID } from "node:crypto";
import { type ExactValue, filterSource, parseExact, QueryError, writeJson } from "@heliograph/core/query";
import { LogRefusal, type SearchOrder } from "@heliograph/runtime/logs";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../context.js";
import { bodyText, readTextBodies } from "./bodies.js";
import { milliseconds, type SearchContext, SearchContexts } from "./contexts.js";
import { checkParameters, isSet, one, searchBody, sourceFilter, type UrlParameters } from "./search-parameters.js";

/** What clients ask for: the version whose shapes the answers have. */
const VERSION = "8.15.0";
const NODE = "heliograph";

type Plain = Record<string, ExactValue>;

const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);
const indexOf = (request: FastifyRequest): string => (request.params as { index?: string }).index ?? "";
const parametersOf = (request: FastifyRequest): UrlParameters => request.query as UrlParameters;
const pathOf = (request: FastifyRequest): string => (request.url.split("?")[0] ?? "").replace(/^\/es/, "");

/** A body that has to be an object. */
function objectBody(text: string): Plain {
  if (text.trim() === "") return {};
  const value = parseExact(text);
  if (!isObject(value)) throw new QueryError("parse_exception", "request body must be an object");
  return value;
}

/** Aborted when the client is gone. */
function goneSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.on("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  if (request.raw.destroyed && !request.raw.complete) gone.abort();
  return gone.signal;
}

/** Sends JSON, in the vendor's type when it was asked for, less what `filter_path` leaves out. */
function send(request: FastifyRequest, reply: FastifyReply, json: string, status = 200): FastifyReply {
  const accepted = String(request.headers.accept ?? "");
  const vendor = /application\/vnd\.elasticsearch\+json;\s*compatible-with=\d+/.exec(accepted)?.[0];
  const filter = one(parametersOf(request)["filter_path"]);
  let text = json;
  if (filter !== undefined && filter !== "") {
    const parts = filter.split(",").map((part) => part.trim());
    const excludes = parts.filter((part) => part.startsWith("-")).map((part) => part.slice(1));
    text = writeJson(filterSource(parseExact(json), { enabled: true, includes: parts.filter((part) => !part.startsWith("-")), excludes }));
  }
  // As bytes, and through Node: a vendor's type must be the very one that was asked for.
  void reply.code(status);
  if (vendor === undefined) return reply.type("application/json").send(text);
  reply.raw.setHeader("content-type", vendor);
  return reply.send(Buffer.from(text));
}

const sendValue = (request: FastifyRequest, reply: FastifyReply, value: unknown, status = 200): FastifyReply =>
  send(request, reply, writeJson(value), status);

/** What went wrong, in Elasticsearch's shape, without anything of the inside. */
function answerFailure(cause: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (cause instanceof QueryError) return sendFailure(reply, cause.status, cause.response());
  if (cause instanceof LogRefusal) return sendFailure(reply, cause.status, cause.response);
  const status = (cause as { statusCode?: number }).statusCode ?? 500;
  if (status < 500) {
    const reason = cause instanceof Error ? cause.message : "the request is wrong";
    return sendFailure(reply, status, new QueryError("illegal_argument_exception", reason, { status }).response());
  }
  request.log.error({ err: cause }, "request failed");
  return sendFailure(
    reply,
    500,
    new QueryError("exception", "something went wrong here; the server's log has more under the request's id", { status: 500 }).response(),
  );
}

const sendFailure = (reply: FastifyReply, status: number, body: unknown): FastifyReply =>
  reply
    .code(status === 499 ? 400 : status)
    .type("application/json")
    .send(writeJson(body));

/** An Elasticsearch-compatible API over the log store. */
export async function esRoutes(app: FastifyInstance, { logs, version }: Context): Promise<void> {
  const contexts = new SearchContexts();
  readTextBodies(app);
  app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply));
  app.addHook("onRequest", async (_request, reply) => {
    void reply.header("x-elastic-product", "Elasticsearch");
  });
  const hidden = { schema: { hide: true } } as const;
  const route = (
    methods: string | readonly string[],
    paths: string | readonly string[],
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ): void => {
    for (const url of typeof paths === "string" ? [paths] : paths)
      app.route({ method: [...(typeof methods === "string" ? [methods] : methods)], url, ...hidden, handler });
  };

  const orderOf = (request: FastifyRequest, indexes: string, body: string, more: Partial<SearchOrder> = {}): SearchOrder => {
    const parameters = parametersOf(request);
    return {
      indexes,
      body,
      now: Date.now(),
      ...(isSet(parameters, "rest_total_hits_as_int") && { totalAsInteger: true }),
      ...(isSet(parameters, "typed_keys") && { typedKeys: true }),
      ...(isSet(parameters, "ignore_unavailable") && { ignoreMissing: true }),
      ...more,
    };
  };

  route("GET", "/", async (request, reply) =>
    sendValue(request, reply, {
      name: NODE,
      cluster_name: NODE,
      cluster_uuid: "heliograph",
      version: {
        number: VERSION,
        build_flavor: "default",
        build_type: "heliograph",
        build_hash: version,
        build_date: "2024-01-01T00:00:00.000000000Z",
        build_snapshot: false,
        lucene_version: "9.11.1",
        minimum_wire_compatibility_version: "7.17.0",
        minimum_index_compatibility_version: "7.0.0",
      },
      tagline: "You Know, for Search",
    }),
  );

  // Indexes.
  route("PUT", "/:index", async (request, reply) => {
    const body = objectBody(bodyText(request));
    for (const key of Object.keys(body))
      if (!["mappings", "settings", "aliases"].includes(key))
        throw new QueryError("parse_exception", `unknown key [${key.slice(0, 100)}] for create index`);
    const { mappings = {}, settings = {}, aliases = {} } = body;
    if (isObject(aliases) && Object.keys(aliases).length > 0)
      throw new QueryError("illegal_argument_exception", "aliases of indexes are not supported here");
    await logs.call("createIndex", indexOf(request), mappings, settings);
    return sendValue(request, reply, { acknowledged: true, shards_acknowledged: true, index: indexOf(request) });
  });
  route("DELETE", "/:index", async (request, reply) => {
    if (/^(?:_all|\*)?$/.test(indexOf(request)))
      throw new QueryError("illegal_argument_exception", "Wildcard expressions or all indices are not allowed");
    await logs.call("deleteIndexes", indexOf(request), isSet(parametersOf(request), "ignore_unavailable"));
    return sendValue(request, reply, { acknowledged: true });
  });
  app.route({
    method: ["HEAD"],
    url: "/:index",
    ...hidden,
    handler: async (request, reply) => {
      try {
        const found = await logs.call("resolve", indexOf(request));
        return reply.code(found.length > 0 ? 200 : 404).send();
      } catch (cause) {
        if (cause instanceof LogRefusal && cause.status === 404) return reply.code(404).send();
        throw cause;
      }
    },
  });
  const settingsOf = (name: string, settings: Plain): unknown => {
    const { index, created_at: created, ...rest } = settings;
    const merged = { ...rest, ...(isObject(index) ? index : {}) };
    return {
      index: {
        number_of_shards: "1",
        number_of_replicas: "0",
        uuid: name,
        provided_name: name,
        creation_date: String(Date.parse(String(created)) || 0),
        version: { created: "8512000" },
        ...Object.fromEntries(
          Object.entries(merged).map(([key, value]) => [key.replace(/^index\./, ""), isObject(value) ? value : String(value)]),
        ),
      },
    };
  };
  app.route({
    method: ["GET"],
    url: "/:index",
    exposeHeadRoute: false,
    ...hidden,
    handler: async (request, reply) => {
      const mappings = await logs.call("mappings", indexOf(request));
      const settings = await logs.call("settings", indexOf(request));
      return sendValue(
        request,
        reply,
        Object.fromEntries(
          Object.entries(mappings).map(([name, mapping]) => [
            name,
            { aliases: {}, mappings: mapping, settings: settingsOf(name, settings[name] as Plain) },
          ]),
        ),
      );
    },
  });
  route("GET", ["/_mapping", "/_mappings", "/:index/_mapping", "/:index/_mappings"], async (request, reply) => {
    const mappings = await logs.call("mappings", indexOf(request));
    return sendValue(request, reply, Object.fromEntries(Object.entries(mappings).map(([name, mapping]) => [name, { mappings: mapping }])));
  });
  route(["PUT", "POST"], ["/:index/_mapping", "/:index/_mappings"], async (request, reply) => {
    await logs.call("putMapping", indexOf(request), objectBody(bodyText(request)));
    return sendValue(request, reply, { acknowledged: true });
  });
  route("GET", ["/_settings", "/:index/_settings"], async (request, reply) => {
    const settings = await logs.call("settings", indexOf(request));
    return sendValue(
      request,
      reply,
      Object.fromEntries(Object.entries(settings).map(([name, one]) => [name, { settings: settingsOf(name, one as Plain) }])),
    );
  });
  route("PUT", ["/_settings", "/:index/_settings"], async (request, reply) => {
    objectBody(bodyText(request));
    await logs.call("resolve", indexOf(request));
    return sendValue(request, reply, { acknowledged: true });
  });
  route(["GET", "POST"], ["/_field_caps", "/:index/_field_caps"], async (request, reply) => {
    const body = objectBody(bodyText(request));
    const given = body["fields"] ?? one(parametersOf(request)["fields"]) ?? "*";
    const patterns = Array.isArray(given) ? given.map(String) : String(given).split(",");
    return sendValue(request, reply, await logs.call("fieldCaps", indexOf(request), patterns));
  });
  route(["GET", "POST"], ["/_refresh", "/:index/_refresh"], async (request, reply) => {
    const names = await logs.call("resolve", indexOf(request));
    // What was answered to be kept is found by the next search: there is nothing to wait for.
    return sendValue(request, reply, { _shards: { total: names.length, successful: names.length, failed: 0 } });
  });
  route(["GET", "POST"], ["/_flush", "/:index/_flush", "/_forcemerge", "/:index/_forcemerge"], async (request, reply) => {
    const names = await logs.call("resolve", indexOf(request));
    await logs.call("flush", indexOf(request));
    if (request.url.includes("_forcemerge")) await logs.call("compact");
    return sendValue(request, reply, { _shards: { total: names.length, successful: names.length, failed: 0 } });
  });

  // Documents.
  route(["POST", "PUT"], ["/_bulk", "/:index/_bulk"], async (request, reply) => {
    const started = performance.now();
    const { errors, items } = await logs.call("bulk", bodyText(request), indexOf(request) || undefined);
    return sendValue(request, reply, { took: Math.round(performance.now() - started), errors, items });
  });
  const write = async (request: FastifyRequest, reply: FastifyReply, action: "index" | "create" | "delete"): Promise<FastifyReply> => {
    const { id } = request.params as { id?: string };
    const asked = one(parametersOf(request)["op_type"]);
    const source = bodyText(request);
    if (action !== "delete" && source.trim() === "") throw new QueryError("parse_exception", "request body is required");
    const { status, ...result } = await logs.call("document", asked === "create" ? "create" : action, indexOf(request), id, source);
    return sendValue(request, reply, result, Number(status));
  };
  route("POST", "/:index/_doc", (request, reply) => write(request, reply, "index"));
  route(["PUT", "POST"], "/:index/_doc/:id", (request, reply) => write(request, reply, "index"));
  route(["PUT", "POST"], "/:index/_create/:id", (request, reply) => write(request, reply, "create"));
  route("DELETE", "/:index/_doc/:id", (request, reply) => write(request, reply, "delete"));
  route(["POST", "PUT"], "/:index/_update/:id", async () => {
    throw new QueryError("illegal_argument_exception", "[update] is not supported here: send the whole document with [index]");
  });
  const found = async (request: FastifyRequest, reply: FastifyReply, index: string, id: string): Promise<Plain | undefined> => {
    const source = sourceFilter(parametersOf(request));
    const body = writeJson({
      query: { ids: { values: [id] } },
      size: 1,
      version: true,
      seq_no_primary_term: true,
      ...(source !== undefined && { _source: source }),
    });
    const answer = parseExact(await logs.search(orderOf(request, index, body), { signal: goneSignal(request, reply) })) as {
      hits: { hits: Plain[] };
    };
    return answer.hits.hits[0];
  };
  const documentOf = (index: string, id: string, hit: Plain | undefined): Plain => {
    if (!hit) return { _index: index, _id: id, found: false };
    const { _score: _, ...rest } = hit;
    return { ...rest, found: true };
  };
  route("GET", "/:index/_doc/:id", async (request, reply) => {
    const { id = "" } = request.params as { id?: string };
    const hit = await found(request, reply, indexOf(request), id);
    return sendValue(request, reply, documentOf(indexOf(request), id, hit), hit ? 200 : 404);
  });
  route("GET", "/:index/_source/:id", async (request, reply) => {
    const { id = "" } = request.params as { id?: string };
    const hit = await found(request, reply, indexOf(request), id);
    if (!hit)
      throw new QueryError("resource_not_found_exception", `Document not found [${indexOf(request)}]/[${id.slice(0, 100)}]`, {
        status: 404,
      });
    return sendValue(request, reply, hit["_source"]);
  });
  route(["GET", "POST"], ["/_mget", "/:index/_mget"], async (request, reply) => {
    const body = objectBody(bodyText(request));
    const wanted = Array.isArray(body["docs"])
      ? body["docs"]
      : Array.isArray(body["ids"])
        ? body["ids"].map((id) => ({ _id: id }))
        : undefined;
    if (!wanted || wanted.length === 0)
      throw new QueryError("action_request_validation_exception", "Validation Failed: 1: no documents to get;");
    const docs = [];
    for (const one of wanted as readonly ExactValue[]) {
      const index = isObject(one) && typeof one["_index"] === "string" ? one["_index"] : indexOf(request);
      const id = isObject(one) ? String(one["_id"]) : "";
      docs.push(documentOf(index, id, await found(request, reply, index, id)));
    }
    return sendValue(request, reply, { docs });
  });

  // Searches.
  const scrollBody = (body: Plain): { body: Record<string, unknown>; showsSort: boolean } => {
    const sort = body["sort"];
    const keys = sort === undefined || sort === null ? [] : Array.isArray(sort) ? sort : [sort];
    return { body: { ...body, sort: [...keys, { _doc: "asc" }] }, showsSort: keys.length > 0 };
  };
  const scrollPage = async (request: FastifyRequest, reply: FastifyReply, id: string, context: SearchContext): Promise<FastifyReply> => {
    const { scroll, pinned } = context;
    if (!scroll) throw new QueryError("illegal_argument_exception", "the id is one of a point in time, not of a scroll");
    const body = writeJson({ ...scroll.body, ...(scroll.after !== undefined && { search_after: scroll.after }) });
    const order = orderOf(request, "*", body, { pinned, totalAsInteger: scroll.totalAsInteger });
    const answer = parseExact(await logs.search(order, { signal: goneSignal(request, reply) })) as Plain & { hits: { hits: Plain[] } };
    const { hits } = answer.hits;
    const last = hits.at(-1)?.["sort"];
    if (last !== undefined) scroll.after = last;
    const shown = hits.map((hit) => {
      const { sort, ...rest } = hit;
      return scroll.showsSort && Array.isArray(sort) ? { ...rest, sort: sort.slice(0, -1) } : rest;
    });
    return sendValue(request, reply, { _scroll_id: id, ...answer, hits: { ...answer.hits, hits: shown } });
  };
  route(["GET", "POST"], ["/_search", "/:index/_search"], async (request, reply) => {
    const parameters = parametersOf(request);
    checkParameters(pathOf(request), parameters);
    const body = searchBody(bodyText(request), parameters);
    const scroll = one(parameters["scroll"]);
    if (scroll !== undefined) {
      const keep = milliseconds(scroll, "scroll");
      const object = objectBody(body);
      if (object["from"] !== undefined && Number(object["from"]) > 0)
        throw new QueryError(
          "action_request_validation_exception",
          "Validation Failed: 1: using [from] is not allowed in a scroll context;",
        );
      if (object["size"] !== undefined && Number(object["size"]) === 0)
        throw new QueryError("action_request_validation_exception", "Validation Failed: 1: [size] cannot be [0] in a scroll context;");
      const invalid = (reason: string): QueryError =>
        new QueryError("action_request_validation_exception", `Validation Failed: 1: ${reason};`);
      if (object["collapse"] !== undefined) throw new QueryError("illegal_argument_exception", "cannot use `collapse` in a scroll context");
      if (object["search_after"] !== undefined)
        throw new QueryError("illegal_argument_exception", "`search_after` cannot be used in a scroll context.");
      if (object["track_total_hits"] === false) throw invalid("disabling [track_total_hits] is not allowed in a scroll context");
      const pinned = await logs.call("pin", indexOf(request));
      const context: SearchContext = {
        pinned,
        scroll: { ...scrollBody(object), after: undefined, totalAsInteger: isSet(parameters, "rest_total_hits_as_int") },
      };
      const id = contexts.open(context, keep);
      try {
        return await scrollPage(request, reply, id, context);
      } catch (cause) {
        contexts.close([id]);
        throw cause;
      }
    }
    const pinned = pointInTime(body, contexts, indexOf(request));
    const json = await logs.search(orderOf(request, indexOf(request), body, pinned ? { pinned: pinned.pinned } : {}), {
      signal: goneSignal(request, reply),
    });
    return send(request, reply, pinned ? `{"pit_id":${JSON.stringify(pinned.id)},${json.slice(1)}` : json);
  });
  route(["GET", "POST"], ["/_count", "/:index/_count"], async (request, reply) => {
    checkParameters(pathOf(request), parametersOf(request));
    const body = objectBody(searchBody(bodyText(request), parametersOf(request)));
    for (const key of Object.keys(body))
      if (key !== "query") throw new QueryError("parsing_exception", `request does not support [${key.slice(0, 100)}]`);
    const answer = parseExact(
      await logs.search(orderOf(request, indexOf(request), writeJson({ ...body, size: 0 }), { totalAsInteger: true }), {
        signal: goneSignal(request, reply),
      }),
    ) as { hits: { total: number }; _shards: unknown };
    return sendValue(request, reply, { count: answer.hits.total, _shards: answer._shards });
  });
  route(["GET", "POST"], ["/_msearch", "/:index/_msearch"], async (request, reply) => {
    const started = performance.now();
    const lines = bodyText(request).split("\n");
    if (lines.at(-1)?.trim() === "") lines.pop();
    if (lines.length === 0) throw new QueryError("parse_exception", "request body is required");
    if (lines.length % 2 !== 0)
      throw new QueryError("illegal_argument_exception", "The msearch request must be terminated by a newline [\\n]");
    const signal = goneSignal(request, reply);
    const responses: string[] = [];
    for (let at = 0; at < lines.length; at += 2) {
      try {
        const head = objectBody(lines[at] ?? "");
        const given = head["index"] ?? indexOf(request);
        const indexes = Array.isArray(given) ? given.join(",") : String(given);
        const json = await logs.search(
          orderOf(request, indexes, lines[at + 1] ?? "{}", head["ignore_unavailable"] === true ? { ignoreMissing: true } : {}),
          { signal },
        );
        responses.push(`${json.slice(0, -1)},"status":200}`);
      } catch (cause) {
        if (cause instanceof LogRefusal) responses.push(writeJson(cause.response));
        else if (cause instanceof QueryError) responses.push(writeJson(cause.response()));
        else throw cause;
      }
    }
    return send(request, reply, `{"took":${Math.round(performance.now() - started)},"responses":[${responses.join(",")}]}`);
  });
  route(["GET", "POST"], ["/_search/scroll", "/_search/scroll/:scrollId"], async (request, reply) => {
    const body = objectBody(bodyText(request));
    const id = String(
      body["scroll_id"] ?? one(parametersOf(request)["scroll_id"]) ?? (request.params as { scrollId?: string }).scrollId ?? "",
    );
    if (id === "") throw new QueryError("action_request_validation_exception", "Validation Failed: 1: scrollId is missing;");
    const keep = body["scroll"] ?? one(parametersOf(request)["scroll"]);
    return scrollPage(request, reply, id, contexts.get(id, keep === undefined ? undefined : milliseconds(String(keep), "scroll")));
  });
  route("DELETE", ["/_search/scroll", "/_search/scroll/:scrollId"], async (request, reply) => {
    const given = objectBody(bodyText(request))["scroll_id"] ?? (request.params as { scrollId?: string }).scrollId;
    const ids = Array.isArray(given) ? given.map(String) : String(given ?? "").split(",");
    const freed = ids.includes("_all") ? contexts.closeAll() : contexts.close(ids);
    return sendValue(request, reply, { succeeded: true, num_freed: freed }, freed > 0 ? 200 : 404);
  });
  route("POST", "/:index/_pit", async (request, reply) => {
    const keep = one(parametersOf(request)["keep_alive"]);
    if (keep === undefined)
      throw new QueryError("action_request_validation_exception", "Validation Failed: 1: [keep_alive] is not specified;");
    const pinned = await logs.call("pin", indexOf(request));
    return sendValue(request, reply, {
      id: contexts.open({ pinned }, milliseconds(keep, "keep_alive")),
      _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
    });
  });
  // The other product's name for it.
  route("POST", "/:index/_search/point_in_time", async (request, reply) => {
    const pinned = await logs.call("pin", indexOf(request));
    const keep = one(parametersOf(request)["keep_alive"]) ?? "1m";
    return sendValue(request, reply, {
      pit_id: contexts.open({ pinned }, milliseconds(keep, "keep_alive")),
      creation_time: Date.now(),
      _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
    });
  });
  route("DELETE", ["/_pit", "/_search/point_in_time"], async (request, reply) => {
    const body = objectBody(bodyText(request));
    const given = body["id"] ?? body["pit_id"];
    const freed = contexts.close(Array.isArray(given) ? given.map(String) : [String(given ?? "")]);
    return sendValue(request, reply, { succeeded: freed > 0, num_freed: freed }, freed > 0 ? 200 : 404);
  });

  // What clients and viewers ask about the cluster.
  const health = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const names = await logs.call("resolve", indexOf(request));
    const count = names.length;
    return sendValue(request, reply, {
      cluster_name: NODE,
      status: "green",
      timed_out: false,
      number_of_nodes: 1,
      number_of_data_nodes: 1,
      active_primary_shards: count,
      active_shards: count,
      relocating_shards: 0,
      initializing_shards: 0,
      unassigned_shards: 0,
      delayed_unassigned_shards: 0,
      number_of_pending_tasks: 0,
      number_of_in_flight_fetch: 0,
      task_max_waiting_in_queue_millis: 0,
      active_shards_percent_as_number: 100,
    });
  };
  route("GET", ["/_cluster/health", "/_cluster/health/:index"], health);
  route("GET", "/_cluster/settings", async (request, reply) => sendValue(request, reply, { persistent: {}, transient: {} }));
  route("GET", ["/_alias", "/_aliases", "/:index/_alias"], async (request, reply) => {
    const names = await logs.call("resolve", indexOf(request));
    return sendValue(request, reply, Object.fromEntries(names.map((name) => [name, { aliases: {} }])));
  });
  route("GET", ["/_resolve/index/:index"], async (request, reply) => {
    const names = await logs.call("resolve", indexOf(request));
    return sendValue(request, reply, { indices: names.map((name) => ({ name, attributes: ["open"] })), aliases: [], data_streams: [] });
  });
  route("GET", ["/_nodes", "/_nodes/http", "/_nodes/_all/http"], async (request, reply) =>
    sendValue(request, reply, {
      _nodes: { total: 1, successful: 1, failed: 0 },
      cluster_name: NODE,
      nodes: {
        [NODE]: {
          name: NODE,
          version: VERSION,
          roles: ["data", "ingest", "master"],
          http: { publish_address: request.headers.host ?? "" },
        },
      },
    }),
  );
  route("GET", "/_license", async (request, reply) =>
    sendValue(request, reply, { license: { status: "active", uid: randomUUID(), type: "basic", mode: "basic", issued_to: NODE } }),
  );
  const table = (request: FastifyRequest, reply: FastifyReply, rows: readonly Record<string, string>[]): FastifyReply => {
    const wanted = one(parametersOf(request)["h"])?.split(",");
    const short: Readonly<Record<string, string>> = {
      i: "index",
      idx: "index",
      s: "status",
      h: "health",
      dc: "docs.count",
      ss: "store.size",
    };
    const shown = rows.map((row) =>
      wanted ? Object.fromEntries(wanted.map((name) => [name, row[name] ?? row[short[name] ?? ""] ?? ""])) : row,
    );
    if (one(parametersOf(request)["format"]) === "json" || /json/.test(String(request.headers.accept ?? "")))
      return sendValue(request, reply, shown);
    const names = Object.keys(shown[0] ?? {});
    const lines = [...(isSet(parametersOf(request), "v") ? [Object.fromEntries(names.map((name) => [name, name]))] : []), ...shown];
    const widths = names.map((name) => lines.reduce((most, line) => Math.max(most, (line[name] ?? "").length), 0));
    return reply.type("text/plain; charset=UTF-8").send(
      lines
        .map(
          (line) =>
            `${names
              .map((name, index) => (line[name] ?? "").padEnd(widths[index] ?? 0))
              .join(" ")
              .trimEnd()}\n`,
        )
        .join(""),
    );
  };
  route("GET", ["/_cat/indices", "/_cat/indices/:index"], async (request, reply) => {
    const { indexes } = await logs.call("status", indexOf(request) || "*");
    const size = (bytes: number): string =>
      bytes < 1024 ? `${bytes}b` : bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)}kb` : `${(bytes / (1 << 20)).toFixed(1)}mb`;
    const inBytes = one(parametersOf(request)["bytes"]) === "b";
    return table(
      request,
      reply,
      indexes.map(({ name, documents, bytes }) => ({
        health: "green",
        status: "open",
        index: name,
        uuid: name,
        pri: "1",
        rep: "0",
        "docs.count": String(documents),
        "docs.deleted": "0",
        "store.size": inBytes ? String(bytes) : size(bytes),
        "pri.store.size": inBytes ? String(bytes) : size(bytes),
      })),
    );
  });
  route("GET", ["/_cat/count", "/_cat/count/:index"], async (request, reply) => {
    const { indexes } = await logs.call("status", indexOf(request) || "*");
    const now = new Date();
    const count = indexes.reduce((sum, { documents }) => sum + documents, 0);
    return table(request, reply, [
      { epoch: String(Math.floor(now.getTime() / 1000)), timestamp: now.toISOString().slice(11, 19), count: String(count) },
    ]);
  });
  route("GET", "/_cat/health", async (request, reply) => {
    const now = new Date();
    return table(request, reply, [
      {
        epoch: String(Math.floor(now.getTime() / 1000)),
        timestamp: now.toISOString().slice(11, 19),
        cluster: NODE,
        status: "green",
        "node.total": "1",
        "node.data": "1",
      },
    ]);
  });
  route(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"], "/*", async (request) => {
    throw new QueryError(
      "illegal_argument_exception",
      `no handler found for uri [${pathOf(request).slice(0, 200)}] and method [${request.method}]`,
    );
  });
}

/** The point in time that a body names; undefined for none. */
function pointInTime(
  body: string,
  contexts: SearchContexts,
  index: string,
): { readonly id: string; readonly pinned: SearchContext["pinned"] } | undefined {
  if (!body.includes('"pit"')) return undefined;
  const pit = objectBody(body)["pit"];
  if (!isObject(pit)) return undefined;
  if (index !== "")
    throw new QueryError(
      "action_request_validation_exception",
      "Validation Failed: 1: [indices] cannot be used with point in time. Do not specify any index with point in time.;",
    );
  const id = String(pit["id"]);
  const keep = pit["keep_alive"];
  return { id, pinned: contexts.get(id, keep === undefined ? undefined : milliseconds(String(keep), "keep_alive")).pinned };
}
