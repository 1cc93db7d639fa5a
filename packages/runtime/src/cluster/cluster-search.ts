import { formatTime, parseTime } from "@heliograph/core";
import { writeJson } from "@heliograph/core/query";
import type { SearchOrder } from "../logs/log-worker.js";
import { type ClusterClient, ClusterError, connectCluster, type Patience } from "./cluster-client.js";
import { type ClusterLogs, fieldMapOf, type GroupableField, groupable, timeFilter } from "./cluster-index.js";
import { valueAt } from "./field-map.js";
import { ADDED_FIELDS, SearchMapper } from "./map-search.js";

/** Answers searches in Elasticsearch's DSL: the log store does, and a cluster does. */
export interface DocumentSearch {
  /** The answer as JSON. */
  search(order: SearchOrder, options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
}

type Plain = Record<string, unknown>;
interface Answer extends Plain {
  readonly hits?: { total?: unknown; hits?: { _source?: unknown }[] };
}

/** Has a cluster answer searches that name fields as the log store does. */
export class ClusterSearch implements DocumentSearch {
  readonly #logs: () => Promise<ClusterLogs>;
  readonly #patience: Patience | undefined;
  #client: Promise<{ readonly client: ClusterClient; readonly logs: ClusterLogs }> | undefined;

  constructor(logs: () => Promise<ClusterLogs>, patience?: Patience) {
    this.#logs = logs;
    this.#patience = patience;
  }

  #open(): Promise<{ readonly client: ClusterClient; readonly logs: ClusterLogs }> {
    this.#client ??= this.#logs().then(async (logs) => ({ client: await connectCluster(logs, this.#patience), logs }));
    this.#client.catch(() => {
      this.#client = undefined;
    });
    return this.#client;
  }

  /** @throws ClusterError */
  async search(
    { indexes, body, window, totalAsInteger }: SearchOrder,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<string> {
    const { client, logs } = await this.#open();
    const index = logs.indexes[indexes];
    if (index === undefined)
      throw new ClusterError(
        `the cluster has no index for ${indexes}; the data source names ${Object.keys(logs.indexes).join(", ")}`,
        404,
        "index_not_found_exception",
      );
    const map = fieldMapOf(logs);
    const asked = JSON.parse(body) as Plain;
    // First which paths are asked for, then what the index makes of them.
    const used = new Set<string>();
    const scout = new SearchMapper(map, (path) => {
      used.add(path);
      return path;
    });
    scout.body(asked);
    const time = scout.path("ts");
    const fields = await groupable(client, index, [...used, time], signal);
    const search = scout.withoutExtras(asked, (path) => fields.has(path));
    used.clear();
    scout.body(search);
    this.#checkFields(used, fields, index);
    const mapper = new SearchMapper(map, (path, whole) => (whole ? (fields.get(path)?.path ?? path) : path));
    const mapped = mapper.body(search);
    const bounds = { start: window?.from, end: window?.to };
    const unit = fields.get(time)?.isDate ? "date" : map.numericTime;
    const records = map.records[indexes];
    const filter = [...(records ? [records] : []), ...timeFilter(time, bounds, unit)];
    const query = { bool: { must: [mapped["query"] ?? { match_all: {} }], filter } };
    const answer = await client.request<Answer>(
      {
        method: "POST",
        path: `/${encodeURIComponent(index)}/_search`,
        query: { allow_partial_search_results: "false" },
        body: { ...mapped, query },
      },
      signal,
    );
    return writeJson(ourAnswer(answer, mapper, totalAsInteger ?? false) as never);
  }

  /** @throws ClusterError for a field that the index lacks: an answer of nothing would say that there is nothing */
  #checkFields(used: ReadonlySet<string>, fields: ReadonlyMap<string, GroupableField>, index: string): void {
    const missing = [...used].filter((path) => !fields.has(path));
    if (missing.length === 0) return;
    const said = missing.map((path) =>
      Object.hasOwn(ADDED_FIELDS, path) ? `${path} (${ADDED_FIELDS[path] ?? ""}, which Heliograph adds on import)` : path,
    );
    throw new ClusterError(`${index} has no field ${said.join(", ")}: this cannot be answered there`, 400, "no_field");
  }

  async close(): Promise<void> {
    const open = await this.#client?.catch(() => undefined);
    await open?.client.close();
  }
}

/** Times as the Insights API writes them. */
const apiTime = (value: unknown): unknown => {
  const micros = typeof value === "string" || typeof value === "number" ? parseTime(String(value)) : Number.NaN;
  return Number.isFinite(micros) ? formatTime(micros).replace("T", " ").replace("Z", "") : value;
};

/** The answer with our names in its documents. */
function ourAnswer(answer: Answer, mapper: SearchMapper, totalAsInteger: boolean): Plain {
  const documents = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(documents);
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([name, value]) => {
        if (name !== "_source") return [name, documents(value)];
        const ours = mapper.document(value, valueAt) as Plain;
        return [name, "ts" in ours ? { ...ours, ts: apiTime(ours["ts"]) } : ours];
      }),
    );
  };
  const whole = documents(answer) as Plain & { hits?: { total?: { value?: number } | number } };
  const total = whole.hits?.total;
  if (totalAsInteger && whole.hits && typeof total === "object") whole.hits.total = total.value ?? 0;
  return whole;
}
