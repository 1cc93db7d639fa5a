// fast-csv as the reader, the rest as in split-lines.mjs. Prints {groups, rows} of the groups kept.
//   node fast-csv.mjs FILE
import { createReadStream } from "node:fs";
import { parse } from "fast-csv";

const groups = new Map();
const rows = createReadStream(process.argv[2] ?? "conn.log").pipe(parse({ delimiter: "\t", quote: null, comment: "#" }));
for await (const parts of rows) {
  const key = `${parts[2]} ${parts[4]} ${parts[5]} ${parts[6]}`;
  const times = groups.get(key);
  if (times) times.push(Number(parts[0]));
  else groups.set(key, [Number(parts[0])]);
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
