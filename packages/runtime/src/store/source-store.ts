import { type ConnectionFilter, CoreError } from "@heliograph/core";
import type { ClusterLogs } from "../cluster/cluster-index.js";
import type { Store } from "./open-store.js";
import type { SecretBox } from "./secret-box.js";

/** A path under a name, with the filter that goes with it. */
export interface PathSource {
  readonly name: string;
  readonly path: string;
  readonly filter: ConnectionFilter;
}

/** Logs in a cluster under a name; without the credentials, which are never given back. */
export interface ClusterSource extends Omit<ClusterLogs, "credentials"> {
  readonly name: string;
  readonly filter: ConnectionFilter;
}

/** Where logs are. */
export type DataSource = PathSource | ClusterSource;

/** Whether a source is a cluster. */
export const isCluster = (source: DataSource): source is ClusterSource => "kind" in source;

/** Paths and clusters saved under names. */
export class SourceStore {
  readonly #store: Store;
  readonly #secrets: (() => Promise<SecretBox>) | undefined;

  /** `secrets` keeps the credentials of clusters. */
  constructor(store: Store, secrets?: () => Promise<SecretBox>) {
    this.#store = store;
    this.#secrets = secrets;
  }

  async list(): Promise<DataSource[]> {
    const paths = await this.#store.read.selectFrom("data_sources").selectAll().execute();
    const clusters = await this.#store.read.selectFrom("cluster_sources").selectAll().execute();
    const filterOf = (text: string): ConnectionFilter => JSON.parse(text) as ConnectionFilter;
    const all: DataSource[] = [
      ...paths.map(({ name, path, filter }) => ({ name, path, filter: filterOf(filter) })),
      ...clusters.map(({ name, settings, filter }) => ({
        ...(JSON.parse(settings) as Omit<ClusterSource, "name" | "filter">),
        name,
        filter: filterOf(filter),
      })),
    ];
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async get(name: string): Promise<DataSource | undefined> {
    return (await this.list()).find((source) => source.name === name);
  }

  /** False when there is one of that name. */
  async add({ name, path, filter }: PathSource): Promise<boolean> {
    if (await this.get(name)) return false;
    const { numInsertedOrUpdatedRows } = await this.#store.write
      .insertInto("data_sources")
      .values({ name, path, filter: JSON.stringify(filter), created_at: new Date().toISOString() })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .executeTakeFirst();
    return Number(numInsertedOrUpdatedRows) === 1;
  }

  /** Saves a cluster, its credentials sealed; false when there is a source of that name. */
  async addCluster(name: string, { credentials, ...settings }: ClusterLogs, filter: ConnectionFilter = {}): Promise<boolean> {
    if (await this.get(name)) return false;
    const secret = credentials === undefined ? null : (await this.#box()).seal(JSON.stringify(credentials));
    const { numInsertedOrUpdatedRows } = await this.#store.write
      .insertInto("cluster_sources")
      .values({ name, settings: JSON.stringify(settings), filter: JSON.stringify(filter), secret, created_at: new Date().toISOString() })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .executeTakeFirst();
    return Number(numInsertedOrUpdatedRows) === 1;
  }

  async #box(): Promise<SecretBox> {
    if (!this.#secrets) throw new CoreError("bad-parameter", "this process keeps no secrets");
    return this.#secrets();
  }

  /**
   * How to reach a cluster, credentials and all.
   * @throws CoreError `bad-parameter` where there is none of that name, or its credentials cannot be read here
   */
  async cluster(name: string): Promise<ClusterLogs> {
    const row = await this.#store.read.selectFrom("cluster_sources").selectAll().where("name", "=", name).executeTakeFirst();
    if (!row) throw new CoreError("bad-parameter", `there is no cluster ${JSON.stringify(name)} among the data sources`);
    const settings = JSON.parse(row.settings) as ClusterLogs;
    if (row.secret === null) return settings;
    return { ...settings, credentials: JSON.parse((await this.#box()).open(row.secret)) as NonNullable<ClusterLogs["credentials"]> };
  }

  async remove(name: string): Promise<boolean> {
    const paths = await this.#store.write.deleteFrom("data_sources").where("name", "=", name).executeTakeFirst();
    const clusters = await this.#store.write.deleteFrom("cluster_sources").where("name", "=", name).executeTakeFirst();
    return Number(paths.numDeletedRows) + Number(clusters.numDeletedRows) > 0;
  }
}
