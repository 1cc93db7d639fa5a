import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LOG_INDEXES, logIndexNamed, timeRange as rangeOf } from "@heliograph/core/logs";
import {
  Analysis,
  Mapping,
  type MemorySegment,
  matchesSimple,
  QueryError,
  type QueryLimits,
  type SearchableIndex,
  type Segment,
  SegmentBuilder,
} from "@heliograph/core/query";
import { Catalog } from "./catalog.js";
import { concatenated } from "./concatenate.js";
import { checkIndexName, noSuchIndex } from "./index-name.js";
import { FileSegment, type NewSegment, writeSegment } from "./segment-file.js";

/** What the catalog says of an index. */
export interface IndexInfo {
  readonly name: string;
  readonly createdAt: string;
  readonly documents: number;
  readonly segments: number;
  readonly bytes: number;
  /** Microseconds since 1970-01-01 UTC. */
  readonly first: number | undefined;
  readonly last: number | undefined;
}

/** What `store status` shows. */
export interface StoreStatus {
  readonly folder: string;
  readonly indexes: readonly IndexInfo[];
  readonly imports: number;
}

/** A time range that rows must overlap, in microseconds; an end that is undefined is open. */
export interface TimeWindow {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

interface Buffered {
  readonly generation: string;
  readonly through: number;
  readonly segments: readonly MemorySegment[];
}

/** Rows after which buffered documents become a segment. */
const FLUSH_ROWS = 20_000;
/** Segments of fewer rows are put together. */
const SMALL_ROWS = 250_000;
const LARGEST_ROWS = 1_000_000;
const MOST_BUFFERED_SEGMENTS = 16;
/** Readers may still hold what was replaced. */
const GARBAGE_MS = 10 * 60_000;
/** No setting makes a limit larger than that. */
const MOST_WINDOW = 1_000_000;
const DAY_MICROS = 86_400_000_000;

/** A name that sorts by time and is nobody else's. */
export const segmentName = (): string => `${Date.now().toString(36).padStart(9, "0")}${randomBytes(6).toString("hex")}`;

/**
 * The log store of a folder: indexes of segments on disk, and documents on their way into one. Its calls block: use it in a thread of its own, or in a
 * command. Any number of threads and processes may use one folder.
 */
export class LogStore {
  readonly folder: string;
  readonly catalog: Catalog;
  readonly #segments: string;
  readonly #buffered = new Map<string, Buffered>();
  readonly #mappings = new Map<string, { readonly text: string; readonly mapping: Mapping }>();

  /** @throws CoreError `bad-parameter` when the folder cannot be used */
  constructor(folder: string) {
    this.folder = folder;
    this.catalog = new Catalog(folder);
    this.#segments = join(folder, "segments");
    mkdirSync(this.#segments, { recursive: true, mode: 0o700 });
    // The six indexes of logs are always there.
    if (
      Number(
        this.catalog.one("select count(*) as n from indices where name in (select value from json_each(?))", [
          JSON.stringify(LOG_INDEXES.map(({ name }) => name)),
        ])?.["n"],
      ) < LOG_INDEXES.length
    ) {
      this.catalog.transaction(() => {
        for (const { name, mappings } of LOG_INDEXES) this.#insertIndex(name, mappings, {}, true);
      });
    }
  }

  get segmentsFolder(): string {
    return this.#segments;
  }

  #insertIndex(name: string, mappings: unknown, settings: unknown, ifMissing: boolean): void {
    this.catalog.run(`insert ${ifMissing ? "or ignore " : ""}into indices (name, mapping, settings, created_at) values (?, ?, ?, ?)`, [
      name,
      JSON.stringify(mappings),
      JSON.stringify(settings),
      new Date().toISOString(),
    ]);
  }

  /** Names of the indexes, in order. */
  names(): string[] {
    return this.catalog.all("select name from indices order by name").map((row) => String(row["name"]));
  }

