// How well the searches find beacons, measured on generated networks whose beacons are known.
//
//   node accuracy/accuracy.mjs [--groups 1300000] [--beacons 6000] [--seed 1000] [--threads 2] [--json FILE]
//
// Networks of a day, a week and four weeks. Seeds below 1000 are for tuning, those from 1000 on for what is reported.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { BEACON_CLASSES, TARGET_CLASSES } from "./beacons.mjs";
import { atThreshold, averagePrecision, precisionAt, recallAt } from "./measure.mjs";
import { realLogs } from "./real-logs.mjs";

const DAY = 86_400;
const CAPTURES = [DAY, DAY, DAY, 7 * DAY, 28 * DAY];
const GROUPS_A_WORLD = { [DAY]: 80_000, [7 * DAY]: 40_000, [28 * DAY]: 20_000 };
const THRESHOLDS = [50, 70, 85];
/** All groups that a search can rate are ranked, whatever its threshold is by default. */
export const SEARCHES = [
  { name: "adaptive", parameters: { min_score: 5 } },
  { name: "quick", parameters: { percent: 0 } },
  { name: "detailed", parameters: { percent: 0 } },
  { name: "hierarchical", parameters: { percent: 0 } },
  { name: "rita", parameters: { min_score: 0 } },
];

const { values } = parseArgs({
  options: {
    groups: { type: "string", default: "1300000" },
    beacons: { type: "string", default: "6000" },
    seed: { type: "string", default: "1000" },
    threads: { type: "string", default: "2" },
    json: { type: "string" },
    dump: { type: "string" },
    only: { type: "string" },
  },
});
const searches = values.only ? SEARCHES.filter(({ name }) => values.only.split(",").includes(name)) : SEARCHES;

/** The worlds that hold so many groups together. */
function worldsOf(groups, beacons, seed) {
  const worlds = [];
  for (let left = groups, i = 0; left > 0; i++) {
    const capture = CAPTURES[i % CAPTURES.length];
    const size = GROUPS_A_WORLD[capture];
    worlds.push({ seed: seed + i, groups: size, capture });
    left -= size;
  }
  const classes = Object.keys(BEACON_CLASSES);
  return worlds.map((world) => ({
    ...world,
    beacons: Math.round(beacons / worlds.length),
    // A sleep of hours makes no 24 calls in a day.
    classes: world.capture <= DAY ? classes.filter((name) => name !== "slow") : classes,
  }));
}

function run(world) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url), {
      workerData: { world, searches, evidence: values.dump !== undefined },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

const started = performance.now();
const queue = worldsOf(Number(values.groups), Number(values.beacons), Number(values.seed));
const done = [];
await Promise.all(
  Array.from({ length: Number(values.threads) }, async () => {
    for (let world = queue.shift(); world; world = queue.shift()) {
      done.push(await run(world));
      process.stderr.write(`${done.length} networks, ${done.reduce((sum, { groups }) => sum + groups, 0)} groups\n`);
    }
  }),
);
if (values.dump) writeFileSync(values.dump, done.flatMap(({ found }) => found[0].map((one) => JSON.stringify(one))).join("\n"));

const negatives = done.reduce((sum, { groups }) => sum + groups, 0);
const rows = done.reduce((sum, one) => sum + one.rows, 0);
const labels = done.flatMap((one) => one.labels);
const classes = [
  ["all", () => true],
  ["target", (name) => TARGET_CLASSES.includes(name)],
  ...Object.keys(BEACON_CLASSES).map((name) => [name, (other) => other === name]),
];
const percent = (value) => (100 * value).toFixed(1).padStart(6);
const report = {
  date: new Date().toISOString().slice(0, 10),
  seed: Number(values.seed),
  negatives,
  rows,
  beacons: labels.length,
  searches: {},
};
console.log(
  `${negatives.toLocaleString("en-US")} groups without a beacon, ${labels.length} beacons, ${rows.toLocaleString("en-US")} connections, ${((performance.now() - started) / 1000).toFixed(0)} s`,
);
for (const [index, { name }] of searches.entries()) {
  const found = done.flatMap((one) => one.found[index]).sort((a, b) => b.score - a.score);
  console.log(
    `\n${name.padEnd(18)} beacons  PR-AUC   P@10   P@50  recall at 10/100k (score)   ${THRESHOLDS.map((t) => `at ${t}: precision recall F1 false/100k`).join("   ")}`,
  );
  const byClass = {};
  for (const [label, belongs] of classes) {
    const positives = labels.filter((one) => belongs(one.class)).length;
    if (positives === 0) continue;
    // Beacons of other classes are neither right nor wrong.
    const ranked = found
      .filter((one) => one.class === undefined || belongs(one.class))
      .map(({ score, class: own }) => ({ score, positive: own !== undefined }));
    const best = recallAt(ranked, 10, positives, negatives);
    const at = THRESHOLDS.map((threshold) => atThreshold(ranked, threshold, positives, negatives));
    const figures = {
      positives,
      prAuc: averagePrecision(ranked, positives),
      p10: precisionAt(ranked, 10),
      p50: precisionAt(ranked, 50),
      recallAt10: best,
      at,
    };
    byClass[label] = figures;
    console.log(
      `${label.padEnd(18)} ${String(positives).padStart(7)} ${percent(figures.prAuc)} ${percent(figures.p10)} ${percent(figures.p50)}  ${percent(best.recall)} (${best.score.toFixed(1).padStart(5)})                ${at
        .map(
          ({ precision, recall, f1, falsePer100k }) =>
            `${percent(precision)} ${percent(recall)} ${percent(f1)} ${falsePer100k.toFixed(1).padStart(7)}`,
        )
        .join("        ")}`,
    );
  }
  report.searches[name] = byClass;
}
report.real = await realLogs(searches);
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
