import { CoreError } from "../errors.js";

/** What a client reads about a request that cannot be answered, in Elasticsearch's words. */
export interface ErrorBody {
  readonly type: string;
  readonly reason: string;
  readonly line?: number;
  readonly col?: number;
  readonly [detail: string]: unknown;
}

/** Where in the request body an error stands, and what it comes with. */
export interface QueryErrorDetails {
  /** 1-based line and column of the request body. */
  readonly at?: { readonly line: number; readonly column: number } | undefined;
  /** HTTP status; default 400. */
  readonly status?: number;
  readonly cause?: unknown;
  /** More members of the error object, such as `index`. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Whether the request was read and failed when run over the data: reported as Elasticsearch reports its shards. */
  readonly atRun?: boolean;
}

/**
 * A request that the query engine refuses: `type` is Elasticsearch's name of the error, such as `parsing_exception`.
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/common-options.html
 */
export class QueryError extends CoreError {
  readonly type: string;
  readonly reason: string;
  readonly status: number;
  readonly columnNumber: number | undefined;
  readonly #details: QueryErrorDetails;

  constructor(type: string, reason: string, details: QueryErrorDetails = {}) {
    super("bad-query", details.at ? `${reason} (line ${details.at.line}, column ${details.at.column})` : reason, {
      ...(details.at && { line: details.at.line }),
      ...(details.cause !== undefined && { cause: details.cause }),
    });
    this.name = "QueryError";
    this.type = type;
    this.reason = reason;
    this.status = details.status ?? 400;
    this.columnNumber = details.at?.column;
    this.#details = details;
  }

  /** The error's own object, with what caused it. */
  body(): ErrorBody {
    const { at, cause, more } = this.#details;
    return {
      type: this.type,
      reason: this.reason,
      ...(at && { line: at.line, col: at.column }),
      ...more,
      ...(cause instanceof QueryError && { caused_by: cause.body() }),
    };
  }

  /** The whole body of the answer: `{error: {root_cause, type, reason, …}, status}`. */
  response(index = "heliograph"): { error: Record<string, unknown>; status: number } {
    const body = this.body();
    const root: ErrorBody = { ...body };
    delete (root as Record<string, unknown>)["caused_by"];
    if (!this.#details.atRun) return { error: { root_cause: [root], ...body }, status: this.status };
    return {
      error: {
        root_cause: [root],
        type: "search_phase_execution_exception",
        reason: "all shards failed",
        phase: "query",
        grouped: true,
        failed_shards: [{ shard: 0, index, node: "heliograph", reason: body }],
        ...(this.#details.cause === undefined && { caused_by: body }),
      },
      status: this.status,
    };
  }
}

export const illegalArgument = (reason: string, details: QueryErrorDetails = {}): QueryError =>
  new QueryError("illegal_argument_exception", reason, details);

export const parsingError = (reason: string, at?: QueryErrorDetails["at"], cause?: unknown): QueryError =>
  new QueryError("parsing_exception", reason, { at, cause });

/** The error of a query that was read but does not fit the mapping: `query_shard_exception` inside `search_phase_execution_exception`. */
export const shardError = (reason: string, cause?: unknown): QueryError =>
  new QueryError("query_shard_exception", `failed to create query: ${reason}`, { cause, atRun: true });
