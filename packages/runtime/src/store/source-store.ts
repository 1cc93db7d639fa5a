import type { ConnectionFilter } from "@heliograph/core";
import type { Store } from "./open-store.js";

/** A path under a name, with the filter that goes with it. */
export interface DataSource {
  readonly name: string;
  readonly path: string;
  readonly filter: ConnectionFilter;
}

/** Paths saved under names. */
export class SourceStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async list(): Promise<DataSource[]> {
    const rows = await this.#store.read.selectFrom("data_sources").selectAll().orderBy("name").execute();
    return rows.map(({ name, path, filter }) => ({ name, path, filter: JSON.parse(filter) as ConnectionFilter }));
  }

  async get(name: string): Promise<DataSource | undefined> {
    return (await this.list()).find((source) => source.name === name);
  }

  /** False when there is one of that name. */
  async add({ name, path, filter }: DataSource): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#store.write
      .insertInto("data_sources")
      .values({ name, path, filter: JSON.stringify(filter), created_at: new Date().toISOString() })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .executeTakeFirst();
    return Number(numInsertedOrUpdatedRows) === 1;
  }

  async remove(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.#store.write.deleteFrom("data_sources").where("name", "=", name).executeTakeFirst();
    return Number(numDeletedRows) > 0;
  }
}
