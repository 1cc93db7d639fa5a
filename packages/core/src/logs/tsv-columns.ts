import { Header } from "../zeek/header.js";
import { binaryText } from "../zeek/row-context.js";
import { type ColumnKind, defaultAliases, detectLogType, type LogColumn, type LogSchema } from "../zeek/schema.js";

/** What the first lines of a TSV log say of it. */
export interface ColumnsOfHead {
  /** The log type; undefined when nothing tells. */
  readonly path: string | undefined;
  /** Names and kinds of the columns, as `#fields` and `#types` have them. */
  readonly columns: readonly LogColumn[];
}

function kindOf(type: string): ColumnKind {
  if (/^(?:set|vector|table)\[/.test(type)) return "list";
  switch (type) {
    case "time":
      return "time";
    case "addr":
      return "address";
    case "port":
      return "port";
    case "count":
      return "count";
    case "int":
    case "double":
    case "interval":
      return "number";
    case "bool":
      return "flag";
    default:
      return "code";
  }
}

/**
 * Reads the `#` lines at the start of a TSV log. Columns that the log type does not know get the kind that `#types` says, so that they are kept too.
 * @param head the first bytes, with the header whole
 */
export function columnsOfHead(head: Uint8Array, source: string): ColumnsOfHead {
  const header = new Header();
  let types: readonly string[] = [];
  for (const raw of binaryText(head).split("\n")) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (!line.startsWith("#")) {
      if (header.fields) break;
      const names = line.split(header.separator);
      // A plain line of names, where the log has no `#fields`.
      if (names.includes("ts") && names.length > 2) header.setFields(names);
      break;
    }
    header.accept(line);
    if (line.startsWith(`#types${header.separator}`)) types = line.split(header.separator).slice(1);
  }
  const fields = header.fields ?? [];
  return {
    path: detectLogType(header.path, source, fields),
    columns: fields.map((name, index) => ({
      name: Object.hasOwn(defaultAliases, name) ? (defaultAliases[name] ?? name) : name,
      kind: kindOf(types[index] ?? "string"),
    })),
  };
}

/** A log type's columns and others that a log has besides; those that only say what log it is are left out. */
export function withColumns(schema: LogSchema, columns: readonly LogColumn[]): LogSchema {
  const known = new Set(schema.columns.map(({ name }) => name));
  const more = columns.filter(({ name }) => !known.has(name) && name !== "_path");
  return more.length === 0 ? schema : { ...schema, columns: [...schema.columns, ...more] };
}
