import type { ApiKey } from "./key-store.js";
import type { Store } from "./open-store.js";

/** Whether a request may be made, and what is left. */
export interface Grant {
  readonly granted: boolean;
  /** Why not: too many in a short time, or in a day. */
  readonly reason: "rate_limited" | "quota_exceeded" | undefined;
  /** Seconds until the next one may be made; 0 when it was granted. */
  readonly retryAfter: number;
  /** Requests that may be made now, and until the day ends; Infinity: as many as wanted. */
  readonly leftNow: number;
  readonly leftToday: number;
  /** Seconds until a used-up allowance is whole again: the minute's, or the day's when that is used up. */
  readonly reset: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const UNLIMITED: Grant = {
  granted: true,
  reason: undefined,
  retryAfter: 0,
  leftNow: Number.POSITIVE_INFINITY,
  leftToday: Number.POSITIVE_INFINITY,
  reset: 0,
};

interface Usage {
  readonly day: string;
  readonly used: number;
  readonly tokens: number;
  readonly at: number;
}

/**
 * One request more of a key's allowance: a bucket of as many tokens as requests a minute, refilled evenly, and a count that starts anew at 00:00 UTC.
 * A clock that went back gives nothing twice, and one that went far back starts anew from where it stands.
 */
export function spend(
  usage: Usage | undefined,
  { perDay, perMinute }: Pick<ApiKey, "perDay" | "perMinute">,
  now: number,
): { readonly grant: Grant; readonly usage: Usage } {
  const today = new Date(now).toISOString().slice(0, 10);
  const most = perMinute ?? Number.POSITIVE_INFINITY;
  // A day that was ahead by a clock's mistake stays the day, until the clock is there, or a day behind.
  const isAhead = usage !== undefined && usage.day > today && usage.at - now < DAY_MS;
  const used = usage && (usage.day === today || isAhead) ? usage.used : 0;
  const day = isAhead ? usage.day : today;
  const elapsed = usage ? now - usage.at : 0;
  const filled = usage ? Math.min(most, usage.tokens + (Math.max(0, elapsed) / MINUTE_MS) * most) : most;
  const tokens = Number.isNaN(filled) ? most : filled;
  const at = usage && elapsed < 0 && elapsed > -DAY_MS ? usage.at : now;
  const untilMidnight = Math.ceil((DAY_MS - (now % DAY_MS)) / 1000);
  const untilToken =
    most === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.ceil((((1 - tokens) / most) * MINUTE_MS + Math.max(0, at - now)) / 1000));
  const isFinished = perDay !== null && used >= perDay;
  if (isFinished || tokens < 1) {
    const leftToday = perDay === null ? Number.POSITIVE_INFINITY : Math.max(0, perDay - used);
    const wait = isFinished ? untilMidnight : untilToken;
    const grant: Grant = {
      granted: false,
      reason: isFinished ? "quota_exceeded" : "rate_limited",
      retryAfter: wait,
      leftNow: Math.floor(tokens),
      leftToday,
      reset: wait,
    };
    return { grant, usage: { day, used, tokens: finite(tokens), at } };
  }
  const left = tokens - 1;
  const leftToday = perDay === null ? Number.POSITIVE_INFINITY : perDay - used - 1;
  const reset = leftToday === 0 ? untilMidnight : most === Number.POSITIVE_INFINITY ? 0 : Math.ceil(((1 - Math.min(1, left)) / most) * 60);
  return {
    grant: { granted: true, reason: undefined, retryAfter: 0, leftNow: Math.floor(left), leftToday, reset },
    usage: { day, used: used + 1, tokens: finite(left), at },
  };
}

/** As many as wanted need not be counted. */
const finite = (tokens: number): number => (Number.isFinite(tokens) ? tokens : 0);

/** Spends keys' allowances in the store, so that they hold across restarts and servers. */
export class QuotaStore {
  readonly #store: Store;
  readonly #now: () => number;

  /** @param now milliseconds since 1970-01-01 UTC */
  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Takes one request from a key's allowance, if there is one left. Requests that are refused take nothing. */
  async take(key: ApiKey): Promise<Grant> {
    if (key.perDay === null && key.perMinute === null) return UNLIMITED;
    return this.#store.write.transaction().execute(async (db) => {
      // The row is made first, so that there is one to lock; whoever comes second waits.
      await db
        .insertInto("key_usage")
        .values({ key_id: key.id, day: "", used: 0, tokens: -1, at: 0 })
        .onConflict((conflict) => conflict.column("key_id").doNothing())
        .execute();
      const query = db.selectFrom("key_usage").selectAll().where("key_id", "=", key.id);
      const row = await (this.#store.kind === "postgres" ? query.forUpdate() : query).executeTakeFirstOrThrow();
      const { grant, usage } = spend(row.day === "" ? undefined : row, key, this.#now());
      if (grant.granted)
        await db
          .updateTable("key_usage")
          .set({ day: usage.day, used: usage.used, tokens: usage.tokens, at: usage.at })
          .where("key_id", "=", key.id)
          .execute();
      return grant;
    });
  }
}
