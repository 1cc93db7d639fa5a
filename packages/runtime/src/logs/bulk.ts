import { randomBytes } from "node:crypto";
import { DocumentMapper, type Mapping, parseExact, QueryError, writeJson } from "@heliograph/core/query";
import { checkIndexName, noSuchIndex } from "./index-name.js";
import type { LogStore } from "./log-store.js";

/** What came of one action of a bulk request, as Elasticsearch tells it. */
export type BulkItem = Readonly<Record<string, Record<string, unknown>>>;

export interface BulkResult {
  readonly errors: boolean;
  readonly items: readonly BulkItem[];
}

type Action = "index" | "create" | "update" | "delete";
const ACTIONS: readonly Action[] = ["index", "create", "update", "delete"];

interface Operation {
  readonly action: Action;
  readonly index: string;
  readonly id: string | undefined;
  readonly source: string;
  readonly failure?: QueryError;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const LONGEST_ID = 512;
const ACTION_KEYS = new Set([
  "_index",
  "_id",
  "_type",
  "routing",
  "_routing",
  "version",
  "version_type",
  "if_seq_no",
  "if_primary_term",
  "require_alias",
  "pipeline",
  "retry_on_conflict",
  "dynamic_templates",
  "op_type",
  "_source",
  "list_executed_pipelines",
]);

const malformed = (line: number, reason: string): QueryError =>
  new QueryError("illegal_argument_exception", `Malformed action/metadata line [${line}], ${reason}`);

/** Reads the lines of a bulk body: an action, and but for `delete` the document after it. */
function operationsOf(body: string, defaultIndex: string | undefined): Operation[] {
  if (body.trim() === "") throw new QueryError("parse_exception", "request body is required");
  if (!body.endsWith("\n")) throw new QueryError("illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]");
  const lines = body.split("\n");
  lines.pop();
  const operations: Operation[] = [];
  for (let at = 0; at < lines.length; at++) {
    const text = (lines[at] ?? "").trim();
    if (text === "") continue;
    const line = at + 1;
    let parsed: unknown;
    try {
      parsed = parseExact(text);
    } catch (cause) {
      throw malformed(line, `expected an action: ${cause instanceof Error ? cause.message.slice(0, 200) : "no JSON"}`);
    }
    if (!isObject(parsed)) throw malformed(line, "expected START_OBJECT");
    const [name, second] = Object.keys(parsed);
    const action = ACTIONS.find((one) => one === name);
    if (!action || second !== undefined) {
      throw malformed(line, `expected field [create], [delete], [index] or [update] but found [${(name ?? "END_OBJECT").slice(0, 100)}]`);
    }
    const meta = parsed[action];
    if (!isObject(meta)) throw malformed(line, `expected START_OBJECT under [${action}]`);
    for (const key of Object.keys(meta))
      if (!ACTION_KEYS.has(key))
        throw new QueryError(
          "illegal_argument_exception",
          `Action/metadata line [${line}] contains an unknown parameter [${key.slice(0, 100)}]`,
        );
    const index = meta["_index"] === undefined || meta["_index"] === null ? defaultIndex : String(meta["_index"]);
    if (index === undefined) throw new QueryError("action_request_validation_exception", "Validation Failed: 1: index is missing;");
    const given = meta["_id"];
    const id = given === undefined || given === null ? undefined : String(given);
    let source = "";
    if (action !== "delete") {
      at++;
      if (at >= lines.length)
        throw new QueryError("illegal_argument_exception", `The bulk request lacks the document of the action in line [${line}]`);
      source = (lines[at] ?? "").trim();
    }
    operations.push({ action, index, id, source, ...failureOf(action, id, meta) });
  }
  return operations;
}

function failureOf(action: Action, id: string | undefined, meta: Record<string, unknown>): { failure?: QueryError } {
  if (action === "update") {
    return {
      failure: new QueryError("illegal_argument_exception", "[update] is not supported here: send the whole document with [index]"),
    };
  }
  if (action === "delete" && (id === undefined || id === ""))
    return { failure: new QueryError("action_request_validation_exception", "an id is required for a delete operation") };
  if (id === "") return { failure: new QueryError("illegal_argument_exception", "if _id is specified it must not be empty") };
  if (id !== undefined && Buffer.byteLength(id) > LONGEST_ID) {
    return {
      failure: new QueryError(
        "illegal_argument_exception",
        `id [${id.slice(0, 40)}…] is too long, must be no longer than ${LONGEST_ID} bytes but was: ${Buffer.byteLength(id)}`,
      ),
    };
  }
  if (typeof meta["pipeline"] === "string" && meta["pipeline"] !== "_none")
    return { failure: new QueryError("illegal_argument_exception", "ingest pipelines are not supported here") };
  return {};
}

/** Where a document is, and its version. */
interface Place {
  readonly version: number;
  readonly seq?: number;
  readonly segment?: string;
  readonly place?: number;
}

/** Applies the actions of one request inside one transaction. */
class BulkWriter {
  readonly #store: LogStore;
  readonly #mappers = new Map<string, { readonly mapping: Mapping; readonly mapper: DocumentMapper }>();
  readonly #touched = new Set<string>();

