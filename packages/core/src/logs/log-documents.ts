import { CoreError } from "../errors.js";
import { type ExactValue, parseExact } from "../query/json/json-tree.js";
import { jsonText } from "../zeek/escape.js";
import { detectLogType } from "../zeek/schema.js";
import { parseTime } from "../zeek/time.js";
import { certificateName, type Enricher, queryLength, registeredDomain } from "./enrich.js";
import { fieldName, indexOfLog } from "./log-index.js";
import { LogTimeWriter } from "./log-time.js";

/** A document of one of the log indexes. */
export interface LogDocument {
  readonly index: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** Why an object is no document of a log index. */
export interface NoDocument {
  readonly index: undefined;
  readonly reason: string;
  /** Whether it is a log of another kind, and not a broken one. */
  readonly isOther: boolean;
}

type Plain = Readonly<Record<string, ExactValue>>;

const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);
const own = (object: Plain, key: string): ExactValue | undefined => (Object.hasOwn(object, key) ? object[key] : undefined);
const has = (object: Plain, ...keys: readonly string[]): boolean => keys.every((key) => own(object, key) !== undefined);

/** Makes objects of JSON logs into documents: Zeek's, AWS CloudTrail's, and verdicts on files. */
export class LogDocuments {
  readonly #source: string;
  readonly #enricher: Enricher;
  readonly #times = new LogTimeWriter();

  /** @param source name of the file, whose last part helps to tell the log type */
  constructor(source: string, enricher: Enricher) {
    this.#source = source;
    this.#enricher = enricher;
  }

  /** The document of an object, with its index. */
  read(object: unknown): LogDocument | NoDocument {
    if (!isObject(object)) return { index: undefined, reason: "not a JSON object", isOther: false };
    if (has(object, "eventName", "eventSource") || has(object, "eventName", "eventTime")) return this.#cloudTrail(object);
    const named = own(object, "_path");
    const isZeek =
      has(object, "ts") &&
      (has(object, "id.orig_h") || has(object, "id_orig_h") || isObject(own(object, "id")) || typeof named === "string");
    if (isZeek) return this.#zeek(object, typeof named === "string" ? named : undefined);
    const isVerdict = has(object, "prediction") || (has(object, "hash") && (has(object, "filename") || has(object, "filesize")));
    if (isVerdict) return this.#verdict(object);
    return { index: undefined, reason: "neither a Zeek, a CloudTrail nor a verdict record", isOther: true };
  }

  #time(value: ExactValue | undefined): string | undefined {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") return undefined;
    const micros = parseTime(String(value));
    return Number.isNaN(micros) ? undefined : this.#times.write(micros);
  }

  #zeek(object: Plain, named: string | undefined): LogDocument | NoDocument {
    const flat: Record<string, ExactValue> = {};
    for (const key of Object.keys(object)) {
      const value = object[key] as ExactValue;
      if (key === "id" && isObject(value)) for (const inner of Object.keys(value)) set(flat, inner, value[inner] as ExactValue);
      else set(flat, fieldName(key.replace(/^id_(?=(?:orig|resp)_[hp]$)/, "id.")), value);
    }
    const path = named ?? detectLogType(undefined, this.#source, Object.keys(object));
    const index = path === undefined ? undefined : indexOfLog(path);
    if (!index) return { index: undefined, reason: `a log of type ${path ?? "unknown"}`, isOther: true };
    const ts = this.#time(own(flat, "ts"));
    if (ts === undefined) return { index: undefined, reason: "ts is no time", isOther: false };
    for (const key of Object.keys(flat)) {
      const value = flat[key];
      // Zeek writes bytes that are no UTF-8 in several ways.
      if (typeof value === "string") flat[key] = jsonText(value);
      // Unset is not there.
      else if (value === null) delete flat[key];
    }
    flat["ts"] = ts;
    for (const end of ["orig", "resp"]) {
      const address = own(flat, `${end}_h`);
      const isInternal = typeof address === "string" ? this.#enricher.isInternal(address) : undefined;
      if (isInternal !== undefined) flat[`${end}_internal`] = isInternal;
    }
    const query = own(flat, "query");
    if (path === "dns" && typeof query === "string") {
      flat["query_length"] = queryLength(query);
      flat["registered_domain"] = registeredDomain(query);
    }
    const host = path === "ssl" ? own(flat, "server_name") : path === "http" ? own(flat, "host") : undefined;
    if (typeof host === "string" && host !== "") flat["registered_domain"] = registeredDomain(host);
    if (path === "ssl") {
      const chain = own(flat, "cert_chain_fps");
      const textOf = (value: ExactValue | undefined): string | undefined => (typeof value === "string" ? value : undefined);
      const name = certificateName(
        Array.isArray(chain) ? textOf(chain[0]) : undefined,
        textOf(own(flat, "subject")),
        textOf(own(flat, "issuer") ?? own(flat, "issuer_subject")),
      );
      if (name !== undefined) flat["cert_fp"] = name;
    }
    flat["count"] ??= 1;
    return { index: index.name, document: flat };
  }

  #cloudTrail(object: Plain): LogDocument | NoDocument {
    // Pipelines move the time of the event to a name of their own.
    const ts = this.#time(own(object, "eventTime")) ?? this.#time(own(object, "@timestamp"));
    if (ts === undefined) return { index: undefined, reason: "eventTime is no time", isOther: false };
    return { index: "cloudtrail_logs", document: { ts, ...object, ...(!has(object, "count") && { count: 1 }) } };
  }

  #verdict(object: Plain): LogDocument | NoDocument {
    const ts = this.#time(own(object, "ts"));
    if (ts === undefined) return { index: undefined, reason: "ts is no time", isOther: false };
    return { index: "object_logs", document: { ...object, ts, ...(!has(object, "count") && { count: 1 }) } };
  }
}

