import { join } from "node:path";
import type { Store } from "@heliograph/runtime/runs";
import type { Command } from "commander";

/** Where runs are kept. */
export interface StoreOptions {
  readonly dataDir?: string;
  readonly database?: string;
}

/** Adds the options that say where runs are kept. */
export function addStoreOptions(command: Command): Command {
  return command
    .option("--data-dir <folder>", "Folder for data (default: HELIOGRAPH_DATA_DIR, else heliograph in the user's data home)")
    .option("--database <url>", "PostgreSQL instead: postgres://user:password@host/database (default: HELIOGRAPH_DATABASE)");
}

/** The folder or URL that the options or the environment name. */
export async function storeLocation({ dataDir, database }: StoreOptions): Promise<string> {
  const { defaultDataDir } = await import("@heliograph/runtime/runs");
  // A folder that is named goes before a database of the environment.
  return database ?? dataDir ?? process.env["HELIOGRAPH_DATABASE"] ?? defaultDataDir();
}

/** Opens the store for a piece of work, and closes it. */
export async function withStore<Value>(options: StoreOptions, work: (store: Store) => Promise<Value>): Promise<Value> {
  const { openStore } = await import("@heliograph/runtime/runs");
  const store = await openStore(await storeLocation(options));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The folder of imported logs. */
export async function logsFolder({ dataDir }: Pick<StoreOptions, "dataDir">): Promise<string> {
  const { defaultDataDir } = await import("@heliograph/runtime/runs");
  return join(dataDir ?? defaultDataDir(), "logs");
}
