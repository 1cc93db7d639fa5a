import { Worker } from "node:worker_threads";
import { type Beacon, beaconFamilies, type Families, type HuntResult } from "@heliograph/core";

const WORKER = new URL("./family-worker.js", import.meta.url);
/** So few are clustered sooner than a thread starts. */
const IN_PLACE = 64;

/** Finds the families of beacons, the highest-scored first, on a thread of its own where it takes long. */
async function findFamilies(beacons: readonly Beacon[], signal?: AbortSignal): Promise<Families> {
  const traits = beacons.map(({ port, profile, payload }) => ({ port, profile, payload }));
  if (traits.length <= IN_PLACE) return beaconFamilies(traits, (await import("ml-hclust")).agnes);
  const worker = new Worker(WORKER, { workerData: traits });
  try {
    return await new Promise<Families>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the thread that finds families ended with code ${code}`)));
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  } finally {
    await worker.terminate();
  }
}

/** The beacons of each search with their families, and how many of each were clustered. */
export async function withFamilies(
  results: HuntResult["results"],
  signal?: AbortSignal,
): Promise<{ readonly results: HuntResult["results"]; readonly clustered: readonly number[] }> {
  const found = [];
  const clustered: number[] = [];
  for (const { search, beacons } of results) {
    const families = await findFamilies(beacons, signal);
    clustered.push(families.clustered);
    const familiar = beacons.map((beacon, i) => {
      const family = families.memberships[i];
      return family ? { ...beacon, family } : beacon;
    });
    found.push({ search, beacons: familiar });
  }
  return { results: found, clustered };
}
