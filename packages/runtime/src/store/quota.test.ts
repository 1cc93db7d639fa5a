import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresPrograms, startPostgres, type TestPostgres } from "../testing/postgres.js";
import { KeyStore } from "./key-store.js";
import { openStore } from "./open-store.js";
import { QuotaStore, spend } from "./quota.js";

const NOON = Date.UTC(2021, 6, 15, 12);
const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Requests at some times, in milliseconds after noon: which were granted. */
function asked(times: readonly number[], limits: { perDay: number | null; perMinute: number | null }): (string | true)[] {
  let usage: Parameters<typeof spend>[0];
  return times.map((time) => {
    const { grant, usage: after } = spend(usage, limits, NOON + time);
    if (grant.granted) usage = after;
    else expect(grant.retryAfter).toBeGreaterThan(0);
    return grant.granted || (grant.reason ?? "");
  });
}

describe("an allowance", () => {
  it("is one a minute, average and burst", () => {
    expect(asked([0, 1, 30_000, 59_999, MINUTE, MINUTE + 1, 3 * MINUTE, 3 * MINUTE + 1], { perDay: null, perMinute: 1 })).toEqual([
      true,
      "rate_limited",
      "rate_limited",
      "rate_limited",
      true,
      "rate_limited",
      true,
      "rate_limited",
    ]);
  });

  it("refills evenly", () => {
    expect(asked([0, 0, 0, 20_000, 20_000, 40_000], { perDay: null, perMinute: 3 })).toEqual([
      true,
      true,
      true,
      true,
      "rate_limited",
      true,
    ]);
  });

  it("of a day ends at midnight in UTC", () => {
    expect(asked([0, 1, 2, 12 * HOUR - 1, 12 * HOUR, 12 * HOUR + 1, 12 * HOUR + 2], { perDay: 2, perMinute: null })).toEqual([
      true,
      true,
      "quota_exceeded",
      "quota_exceeded",
      true,
      true,
      "quota_exceeded",
    ]);
    const { grant } = spend({ day: "2021-07-15", used: 2, tokens: 0, at: NOON }, { perDay: 2, perMinute: null }, NOON + HOUR);
    expect(grant).toMatchObject({ reason: "quota_exceeded", retryAfter: 11 * 3600, leftToday: 0 });
  });

  it("says when the next request may come, and it may", () => {
    const first = spend(undefined, { perDay: 1000, perMinute: 1 }, NOON);
    const refused = spend(first.usage, { perDay: 1000, perMinute: 1 }, NOON + 12_345);
    expect(refused.grant).toMatchObject({ granted: false, retryAfter: 48, leftToday: 999 });
    expect(spend(first.usage, { perDay: 1000, perMinute: 1 }, NOON + 12_345 + 48_000).grant.granted).toBe(true);
  });

  it("gives nothing twice when the clock goes back, and does not stand still for ever", () => {
    const limits = { perDay: 3, perMinute: 1 };
    const first = spend(undefined, limits, NOON);
    expect(spend(first.usage, limits, NOON - HOUR).grant.granted).toBe(false);
    // Over midnight and back: the day's count stays.
    const late = spend({ day: "2021-07-16", used: 3, tokens: 1, at: NOON + 12 * HOUR + 1 }, limits, NOON + 12 * HOUR - MINUTE);
    expect(late.grant.reason).toBe("quota_exceeded");
    // A clock that was years ahead is not waited for.
    const far = spend({ day: "2031-07-15", used: 3, tokens: 0, at: NOON + 3650 * 24 * HOUR }, limits, NOON);
    expect(far.usage.at).toBe(NOON);
    expect(spend(far.usage, limits, NOON + MINUTE).grant.granted).toBe(true);
  });
});

const programs = postgresPrograms();
let postgres: TestPostgres | undefined;
const folder = mkdtempSync(join(tmpdir(), "quota-"));
beforeAll(async () => {
  if (programs) postgres = await startPostgres(programs);
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each([
  ["SQLite", false],
  ["PostgreSQL", true],
])("allowances in %s", (_name, isPostgres) => {
  it.skipIf(isPostgres && !programs)(
    "are never over-granted by two servers at once, and last",
    async () => {
      const location = isPostgres ? await (postgres as TestPostgres).database() : folder;
      const stores = await Promise.all([openStore(location), openStore(location)]);
      const now = (): number => NOON;
      const { key } = await new KeyStore(stores[0] as (typeof stores)[0]).create("many", { perDay: 30, perMinute: 50 });
      const keys = stores.map((store) => new KeyStore(store));
      const quotas = stores.map((store) => new QuotaStore(store, now));
      const found = await keys[1]?.find(key);
      if (!found) throw new Error("the key is not there");
      const grants = await Promise.all(Array.from({ length: 200 }, (_zero, i) => (quotas[i % 2] as QuotaStore).take(found)));
      expect(grants.filter(({ granted }) => granted)).toHaveLength(30);
      expect(new Set(grants.filter(({ granted }) => !granted).map(({ reason }) => reason))).toEqual(new Set(["quota_exceeded"]));
      await Promise.all(stores.map((store) => store.close()));
      const again = await openStore(location);
      expect(await new QuotaStore(again, now).take(found)).toMatchObject({ granted: false, reason: "quota_exceeded" });
      expect(await new QuotaStore(again, () => NOON + 24 * HOUR).take(found)).toMatchObject({ granted: true });
      const free = await new KeyStore(again).create("free", { perDay: null, perMinute: null, indexes: ["dns_logs"] });
      expect(await new KeyStore(again).find(free.key)).toMatchObject({ perDay: null, perMinute: null, indexes: ["dns_logs"] });
      await again.close();
    },
    60_000,
  );
});
