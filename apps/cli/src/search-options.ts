import {
  detectorNamed,
  detectors,
  type ParameterSpec,
  parseBounds,
  parseParameter,
  planSearch,
  type Search,
  type TimeBounds,
} from "@heliograph/core";
import type { Config } from "@heliograph/runtime";
import { type Command, Option } from "commander";
import { UsageError } from "./usage-error.js";

const flagOf = (name: string): string => `--${name.replaceAll("_", "-")}`;
const keyOf = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** All parameters of all detectors, once each. */
function allParameters(): ParameterSpec[] {
  const specs = new Map<string, ParameterSpec>();
  for (const detector of detectors) for (const spec of detector.parameters) if (!specs.has(spec.name)) specs.set(spec.name, spec);
  return [...specs.values()];
}

const PLACEHOLDERS = {
  number: "<number>",
  integer: "<number>",
  integers: "<numbers>",
  spans: "<spans>",
  weights: "<weights>",
  services: "<services>",
} as const;

/** What a parameter means: the searches differ in the details and in the default. */
function parameterHelp(name: string): string {
  const meanings = new Map<string, string[]>();
  for (const detector of detectors) {
    const spec = detector.parameters.find((known) => known.name === name);
    if (!spec) continue;
    const unit = spec.unit === undefined ? "" : ` in ${spec.unit === "%" ? "percent" : spec.unit}`;
    const meaning = `${spec.description}${unit}${spec.default === undefined ? "" : ` (default: ${JSON.stringify(spec.default)})`}`;
    meanings.set(meaning, [...(meanings.get(meaning) ?? []), detector.name]);
  }
  const [only] = meanings.keys();
  if (meanings.size === 1 && only !== undefined) return only;
  return [...meanings].map(([meaning, names]) => `${names.join(", ")}: ${meaning}`).join("; ");
}

/** The searches to run, from their names and the options given; an option goes to every search that has it and goes before the configuration. */
export function searchesFrom(names: string, options: Readonly<Record<string, unknown>>, config: Config = {}): Search[] {
  const chosen = [...new Set(names.split(",").map((name) => name.trim()))].map(detectorNamed);
  const flags = new Map<string, unknown>();
  for (const spec of allParameters()) {
    for (const name of [spec.name, ...(spec.aliases ?? [])]) {
      const text = options[keyOf(name)];
      if (typeof text !== "string") continue;
      if (!chosen.some((detector) => detector.parameters.some((own) => own.name === spec.name)))
        throw new UsageError(`${flagOf(name)} is no option of the ${names} search`);
      flags.set(name, parseParameter(spec, text));
    }
  }
  return chosen.map(({ name, parameters }) => {
    const namesOf = ({ name: first, aliases = [] }: ParameterSpec): string[] => [first, ...aliases];
    const given = parameters
      .map(namesOf)
      .filter((known) => known.some((flag) => flags.has(flag)))
      .flat();
    const configured = Object.entries(config.searches?.[name] ?? {}).filter(([parameter]) => !given.includes(parameter));
    return planSearch(name, Object.fromEntries([...configured, ...[...flags].filter(([flag]) => given.includes(flag))]));
  });
}

/** Bounds in time, under both of their names. */
export interface BoundOptions {
  readonly start?: string;
  readonly end?: string;
  readonly startDte?: string;
  readonly endDte?: string;
}

/** The bounds that options give. */
export function boundsFrom({ start, end, startDte, endDte }: BoundOptions): TimeBounds {
  return parseBounds(start ?? startDte, end ?? endDte);
}

/** Adds the bounds in time. */
export function addBoundOptions(command: Command): void {
  command
    .option("--start <time>", "Leave out connections before this time (2024-05-05, 2024-05-05T13:30:00Z or epoch seconds)")
    .option("--end <time>", "Leave out connections after this time")
    .addOption(new Option("--start-dte <time>").hideHelp())
    .addOption(new Option("--end-dte <time>").hideHelp());
}

/** Adds an option for each parameter of each search, and the bounds in time. */
export function addSearchOptions(command: Command): void {
  for (const { name, type, aliases = [] } of allParameters()) {
    command.option(`${flagOf(name)} ${PLACEHOLDERS[type]}`, parameterHelp(name));
    for (const alias of aliases) command.addOption(new Option(`${flagOf(alias)} ${PLACEHOLDERS[type]}`).hideHelp());
  }
  addBoundOptions(command);
}
