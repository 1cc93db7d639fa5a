// What a script does: split the text by lines and tabs, group in a Map, sort. Prints the groups kept.
//   node split-lines.mjs FILE tsv|json
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { TimesByKey } from "./times-by-key.mjs";

const [file = "conn.log", kind = "tsv"] = process.argv.slice(2);
const groups = new TimesByKey();
for await (const line of createInterface({ input: createReadStream(file, { highWaterMark: 1 << 20 }) })) {
  if (line.startsWith("#")) continue;
  if (kind === "json") {
    const row = JSON.parse(line);
    groups.add(`${row["id.orig_h"]} ${row["id.resp_h"]} ${row["id.resp_p"]} ${row.proto}`, row.ts);
  } else {
    const parts = line.split("\t");
    groups.add(`${parts[2]} ${parts[4]} ${parts[5]} ${parts[6]}`, Number(parts[0]));
  }
}
groups.print();
