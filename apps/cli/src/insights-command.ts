import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDateInput } from "@heliograph/core";
import { csvRows, grouped } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { IMPORTED, importFiles, tellImports } from "./import-command.js";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { configFrom } from "./read-logs.js";
import { logsFolder } from "./store-options.js";
import { textTable } from "./text-table.js";
import { UsageError } from "./usage-error.js";

const LIST_FORMATS = ["table", "json"] as const;
const RUN_FORMATS = ["table", "json", "csv"] as const;
const BAR = 24;

interface InsightOptions extends OutputOptions {
  readonly dataDir?: string;
  readonly config?: string;
  readonly rules?: string;
  readonly from: string;
  readonly to: string;
  readonly size?: string;
  readonly logs: readonly string[];
}

type Plain = Record<string, unknown>;

interface Bucket extends Plain {
  readonly key: string | number;
  readonly doc_count: number;
}

/** The figures of a bucket, by name. */
function figures(bucket: Bucket): [string, unknown][] {
  return Object.entries(bucket).flatMap(([name, value]): [string, unknown][] => {
    if (typeof value !== "object" || value === null) return [];
    const { value: number, value_as_string: text, buckets, hits } = value as Plain;
    if (Array.isArray(buckets))
      return [[name, buckets.map((one: Plain) => `${String(one["key"])} ${String(one["doc_count"])}`).join(", ")]];
    if (hits !== undefined) {
      const [first] = (hits as { hits: { _source?: Plain }[] }).hits;
      return [
        [
          name,
          Object.entries(first?._source ?? {})
            .map(([key, one]) => `${key}: ${String(one)}`)
            .join(", "),
        ],
      ];
    }
    return [[name, text ?? number]];
  });
}

function bucketTable(buckets: readonly Bucket[]): string {
  const rows = buckets.map((bucket) => ({ bucket, own: new Map(figures(bucket)) }));
  const names = [...new Set(rows.flatMap(({ own }) => [...own.keys()]))];
  // The first figure is what they are ordered by.
  const measure = names[0];
  const sizeOf = (row: (typeof rows)[number]): number => Number(measure === undefined ? row.bucket.doc_count : row.own.get(measure)) || 0;
  const most = rows.reduce((high, row) => Math.max(high, sizeOf(row)), 0);
  const shown = (value: unknown): string =>
    typeof value === "number" ? (Number.isInteger(value) ? grouped(value) : value.toFixed(3)) : String(value ?? "");
  return textTable(
    [
      { title: "Key", align: "left", cell: ({ bucket }) => String(bucket.key) },
      { title: "", align: "left", cell: (row) => "█".repeat(most > 0 ? Math.max(1, Math.round((sizeOf(row) / most) * BAR)) : 0) },
      ...names.map((name) => ({
        title: name,
        align: typeof rows[0]?.own.get(name) === "number" ? ("right" as const) : ("left" as const),
        cell: ({ own }: (typeof rows)[number]) => shown(own.get(name)).slice(0, 100),
      })),
      { title: "Rows", align: "right", cell: ({ bucket }) => grouped(bucket.doc_count) },
    ],
    rows,
  );
}

const HIT_COLUMNS = ["ts", "eventName", "eventSource", "sourceIPAddress", "userIdentity", "errorCode", "errorMessage"];

function hitRows(hits: readonly { readonly _source: Plain }[]): Plain[] {
  return hits.map(({ _source }) => {
    const { userIdentity, ...rest } = _source;
    const who =
      typeof userIdentity === "object" && userIdentity !== null
        ? ((userIdentity as Plain)["arn"] ?? (userIdentity as Plain)["userName"] ?? (userIdentity as Plain)["type"])
        : userIdentity;
    return { ...rest, userIdentity: who };
  });
}

async function micros(name: string, text: string, now: number, roundUp: boolean): Promise<bigint | undefined> {
  if (text === "" || text === "all") return undefined;
  return parseDateInput(text, { name, now: BigInt(now) * 1000n, absent: "now", roundUp });
}

