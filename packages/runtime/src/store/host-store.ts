import type { Store } from "./open-store.js";

/** A host that is left out of all results, past and future. */
export interface FilteredHost {
  readonly ip: string;
  readonly dns: string;
  readonly description: string;
  readonly filteredAt: string;
}

/** Hosts that are left out of results. */
export class HostStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async list(): Promise<FilteredHost[]> {
    const rows = await this.#store.read.selectFrom("filtered_hosts").selectAll().orderBy("filtered_at").orderBy("ip").execute();
    return rows.map(({ ip, dns, description, filtered_at }) => ({ ip, dns, description, filteredAt: filtered_at }));
  }

  /** Filters a host; false when it was filtered before. Its name is that of the latest beacon with it, else UNKNOWN. */
  async add(ip: string, description = ""): Promise<boolean> {
    const known = await this.#store.read
      .selectFrom("beacons")
      .innerJoin("runs", "runs.id", "beacons.run_id")
      .select("beacons.name")
      .where("beacons.destination", "=", ip)
      .where("beacons.name", "!=", "UNKNOWN")
      .orderBy("runs.created_at", "desc")
      .limit(1)
      .executeTakeFirst();
    const { numInsertedOrUpdatedRows } = await this.#store.write
      .insertInto("filtered_hosts")
      .values({ ip, dns: known?.name ?? "UNKNOWN", description, filtered_at: new Date().toISOString() })
      .onConflict((conflict) => conflict.column("ip").doNothing())
      .executeTakeFirst();
    return Number(numInsertedOrUpdatedRows) === 1;
  }

  /** False when it was not filtered. */
  async remove(ip: string): Promise<boolean> {
    const { numDeletedRows } = await this.#store.write.deleteFrom("filtered_hosts").where("ip", "=", ip).executeTakeFirst();
    return Number(numDeletedRows) > 0;
  }
}
