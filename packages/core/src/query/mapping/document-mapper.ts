import { illegalArgument, QueryError } from "../query-error.js";
import { DateFormat, DYNAMIC_DATE_FORMATS } from "./date-format.js";
import type { Field } from "./field.js";
import { type StoredValue, storedValue } from "./field-value.js";
import type { Mapping } from "./mapping.js";

/** Takes the values of a document, field by field. */
export type ValueSink = (field: Field, value: StoredValue) => void;

type Plain = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);
const DEEPEST_DOCUMENT = 100;

const parsingFailed = (reason: string, cause?: unknown): QueryError => new QueryError("document_parsing_exception", reason, { cause });

/** The sub-fields of a field that hold values of their own. */
function subFields(mapping: Mapping): ReadonlyMap<string, readonly Field[]> {
  const found = new Map<string, Field[]>();
  for (const field of mapping.fields.values()) {
    if (!field.isSubField || field.column !== field.path) continue;
    const parent = field.path.slice(0, field.path.lastIndexOf("."));
    found.set(parent, [...(found.get(parent) ?? []), field]);
  }
  return found;
}

/**
 * Reads documents by a mapping, which grows by the fields that they bring, as Elasticsearch infers them: whole numbers are `long`, others
 * `float`, texts that are dates `date`, other texts `text` with a `keyword` sub-field.
 */
export class DocumentMapper {
  readonly mapping: Mapping;
  #subFields: ReadonlyMap<string, readonly Field[]>;
  #seen: number;

  readonly #onIgnored: ((path: string, reason: string) => void) | undefined;

  /** @param onIgnored told of values that the mapping refuses, which are then left out; default: the document is refused */
  constructor(mapping: Mapping, onIgnored?: (path: string, reason: string) => void) {
    this.mapping = mapping;
    this.#onIgnored = onIgnored;
    this.#subFields = subFields(mapping);
    this.#seen = mapping.changes;
  }

  /**
   * Hands the values of a document to `sink`.
   * @throws QueryError `document_parsing_exception` naming the field; values before it may have been handed over
   */
  read(document: unknown, sink: ValueSink): void {
    if (!isObject(document)) throw parsingFailed("failed to parse: the document is not an object");
    this.#object(document, "", sink, 0);
  }

  #object(object: Plain, path: string, sink: ValueSink, depth: number): void {
    if (depth > DEEPEST_DOCUMENT) throw parsingFailed(`The depth of the document exceeds ${DEEPEST_DOCUMENT} levels`);
    if (!this.mapping.isEnabled(path)) return;
    for (const key of Object.keys(object)) {
      if (key === "" || /^\.|\.$|\.\.|^\s+$/.test(key)) {
        const reason = `field name cannot be empty, blank, or start or end with a dot: [${key}]`;
        if (!this.#onIgnored) throw parsingFailed(reason);
        this.#onIgnored(path, reason);
        continue;
      }
      const full = path === "" ? key : `${path}.${key}`;
      if (!this.#onIgnored) {
        this.#member(object[key], full, sink, depth);
        continue;
      }
      try {
        this.#member(object[key], full, sink, depth);
      } catch (cause) {
        if (!(cause instanceof QueryError)) throw cause;
        this.#onIgnored(full, cause.reason);
      }
    }
  }

  #member(value: unknown, path: string, sink: ValueSink, depth: number): void {
    if (depth > DEEPEST_DOCUMENT) throw parsingFailed(`The depth of the document exceeds ${DEEPEST_DOCUMENT} levels`);
    if (Array.isArray(value)) {
      for (const item of value) this.#member(item, path, sink, depth + 1);
      return;
    }
    if (isObject(value)) {
      const field = this.mapping.field(path);
      if (field?.traits.family === "none") {
        sink(field, 1);
        return;
      }
      if (field)
        throw parsingFailed(
          `failed to parse field [${path}] of type [${field.type}] in document: Can't get text on a START_OBJECT`,
          illegalArgument("Can't get text on a START_OBJECT"),
        );
      if (!this.#enters(path, "object")) return;
      this.#object(value, path, sink, depth + 1);
      return;
    }
    let field = this.mapping.field(path);
    if (!field && value !== null && value !== undefined) {
      if (this.mapping.isObject(path)) {
        if (!this.mapping.isEnabled(path)) return;
        throw parsingFailed(
          `object mapping for [${path}] tried to parse field [${path.slice(path.lastIndexOf(".") + 1)}] as object, but found a concrete value`,
        );
      }
      field = this.#added(path, value);
    }
    if (field) this.#value(field, value, sink);
  }

