import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { CoreError, createEngine, emptyReport, type LogPart, openLog, type ReadReport } from "@heliograph/core";
import {
  columnsOfHead,
  definitionOfKind,
  Enricher,
  fieldName,
  indexOfLog,
  LogDocuments,
  readObjects,
  timeRange,
  withColumns,
  ZeekRows,
} from "@heliograph/core/logs";
import { type Column, SegmentBuilder, writePlain } from "@heliograph/core/query";
import { openFile, streamBytes, systemReason } from "../files/file-access.js";
import type { LogFile } from "../files/find-logs.js";
import { nodeGunzip } from "../files/node-gunzip.js";
import { type LogStore, segmentName } from "./log-store.js";
import { SourceBlocks } from "./segment-file.js";

/** What came of one file. */
export interface ImportOutcome {
  readonly name: string;
  /** Rows by index. */
  readonly rows: Readonly<Record<string, number>>;
  /** The same content was imported before: nothing was done. */
  readonly isKnown: boolean;
  /** Rows, and values, that could not be read; rows of logs that no index keeps. */
  readonly malformedRows: number;
  readonly invalidValues: number;
  readonly otherRows: number;
  readonly problems: readonly { readonly line: number; readonly reason: string }[];
  /** Why nothing of it, or not all, could be read. */
  readonly failure: string | undefined;
}

/** How to import. */
export interface ImportOptions {
  /** Networks that count as internal; default: private, link-local, loopback and carrier-grade NAT. */
  readonly internal?: readonly string[];
  readonly onBytes?: (bytes: number) => void;
  /** Throws to stop. */
  readonly check?: () => void;
}

const SEGMENT_ROWS = 1_000_000;
const DOCUMENT_ROWS = 250_000;
const HEAD_BYTES = 1 << 16;
const MOST_PROBLEMS = 10;

/** A segment whose files are there and that nobody knows of yet. */
interface Written {
  readonly index: string;
  readonly id: string;
  readonly rows: number;
  readonly range: readonly [number, number] | undefined;
  readonly files: { readonly bytes: number; readonly digest: string };
}

/** A digest of what a file holds. */
async function digestOf(file: LogFile): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

/** Imports one file: all of it becomes visible at once, or nothing. */
class FileImport {
  readonly #store: LogStore;
  readonly #file: LogFile;
  readonly #options: ImportOptions;
  readonly #enricher: Enricher;
  readonly #written: Written[] = [];
  readonly #builders = new Map<string, { builder: SegmentBuilder; sources: SourceBlocks }>();
  /** Fields that the documents brought, by index. */
  readonly #fields = new Map<string, Record<string, unknown>>();
  readonly #problems: { line: number; reason: string }[] = [];
  #malformed = 0;
  #invalid = 0;
  #other = 0;
  #failure: string | undefined;

  constructor(store: LogStore, file: LogFile, options: ImportOptions) {
    this.#store = store;
    this.#file = file;
    this.#options = options;
    this.#enricher = new Enricher(options.internal);
  }

