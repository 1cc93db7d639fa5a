import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { Store } from "./open-store.js";

/** What a key may ask for under `/data`; null: as much as it likes. */
export interface KeyLimits {
  readonly perDay: number | null;
  readonly perMinute: number | null;
  /** Names of the indexes that it may ask; undefined: all. */
  readonly indexes: readonly string[] | undefined;
}

/** The Insights API's own limits. */
export const USUAL_LIMITS: KeyLimits = { perDay: 1000, perMinute: 1, indexes: undefined };

/** An API key, without what it is. */
export interface ApiKey extends KeyLimits {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
  readonly revoked_at: string | null;
  readonly key_id: string | null;
  readonly per_day: number | null;
  readonly per_minute: number | null;
  readonly indexes: string | null;
}

function keyOf({
  id,
  name,
  created_at: createdAt,
  revoked_at: revokedAt,
  key_id: limited,
  per_day: perDay,
  per_minute: perMinute,
  indexes,
}: KeyRow): ApiKey {
  // A key from before there were limits has the usual ones.
  const limits =
    limited === null ? USUAL_LIMITS : { perDay, perMinute, indexes: indexes === null ? undefined : (JSON.parse(indexes) as string[]) };
  return { id, name, createdAt, revokedAt, ...limits };
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

/** API keys. A key is 256 random bits, shown once; what is kept is its hash. */
export class KeyStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** A new key, which nobody can read again. */
  async create(name: string, limits: Partial<KeyLimits> = {}): Promise<{ readonly id: string; readonly key: string }> {
    const id = randomUUID();
    const key = `hg_${randomBytes(32).toString("base64url")}`;
    const { perDay, perMinute, indexes } = { ...USUAL_LIMITS, ...limits };
    await this.#store.write.transaction().execute(async (db) => {
      await db
        .insertInto("api_keys")
        .values({ id, name, hash: hashOf(key).toString("hex"), created_at: new Date().toISOString(), revoked_at: null })
        .execute();
      await db
        .insertInto("key_limits")
        .values({ key_id: id, per_day: perDay, per_minute: perMinute, indexes: indexes === undefined ? null : JSON.stringify(indexes) })
        .execute();
    });
    return { id, key };
  }

  #keys() {
    return this.#store.read
      .selectFrom("api_keys")
      .leftJoin("key_limits", "key_limits.key_id", "api_keys.id")
      .select(["id", "name", "hash", "created_at", "revoked_at", "key_id", "per_day", "per_minute", "indexes"]);
  }

  async list(): Promise<ApiKey[]> {
    return (await this.#keys().orderBy("created_at").execute()).map(keyOf);
  }

  /** Revokes the keys of a name or an id; returns how many. */
  async revoke(nameOrId: string): Promise<number> {
    const { numUpdatedRows } = await this.#store.write
      .updateTable("api_keys")
      .set({ revoked_at: new Date().toISOString() })
      .where((where) => where.or([where("id", "=", nameOrId), where("name", "=", nameOrId)]))
      .where("revoked_at", "is", null)
      .executeTakeFirst();
    return Number(numUpdatedRows);
  }

  /** Whether any key was ever made: from then on every request needs one. */
  async required(): Promise<boolean> {
    return (await this.#store.read.selectFrom("api_keys").select("id").limit(1).executeTakeFirst()) !== undefined;
  }

  /** The key that a text is, if it is a valid one. Compared in constant time. */
  async find(key: string): Promise<ApiKey | undefined> {
    const hash = hashOf(key);
    let found: ApiKey | undefined;
    for (const row of await this.#keys().where("revoked_at", "is", null).execute())
      if (timingSafeEqual(Buffer.from(row.hash, "hex"), hash)) found = keyOf(row);
    return found;
  }
}
