/** Takes one member of an object: its key, and its raw value's text and bounds in the line. */
export type MemberSink = (key: string, raw: string) => void;

const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 10 || code === 13;

function stringEnd(text: string, at: number): number {
  let end = at + 1;
  while (text.charCodeAt(end) !== 34) end += text.charCodeAt(end) === 92 ? 2 : 1;
  return end + 1;
}

function valueEnd(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === 34) return stringEnd(text, at);
  let end = at;
  let depth = 0;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === 34) end = stringEnd(text, end) - 1;
    else if (code === 123 || code === 91) depth++;
    else if (code === 125 || code === 93) {
      if (depth === 0) break;
      if (--depth === 0) return end + 1;
    } else if (depth === 0 && (code === 44 || isSpace(code))) break;
  }
  return end;
}

/**
 * Calls `sink` for every member of the object whose text this is, in order; a nested `id` record is flattened to
 * `id.orig_h` and so on. Raw values keep what a parsed number loses: the digits of a time.
 * @returns a reason when the text is not one JSON object
 */
export function jsonMembers(text: string, sink: MemberSink): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "not valid JSON";
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return "not a JSON object";
  walk(text, sink, "");
  return undefined;
}

/** Walks an object already known to be valid. */
function walk(text: string, sink: MemberSink, prefix: string): void {
  let at = text.indexOf("{") + 1;
  while (at < text.length) {
    while (isSpace(text.charCodeAt(at)) || text.charCodeAt(at) === 44) at++;
    if (text.charCodeAt(at) !== 34) return;
    const keyEnd = stringEnd(text, at);
    const rawKey = text.slice(at + 1, keyEnd - 1);
    const key = rawKey.includes("\\") ? String(JSON.parse(text.slice(at, keyEnd))) : rawKey;
    at = keyEnd;
    while (isSpace(text.charCodeAt(at)) || text.charCodeAt(at) === 58) at++;
    const end = valueEnd(text, at);
    const raw = text.slice(at, end);
    if (prefix === "" && key === "id" && raw.startsWith("{")) walk(raw, sink, "id.");
    else sink(prefix + key, raw);
    at = end;
  }
}
