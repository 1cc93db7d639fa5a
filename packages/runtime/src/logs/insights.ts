import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { CoreError } from "@heliograph/core";
import { checkInsight, INSIGHTS, type Insight, insightAnswer, insightBody } from "@heliograph/core/insights";
import { parseExact, writeJson } from "@heliograph/core/query";
import type { DocumentSearch } from "../cluster/cluster-search.js";

/** All insights: those that come with it, and those of a folder of JSON and YAML files. */
export class InsightRegistry {
  readonly all: readonly Insight[];

  private constructor(all: readonly Insight[]) {
    this.all = all;
  }

  /**
   * @param folder of rules of one's own; undefined: there are none
   * @throws CoreError `bad-parameter` naming the file and what is wrong with it
   */
  static async load(folder?: string): Promise<InsightRegistry> {
    const all: Insight[] = [...INSIGHTS];
    if (folder !== undefined) {
      let names: string[];
      try {
        names = (await readdir(folder)).sort();
      } catch (cause) {
        throw new CoreError("bad-parameter", `${folder}: no such folder of insights`, { source: folder, cause });
      }
      for (const name of names.filter((one) => [".json", ".yaml", ".yml"].includes(extname(one)))) {
        const path = join(folder, name);
        const insight = checkInsight(await readRule(path), path);
        if (all.some((one) => one.index === insight.index && one.name === insight.name)) {
          throw new CoreError("bad-parameter", `${path}: there is an insight ${insight.name} of ${insight.index} already`, {
            source: path,
          });
        }
        all.push(insight);
      }
    }
    return new InsightRegistry(all);
  }

  /** Names of the insights of each index, as the Insights API lists them. */
  list(): Record<string, string[]> {
    const list: Record<string, string[]> = {};
    for (const { index, name } of this.all) list[index] = [...(list[index] ?? []), name].sort();
    return list;
  }

  find(index: string, name: string): Insight | undefined {
    return this.all.find((one) => one.index === index && one.name === name);
  }
}

async function readRule(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    if (extname(path) === ".json") return JSON.parse(text);
    const { parse } = await import("yaml");
    return parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new CoreError("bad-parameter", `${path}: ${cause instanceof Error ? cause.message.split("\n")[0] : String(cause)}`, {
      source: path,
      cause,
    });
  }
}

/** Over what an insight runs. */
export interface InsightOrder {
  /** Microseconds since 1970-01-01 UTC; undefined: open. */
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
  readonly size?: number | undefined;
  /** Hits to skip. */
  readonly skip?: number | undefined;
  readonly now: number;
}

/** A time in microseconds as ISO 8601 with all of them. */
export function isoMicros(micros: bigint): string {
  const milliseconds = Number(micros / 1000n) - (micros < 0n && micros % 1000n !== 0n ? 1 : 0);
  const rest = Number(micros - BigInt(milliseconds) * 1000n);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(rest).padStart(3, "0")}Z`;
}

/** The filter of a time range on `ts`, as a query; undefined when both ends are open. */
export function timeFilter({ from, to }: Pick<InsightOrder, "from" | "to">): unknown {
  if (from === undefined && to === undefined) return undefined;
  return { range: { ts: { ...(from !== undefined && { gte: isoMicros(from) }), ...(to !== undefined && { lte: isoMicros(to) }) } } };
}

/** Runs an insight; the answer is JSON as the Insights API has it. @throws LogRefusal when the search fails */
export async function runInsight(
  engine: DocumentSearch,
  insight: Insight,
  { from, to, size, skip, now }: InsightOrder,
  signal?: AbortSignal,
): Promise<string> {
  const filter = timeFilter({ from, to });
  const json = await engine.search(
    {
      indexes: insight.index,
      body: writeJson(insightBody(insight, { size, from: skip })),
      now,
      totalAsInteger: true,
      window: { from: from === undefined ? undefined : Number(from), to: to === undefined ? undefined : Number(to) },
      ...(filter !== undefined && { filter }),
    },
    { signal },
  );
  return writeJson(insightAnswer(insight, parseExact(json) as never));
}