  /** Whether the members of an object that the mapping lacks are read; a mapping that is strict refuses it. */
  #enters(path: string, jsonType: string): boolean {
    if (this.mapping.isObject(path)) return true;
    const parent = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    const dynamic = this.mapping.dynamicOf(parent);
    if (dynamic === "strict") throw strict(path, parent);
    if (dynamic !== "true") return false;
    const name = path.slice(path.lastIndexOf(".") + 1);
    const template = this.mapping.template(path, name, jsonType);
    if (template) this.mapping.addField(path, { type: "object", ...template });
    return !template || this.mapping.isEnabled(path);
  }

  #added(path: string, value: unknown): Field | undefined {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf(".")));
    for (let at = parent; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) if (!this.mapping.isEnabled(at)) return undefined;
    const dynamic = this.mapping.dynamicOf(parent);
    if (dynamic === "strict") throw strict(path, parent);
    if (dynamic !== "true") return undefined;
    const name = path.slice(path.lastIndexOf(".") + 1);
    try {
      return this.mapping.addField(path, this.#definition(path, name, value));
    } catch (cause) {
      throw cause instanceof QueryError ? parsingFailed(`failed to parse field [${path}]: ${cause.reason}`, cause) : cause;
    }
  }

  #definition(path: string, name: string, value: unknown): Record<string, unknown> {
    const guess = this.#guess(value);
    const template = this.mapping.template(path, name, guess.jsonType);
    return template ? { ...(template["type"] === undefined && { type: guess.definition["type"] }), ...template } : guess.definition;
  }

  #guess(value: unknown): { jsonType: string; definition: Record<string, unknown> } {
    if (typeof value === "boolean") return { jsonType: "boolean", definition: { type: "boolean" } };
    if (typeof value === "bigint") return { jsonType: "long", definition: { type: "long" } };
    if (typeof value === "number") {
      return Number.isInteger(value)
        ? { jsonType: "long", definition: { type: "long" } }
        : { jsonType: "double", definition: { type: "float" } };
    }
    const text = String(value);
    if (this.mapping.detectsDates) {
      const own = this.mapping.dynamicDateFormats;
      const formats = own ? own.map((format) => new DateFormat(format)) : DYNAMIC_DATE_FORMATS;
      for (const format of formats) {
        // A bare number is no date.
        if (/^[+-]?\d+$/.test(text) && !own) break;
        try {
          format.parse(text, { now: 0n });
          const isDefault = !own && format === formats[0];
          return {
            jsonType: "date",
            definition: { type: "date", ...(!isDefault && { format: own ? format.text : `${format.text}||epoch_millis` }) },
          };
        } catch {
          // Not this one.
        }
      }
    }
    if (this.mapping.detectsNumbers && /^-?\d+(?:\.\d+)?$/.test(text)) {
      return text.includes(".")
        ? { jsonType: "double", definition: { type: "float" } }
        : { jsonType: "long", definition: { type: "long" } };
    }
    return { jsonType: "string", definition: { type: "text", fields: { keyword: { type: "keyword", ignore_above: 256 } } } };
  }

  #value(field: Field, raw: unknown, sink: ValueSink): void {
    if (this.#seen !== this.mapping.changes) {
      this.#subFields = subFields(this.mapping);
      this.#seen = this.mapping.changes;
    }
    const value = raw ?? field.nullValue;
    if (value !== null && value !== undefined) this.#store(field, value, sink, raw);
    for (const sub of this.#subFields.get(field.path) ?? []) {
      const own = raw ?? sub.nullValue;
      if (own !== null && own !== undefined) this.#store(sub, own, sink, raw);
    }
    if (raw === null || raw === undefined) return;
    for (const target of field.copyTo) {
      const copy = this.mapping.field(target) ?? this.#added(target, raw);
      if (copy) this.#store(copy, raw, sink, raw);
    }
  }

  #store(field: Field, value: unknown, sink: ValueSink, raw: unknown): void {
    try {
      const stored = storedValue(field, value);
      if (stored !== undefined) sink(field, stored);
    } catch (cause) {
      if (!(cause instanceof QueryError)) throw cause;
      if (field.ignoreMalformed) return;
      throw parsingFailed(
        `failed to parse field [${field.path}] of type [${field.type}] in document. Preview of field's value: '${String(raw).slice(0, 100)}'`,
        cause,
      );
    }
  }
}

function strict(path: string, parent: string): QueryError {
  const name = path.slice(path.lastIndexOf(".") + 1);
  return new QueryError(
    "strict_dynamic_mapping_exception",
    `mapping set to strict, dynamic introduction of [${name}] within [${parent === "" ? "_doc" : parent}] is not allowed`,
  );
}
