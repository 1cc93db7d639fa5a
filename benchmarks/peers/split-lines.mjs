// What a script does: split the text by lines and tabs, group in a Map, sort. Prints {groups, rows} of the groups kept.
//   node split-lines.mjs FILE tsv|json
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

const [file = "conn.log", kind = "tsv"] = process.argv.slice(2);
const groups = new Map();
for await (const line of createInterface({ input: createReadStream(file, { highWaterMark: 1 << 20 }) })) {
  if (line.startsWith("#")) continue;
  let key;
  let time;
  if (kind === "json") {
    const row = JSON.parse(line);
    key = `${row["id.orig_h"]} ${row["id.resp_h"]} ${row["id.resp_p"]} ${row.proto}`;
    time = row.ts;
  } else {
    const parts = line.split("\t");
    key = `${parts[2]} ${parts[4]} ${parts[5]} ${parts[6]}`;
    time = Number(parts[0]);
  }
  const times = groups.get(key);
  if (times) times.push(time);
  else groups.set(key, [time]);
}
let largeGroups = 0;
let rowsOfLargeGroups = 0;
for (const times of groups.values()) {
  if (times.length < 11) continue;
  times.sort((a, b) => a - b);
  largeGroups++;
  rowsOfLargeGroups += times.length;
}
console.log(JSON.stringify({ largeGroups, rowsOfLargeGroups }));
