import type { Investigation } from "@heliograph/runtime";
import { type StoreOptions, withStore } from "./store-options.js";

/** Keeps what a hunt found, a run for each search; returns the runs' ids. */
export async function saveRuns(result: Investigation, paths: readonly string[], options: StoreOptions): Promise<string[]> {
  const { RunStore, resultOf } = await import("@heliograph/runtime/runs");
  return withStore(options, async (store) => {
    const runs = new RunStore(store);
    const ids: string[] = [];
    for (const one of result.results) {
      const run = await runs.create(one.search.name, one.search.parameters, { name: paths.join(" "), paths });
      await runs.start(run.id);
      const kept = resultOf({ ...result, results: [one] });
      await runs.addLog(run.logFile, [
        `${run.createdAt} search ${one.search.name} ${JSON.stringify(one.search.parameters)} from the command line`,
        ...result.files.flatMap(({ reports }) => reports.map(({ source, rows }) => `${run.createdAt} read ${source}: ${rows} rows`)),
        `${run.createdAt} found ${kept.beacons.length} potential beacons; summary ${JSON.stringify(kept.summary)}`,
      ]);
      await runs.finish(run.id, kept);
      ids.push(run.id);
    }
    return ids;
  });
}
