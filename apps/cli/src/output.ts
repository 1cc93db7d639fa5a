import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { UsageError } from "./usage-error.js";

/** Writes a result, whole or in pieces, to a file or to standard output; waits until it is taken. */
export async function writeResult(text: string | Iterable<string> | AsyncIterable<string>, file: string | undefined): Promise<void> {
  const pieces = typeof text === "string" ? [text] : text;
  if (file === undefined) {
    for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, "drain");
    return;
  }
  try {
    await writeFile(file, pieces);
  } catch (cause) {
    throw new UsageError(`cannot write ${file}: ${cause instanceof Error ? cause.message : String(cause)}; choose another --output`);
  }
}

/** Whether results are shown to a person whose terminal takes colour. */
export function usesColour(file: string | undefined): boolean {
  return file === undefined && process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

/** One of the formats named, or a usage error. */
export function chosenFormat<F extends string>(formats: readonly F[], options: { format?: string; json?: boolean }): F {
  const wanted = options.json ? "json" : (options.format ?? formats[0]);
  const format = formats.find((known) => known === wanted);
  if (!format) throw new UsageError(`--format ${wanted ?? ""} is unknown; there are ${formats.join(", ")}`);
  return format;
}

/** Options that say how and where to print. */
export interface OutputOptions {
  readonly format?: string;
  readonly json?: boolean;
  readonly output?: string;
}

/** Adds them; the first format is the default. */
export function addOutputOptions(command: Command, formats: readonly string[]): void {
  command
    .option("--format <format>", `How to print: ${formats.join(", ")} (default: ${formats[0] ?? ""})`)
    .option("--json", "Short for --format json")
    .option("--output <file>", "Write the result to a file");
}