  async run(): Promise<ImportOutcome> {
    let digest: string | undefined;
    try {
      digest = this.#file.stream ? undefined : await digestOf(this.#file);
      if (digest !== undefined && this.#isKnown(digest)) return this.#outcome(true);
      await this.#readAll();
      for (const index of [...this.#builders.keys()]) this.#endDocuments(index);
    } catch (cause) {
      if (cause instanceof CoreError) this.#failure ??= cause.message;
      else this.#failure ??= systemReason(cause);
    }
    if (!this.#commit(digest)) return this.#outcome(true);
    return this.#outcome(false);
  }

  #isKnown(digest: string): boolean {
    return this.#store.catalog.one("select 1 as n from imports where digest = ?", [digest]) !== undefined;
  }

  /** Makes what was written visible, all in one; false when another import of the same content was faster. */
  #commit(digest: string | undefined): boolean {
    if (this.#written.length === 0) return true;
    return this.#store.catalog.transaction(() => {
      if (digest !== undefined && this.#isKnown(digest)) return false;
      for (const [index, properties] of this.#fields) {
        const mapping = this.#store.mapping(index).copy();
        for (const [name, definition] of Object.entries(properties)) {
          if (mapping.field(name) || mapping.isObject(name)) continue;
          try {
            mapping.addField(name, definition as Record<string, unknown>);
          } catch (cause) {
            // The documents are kept; another import gave the index something else of that name.
            this.#problem(0, `${name} cannot be searched: ${cause instanceof Error ? cause.message : String(cause)}`);
          }
        }
        this.#store.saveMapping(index, mapping);
      }
      for (const { index, id, rows, range, files } of this.#written) this.#store.addSegment(index, id, rows, range, files);
      if (digest !== undefined) {
        const rows = this.#written.reduce((sum, one) => sum + one.rows, 0);
        this.#store.catalog.run("insert into imports (digest, source, imported_at, rows) values (?, ?, ?, ?)", [
          digest,
          this.#file.name,
          new Date().toISOString(),
          rows,
        ]);
      }
      return true;
    });
  }

  #outcome(isKnown: boolean): ImportOutcome {
    const rows: Record<string, number> = {};
    if (!isKnown) for (const one of this.#written) rows[one.index] = (rows[one.index] ?? 0) + one.rows;
    return {
      name: this.#file.name,
      rows,
      isKnown,
      malformedRows: this.#malformed,
      invalidValues: this.#invalid,
      otherRows: this.#other,
      problems: this.#problems,
      failure: this.#failure,
    };
  }

  #problem(line: number, reason: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ line, reason });
  }

  async #readAll(): Promise<void> {
    const { onBytes = () => {} } = this.#options;
    const opened = this.#file.stream ? undefined : await openFile(this.#file.path, onBytes);
    try {
      const data = opened ?? streamBytes(this.#file.path, onBytes);
      for await (const part of openLog({ name: this.#file.name, data }, { gunzip: nodeGunzip })) await this.#readPart(part);
    } finally {
      await opened?.close();
    }
  }

  async #readPart(part: LogPart): Promise<void> {
    const chunks = part.chunks[Symbol.asyncIterator]();
    const first: Uint8Array[] = [];
    let length = 0;
    try {
      while (length < HEAD_BYTES) {
        const next = await chunks.next();
        if (next.done) break;
        first.push(next.value.slice());
        length += next.value.length;
      }
      const head = Buffer.concat(first);
      const start = head.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
      const mark = head.subarray(start).find((byte) => byte > 32);
      const all = async function* (): AsyncGenerator<Uint8Array> {
        yield start === 0 ? head : head.subarray(start);
        for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
      };
      if (mark === 123 || mark === 91) await this.#readJson(part.name, all());
      else if (mark !== undefined) await this.#readTsv(part.name, head, all());
    } catch (cause) {
      if (!(cause instanceof CoreError)) throw cause;
      // Rows up to what is damaged stand.
      this.#failure ??= cause.code === "truncated" ? `${part.name} ends in the middle of its compressed data` : cause.message;
    }
  }

  async #readTsv(name: string, head: Uint8Array, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { path, columns } = columnsOfHead(head, name);
    const index = path === undefined ? undefined : indexOfLog(path);
    if (!index?.schema) {
      this.#failure ??=
        path === undefined ? `${name}: no Zeek log, CloudTrail or verdict records` : `${name}: a log of type ${path}, which no index keeps`;
      return;
    }
    const schema = withColumns(index.schema, columns);
    const known = new Set(schema.columns.map((column) => column.name));
    const properties: Record<string, unknown> = {};
    for (const column of schema.columns)
      if (!index.schema.columns.includes(column)) properties[fieldName(column.name)] = definitionOfKind(column.kind);
    this.#addFields(index.name, properties);
    let sources = new SourceBlocks();
    const rows = new ZeekRows(index.schema.path, schema.columns, this.#enricher, (source) => sources.add(source));
    const endRows = (): void => {
      const data = rows.take();
      this.#write(index.name, data.rows, data.columns, sources, data.range);
      sources = new SourceBlocks();
    };
    const engine = createEngine();
    const present =
      columns.length === 0 ? schema.columns : schema.columns.filter((column) => columns.some((one) => one.name === column.name));
    const reader = engine.reader({ schema, columns: present.map((column) => column.name), source: name }, (batch) => {
      rows.add(batch);
      if (rows.rows >= SEGMENT_ROWS) endRows();
    });
    let layout = "";
    let report: ReadReport = emptyReport(name);
    try {
      for await (const chunk of chunks) {
        this.#options.check?.();
        reader.push(chunk);
        const now = reader.layout();
        if (now !== layout) {
          // Columns of a later header that the first one lacks are in the documents of no row before; they are told.
          const fields = (JSON.parse(now) as unknown[])[5];
          if (Array.isArray(fields) && layout !== "") {
            const lost = fields.filter((field) => typeof field === "string" && !known.has(field) && field !== "_path");
            if (lost.length > 0) this.#problem(0, `columns that a later header adds were left out: ${lost.join(", ")}`);
          }
          layout = now;
        }
      }
    } finally {
      report = reader.end();
      if (rows.rows > 0) endRows();
      this.#malformed += report.malformedRows;
      this.#invalid += report.invalidValues;
      this.#other += report.otherRows;
      for (const { line, reason } of report.problems) this.#problem(line, reason);
    }
  }

  #addFields(index: string, properties: Record<string, unknown>): void {
    if (Object.keys(properties).length > 0) this.#fields.set(index, { ...this.#fields.get(index), ...properties });
  }

  #write(
    index: string,
    rows: number,
    columns: ReadonlyMap<string, Column>,
    sources: SourceBlocks,
    range: readonly [number, number] | undefined,
  ): void {
    const id = segmentName();
    const files = this.#store.write(id, { rows, columns, sources });
    this.#written.push({ index, id, rows, range, files });
  }

