// fast-csv as the reader, the rest as in split-lines.mjs. Prints the groups kept.
//   node fast-csv.mjs FILE
import { createReadStream } from "node:fs";
import { parse } from "fast-csv";
import { TimesByKey } from "./times-by-key.mjs";

const groups = new TimesByKey();
const rows = createReadStream(process.argv[2] ?? "conn.log").pipe(parse({ delimiter: "\t", quote: null, comment: "#" }));
for await (const parts of rows) groups.add(`${parts[2]} ${parts[4]} ${parts[5]} ${parts[6]}`, Number(parts[0]));
groups.print();