  /**
   * The indexes that a list of names and patterns means: `a,b*,-bad`; empty, `_all` and `*` are all.
   * @throws QueryError 404 for a name that there is not, unless it is to be left out
   */
  resolve(expression: string, ignoreMissing = false): string[] {
    const all = this.names();
    const parts = expression
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    if (parts.length === 0) return all;
    let found: string[] = [];
    for (const part of parts) {
      const isExclusion = part.startsWith("-") && part.length > 1 && found.length > 0;
      const pattern = part === "_all" ? "*" : isExclusion ? part.slice(1) : part;
      const named = all.filter((name) => matchesSimple(pattern, name));
      if (isExclusion) found = found.filter((name) => !named.includes(name));
      else {
        if (named.length === 0 && !pattern.includes("*") && !ignoreMissing) throw noSuchIndex(part);
        found.push(...named.filter((name) => !found.includes(name)));
      }
    }
    return found;
  }

  /** Whether an index of that very name is there. */
  has(name: string): boolean {
    return this.catalog.one("select 1 as n from indices where name = ?", [name]) !== undefined;
  }

  /** @throws QueryError 404 */
  mapping(name: string): Mapping {
    const row = this.catalog.one("select mapping, settings from indices where name = ?", [name]);
    if (!row) throw noSuchIndex(name);
    const text = `${String(row["mapping"])}\n${String(row["settings"])}`;
    const known = this.#mappings.get(name);
    if (known?.text === text) return known.mapping;
    const settings = JSON.parse(String(row["settings"])) as Record<string, unknown>;
    const mapping = new Mapping(JSON.parse(String(row["mapping"])), new Analysis(analysisOf(settings)));
    this.#mappings.set(name, { text, mapping });
    return mapping;
  }

  settings(name: string): Record<string, unknown> {
    const row = this.catalog.one("select settings, created_at from indices where name = ?", [name]);
    if (!row) throw noSuchIndex(name);
    return { ...(JSON.parse(String(row["settings"])) as Record<string, unknown>), created_at: row["created_at"] };
  }

  /**
   * Makes an index.
   * @throws QueryError `resource_already_exists_exception`, or when name, mapping or settings are wrong
   */
  createIndex(name: string, mappings: unknown = {}, settings: unknown = {}): void {
    checkIndexName(name);
    const mapping = new Mapping(mappings, new Analysis(analysisOf(settings)));
    this.catalog.transaction(() => {
      if (this.has(name)) {
        throw new QueryError("resource_already_exists_exception", `index [${name}] already exists`, {
          more: { index: name, index_uuid: "_na_" },
        });
      }
      this.#insertIndex(name, mapping.toJSON(), settings, false);
    });
  }

  /** Removes indexes and all that is in them; the six of logs become empty. */
  deleteIndexes(names: readonly string[]): void {
    this.catalog.transaction(() => {
      for (const name of names) {
        this.#dropSegments(this.catalog.all("select id from segments where index_name = ?", [name]).map((row) => String(row["id"])));
        this.catalog.run("delete from buffer where index_name = ?", [name]);
        this.catalog.run("delete from locations where index_name = ?", [name]);
        this.catalog.run("delete from indices where name = ?", [name]);
        const log = logIndexNamed(name);
        if (log) this.#insertIndex(name, log.mappings, {}, true);
      }
    });
    this.#buffered.clear();
    this.collectGarbage();
  }

  /** Inside a transaction: takes segments out of the catalog; their files go later. */
  #dropSegments(ids: readonly string[]): void {
    for (const id of ids) {
      const digest = this.catalog.one("select digest from segments where id = ?", [id]);
      if (!digest) continue;
      this.catalog.run("delete from segments where id = ?", [id]);
      this.catalog.run("delete from dead where segment = ?", [id]);
      this.catalog.run("delete from locations where segment = ?", [id]);
      this.catalog.run("insert or replace into garbage (segment, at) values (?, ?)", [id, new Date().toISOString()]);
    }
  }

