import { API_COLUMNS, apiRow, csvRows, grouped } from "@heliograph/runtime/report";
import type { ListedBeacon, Run, RunStore } from "@heliograph/runtime/runs";
import type { Command } from "commander";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { addStoreOptions, type StoreOptions, withStore } from "./store-options.js";
import { type TableColumn, textTable } from "./text-table.js";
import { UsageError } from "./usage-error.js";

type Options = StoreOptions & OutputOptions;

const RUN_COLUMNS: readonly TableColumn<Run>[] = [
  { title: "Run", align: "left", cell: ({ id }) => id },
  { title: "When (UTC)", align: "left", cell: ({ createdAt }) => createdAt.slice(0, 19).replace("T", " ") },
  { title: "Search", align: "left", cell: ({ search }) => search },
  { title: "State", align: "left", cell: ({ state }) => state },
  { title: "Beacons", align: "right", cell: ({ beaconCount }) => grouped(beaconCount) },
  { title: "Log", align: "left", cell: ({ logFile }) => logFile },
  { title: "Source", align: "left", cell: ({ source }) => source.name },
];

const BEACON_COLUMNS: readonly TableColumn<ListedBeacon>[] = [
  { title: "ID", align: "right", cell: ({ n }) => String(n) },
  { title: "Score", align: "right", cell: ({ score }) => score.toFixed(1) },
  { title: "Source", align: "left", cell: ({ source }) => source },
  { title: "Destination", align: "left", cell: ({ destination }) => destination },
  { title: "Name", align: "left", cell: ({ name }) => name },
  { title: "Port", align: "right", cell: ({ port, protocol }) => `${port}/${protocol}` },
  { title: "Conns", align: "right", cell: ({ connectionCount }) => grouped(connectionCount) },
];

/** The run of an id, or of the start of one. */
async function runNamed(runs: RunStore, id: string): Promise<Run> {
  const found = (await runs.list()).filter((run) => run.id.startsWith(id));
  const exact = found.find((run) => run.id === id) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return exact;
  throw new UsageError(
    found.length > 1 ? `${id} starts ${found.length} runs; give more of it` : `there is no run ${id}; see heliograph runs list`,
  );
}

