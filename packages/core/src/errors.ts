/**
 * What went wrong, for an adapter to turn into a status code, an exit code or a sentence.
 *
 * - `bad-parameter`: an argument is missing, of the wrong type or out of range; `column` names it.
 * - `not-a-log`: nothing in the input reads as a log of the wanted type.
 * - `truncated`: a compressed input ends in the middle.
 * - `damaged`: a compressed input is corrupt or followed by something that does not belong to it.
 * - `encrypted`: an archive entry needs a password.
 * - `archive-limit`: an archive exceeds the entries, ratio or bytes that the caller allows.
 * - `limit`: another stated limit is exceeded.
 * - `bad-query`: a search, a mapping or a document is refused: a `QueryError`, with Elasticsearch's type and reason.
 */
export type CoreErrorCode = "bad-parameter" | "not-a-log" | "truncated" | "damaged" | "encrypted" | "archive-limit" | "limit" | "bad-query";

/** Where an error happened; each part is absent when it is not known. */
export interface ErrorPlace {
  /** The file, archive entry or stream, as the caller named it. */
  source?: string;
  /** 1-based line. */
  line?: number;
  /** The column or parameter. */
  column?: string;
  cause?: unknown;
}

/** The one error class of the engine. A malformed row is never an error: it is counted in the read report. */
export class CoreError extends Error {
  readonly code: CoreErrorCode;
  readonly source: string | undefined;
  readonly line: number | undefined;
  readonly column: string | undefined;

  constructor(code: CoreErrorCode, message: string, place: ErrorPlace = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.name = "CoreError";
    this.code = code;
    this.source = place.source;
    this.line = place.line;
    this.column = place.column;
  }
}

/** The error of a parameter that is missing, of the wrong type or out of range. */
export function badParameter(name: string, message: string): CoreError {
  return new CoreError("bad-parameter", `${name} ${message}`, { column: name });
}

/** A value from outside as an error shows it. */
export function shownValue(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