  /** Adds fields to the mapping of an index. @throws QueryError when they do not fit */
  putMapping(name: string, mappings: unknown): void {
    this.catalog.transaction(() => {
      const mapping = this.mapping(name).copy();
      mapping.merge(mappings);
      this.saveMapping(name, mapping);
    });
  }

  /** Inside a transaction: keeps a mapping that has grown. */
  saveMapping(name: string, mapping: Mapping): void {
    this.catalog.run("update indices set mapping = ? where name = ?", [JSON.stringify(mapping.toJSON()), name]);
  }

  /** Inside a transaction: the buffered documents of an index changed otherwise than by growing. */
  touch(name: string): void {
    this.catalog.run("update indices set generation = generation + 1 where name = ?", [name]);
  }

  /** Inside a transaction: adds a segment whose files are there. */
  addSegment(
    name: string,
    id: string,
    rows: number,
    range: readonly [number, number] | undefined,
    written: { readonly bytes: number; readonly digest: string },
    number?: number,
  ): void {
    const place =
      number ?? Number(this.catalog.one("select coalesce(max(number), 0) + 1 as n from segments where index_name = ?", [name])?.["n"] ?? 1);
    this.catalog.run(
      "insert into segments (id, index_name, rows, first_ts, last_ts, bytes, digest, created_at, number) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      [id, name, rows, range?.[0] ?? null, range?.[1] ?? null, written.bytes, written.digest, new Date().toISOString(), place],
    );
  }