/** Sets a member, whatever its name. */
function set(object: Record<string, ExactValue>, key: string, value: ExactValue): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}

/** Takes the values of JSON lines, or of one big value, with the line each starts at. */
export interface ObjectSink {
  object(value: ExactValue, line: number): void;
  malformed(line: number, reason: string): void;
}

const DEFAULT_MAX_LINE = 1 << 24;
const DEFAULT_MAX_WHOLE = 1 << 28;

/** How much one line, or one JSON value over several lines, may take. */
export interface ObjectLimits {
  readonly maxLineBytes?: number;
  readonly maxWholeBytes?: number;
}

/**
 * Reads the objects of JSON: one a line, the items of an array, or those of `{"Records": […]}`. What cannot be read is told and left out.
 * Returns the lines read.
 * @throws CoreError `limit` for one value over several lines that is longer than allowed
 */
export async function readObjects(chunks: AsyncIterable<Uint8Array>, sink: ObjectSink, limits: ObjectLimits = {}): Promise<number> {
  const { maxLineBytes = DEFAULT_MAX_LINE, maxWholeBytes = DEFAULT_MAX_WHOLE } = limits;
  const decoder = new TextDecoder();
  let rest = "";
  let line = 0;
  let whole: string[] | undefined;
  let wholeLength = 0;
  let skipping = false;
  const takeLine = (text: string): void => {
    line++;
    const trimmed = text.trim();
    if (trimmed === "") return;
    try {
      const value = parseExact(trimmed);
      for (const item of recordsOf(value)) sink.object(item, line);
    } catch (cause) {
      sink.malformed(line, `not valid JSON${cause instanceof Error ? `: ${cause.message.slice(0, 100)}` : ""}`);
    }
  };
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // An array, an object of records, or an object over several lines is read as one.
    if (line === 0 && whole === undefined && isWhole(rest)) whole = [];
    if (whole) {
      wholeLength += rest.length;
      if (wholeLength > maxWholeBytes) throw new CoreError("limit", `one JSON value is longer than ${maxWholeBytes} bytes`);
      whole.push(rest);
      rest = "";
      continue;
    }
    for (;;) {
      const newline = rest.indexOf("\n");
      if (newline === -1) break;
      if (skipping) {
        skipping = false;
        line++;
      } else takeLine(rest.slice(0, newline));
      rest = rest.slice(newline + 1);
    }
    if (rest.length > maxLineBytes) {
      if (!skipping) sink.malformed(line + 1, `the line is longer than ${maxLineBytes} bytes`);
      skipping = true;
      rest = "";
    }
  }
  rest += decoder.decode();
  if (whole) {
    takeLine(whole.join("") + rest);
    return line;
  }
  if (rest !== "" && !skipping) takeLine(rest);
  return line;
}

/** Whether a text begins one JSON value over several lines: an array, records in an object, or a brace alone in its line. */
function isWhole(start: string): boolean {
  const text = start.trimStart();
  return text.startsWith("[") || /^\{\s*"Records"\s*:/.test(text) || /^\{\s*\r?\n/.test(text);
}

function recordsOf(value: ExactValue): readonly ExactValue[] {
  if (Array.isArray(value)) return value;
  if (isObject(value)) {
    const records = own(value, "Records");
    if (Array.isArray(records)) return records;
  }
  return [value];
}