async function storeOf<Value>(options: StoreOptions, work: (runs: RunStore) => Promise<Value>): Promise<Value> {
  const { RunStore } = await import("@heliograph/runtime/runs");
  return withStore(options, async (store) => {
    const runs = new RunStore(store);
    await runs.failInterrupted();
    return work(runs);
  });
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The beacons of a run as a JSON list, in pieces: it may be larger than memory. */
async function* listPieces(runs: RunStore, id: string): AsyncGenerator<string> {
  yield "[";
  let separator = "";
  for await (const page of runs.beaconPages(id)) {
    for (const beacon of page) {
      yield `${separator}\n  ${JSON.stringify(beacon, undefined, 2).replaceAll("\n", "\n  ")}`;
      separator = ",";
    }
  }
  yield separator === "" ? "]\n" : "\n]\n";
}

async function* linePieces(runs: RunStore, id: string): AsyncGenerator<string> {
  for await (const page of runs.beaconPages(id)) yield page.map((beacon) => `${JSON.stringify(beacon)}\n`).join("");
}

async function exported(format: string, runs: RunStore, id: string): Promise<string | AsyncIterable<string>> {
  if (format === "json") return listPieces(runs, id);
  if (format === "ndjson") return linePieces(runs, id);
  return csvRows(
    API_COLUMNS,
    (await runs.beacons(id)).map((beacon) => Object.values(apiRow(beacon))),
  );
}

/** Adds `heliograph runs`. */
export function addRunsCommand(program: Command): void {
  const runs = program.command("runs").description("Saved runs: list, show, delete, export");
  const tables = ["table", "json"] as const;
  const list = addStoreOptions(runs.command("list").description("List the runs, the latest first"));
  addOutputOptions(list, tables);
  list.action(async (options: Options) => {
    const format = chosenFormat(tables, options);
    const text = await storeOf(options, async (store) => {
      const all = await store.list();
      if (format === "json") return json(all);
      return all.length === 0 ? "There are no runs. heliograph hunt … --save keeps one.\n" : textTable([...RUN_COLUMNS], all);
    });
    await writeResult(text, options.output);
  });
  const show = addStoreOptions(
    runs.command("show").description("Show a run and its beacons").argument("<run>", "its id, or the start of it"),
  );
  addOutputOptions(show, tables);
  show.action(async (id: string, options: Options) => {
    const format = chosenFormat(tables, options);
    const text = await storeOf(options, async (store) => {
      const run = await runNamed(store, id);
      const beacons = await store.beacons(run.id);
      if (format === "json") return json({ ...run, beacons });
      const head = `${textTable([...RUN_COLUMNS], [run])}${run.error === null ? "" : `${run.error}\n`}`;
      return beacons.length === 0 ? head : `${head}\n${textTable([...BEACON_COLUMNS], beacons)}`;
    });
    await writeResult(text, options.output);
  });
  addStoreOptions(
    runs.command("delete").description("Delete a run with its results and its log").argument("<run>", "its id, or the start of it"),
  ).action(async (id: string, options: StoreOptions) => {
    const text = await storeOf(options, async (store) => {
      const run = await runNamed(store, id);
      if (!(await store.delete(run.id))) throw new UsageError(`the run ${run.id} is under way`);
      return `${run.id} was deleted\n`;
    });
    await writeResult(text, undefined);
  });
  const formats = ["csv", "ndjson", "json"] as const;
  const save = addStoreOptions(
    runs.command("export").description("Print the beacons of a run").argument("<run>", "its id, or the start of it"),
  );
  addOutputOptions(save, formats);
  save.action(async (id: string, options: Options) => {
    const format = chosenFormat(formats, options);
    await storeOf(options, async (store) => {
      const run = await runNamed(store, id);
      await writeResult(await exported(format, store, run.id), options.output);
    });
  });
}

/** Adds `heliograph filter`: hosts that are left out of saved results. */
export function addFilterCommand(program: Command): void {
  const filter = program.command("filter").description("Hosts that are left out of the results of all runs: add, remove, list");
  const address = async (text: string): Promise<string> => {
    const { isAddress } = await import("@heliograph/core");
    if (!isAddress(text)) throw new UsageError(`${text} is no address`);
    return text.trim();
  };
  addStoreOptions(
    filter
      .command("add")
      .description("Leave a host out of all results, past and future")
      .argument("<address>", "its address")
      .option("--description <text>", "Why", ""),
  ).action(async (ip: string, options: StoreOptions & { description: string }) => {
    const { HostStore } = await import("@heliograph/runtime/runs");
    const wanted = await address(ip);
    const added = await withStore(options, (store) => new HostStore(store).add(wanted, options.description));
    await writeResult(`${wanted} ${added ? "is left out of all results" : "was left out before"}\n`, undefined);
  });
  addStoreOptions(filter.command("remove").description("Let a host into results again").argument("<address>", "its address")).action(
    async (ip: string, options: StoreOptions) => {
      const { HostStore } = await import("@heliograph/runtime/runs");
      const removed = await withStore(options, async (store) => new HostStore(store).remove(await address(ip)));
      if (!removed) throw new UsageError(`${ip} is not left out; see heliograph filter list`);
      await writeResult(`${ip} is in the results again\n`, undefined);
    },
  );
  const tables = ["table", "json"] as const;
  const list = addStoreOptions(filter.command("list").description("List the hosts left out"));
  addOutputOptions(list, tables);
  list.action(async (options: Options) => {
    const { HostStore } = await import("@heliograph/runtime/runs");
    const format = chosenFormat(tables, options);
    const hosts = await withStore(options, (store) => new HostStore(store).list());
    const table = textTable(
      [
        { title: "Address", align: "left", cell: ({ ip }) => ip },
        { title: "Name", align: "left", cell: ({ dns }) => dns },
        { title: "Since (UTC)", align: "left", cell: ({ filteredAt }) => filteredAt.slice(0, 19).replace("T", " ") },
        { title: "Description", align: "left", cell: ({ description }) => description },
      ],
      hosts,
    );
    await writeResult(format === "json" ? json(hosts) : hosts.length === 0 ? "No host is left out.\n" : table, options.output);
  });
}

interface KeyOptions extends StoreOptions {
  readonly json?: boolean;
  readonly unlimited?: boolean;
  readonly perDay?: string;
  readonly perMinute?: string;
  readonly index: string[];
}

function limitOf(name: string, text: string | undefined, usual: number | null): number | null {
  if (text === undefined) return usual;
  if (text === "unlimited") return null;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1e9)
    throw new UsageError(`--${name} must be a whole number from 1 on, or unlimited, got ${text}`);
  return number;
}

