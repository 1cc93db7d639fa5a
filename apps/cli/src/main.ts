import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addConfigCommand } from "./config-command.js";
import { addHuntCommand } from "./hunt-command.js";
import { addImportCommand } from "./import-command.js";
import { addInsightsCommand } from "./insights-command.js";
import { addQueryCommand } from "./query-command.js";
import { addFilterCommand, addKeysCommand, addRunsCommand } from "./runs-command.js";
import { addServeCommand } from "./serve-command.js";
import { addShowCommand } from "./show-command.js";
import { addSourceCommand } from "./source-command.js";
import { addStoreCommand } from "./store-command.js";
import { addSummaryCommand } from "./summary-command.js";
import { addTopCommand } from "./top-command.js";
import { UsageError } from "./usage-error.js";
import { addWatchCommand } from "./watch-command.js";
import { addWorkerCommand } from "./worker-command.js";

/** Exit codes: 0 done, 1 an input gave nothing readable or something failed, 2 usage, 130 interrupted. */
const FAILED = 1;
const USAGE = 2;
const INTERRUPTED = 130;

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return String((JSON.parse(text) as { version: string }).version);
}

function program(signal: AbortSignal): Command {
  const root = new Command("heliograph")
    .description("Find out who is calling home, from your Zeek logs.")
    .version(version(), "-V, --version", "Print the version")
    .helpOption("-h, --help", "Print this help")
    .helpCommand("help [command]", "Print the help of a command")
    .showHelpAfterError("(add --help for how to call it)")
    .exitOverride()
    .addHelpText("after", "\nTry it:\n  heliograph hunt examples/logs\n  heliograph summary examples/logs");
  addHuntCommand(root, signal);
  addShowCommand(root, signal);
  addTopCommand(root, signal);
  addSummaryCommand(root, signal);
  addImportCommand(root, signal);
  addQueryCommand(root, signal);
  addInsightsCommand(root, signal);
  addStoreCommand(root);
  addWatchCommand(root, signal);
  addRunsCommand(root);
  addFilterCommand(root);
  addServeCommand(root, version(), signal);
  addSourceCommand(root, signal);
  addWorkerCommand(root, signal);
  addKeysCommand(root);
  addConfigCommand(root);
  return root;
}

/** Runs the command line; sets the exit code and never throws for what a user can cause. */
export async function run(args: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // The reader of a pipe has seen enough.
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      process.exitCode = INTERRUPTED;
      interrupt.abort(new Error("interrupted"));
    });
  }
  try {
    await program(interrupt.signal).parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : USAGE;
      return;
    }
    if (interrupt.signal.aborted) {
      process.stderr.write("interrupted\n");
      return;
    }
    process.stderr.write(`heliograph: ${reasonOf(error)}\n`);
    process.exitCode = isUsage(error) ? USAGE : FAILED;
  }
}

function reasonOf(error: unknown): string {
  // What the engine says when a text would be longer than half a gigabyte.
  if (error instanceof RangeError && error.message === "Invalid string length")
    return "the result is too long for one text; use --format ndjson, or parameters that find less";
  return error instanceof Error ? error.message : String(error);
}

function isUsage(error: unknown): boolean {
  return error instanceof UsageError || (error instanceof Error && "code" in error && error.code === "bad-parameter");
}
