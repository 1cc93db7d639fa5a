import { Analysis } from "./analysis/analyzer.js";
import type { QueryLimits } from "./clauses/clause.js";
import type { Bitmap } from "./columns/bitmap.js";
import type { Column } from "./columns/column.js";
import { type ColumnBuilder, IpBuilder, NumberBuilder, TextBuilder } from "./columns/column-builder.js";
import type { AddressWords } from "./columns/ip-address.js";
import type { Segment } from "./columns/segment.js";
import { parseExact } from "./json/json-tree.js";
import { writeJson } from "./json/write-json.js";
import { DocumentMapper } from "./mapping/document-mapper.js";
import type { Field } from "./mapping/field.js";
import type { StoredValue } from "./mapping/field-value.js";
import { Mapping } from "./mapping/mapping.js";
import { QueryError } from "./query-error.js";

/** A document and its name. */
export interface IndexedDocument {
  readonly id: string;
  /** The document as JSON. */
  readonly source: string;
  readonly sequence?: number;
  readonly version?: number;
}

function builderOf(field: Field): ColumnBuilder {
  switch (field.traits.family) {
    case "text":
      return new TextBuilder();
    case "ip":
      return new IpBuilder();
    default:
      return new NumberBuilder();
  }
}

/** Makes a segment of documents, row by row. */
export class SegmentBuilder {
  readonly #mapper: DocumentMapper;
  /** Paths of the fields that were there before the first document. */
  readonly #before: ReadonlySet<string>;
  readonly #builders = new Map<string, ColumnBuilder>();
  readonly #documents: IndexedDocument[] = [];

  /**
   * @param mapping grows by the fields of the documents
   * @param onIgnored told of values that the mapping refuses, which are then left out; default: the document is refused
   */
  constructor(mapping: Mapping, onIgnored?: (path: string, reason: string) => void) {
    this.#mapper = new DocumentMapper(mapping, onIgnored);
    this.#before = new Set(mapping.fields.keys());
  }

  get rows(): number {
    return this.#documents.length;
  }

  /**
   * Adds a document as the next row.
   * @throws QueryError when the mapping refuses it; then nothing of it is kept
   */
  add(document: IndexedDocument, value: unknown = parseExact(document.source)): void {
    const row = this.#documents.length;
    const values: (readonly [Field, StoredValue])[] = [];
    this.#mapper.read(value, (field, stored) => values.push([field, stored]));
    for (const [field, stored] of values) {
      let builder = this.#builders.get(field.column);
      if (!builder) {
        builder = builderOf(field);
        this.#builders.set(field.column, builder);
      }
      if (builder instanceof TextBuilder) builder.add(row, String(stored));
      else if (builder instanceof IpBuilder) builder.add(row, stored as AddressWords);
      else builder.add(row, stored as number | bigint);
    }
    this.#documents.push(document);
  }

  /** Fields that the documents added to the mapping, each with its definition, by path. */
  newFields(): Record<string, Record<string, unknown>> {
    const { mapping } = this.#mapper;
    const found: Record<string, Record<string, unknown>> = {};
    for (const [path, field] of mapping.fields)
      if (!this.#before.has(path) && !field.isSubField) found[path] = mapping.definition(path) ?? {};
    return found;
  }

  build(): MemorySegment {
    return new MemorySegment(this.#documents, this.#builders);
  }
}

/** Documents in memory. */
export class MemorySegment implements Segment {
  readonly rows: number;
  deleted: Bitmap | undefined;
  readonly #documents: readonly IndexedDocument[];
  readonly #builders: ReadonlyMap<string, ColumnBuilder>;
  readonly #columns = new Map<string, Column>();
  #rowOf: Map<string, number> | undefined;

  constructor(documents: readonly IndexedDocument[], builders: ReadonlyMap<string, ColumnBuilder>) {
    this.#documents = documents;
    this.#builders = builders;
    this.rows = documents.length;
  }

  /** Paths of the columns that have values. */
  get paths(): readonly string[] {
    return [...this.#builders.keys()];
  }

  column(path: string): Column | undefined {
    const known = this.#columns.get(path);
    if (known) return known;
    const column = this.#builders.get(path)?.build(this.rows);
    if (column) this.#columns.set(path, column);
    return column;
  }

  source(row: number): string {
    return this.#documents[row]?.source ?? "{}";
  }

  id(row: number): string {
    return this.#documents[row]?.id ?? "";
  }

  rowOf(id: string): number {
    this.#rowOf ??= new Map(this.#documents.map((document, row) => [document.id, row]));
    return this.#rowOf.get(id) ?? -1;
  }

  sequence(row: number): number {
    return this.#documents[row]?.sequence ?? row;
  }

  version(row: number): number {
    return this.#documents[row]?.version ?? 1;
  }
}

/** What a search runs over: a name, a mapping, and segments. */
export interface SearchableIndex {
  readonly name: string;
  readonly mapping: Mapping;
  readonly segments: readonly Segment[];
  /** Limits of its own, from its settings. */
  readonly limits?: Partial<QueryLimits>;
}

/** How an index is made. */
export interface MemoryIndexOptions {
  /** Name of the index in answers; default `documents`. */
  readonly name?: string;
  /** An Elasticsearch mapping, `{properties: …}`; default: all is inferred. */
  readonly mappings?: unknown;
  /** Index settings; of them `analysis` counts. */
  readonly settings?: unknown;
}

/**
 * An index in memory over plain documents: objects, or texts of JSON, whose numbers then keep all their digits. An `_id` may be given by
 * the second of a pair. Costs about 8 bytes a number, 4 a text that came before, and the documents themselves.
 * @throws QueryError a mapping that is wrong, or a document that does not fit it, with its place in the list
 */
export function memoryIndex(documents: Iterable<unknown>, options: MemoryIndexOptions = {}): SearchableIndex {
  const { name = "documents", mappings, settings } = options;
  const analysis = typeof settings === "object" && settings !== null && "analysis" in settings ? settings.analysis : undefined;
  const mapping = new Mapping(mappings, new Analysis(analysis));
  const builder = new SegmentBuilder(mapping);
  let place = 0;
  for (const document of documents) {
    place++;
    const source = typeof document === "string" ? document : writeJson(document);
    try {
      builder.add({ id: String(place), source }, typeof document === "string" ? parseExact(source) : document);
    } catch (cause) {
      if (!(cause instanceof QueryError)) throw cause;
      throw new QueryError(cause.type, `document ${place}: ${cause.reason}`, { cause });
    }
  }
  return { name, mapping, segments: [builder.build()] };
}