/** Adds `heliograph keys`: API keys of the server. */
export function addKeysCommand(program: Command): void {
  const keys = program.command("keys").description("API keys of the server: create, list, revoke");
  addStoreOptions(
    keys
      .command("create")
      .description("Create a key and print it, once; from then on the server wants a key")
      .argument("<name>", "what it is for")
      .option("--unlimited", "As many requests to /data as wanted")
      .option("--per-day <number>", "Requests to /data a day, or unlimited (default: 1000)")
      .option("--per-minute <number>", "Requests to /data a minute, or unlimited (default: 1)")
      .option(
        "--index <name>",
        "An index that it may ask; may be given again (default: all)",
        (value: string, all: string[]) => [...all, value],
        [] as string[],
      )
      .option("--json", "Print JSON"),
  ).action(async (name: string, options: KeyOptions) => {
    const { KeyStore, USUAL_LIMITS } = await import("@heliograph/runtime/runs");
    const limits = {
      perDay: options.unlimited ? null : limitOf("per-day", options.perDay, USUAL_LIMITS.perDay),
      perMinute: options.unlimited ? null : limitOf("per-minute", options.perMinute, USUAL_LIMITS.perMinute),
      indexes: options.index.length > 0 ? options.index : undefined,
    };
    const { id, key } = await withStore(options, (store) => new KeyStore(store).create(name, limits));
    await writeResult(options.json ? json({ key, id, name }) : `${key}\n`, undefined);
  });
  addStoreOptions(keys.command("revoke").description("Revoke a key").argument("<key>", "its name or id")).action(
    async (named: string, options: StoreOptions) => {
      const { KeyStore } = await import("@heliograph/runtime/runs");
      const revoked = await withStore(options, (store) => new KeyStore(store).revoke(named));
      if (revoked === 0) throw new UsageError(`there is no key ${named}; see heliograph keys list`);
      await writeResult(`${grouped(revoked)} ${revoked === 1 ? "key was" : "keys were"} revoked\n`, undefined);
    },
  );
  const tables = ["table", "json"] as const;
  const list = addStoreOptions(keys.command("list").description("List the keys, without what they are"));
  addOutputOptions(list, tables);
  list.action(async (options: Options) => {
    const { KeyStore } = await import("@heliograph/runtime/runs");
    const format = chosenFormat(tables, options);
    const all = await withStore(options, (store) => new KeyStore(store).list());
    const table = textTable(
      [
        { title: "Key", align: "left", cell: ({ id }) => id },
        { title: "Name", align: "left", cell: ({ name }) => name },
        { title: "Created (UTC)", align: "left", cell: ({ createdAt }) => createdAt.slice(0, 19).replace("T", " ") },
        { title: "A day", align: "right", cell: ({ perDay }) => (perDay === null ? "unlimited" : grouped(perDay)) },
        { title: "A minute", align: "right", cell: ({ perMinute }) => (perMinute === null ? "unlimited" : grouped(perMinute)) },
        { title: "Indexes", align: "left", cell: ({ indexes }) => indexes?.join(", ") ?? "all" },
        { title: "State", align: "left", cell: ({ revokedAt }) => (revokedAt === null ? "valid" : "revoked") },
      ],
      all,
    );
    await writeResult(format === "json" ? json(all) : all.length === 0 ? "There are no keys.\n" : table, options.output);
  });
}
