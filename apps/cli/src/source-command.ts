import { readFileSync } from "node:fs";
import { text as readAll } from "node:stream/consumers";
import { CoreError } from "@heliograph/core";
import type { Command } from "commander";
import { addStoreOptions, type StoreOptions, storeLocation } from "./store-options.js";
import { textTable } from "./text-table.js";
import { UsageError } from "./usage-error.js";

interface AddOptions extends StoreOptions {
  readonly path?: string;
  readonly kind?: string;
  readonly url?: string;
  readonly index: readonly string[];
  readonly preset?: string;
  readonly field: readonly string[];
  readonly ca?: string;
  readonly verify: boolean;
  readonly username?: string;
  readonly apiKey?: boolean;
}

const collect = (value: string, all: readonly string[]): string[] => [...all, value];

/** `NAME=VALUE` texts as an object; one without a name is `fallback`'s. */
function pairs(flag: string, texts: readonly string[], fallback?: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1 && fallback !== undefined) return [fallback, text];
      if (at < 1) throw new UsageError(`${flag} must be NAME=VALUE, got ${text}`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** A secret from the environment or standard input: on the command line every user of the machine could read it. */
async function secret(what: string): Promise<string> {
  const given = process.env["HELIOGRAPH_CLUSTER_SECRET"] ?? (process.stdin.isTTY ? "" : (await readAll(process.stdin)).trim());
  if (given === "") throw new UsageError(`the ${what} is missing: give it on standard input or in HELIOGRAPH_CLUSTER_SECRET`);
  return given;
}

/** Opens the store's data sources. */
async function withSources<Result>(
  options: StoreOptions,
  work: (sources: import("@heliograph/runtime/runs").SourceStore) => Promise<Result>,
): Promise<Result> {
  const { defaultDataDir, openStore, SecretBox, SourceStore } = await import("@heliograph/runtime/runs");
  const location = await storeLocation(options);
  const store = await openStore(location);
  try {
    return await work(new SourceStore(store, () => SecretBox.open(/^\w+:\/\//.test(location) ? defaultDataDir() : location)));
  } finally {
    await store.close();
  }
}

/** Adds `heliograph source`. */
export function addSourceCommand(program: Command, signal: AbortSignal): void {
  const root = program
    .command("source")
    .description("Data sources of the server: folders, and Elasticsearch or OpenSearch clusters, under names");
  const add = root
    .command("add")
    .description("Save a data source: --path, or --kind, --url and --index of a cluster")
    .argument("<name>", "its name, as searches give it in data_source")
    .option("--path <path>", "A path as log_dir names it")
    .option("--kind <kind>", "elasticsearch, opensearch or security-onion")
    .option("--url <url>", "The cluster's address, such as https://cluster.example:9200")
    .option(
      "--index <[name=]index>",
      "Index, data stream or pattern, of conn_logs or of the name given; may be given again",
      collect,
      [] as string[],
    )
    .option("--preset <preset>", "How the fields are called: zeek, ecs, malcolm or security-onion (default: zeek)")
    .option(
      "--field <name=path>",
      "Where a field of Zeek's lies, if not where the preset has it; may be given again",
      collect,
      [] as string[],
    )
    .option("--ca <file>", "Certificate (PEM) of the authority that signed the cluster's")
    .option("--no-verify", "Take any certificate: whoever is in between can read and change everything")
    .option("--username <name>", "Name; the password comes on standard input or in HELIOGRAPH_CLUSTER_SECRET")
    .option("--api-key", "An API key comes on standard input or in HELIOGRAPH_CLUSTER_SECRET");
  addStoreOptions(add);
  add.action(async (name: string, options: AddOptions) => {
    const saved = await withSources(options, async (sources) => {
      if (options.kind === undefined) {
        if (options.path === undefined) throw new UsageError("give --path, or --kind, --url and --index of a cluster");
        return sources.add({ name, path: options.path, filter: {} });
      }
      if (options.path !== undefined) throw new UsageError("a cluster has no --path");
      const { checkCluster } = await import("@heliograph/runtime/cluster");
      const given = {
        kind: options.kind,
        url: options.url,
        indexes: pairs("--index", options.index, "conn_logs"),
        ...(options.preset !== undefined && { preset: options.preset }),
        ...(options.field.length > 0 && { fields: pairs("--field", options.field) }),
        ...(options.ca !== undefined && { ca: certificate(options.ca) }),
        verify: options.verify,
      };
      checkCluster(given);
      const credentials = options.apiKey
        ? { api_key: await secret("API key") }
        : options.username !== undefined
          ? { username: options.username, password: await secret("password") }
          : {};
      return sources.addCluster(name, checkCluster({ ...given, ...credentials }));
    });
    if (!saved) throw new UsageError(`there is a data source ${JSON.stringify(name)} already`);
    process.stdout.write(`saved as data source ${name}\n`);
  });
  const list = root.command("list").description("List the data sources").option("--json", "As JSON");
  addStoreOptions(list);
  list.action(async (options: StoreOptions & { json?: boolean }) => {
    const all = await withSources(options, (sources) => sources.list());
    if (options.json) return void process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
    if (all.length === 0) return void process.stdout.write("there is no data source\n");
    process.stdout.write(
      textTable(
        [
          { title: "Name", align: "left", cell: ({ name }) => name },
          { title: "Kind", align: "left", cell: (source) => ("kind" in source ? source.kind : "path") },
          {
            title: "Where",
            align: "left",
            longest: 120,
            cell: (source) => ("kind" in source ? `${source.url} ${Object.values(source.indexes).join(", ")}` : source.path),
          },
        ],
        all,
      ),
    );
  });
  const test = root
    .command("test")
    .description("Ask a cluster what a hunt would: is it reached, does it let us in, has it connection records")
    .argument("<name>", "the data source");
  addStoreOptions(test);
  test.action(async (name: string, options: StoreOptions) => {
    const { ClusterError, testCluster } = await import("@heliograph/runtime/cluster");
    const logs = await withSources(options, (sources) => sources.cluster(name));
    try {
      const { cluster, version, connections, fields } = await testCluster(logs, signal);
      const missing = Object.entries(fields).flatMap(([field, path]) => (path === null ? [field] : []));
      process.stdout.write(`${cluster} ${version}: ${connections.toLocaleString("en-US")} connection records\n`);
      if (missing.length > 0) process.stdout.write(`not in the index, so not judged by: ${missing.join(", ")}\n`);
    } catch (cause) {
      if (cause instanceof ClusterError) throw new CoreError("bad-parameter", `${name}: ${cause.message}`, { cause });
      throw cause;
    }
  });
  const remove = root.command("remove").description("Forget a data source, its credentials too").argument("<name>", "the data source");
  addStoreOptions(remove);
  remove.action(async (name: string, options: StoreOptions) => {
    if (!(await withSources(options, (sources) => sources.remove(name))))
      throw new UsageError(`there is no data source ${JSON.stringify(name)}`);
    process.stdout.write(`the data source ${name} was forgotten\n`);
  });
}

function certificate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`--ca ${path}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
