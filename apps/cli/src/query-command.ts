import { parseDateInput } from "@heliograph/core";
import { csvRows, grouped } from "@heliograph/runtime/report";
import type { Command } from "commander";
import { addOutputOptions, chosenFormat, type OutputOptions, writeResult } from "./output.js";
import { logsFolder } from "./store-options.js";
import { textTable } from "./text-table.js";
import { UsageError } from "./usage-error.js";

const FORMATS = ["table", "json", "csv", "ndjson"] as const;
const MOST_COLUMNS = 12;
const LONGEST_CELL = 60;

interface QueryOptions extends OutputOptions {
  readonly dataDir?: string;
  readonly from?: string;
  readonly to?: string;
  readonly size?: string;
}

type Plain = Record<string, unknown>;

interface Answer {
  readonly took: number;
  readonly hits: { readonly total: number; readonly hits: readonly { readonly _source?: Plain }[] };
  readonly aggregations?: Record<string, Plain>;
}

/** A query as the argument has it: Elasticsearch's DSL as JSON, or a text in the syntax of `query_string`. */
function bodyOf(text: string): string {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return trimmed;
  return JSON.stringify(trimmed === "" ? {} : { query: { query_string: { query: trimmed } } });
}

const cell = (value: unknown): string => {
  const text = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL - 1)}…` : text;
};

/** The members of objects, in order of first sight. */
function namesOf(rows: readonly Plain[]): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

function hitsTable(rows: readonly Plain[]): string {
  const names = namesOf(rows);
  const shown = names.slice(0, MOST_COLUMNS);
  const left = names.length - shown.length;
  const columns = shown.map((name) => ({
    title: name,
    align: typeof rows[0]?.[name] === "number" ? ("right" as const) : ("left" as const),
    cell: (row: Plain) => cell(row[name]),
  }));
  return textTable(columns, rows) + (left > 0 ? `(${left} more fields; --format json shows all)\n` : "");
}

/** The buckets of an aggregation as rows: key, count, and the figures below. */
function bucketRows(aggregation: Plain): Plain[] {
  const { buckets } = aggregation;
  const list: [string | undefined, Plain][] = Array.isArray(buckets)
    ? buckets.map((bucket: Plain) => [undefined, bucket])
    : Object.entries((buckets ?? {}) as Record<string, Plain>);
  return list.map(([name, bucket]) => {
    const row: Plain = { key: name ?? bucket["key_as_string"] ?? bucket["key"], doc_count: bucket["doc_count"] };
    for (const [key, value] of Object.entries(bucket)) {
      if (typeof value === "object" && value !== null && !Array.isArray(value) && key !== "key")
        row[key] = (value as Plain)["value"] ?? value;
    }
    return row;
  });
}

function answerTable({ hits, aggregations = {}, took }: Answer): string {
  const parts: string[] = [];
  for (const [name, aggregation] of Object.entries(aggregations)) {
    const rows = bucketRows(aggregation);
    parts.push(`${name}\n${rows.length > 0 ? hitsTable(rows) : `${cell(aggregation["value"] ?? aggregation)}\n`}`);
  }
  const rows = hits.hits.map(({ _source = {} }) => _source);
  if (rows.length > 0) parts.push(hitsTable(rows));
  parts.push(`${grouped(hits.total)} hits in ${took} ms${rows.length < hits.total && rows.length > 0 ? `, ${rows.length} shown` : ""}\n`);
  return parts.join("\n");
}

async function answerCsv({ hits, aggregations = {} }: Answer): Promise<string> {
  const [first] = Object.values(aggregations);
  const rows = hits.hits.length === 0 && first ? bucketRows(first) : hits.hits.map(({ _source = {} }) => _source);
  const names = namesOf(rows);
  return csvRows(
    names,
    rows.map((row) =>
      names.map((name) =>
        typeof row[name] === "object" && row[name] !== null
          ? JSON.stringify(row[name])
          : ((row[name] as string | number | undefined) ?? ""),
      ),
    ),
  );
}

async function micros(name: string, text: string | undefined, now: number, roundUp: boolean): Promise<number | undefined> {
  if (text === undefined) return undefined;
  return Number(await parseDateInput(text, { name, now: BigInt(now) * 1000n, absent: "now", roundUp }));
}

/** Adds `heliograph query`. */
export function addQueryCommand(program: Command, signal: AbortSignal): void {
  const command = program
    .command("query")
    .description("Query imported logs in Elasticsearch's DSL")
    .argument("<index>", "conn_logs, dns_logs, ssl_logs, http_logs, cloudtrail_logs, object_logs, or another one; patterns with *")
    .argument(
      "[dsl]",
      'a search as JSON, such as \'{"query": {"term": {"resp_h": "192.0.2.0/24"}}}\', or a query such as \'resp_p:443 AND orig_bytes:>1000\'',
      "",
    )
    .option("--data-dir <folder>", "Folder for data (default: HELIOGRAPH_DATA_DIR, else heliograph in the user's data home)")
    .option("--from <time>", "Results from this time on, such as now-1d or 2024-05-05 (default: all)")
    .option("--to <time>", "Results up to this time (default: all)")
    .option("--size <number>", "Hits at most (default: what the search says, else 10)");
  addOutputOptions(command, FORMATS);
  command.action(async (index: string, dsl: string, options: QueryOptions) => {
    const format = chosenFormat(FORMATS, options);
    const { LogEngine, LogRefusal } = await import("@heliograph/runtime/logs");
    const { parseExact, writeJson } = await import("@heliograph/core/query");
    const now = Date.now();
    const from = await micros("--from", options.from, now, false);
    const to = await micros("--to", options.to, now, true);
    const size = options.size === undefined ? undefined : Number(options.size);
    if (size !== undefined && (!Number.isInteger(size) || size < 0 || size > 10_000))
      throw new UsageError(`--size must be a whole number from 0 to 10000, got ${options.size}`);
    const engine = new LogEngine(await logsFolder(options));
    try {
      let body = bodyOf(dsl);
      body = writeJson({ ...(parseExact(body) as Plain), ...(size !== undefined && { size }), track_total_hits: true });
      const range = { ...(from !== undefined && { gte: iso(from) }), ...(to !== undefined && { lte: iso(to) }) };
      const json = await engine.search(
        {
          indexes: index,
          body,
          now,
          totalAsInteger: true,
          window: { from, to },
          ...(Object.keys(range).length > 0 && { filter: { range: { ts: range } } }),
        },
        { signal, seconds: 3600 },
      );
      const answer = JSON.parse(json) as Answer;
      const text =
        format === "json"
          ? `${json}\n`
          : format === "ndjson"
            ? (parseExact(json) as unknown as Answer).hits.hits.map(({ _source }) => `${writeJson(_source)}\n`).join("")
            : await (format === "csv" ? answerCsv(answer) : answerTable(answer));
      await writeResult(text, options.output);
    } catch (cause) {
      if (cause instanceof LogRefusal) throw new UsageError(cause.message);
      if (cause instanceof Error && cause.name === "QueryError") throw new UsageError(cause.message);
      throw cause;
    } finally {
      await engine.close();
    }
  });
}

/** Microseconds as ISO 8601. */
function iso(value: number): string {
  const milliseconds = Math.floor(value / 1000);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(value - milliseconds * 1000).padStart(3, "0")}Z`;
}
