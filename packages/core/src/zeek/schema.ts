/**
 * How a column is held: `time` in microseconds, `address` and `code` as codes, `port`, `number` and `count` as numbers,
 * `flag` as a truth value, `text` as UTF-8, `list` as lists of text.
 */
export type ColumnKind = "time" | "address" | "code" | "port" | "number" | "count" | "flag" | "text" | "list";

/** One column of a log type; known columns are typed by their name, whatever `#types` says. */
export interface LogColumn {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** A log type: what its columns are and how its files are known. */
export interface LogSchema {
  readonly path: string;
  readonly columns: readonly LogColumn[];
  /** A row without one of these is malformed. */
  readonly required: readonly string[];
}

/** A column in short. */
export const column = (name: string, kind: ColumnKind): LogColumn => ({ name, kind });

/** What every log of connections starts with: time, identifier and four-tuple. */
export const ID_COLUMNS: readonly LogColumn[] = [
  column("ts", "time"),
  column("uid", "text"),
  column("id.orig_h", "address"),
  column("id.orig_p", "port"),
  column("id.resp_h", "address"),
  column("id.resp_p", "port"),
];

/** Names under which writers also publish a column: another scope separator, or a renamed field. */
export const defaultAliases: Readonly<Record<string, string>> = {
  id_orig_h: "id.orig_h",
  id_orig_p: "id.orig_p",
  id_resp_h: "id.resp_h",
  id_resp_p: "id.resp_p",
};

/** The dictionary of a column; all addresses share one, so that both ends of a connection have the same codes. */
export function dictionaryName({ name, kind }: LogColumn): string | undefined {
  return kind === "address" ? "address" : kind === "code" ? name : undefined;
}

const SIGNATURES: readonly (readonly [path: string, fields: readonly string[]])[] = [
  ["dns", ["query", "qtype"]],
  ["ssl", ["cipher", "server_name"]],
  ["http", ["method", "uri"]],
  ["conn", ["duration", "conn_state"]],
];

const NAMED = /^(?:json_streaming_)?([a-z][a-z0-9_]*?)(?:[._-].*)?\.(?:log|json|ndjson)(?:\.|$)/;
const KNOWN_NAMES = new Set(["conn", "dns", "ssl", "http", "files", "x509", "weird", "notice", "dhcp", "ntp", "smtp", "ssh", "ftp", "pe"]);

/**
 * The log type of a file from its `_path` or `#path`, else its name, else the fields it has; undefined when nothing tells.
 */
export function detectLogType(path: string | undefined, name: string, fields: readonly string[]): string | undefined {
  if (path !== undefined && path !== "" && path !== "-") return path;
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\"), name.lastIndexOf("!")) + 1).toLowerCase();
  const named = NAMED.exec(base)?.[1];
  if (named !== undefined && KNOWN_NAMES.has(named)) return named;
  for (const [type, wanted] of SIGNATURES) if (wanted.every((field) => fields.includes(field))) return type;
  return undefined;
}
