import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { Store } from "./open-store.js";

/** An API key, without what it is. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

/** API keys. A key is 256 random bits, shown once; what is kept is its hash. */
export class KeyStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** A new key, which nobody can read again. */
  async create(name: string): Promise<{ readonly id: string; readonly key: string }> {
    const id = randomUUID();
    const key = `hg_${randomBytes(32).toString("base64url")}`;
    await this.#store.write
      .insertInto("api_keys")
      .values({ id, name, hash: hashOf(key).toString("hex"), created_at: new Date().toISOString(), revoked_at: null })
      .execute();
    return { id, key };
  }

  async list(): Promise<ApiKey[]> {
    const rows = await this.#store.read.selectFrom("api_keys").selectAll().orderBy("created_at").execute();
    return rows.map(({ id, name, created_at, revoked_at }) => ({ id, name, createdAt: created_at, revokedAt: revoked_at }));
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
    const rows = await this.#store.read.selectFrom("api_keys").selectAll().where("revoked_at", "is", null).execute();
    let found: ApiKey | undefined;
    for (const row of rows) {
      if (timingSafeEqual(Buffer.from(row.hash, "hex"), hash))
        found = { id: row.id, name: row.name, createdAt: row.created_at, revokedAt: row.revoked_at };
    }
    return found;
  }
}
