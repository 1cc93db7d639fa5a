import type { IndexInfo, LogEngine } from "@heliograph/runtime/logs";
import { grouped } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { logsFolder } from "./store-options.js";
import { textTable } from "./text-table.js";
import { UsageError } from "./usage-error.js";

const FORMATS = ["table", "json"] as const;

interface Options extends OutputOptions {
  readonly dataDir?: string;
  readonly olderThan?: string;
  readonly maxBytes?: string;
}

const time = (micros: number | undefined): string =>
  micros === undefined ? "" : new Date(micros / 1000).toISOString().slice(0, 19).replace("T", " ");

/** Bytes as a person reads them. */
function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };

function ageMs(text: string): number {
  const parts = /^(\d{1,6})([hdwy])$/.exec(text);
  if (!parts) throw new UsageError(`--older-than must be a number with h, d, w or y, such as 90d, got ${text}`);
  return Number(parts[1]) * (UNITS[parts[2] ?? ""] ?? 1);
}

function bytesOf(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?$/i.exec(text.trim());
  if (!parts) throw new UsageError(`--max-bytes must be a size such as 500000000 or 50GB, got ${text}`);
  return Number(parts[1]) * 1024 ** " KMGT".indexOf((parts[2] || " ").toUpperCase());
}

async function withEngine<Value>(options: Options, work: (engine: LogEngine) => Promise<Value>): Promise<Value> {
  const { LogEngine } = await import("@heliograph/runtime/logs");
  const engine = new LogEngine(await logsFolder(options), { threads: 1 });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** Adds `heliograph store`. */
export function addStoreCommand(program: Command): void {
  const store = program.command("store").description("Look after the imported logs");
  const dataDir = (command: Command): Command =>
    command.option("--data-dir <folder>", "Folder for data (default: HELIOGRAPH_DATA_DIR, else heliograph in the user's data home)");
  const status = dataDir(store.command("status").description("What is imported"));
  addOutputOptions(status, FORMATS);
  status.action(async (options: Options) => {
    const format = chosenFormat(FORMATS, options);
    const found = await withEngine(options, (engine) => engine.call("status"));
    const table = textTable<IndexInfo>(
      [
        { title: "Index", align: "left", cell: ({ name }) => name },
        { title: "Rows", align: "right", cell: ({ documents }) => grouped(documents) },
        { title: "Segments", align: "right", cell: ({ segments }) => grouped(segments) },
        { title: "Size", align: "right", cell: ({ bytes }) => size(bytes) },
        { title: "First (UTC)", align: "left", cell: ({ first }) => time(first) },
        { title: "Last (UTC)", align: "left", cell: ({ last }) => time(last) },
      ],
      found.indexes,
    );
    await writeResult(
      format === "json"
        ? `${JSON.stringify(found, undefined, 2)}\n`
        : `${table}${grouped(found.imports)} files imported into ${found.folder}\n`,
      options.output,
    );
  });
  dataDir(store.command("compact").description("Put small segments together")).action(async (options: Options) => {
    const replaced = await withEngine(options, (engine) => engine.call("compact"));
    process.stdout.write(replaced === 0 ? "nothing to put together\n" : `${grouped(replaced)} small segments put together\n`);
  });
  dataDir(store.command("prune").description("Remove the oldest logs"))
    .option("--older-than <age>", "Segments whose last row is older: 90d, 12w, 2y")
    .option("--max-bytes <size>", "The oldest segments, until no more is left than this: 50GB")
    .action(async (options: Options) => {
      const { olderThan, maxBytes } = options;
      if (olderThan === undefined && maxBytes === undefined)
        throw new UsageError("say what to remove: --older-than 90d, or --max-bytes 50GB");
      const removed = await withEngine(options, (engine) =>
        engine.call("prune", {
          ...(olderThan !== undefined && { before: (Date.now() - ageMs(olderThan)) * 1000 }),
          ...(maxBytes !== undefined && { mostBytes: bytesOf(maxBytes) }),
        }),
      );
      process.stdout.write(`${grouped(removed.rows)} rows in ${grouped(removed.segments)} segments removed\n`);
    });
}
