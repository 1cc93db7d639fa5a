/** A text of JSON that goes into an answer as it stands. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** What `JSON.stringify` makes of it, should it meet one: the value, with the digits that a double keeps. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/**
 * JSON of a value that may hold bigints and `RawJson`, both written digit by digit. Members that are undefined are left out; numbers
 * that JSON lacks (NaN, infinities) are written as the texts that Elasticsearch writes.
 */
export function writeJson(value: unknown): string {
  if (value === null || value === undefined) return "null";
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "number":
      return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
    case "object":
      break;
    default:
      return JSON.stringify(value) ?? "null";
  }
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${writeJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** `writeJson` for plain values, by the fast built-in writer where there is no bigint among them. */
export function writePlain(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return writeJson(value);
  }
}
