import { randomBytes } from "node:crypto";
import { QueryError } from "@heliograph/core/query";

/** A search that goes on over several requests. */
export interface SearchContext {
  /** Names of segments, by index. */
  readonly pinned: Readonly<Record<string, readonly string[]>>;
  /** Where a scroll goes on; undefined: a point in time. */
  readonly scroll?: {
    readonly body: Record<string, unknown>;
    after: unknown;
    readonly totalAsInteger: boolean;
    readonly showsSort: boolean;
  };
}

const MOST_CONTEXTS = 500;
const LONGEST_MS = 24 * 3_600_000;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws QueryError for a text that is no time such as `1m` */
export function milliseconds(text: string, name: string): number {
  const parts = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (!parts)
    throw new QueryError(
      "illegal_argument_exception",
      `failed to parse setting [${name}] with value [${text.slice(0, 40)}] as a time value: unit is missing or unrecognized`,
    );
  const value = Number(parts[1]) * (UNITS[parts[2] ?? ""] ?? 1);
  if (value > LONGEST_MS)
    throw new QueryError("illegal_argument_exception", `Keep alive for request (${text}) is too large. It must be less than (1d).`);
  return value;
}

/** Scrolls and points in time, each until its time is over. */
export class SearchContexts {
  readonly #contexts = new Map<string, { readonly context: SearchContext; until: number }>();

  #sweep(): void {
    const now = Date.now();
    for (const [id, { until }] of this.#contexts) if (until < now) this.#contexts.delete(id);
  }

  open(context: SearchContext, keepMs: number): string {
    this.#sweep();
    if (this.#contexts.size >= MOST_CONTEXTS) {
      throw new QueryError(
        "es_rejected_execution_exception",
        `Trying to create too many scroll contexts. Must be less than or equal to: [${MOST_CONTEXTS}].`,
        { status: 429 },
      );
    }
    const id = randomBytes(24).toString("base64url");
    this.#contexts.set(id, { context, until: Date.now() + keepMs });
    return id;
  }

  /** @throws QueryError 404 for one that there is not, or no longer */
  get(id: string, keepMs: number | undefined): SearchContext {
    this.#sweep();
    const found = this.#contexts.get(id);
    if (!found)
      throw new QueryError("search_context_missing_exception", `No search context found for id [${id.slice(0, 60)}]`, { status: 404 });
    if (keepMs !== undefined) found.until = Date.now() + keepMs;
    return found.context;
  }

  /** Forgets contexts; how many there were. */
  close(ids: readonly string[]): number {
    return ids.filter((id) => this.#contexts.delete(id)).length;
  }

  closeAll(): number {
    const { size } = this.#contexts;
    this.#contexts.clear();
    return size;
  }
}
