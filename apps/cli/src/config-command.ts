import type { Command } from "commander";
import { writeResult } from "./output.js";

/** Adds `heliograph config`. */
export function addConfigCommand(program: Command): void {
  program
    .command("config")
    .description("Print the configuration in force, with all defaults, as JSON")
    .option("--config <file>", "Configuration file (default: heliograph.config.json, where there is one)")
    .option("--schema", "Print the JSON Schema of the configuration file instead")
    .option("--output <file>", "Write the result to a file")
    .action(async (options: { config?: string; schema?: boolean; output?: string }) => {
      const { configSchema, effectiveConfig, loadConfig } = await import("@heliograph/runtime");
      const printed = options.schema ? configSchema() : effectiveConfig((await loadConfig(options.config)).config);
      await writeResult(`${JSON.stringify(printed, undefined, 2)}\n`, options.output);
    });
}