  constructor(store: LogStore) {
    this.#store = store;
  }

  #mapper(index: string): { readonly mapping: Mapping; readonly mapper: DocumentMapper } {
    let known = this.#mappers.get(index);
    if (!known) {
      if (!this.#store.has(index)) {
        checkIndexName(index);
        this.#store.catalog.run("insert into indices (name, mapping, settings, created_at) values (?, '{}', '{}', ?)", [
          index,
          new Date().toISOString(),
        ]);
      }
      const mapping = this.#store.mapping(index).copy();
      known = { mapping, mapper: new DocumentMapper(mapping) };
      this.#mappers.set(index, known);
    }
    return known;
  }

  #find(index: string, id: string): Place | undefined {
    const { catalog } = this.#store;
    const buffered = catalog.one("select seq, version from buffer where index_name = ? and id = ?", [index, id]);
    if (buffered) return { version: Number(buffered["version"]), seq: Number(buffered["seq"]) };
    const located = catalog.one("select segment, place, version from locations where index_name = ? and id = ?", [index, id]);
    if (located) return { version: Number(located["version"]), segment: String(located["segment"]), place: Number(located["place"]) };
    // Imported logs are named after their first segment and the row in it; in which they are now only the segments know.
    if (!/^[0-9a-z]{21}-\d+$/.test(id)) return undefined;
    for (const row of catalog.all("select id from segments where index_name = ?", [index])) {
      const segment = this.#store.openSegment(String(row["id"]));
      const place = segment.rowOf(id);
      if (place >= 0 && !segment.deleted?.has(place)) return { version: segment.version(place), segment: segment.segmentId, place };
    }
    return undefined;
  }

  #remove(index: string, id: string, { seq, segment, place }: Place): void {
    const { catalog } = this.#store;
    if (seq !== undefined) catalog.run("delete from buffer where seq = ?", [seq]);
    else {
      catalog.run("insert or ignore into dead (segment, place) values (?, ?)", [segment ?? "", place ?? 0]);
      catalog.run("delete from locations where index_name = ? and id = ?", [index, id]);
    }
    this.#touched.add(index);
  }

  apply({ action, index, id: given, source, failure }: Operation): BulkItem {
    const id = given ?? `${Date.now().toString(36)}${randomBytes(9).toString("base64url")}`;
    try {
      if (failure) throw failure;
      if (action === "delete") return this.#delete(index, id);
      const { mapper, mapping } = this.#mapper(index);
      const before = given === undefined ? undefined : this.#find(index, id);
      if (action === "create" && before) {
        throw new QueryError(
          "version_conflict_engine_exception",
          `[${id}]: version conflict, document already exists (current version [${before.version}])`,
          {
            status: 409,
            more: { index, index_uuid: "_na_", shard: "0" },
          },
        );
      }
      const fields = mapping.changes;
      mapper.read(this.#document(source), () => {});
      if (mapping.changes !== fields) this.#store.saveMapping(index, mapping);
      if (before) this.#remove(index, id, before);
      const version = (before?.version ?? 0) + 1;
      const sequence = this.#sequence(index);
      this.#store.catalog.run("insert into buffer (index_name, id, version, sequence, source) values (?, ?, ?, ?, ?)", [
        index,
        id,
        version,
        sequence,
        source,
      ]);
      return {
        [action]: {
          _index: index,
          _id: id,
          _version: version,
          result: before ? "updated" : "created",
          _shards: { total: 1, successful: 1, failed: 0 },
          _seq_no: sequence,
          _primary_term: 1,
          status: before ? 200 : 201,
        },
      };
    } catch (cause) {
      if (!(cause instanceof QueryError)) throw cause;
      // The fields of a document that was refused are not kept.
      this.#mappers.delete(index);
      return { [action]: { _index: index, _id: given ?? null, status: cause.status, error: cause.body() } };
    }
  }

  /** The next number of a change of an index: from 0 on. */
  #sequence(index: string): number {
    const { catalog } = this.#store;
    const next = Number(catalog.one("select next_sequence as n from indices where name = ?", [index])?.["n"] ?? 0);
    catalog.run("update indices set next_sequence = ? where name = ?", [next + 1, index]);
    return next;
  }

  #document(source: string): unknown {
    try {
      return parseExact(source);
    } catch (cause) {
      if (!(cause instanceof QueryError)) throw cause;
      throw new QueryError("document_parsing_exception", `failed to parse: ${cause.reason}`, { cause });
    }
  }

  #delete(index: string, id: string): BulkItem {
    if (!this.#store.has(index)) throw noSuchIndex(index);
    const before = this.#find(index, id);
    if (before) this.#remove(index, id, before);
    const version = (before?.version ?? 0) + 1;
    const sequence = this.#sequence(index);
    return {
      delete: {
        _index: index,
        _id: id,
        _version: version,
        result: before ? "deleted" : "not_found",
        _shards: { total: 1, successful: 1, failed: 0 },
        _seq_no: sequence,
        _primary_term: 1,
        status: before ? 200 : 404,
      },
    };
  }

  finish(): void {
    for (const index of this.#touched) this.#store.touch(index);
  }
}

