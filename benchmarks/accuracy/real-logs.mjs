// The searches on real logs, where they lie beside the project: one beacon is known, in the tutorial; the office day of m57 has none.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { planSearch } from "@heliograph/core";
import { findLogs, investigate } from "@heliograph/runtime";

const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const SETS = [
  { name: "tutorial", path: "tutorial", beacon: "7.7.7.1" },
  { name: "m57", path: "m57/conn.log", beacon: undefined },
];
const THRESHOLDS = [50, 70, 85];

/** Prints and returns the place of the known beacon, and how many others score above each threshold. */
export async function realLogs(searches) {
  const results = [];
  for (const { name, path, beacon } of SETS) {
    if (!existsSync(DATA + path)) {
      console.log(`\n${name}: skipped, the real logs are not there`);
      continue;
    }
    const { files } = await findLogs([DATA + path]);
    const found = await investigate(files, { searches: searches.map((one) => planSearch(one.name, one.parameters)) });
    console.log(`\n${name}: ${found.groups} groups`);
    found.results.forEach(({ beacons }, i) => {
      const place = beacon && beacons.findIndex(({ destination }) => destination === beacon);
      const others = beacons.filter(({ destination }) => destination !== beacon);
      const above = THRESHOLDS.map((threshold) => others.filter(({ score }) => score >= threshold).length);
      const known = beacon ? (place < 0 ? "not found" : `place ${place + 1}, score ${beacons[place].score.toFixed(1)}`) : "no known beacon";
      console.log(`  ${searches[i].name.padEnd(13)} ${known.padEnd(22)} others from ${THRESHOLDS.join(", ")}: ${above.join(", ")}`);
      results.push({ log: name, search: searches[i].name, place: place === undefined || place < 0 ? null : place + 1, others: above });
    });
  }
  return results;
}
