import type { BatchWriter, WriteColumn } from "./batch-writer.js";
import { decodeUtf8, isPlain, jsonText, tsvText } from "./escape.js";
import { Header } from "./header.js";
import { jsonMembers } from "./json-members.js";
import type { ReadOptions } from "./log-reader.js";
import { defaultAliases, detectLogType } from "./schema.js";

/** Where the wanted columns stand in a TSV row. */
export interface TsvLayout {
  /** For each wanted column its place in the row, -1 when the log lacks it. */
  readonly places: readonly number[];
  /** Columns in a row. */
  readonly width: number;
  /** The place of `_path`, -1 when there is none. */
  readonly pathPlace: number;
  /** Why no row can be read; undefined when rows can. */
  readonly problem: string | undefined;
  /** The log type when it is not the wanted one: its rows are counted and left out. */
  readonly otherType: string | undefined;
}

/** A binary string: one character a byte. */
export function binaryText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

const binaryBytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/**
 * What both readers share about the rows of one source: the header, the names of the columns, and how one row's
 * fields become values. The plain reader sends every row through it, the kernel's host only the odd ones.
 */
export class RowContext {
  readonly header = new Header();
  readonly options: ReadOptions;
  readonly #writer: BatchWriter;
  readonly #columnOf = new Map<string, number>();
  #layout: TsvLayout | undefined;
  /** The type of rows without `_path` in JSON: undefined until the first row, the wanted one or another afterwards. */
  #jsonType: string | undefined;

  constructor(options: ReadOptions, writer: BatchWriter) {
    this.options = options;
    this.#writer = writer;
    const names = new Map<string, number>(writer.columns.map((column, index) => [column.name, index]));
    for (const [alias, name] of Object.entries({ ...defaultAliases, ...options.aliases })) {
      const index = names.get(name);
      if (index !== undefined) this.#columnOf.set(alias, index);
    }
    for (const [name, index] of names) this.#columnOf.set(name, index);
    if (options.fields) this.header.setFields(options.fields);
    for (const line of options.opening?.split("\n") ?? []) {
      if (line.startsWith("#")) this.header.accept(line);
      else if (line.startsWith("{")) {
        const keys: string[] = [];
        jsonMembers(line, (key) => keys.push(key));
        this.noteJsonKeys(keys);
      }
    }
  }

  /** Names under which a wanted column may come, with its index. */
  get names(): ReadonlyMap<string, number> {
    return this.#columnOf;
  }

  /** The layout of the header in force; undefined while there is none. */
  get layout(): TsvLayout | undefined {
    if (this.#layout || !this.header.fields) return this.#layout;
    const { fields } = this.header;
    const places = this.#writer.columns.map((column) => fields.indexOf(column.name));
    fields.forEach((field, place) => {
      const index = this.#columnOf.get(field);
      if (index !== undefined && places[index] === -1) places[index] = place;
    });
    const pathPlace = fields.indexOf("_path");
    const type = detectLogType(this.header.path, this.options.source, fields);
    const lacking = this.#writer.columns.filter((column, index) => column.required && places[index] === -1);
    const first = lacking[0];
    this.#layout = {
      places,
      width: fields.length,
      pathPlace,
      problem: this.header.problem ?? (first ? `the #fields line names no ${first.name}` : undefined),
      // With a _path column every row tells its own type.
      otherType: pathPlace === -1 && type !== undefined && type !== this.options.schema.path ? type : undefined,
    };
    return this.#layout;
  }

  /** Takes a line that starts with `#`; true when the layout may have changed. */
  acceptMeta(line: Uint8Array): boolean {
    if (this.header.accept(binaryText(line)) === "none") return false;
    this.#layout = undefined;
    return true;
  }

  /** Takes the first data line of a log without `#fields` as a plain line of names (`tsv=T`), when it is one. */
  acceptPlainHeader(line: Uint8Array): boolean {
    const names = binaryText(line).split(this.header.separator);
    const known = (name: string): boolean => names.includes(name);
    if (!known("ts") || names.length < 3 || ![...this.#columnOf.keys()].some((name) => name !== "ts" && known(name))) return false;
    this.header.setFields(names);
    this.#layout = undefined;
    return true;
  }

  /** Writes one TSV row; false when the line is no row (counted here). */
  writeTsvRow(bytes: Uint8Array, row: number, line: () => number): boolean {
    const { layout } = this;
    if (!layout) {
      this.#writer.malformedLine(line, "no #fields line before this row; name the columns to read it");
      return false;
    }
    if (layout.otherType !== undefined) {
      this.#writer.other(row, layout.otherType);
      return true;
    }
    const { separator } = this.header;
    const parts = binaryText(bytes).split(separator);
    if (layout.problem !== undefined) {
      this.#writer.malformedLine(line, layout.problem);
      return false;
    }
    if (parts.length !== layout.width) {
      this.#writer.malformedLine(line, widthReason(parts.length, layout.width));
      return false;
    }
    const path = this.#tsvPath(parts[layout.pathPlace]);
    if (path !== undefined && path !== this.options.schema.path) {
      this.#writer.other(row, path);
      return true;
    }
    this.#writer.columns.forEach((column, index) => {
      const raw = parts[layout.places[index] ?? -1];
      if (raw === undefined) this.#writer.unset(column, row, line);
      else this.setTsvField(column, row, binaryBytes(raw), line);
    });
    return true;
  }