  /** Writes the files of a segment; it is nobody's until `addSegment`. */
  write(id: string, segment: NewSegment): { readonly bytes: number; readonly digest: string } {
    return writeSegment(this.#segments, id, segment);
  }

  /** Names of the segments of indexes, with all their documents in them: what a search that goes on for a while keeps looking at. */
  pin(names: readonly string[]): Record<string, readonly string[]> {
    return Object.fromEntries(
      names.map((name) => {
        this.flush(name);
        return [
          name,
          this.catalog.all("select id from segments where index_name = ? order by number", [name]).map((row) => String(row["id"])),
        ];
      }),
    );
  }

  /**
   * What `pin` named, as it was but for what was deleted since.
   * @throws QueryError 404 when files of it are gone
   */
  pinned(pins: Readonly<Record<string, readonly string[]>>): SearchableIndex[] {
    try {
      return Object.entries(pins).map(([name, ids]) => ({
        name,
        mapping: this.mapping(name),
        segments: ids.map((id) => this.openSegment(id)),
        limits: limitsOf(this.settings(name)),
      }));
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
      throw new QueryError(
        "search_context_missing_exception",
        "the search context is too old: what it looked at was put together with other segments",
        { status: 404 },
      );
    }
  }

  /** A segment by its name, without the rows that are gone. */
  openSegment(id: string): FileSegment {
    const dead = this.catalog.all("select place from dead where segment = ?", [id]).map((row) => Number(row["place"]));
    return new FileSegment(this.#segments, id, dead);
  }

  /** What a search of some indexes runs over: segments whose times overlap the window, and the documents on their way. */
  searchable(names: readonly string[], window: TimeWindow = {}): SearchableIndex[] {
    for (let tries = 0; ; tries++) {
      try {
        // What moves from the buffer into a segment meanwhile is found once.
        return this.catalog.snapshot(() =>
          names.map((name) => ({
            name,
            mapping: this.mapping(name),
            segments: this.#segmentsOf(name, window),
            limits: limitsOf(this.settings(name)),
          })),
        );
      } catch (cause) {
        // A segment's files were gone before they were opened: it was listed long ago.
        if (tries === 3 || !(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
      }
    }
  }

  #segmentsOf(name: string, { from, to }: TimeWindow): Segment[] {
    const rows = this.catalog.all("select id, first_ts, last_ts from segments where index_name = ? order by number", [name]);
    const wanted = rows.filter(({ first_ts: first, last_ts: last }) => {
      if (first === null || last === null) return true;
      return (from === undefined || Number(last) >= from) && (to === undefined || Number(first) <= to);
    });
    return [...wanted.map((row) => this.openSegment(String(row["id"]))), ...this.#buffer(name)];
  }

  /** The documents that are in no segment yet, in segments in memory. */
  #buffer(name: string): readonly Segment[] {
    const row = this.catalog.one("select generation, created_at from indices where name = ?", [name]);
    // An index of the same name that was made anew is another one.
    const generation = `${String(row?.["created_at"])} ${String(row?.["generation"])}`;
    const known = this.#buffered.get(name);
    const base: Buffered =
      known?.generation === generation && known.segments.length < MOST_BUFFERED_SEGMENTS ? known : { generation, through: 0, segments: [] };
    const rows = this.catalog.all("select seq, id, version, sequence, source from buffer where index_name = ? and seq > ? order by seq", [
      name,
      base.through,
    ]);
    if (rows.length === 0) {
      this.#buffered.set(name, base);
      return base.segments;
    }
    const builder = new SegmentBuilder(this.mapping(name), () => {});
    for (const row of rows)
      builder.add({
        id: String(row["id"]),
        source: String(row["source"]),
        sequence: Number(row["sequence"]),
        version: Number(row["version"]),
      });
    const buffered = { generation, through: Number(rows.at(-1)?.["seq"]), segments: [...base.segments, builder.build()] };
    this.#buffered.set(name, buffered);
    return buffered.segments;
  }

  /** Makes a segment of the documents of an index that are in none, when there are at least so many. */
  flush(name: string, least = 1): void {
    const waiting = (): number => Number(this.catalog.one("select count(*) as n from buffer where index_name = ?", [name])?.["n"] ?? 0);
    if (waiting() < Math.max(1, least)) return;
    this.catalog.transaction(() => {
      const rows = this.catalog.all("select seq, id, version, sequence, source from buffer where index_name = ? order by seq", [name]);
      if (rows.length === 0) return;
      const mapping = this.mapping(name).copy();
      const builder = new SegmentBuilder(mapping, () => {});
      const sources = rows.map((row) => String(row["source"]));
      rows.forEach((row, index) => {
        builder.add({ id: String(row["id"]), source: sources[index] as string });
      });
      const segment = builder.build();
      const columns = new Map(
        segment.paths.flatMap((path) => {
          const column = segment.column(path);
          return column ? [[path, column] as const] : [];
        }),
      );
      const ids = rows.map((row) => String(row["id"]));
      const versions = rows.map((row) => Number(row["version"]));
      const id = segmentName();
      const written = this.write(id, {
        rows: rows.length,
        columns,
        sources,
        ids,
        versions,
        sequences: rows.map((row) => Number(row["sequence"])),
      });
      this.addSegment(name, id, rows.length, rangeOf(columns.get("ts")), written);
      ids.forEach((one, place) => {
        this.catalog.run("insert or replace into locations (index_name, id, segment, place, version) values (?, ?, ?, ?, ?)", [
          name,
          one,
          id,
          place,
          versions[place] ?? 1,
        ]);
      });
      this.catalog.run("delete from buffer where index_name = ?", [name]);
      this.touch(name);
    });
  }

  /** `flush` for all indexes that have enough. */
  flushAll(least = FLUSH_ROWS): void {
    for (const row of this.catalog.all("select index_name as name, count(*) as n from buffer group by index_name"))
      if (Number(row["n"]) >= least) this.flush(String(row["name"]), least);
  }

  /** How many documents an index has. */
  count(name: string): number {
    const segments = Number(this.catalog.one("select coalesce(sum(rows), 0) as n from segments where index_name = ?", [name])?.["n"] ?? 0);
    const dead = Number(
      this.catalog.one("select count(*) as n from dead where segment in (select id from segments where index_name = ?)", [name])?.["n"] ??
        0,
    );
    const buffered = Number(this.catalog.one("select count(*) as n from buffer where index_name = ?", [name])?.["n"] ?? 0);
    return segments - dead + buffered;
  }

  status(names: readonly string[] = this.names()): StoreStatus {
    const indexes = names.map((name): IndexInfo => {
      const row = this.catalog.one(
        "select count(*) as n, coalesce(sum(bytes), 0) as bytes, min(first_ts) as first, max(last_ts) as last from segments where index_name = ?",
        [name],
      );
      const created = this.catalog.one("select created_at from indices where name = ?", [name]);
      return {
        name,
        createdAt: String(created?.["created_at"] ?? ""),
        documents: this.count(name),
        segments: Number(row?.["n"] ?? 0),
        bytes: Number(row?.["bytes"] ?? 0),
        first: row?.["first"] === null || row?.["first"] === undefined ? undefined : Number(row["first"]),
        last: row?.["last"] === null || row?.["last"] === undefined ? undefined : Number(row["last"]),
      };
    });
    return { folder: this.folder, indexes, imports: Number(this.catalog.one("select count(*) as n from imports")?.["n"] ?? 0) };
  }

  /** Puts small segments of a day together; how many were replaced. */
  compact(): number {
    this.flushAll(1);
    let replaced = 0;
    for (const name of this.names()) {
      for (;;) {
        const group = this.#smallGroup(name);
        if (group.length < 2) break;
        if (!this.#merge(name, group)) break;
        replaced += group.length;
      }
    }
    this.collectGarbage();
    return replaced;
  }

  /** Segments that follow each other, are small, and begin on one day. */
  #smallGroup(name: string): string[] {
    const rows = this.catalog.all("select id, rows, first_ts from segments where index_name = ? order by number", [name]);
    let group: string[] = [];
    let day: number | undefined;
    let sum = 0;
    for (const row of rows) {
      const count = Number(row["rows"]);
      const own = row["first_ts"] === null ? -1 : Math.floor(Number(row["first_ts"]) / DAY_MICROS);
      if (count < SMALL_ROWS && (group.length === 0 || own === day) && sum + count <= LARGEST_ROWS) {
        group.push(String(row["id"]));
        day = own;
        sum += count;
        continue;
      }
      if (group.length > 1) return group;
      group = count < SMALL_ROWS ? [String(row["id"])] : [];
      day = own;
      sum = group.length > 0 ? count : 0;
    }
    return group;
  }

  #merge(name: string, ids: readonly string[]): boolean {
    const deadOf = (id: string): number[] =>
      this.catalog.all("select place from dead where segment = ? order by place", [id]).map((row) => Number(row["place"]));
    const before = ids.map(deadOf);
    const segments = ids.map((id, index) => new FileSegment(this.#segments, id, before[index]));
    const { segment, places } = concatenated(segments);
    const id = segmentName();
    const written = segment.rows > 0 ? this.write(id, segment) : undefined;
    return this.catalog.transaction(() => {
      // Somebody else may have changed them meanwhile: then what was written is nobody's, and goes.
      const same = ids.every(
        (one, index) =>
          this.catalog.one("select 1 as n from segments where id = ?", [one]) !== undefined &&
          deadOf(one).length === (before[index] ?? []).length,
      );
      if (!same) {
        this.catalog.run("insert or replace into garbage (segment, at) values (?, ?)", [id, new Date(0).toISOString()]);
        return false;
      }
      const number = Number(this.catalog.one("select number as n from segments where id = ?", [ids[0] ?? ""])?.["n"] ?? 0);
      ids.forEach((one, index) => {
        for (const row of this.catalog.all("select id, place, version from locations where segment = ?", [one])) {
          const place = places[index]?.[Number(row["place"])] ?? -1;
          if (place >= 0)
            this.catalog.run("update locations set segment = ?, place = ? where index_name = ? and id = ?", [
              id,
              place,
              name,
              String(row["id"]),
            ]);
        }
      });
      this.#dropSegments(ids);
      if (written) this.addSegment(name, id, segment.rows, rangeOf(segment.columns.get("ts")), written, number);
      this.touch(name);
      return true;
    });
  }

  /**
   * Removes segments whose last time is before `before` (microseconds), then the oldest ones while the store is larger than `most` bytes.
   * Returns how many rows went.
   */
  prune({ before, mostBytes }: { readonly before?: number | undefined; readonly mostBytes?: number | undefined }): {
    readonly segments: number;
    readonly rows: number;
  } {
    const chosen = this.catalog.transaction(() => {
      const rows = this.catalog.all("select id, index_name, rows, bytes, last_ts from segments order by coalesce(last_ts, 0), number");
      let bytes = rows.reduce((sum, row) => sum + Number(row["bytes"]), 0);
      const old: typeof rows = [];
      for (const row of rows) {
        const isOld = before !== undefined && row["last_ts"] !== null && Number(row["last_ts"]) < before;
        const isTooMuch = mostBytes !== undefined && bytes > mostBytes;
        if (!isOld && !isTooMuch) continue;
        old.push(row);
        bytes -= Number(row["bytes"]);
      }
      this.#dropSegments(old.map((row) => String(row["id"])));
      return old;
    });
    this.collectGarbage();
    return { segments: chosen.length, rows: chosen.reduce((sum, row) => sum + Number(row["rows"]), 0) };
  }

  /** Removes files that no reader can hold any more: of replaced segments after a while, and what a process that died left. */
  collectGarbage(now = Date.now()): void {
    const listed = new Set(this.catalog.all("select id from segments").map((row) => String(row["id"])));
    const waiting = new Map(
      this.catalog.all("select segment, at from garbage").map((row) => [String(row["segment"]), Date.parse(String(row["at"]))] as const),
    );
    for (const entry of readdirSync(this.#segments)) {
      if (listed.has(entry)) continue;
      const since = waiting.get(entry);
      const pid = /^new-(\d+)-/.exec(entry)?.[1];
      const created = Number.parseInt(entry.slice(0, 9), 36);
      // A segment that is being written is not listed yet: it is left for a day.
      const isLeft =
        since !== undefined ? now - since > GARBAGE_MS : pid !== undefined ? !isAlive(Number(pid)) : now - created > 86_400_000;
      if (isLeft) rmSync(join(this.#segments, entry), { recursive: true, force: true });
    }
    const gone = [...waiting.keys()].filter((id) => !existsSync(join(this.#segments, id)));
    if (gone.length === 0) return;
    this.catalog.transaction(() => {
      for (const id of gone) this.catalog.run("delete from garbage where segment = ?", [id]);
    });
  }

  close(): void {
    this.catalog.close();
  }
}

/** Limits of searches that the settings of an index change, by Elasticsearch's names. */
const LIMITS: Readonly<Record<string, keyof QueryLimits>> = {
  max_result_window: "maxResultWindow",
  max_terms_count: "maxTerms",
  max_regex_length: "maxRegexLength",
};

function limitsOf(settings: Record<string, unknown>): Partial<QueryLimits> {
  const index = typeof settings["index"] === "object" && settings["index"] !== null ? (settings["index"] as Record<string, unknown>) : {};
  const found: Partial<Record<keyof QueryLimits, number>> = {};
  for (const [name, limit] of Object.entries(LIMITS)) {
    const value = Number(settings[`index.${name}`] ?? index[name] ?? settings[name]);
    if (Number.isInteger(value) && value > 0) found[limit] = Math.min(value, MOST_WINDOW);
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

/** The analysis that the settings of an index name, in any of the forms that Elasticsearch takes. */
function analysisOf(settings: unknown): unknown {
  if (typeof settings !== "object" || settings === null) return undefined;
  const { analysis, index } = settings as { analysis?: unknown; index?: { analysis?: unknown } };
  return analysis ?? index?.analysis;
}
