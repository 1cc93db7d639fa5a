import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = process.env["HELIOGRAPH_SHARED"] ?? fileURLToPath(new URL("../../../../../shared/data/", import.meta.url));

/** The folder with real logs beside the repository; undefined, with a printed reason, where it is absent. */
export function sharedData(): string | undefined {
  if (existsSync(folder)) return folder.endsWith("/") ? folder : `${folder}/`;
  console.warn("skipped: the real logs are not beside the repository (../shared/data)");
  return undefined;
}