/** Adds `heliograph insights`. */
export function addInsightsCommand(program: Command, signal: AbortSignal): void {
  const insights = program.command("insights").description("Questions worth asking of the logs: list them, run one");
  const rules = (command: Command): Command =>
    command
      .option("--rules <folder>", "Folder of insights of your own, as JSON and YAML files")
      .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)");
  const list = rules(insights.command("list").description("List the insights"));
  addOutputOptions(list, LIST_FORMATS);
  list.action(async (options: InsightOptions) => {
    const format = chosenFormat(LIST_FORMATS, options);
    const { InsightRegistry } = await import("@heliograph/runtime/logs");
    const { all } = await InsightRegistry.load(options.rules ?? (await configFrom(options)).insights);
    const table = textTable(
      [
        { title: "Index", align: "left", cell: ({ index }) => index },
        { title: "Insight", align: "left", cell: ({ name }) => name },
        { title: "What it shows", align: "left", cell: ({ title }) => title },
      ],
      all,
    );
    await writeResult(format === "json" ? `${JSON.stringify(all, undefined, 2)}\n` : table, options.output);
  });
  const run = rules(
    insights
      .command("run")
      .description("Run an insight over imported logs, or over files")
      .argument("<index>", "such as dns_logs")
      .argument("<insight>", "such as top_dns_servers")
      .option("--from <time>", "Rows from this time on, in almost any format; all: no bound (default: now-1d; of files: all)", "")
      .option("--to <time>", "Rows up to this time (default: now; of files: all)", "")
      .option("--size <number>", "Buckets or hits at most (default: 100)")
      .option(
        "--logs <path>",
        "Read these logs instead of imported ones; may be given again",
        (value: string, all: string[]) => [...all, value],
        [] as string[],
      )
      .option("--data-dir <folder>", "Folder for data (default: HELIOGRAPH_DATA_DIR, else heliograph in the user's data home)"),
  );
  addOutputOptions(run, RUN_FORMATS);
  run.action(async (index: string, name: string, options: InsightOptions) => {
    const format = chosenFormat(RUN_FORMATS, options);
    const { InsightRegistry, LogEngine, LogRefusal, runInsight } = await import("@heliograph/runtime/logs");
    const config = await configFrom(options);
    const registry = await InsightRegistry.load(options.rules ?? config.insights);
    const insight = registry.find(index, name);
    if (!insight) throw new UsageError(`there is no insight ${name} of ${index}; see heliograph insights list`);
    const size = options.size === undefined ? undefined : Number(options.size);
    if (size !== undefined && (!Number.isInteger(size) || size < 1 || size > 10_000))
      throw new UsageError(`--size must be a whole number from 1 to 10000, got ${options.size}`);
    const now = Date.now();
    const isFiles = options.logs.length > 0;
    const from = await micros("--from", options.from || (isFiles ? "all" : "now-1d"), now, false);
    const to = await micros("--to", options.to || (isFiles ? "all" : "now"), now, true);
    const temporary = isFiles ? await mkdtemp(join(tmpdir(), "heliograph-")) : undefined;
    const engine = new LogEngine(temporary ?? (await logsFolder(options)));
    try {
      if (isFiles) {
        const { findLogs } = await import("@heliograph/runtime");
        const { availableParallelism } = await import("node:os");
        const found = await findLogs(options.logs, { names: IMPORTED });
        for (const { name: path, reason } of found.problems) process.stderr.write(`heliograph: ${path}: ${reason}\n`);
        const outcomes = await importFiles(engine, found.files, {
          internal: config.filter?.internal_networks,
          threads: availableParallelism(),
          signal,
        });
        if (tellImports(outcomes) || found.problems.length > 0) process.exitCode = 1;
      }
      const json = await runInsight(engine, insight, { from, to, size, now }, signal);
      const answer = JSON.parse(json) as Record<string, { buckets?: Bucket[] }> & { hits?: { total: number; hits: { _source: Plain }[] } };
      const buckets = answer[name]?.buckets;
      let text: string;
      if (format === "json") text = `${json}\n`;
      else if (buckets) {
        const names = [...new Set(buckets.flatMap((bucket) => figures(bucket).map(([one]) => one)))];
        text =
          format === "csv"
            ? await csvRows(
                ["key", "doc_count", ...names],
                buckets.map((bucket) => [
                  bucket.key,
                  bucket.doc_count,
                  ...names.map((one) => String(new Map(figures(bucket)).get(one) ?? "")),
                ]),
              )
            : `${insight.title}\n${insight.description}\n\n${bucketTable(buckets)}`;
      } else {
        const rows = hitRows(answer.hits?.hits ?? []);
        const cellOf = (row: Plain, column: string): string =>
          row[column] === undefined || row[column] === null ? "" : String(row[column]);
        text =
          format === "csv"
            ? await csvRows(
                HIT_COLUMNS,
                rows.map((row) => HIT_COLUMNS.map((column) => cellOf(row, column))),
              )
            : `${insight.title}\n${insight.description}\n\n${textTable(
                HIT_COLUMNS.map((column) => ({
                  title: column,
                  align: "left" as const,
                  cell: (row: Plain) => cellOf(row, column).slice(0, 60),
                })),
                rows,
              )}${grouped(answer.hits?.total ?? 0)} hits\n`;
      }
      await writeResult(text, options.output);
    } catch (cause) {
      if (cause instanceof LogRefusal) throw new UsageError(cause.message);
      throw cause;
    } finally {
      await engine.close();
      if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    }
  });
}