  /** The log type that a raw `_path` names; undefined when it names none. */
  #tsvPath(raw: string | undefined): string | undefined {
    if (raw === undefined || raw === this.header.unsetField) return undefined;
    return raw === this.header.emptyField ? "" : tsvText(binaryBytes(raw));
  }

  /** Writes the raw bytes of a TSV field: markers are compared before anything is unescaped. */
  setTsvField(column: WriteColumn, row: number, raw: Uint8Array, line: () => number): void {
    const { unsetField, emptyField } = this.header;
    const binary = binaryText(raw);
    if (binary === unsetField) return this.#writer.unset(column, row, line);
    if (column.kind === "list") return this.#writer.setList(column, row, this.tsvList(raw));
    if (binary === emptyField) return this.#writer.set(column, row, "", line);
    this.#writer.set(column, row, isPlain(raw) ? binary : tsvText(raw), line);
  }

  /** The items of a raw TSV set or vector that is not unset: split first, unescaped after. */
  tsvList(raw: Uint8Array): (string | null)[] {
    const binary = binaryText(raw);
    const { emptyField, unsetField, setSeparator } = this.header;
    if (binary === emptyField || binary === "") return [];
    return binary.split(setSeparator).map((item) => {
      if (item === unsetField) return null;
      return item === emptyField ? "" : tsvText(binaryBytes(item));
    });
  }

  /** Writes one JSON row; a line that is no object takes the row as a malformed one. */
  writeJsonRow(bytes: Uint8Array, row: number, line: () => number): void {
    const { columns } = this.#writer;
    const raws = new Array<string | undefined>(columns.length).fill(undefined);
    let path: string | undefined;
    const keys: string[] = [];
    const reason = jsonMembers(decodeUtf8(bytes, "\\\\x"), (key, raw) => {
      const index = this.#columnOf.get(key);
      if (index !== undefined) raws[index] = raw;
      else if (key === "_path" && raw !== "null") path = raw.startsWith('"') ? jsonText(String(JSON.parse(raw))) : raw;
      if (this.#jsonType === undefined) keys.push(key);
    });
    if (reason !== undefined) return this.#writer.malformed(row, line, reason);
    this.noteJsonKeys(keys);
    const type = path ?? this.#jsonType;
    if (type !== this.options.schema.path) return this.#writer.other(row, type ?? "");
    columns.forEach((column, index) => {
      const raw = raws[index];
      if (raw === undefined || raw === "null") this.#writer.unset(column, row, line);
      else this.setJsonField(column, row, raw, line);
    });
  }

  /** Settles, from the keys of the first row, the type of rows that name none. */
  noteJsonKeys(keys: readonly string[]): void {
    this.#jsonType ??= detectLogType(undefined, this.options.source, keys) ?? this.options.schema.path;
  }

  /** The type of JSON rows without `_path`; undefined before the first row. */
  get jsonType(): string | undefined {
    return this.#jsonType;
  }

  /** Writes the raw text of a JSON value that is not null. */
  setJsonField(column: WriteColumn, row: number, raw: string, line: () => number): void {
    if (column.kind === "list" && raw.startsWith("[")) return this.#writer.setList(column, row, jsonList(raw));
    if (raw.startsWith('"')) return this.#writer.set(column, row, jsonText(String(JSON.parse(raw))), line);
    if ((raw.startsWith("[") || raw.startsWith("{")) && column.kind !== "text") {
      return this.#writer.invalid(column, row, line, raw, "a single value");
    }
    this.#writer.set(column, row, raw, line);
  }
}

/** Why a row of another width than the header's is malformed. */
export function widthReason(found: number, expected: number): string {
  return `${found} columns where the header has ${expected}`;
}

/** The items of a JSON array's text. */
export function jsonList(raw: string): (string | null)[] {
  const items = JSON.parse(raw) as unknown[];
  return items.map((item) => {
    if (item === null) return null;
    return typeof item === "string" ? jsonText(item) : JSON.stringify(item);
  });
}