  async #readJson(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const documents = new LogDocuments(basename(name), this.#enricher);
    const others = new Set<string>();
    let since = 0;
    await readObjects(chunks, {
      object: (value, line) => {
        if (++since % 4096 === 0) this.#options.check?.();
        const found = documents.read(value);
        if (found.index === undefined) {
          if (found.isOther) {
            this.#other++;
            others.add(found.reason);
          } else {
            this.#malformed++;
            this.#problem(line, found.reason);
          }
          return;
        }
        this.#addDocument(found.index, found.document, line);
      },
      malformed: (line, reason) => {
        this.#malformed++;
        this.#problem(line, reason);
      },
    });
    const kept = this.#written.length > 0 || [...this.#builders.values()].some(({ sources }) => sources.rows > 0);
    if (!kept)
      this.#failure ??=
        others.size > 0 ? `${name}: ${[...others].join(", ")}, which no index keeps` : `${name}: holds no record that could be read`;
  }

  /** The line of the document that is read. */
  #line = 0;

  #addDocument(index: string, document: Readonly<Record<string, unknown>>, line: number): void {
    this.#line = line;
    let state = this.#builders.get(index);
    if (!state) {
      const mapping = this.#store.mapping(index).copy();
      const builder = new SegmentBuilder(mapping, (path, reason) => {
        this.#invalid++;
        this.#problem(this.#line, `${path}: ${reason}`);
      });
      state = { builder, sources: new SourceBlocks() };
      this.#builders.set(index, state);
    }
    const source = writePlain(document);
    state.builder.add({ id: "", source: "" }, document);
    state.sources.add(source);
    if (state.sources.rows >= DOCUMENT_ROWS) this.#endDocuments(index);
  }

  #endDocuments(index: string): void {
    const state = this.#builders.get(index);
    this.#builders.delete(index);
    if (!state || state.sources.rows === 0) return;
    const segment = state.builder.build();
    const columns = new Map<string, Column>();
    for (const path of segment.paths) {
      const column = segment.column(path);
      if (column) columns.set(path, column);
    }
    this.#addFields(index, state.builder.newFields());
    this.#write(index, state.sources.rows, columns, state.sources, timeRange(columns.get("ts")));
  }
}

/** Imports one file into the log store; a file whose content was imported before is left alone. */
export function importFile(store: LogStore, file: LogFile, options: ImportOptions = {}): Promise<ImportOutcome> {
  return new FileImport(store, file, options).run();
}