/**
 * Applies a bulk request: all that it answers to have kept is on disk when this returns. A document that is refused is told in its item, and the others are kept.
 * @throws QueryError for a body that is none
 */
export function bulk(store: LogStore, body: string, defaultIndex?: string): BulkResult {
  const operations = operationsOf(body, defaultIndex);
  const items = store.catalog.transaction(() => {
    const writer = new BulkWriter(store);
    const done = operations.map((operation) => writer.apply(operation));
    writer.finish();
    return done;
  });
  store.flushAll();
  return { errors: items.some((item) => Object.values(item).some((one) => "error" in one)), items };
}

/**
 * Keeps or removes one document, as the document API does.
 * @throws QueryError when it is refused
 */
export function writeDocument(
  store: LogStore,
  action: "index" | "create" | "delete",
  index: string,
  id: string | undefined,
  source: string,
): Record<string, unknown> {
  const head = writeJson({ [action]: { _index: index, ...(id !== undefined && { _id: id }) } });
  // A document over several lines is one line as JSON, too.
  const line = action === "delete" ? "" : `${source.replace(/[\r\n]+/g, " ")}\n`;
  const [item] = bulk(store, `${head}\n${line}`).items;
  const result = item?.[action] ?? {};
  const { error, status, ...rest } = result;
  if (error) {
    const {
      type,
      reason,
      caused_by: causedBy,
      ...more
    } = error as { type: string; reason: string; caused_by?: { type: string; reason: string } };
    throw new QueryError(type, reason, {
      status: Number(status),
      more,
      ...(causedBy && { cause: new QueryError(causedBy.type, causedBy.reason) }),
    });
  }
  return { ...rest, status };
}
