// npm run demo: installs, builds and hunts the example logs.
import { fileURLToPath } from "node:url";
import { must, setup } from "./setup.mjs";

setup();
must("npx", ["turbo", "run", "build", "--output-logs=errors-only"]);
const bin = fileURLToPath(new URL("../apps/cli/bin/heliograph.js", import.meta.url));
console.log("\n$ npx heliograph hunt examples/logs\n");
must(process.execPath, [bin, "hunt", "examples/logs"]);
console.log(`
What was planted in these logs stands in examples/planted.json. Next, try:

  npx heliograph hunt examples/logs --all                              what is likely harmless too
  npx heliograph hunt examples/logs --json                             the same as JSON, with the evidence
  npx heliograph hunt quick,rita examples/logs                         other searches
  npx heliograph summary examples/logs                                 what each log holds
  npx heliograph hunt /path/to/your/zeek/logs                          your own: files, folders, gzip, zip, zstd or -
`);
