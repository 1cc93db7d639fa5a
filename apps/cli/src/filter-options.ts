import { type Choice, type ConnectionFilter, checkFilter, DIRECTIONS } from "@heliograph/core";
import type { Config } from "@heliograph/runtime";
import type { Command } from "commander";

/** The filter's lists: the option, the member, what its values are. */
const LISTS = [
  ["port", "ports", "ports", "destination ports or ranges such as 443,8000-8100"],
  ["source", "source", "addresses", "source addresses, networks or patterns such as 10.0.0.0/8,192.168.1.*"],
  ["destination", "destination", "addresses", "destination addresses, networks or patterns"],
  ["address", "address", "addresses", "addresses, networks or patterns of either end"],
  ["protocol", "protocol", "names", "protocols such as tcp,udp"],
  ["conn-state", "conn_state", "states", "Zeek connection states such as SF,S1"],
  ["service", "service", "names", "services such as ssl,http; - for none"],
  [
    "name",
    "names",
    "names",
    "names of destinations such as example.com (with its sub-domains) or *cdn*, by the dns, ssl and http logs beside",
  ],
] as const;

const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Adds the options that choose which connections a search looks at; `only` names the lists to offer. */
export function addFilterOptions(command: Command, only?: readonly string[]): void {
  for (const [option, , values, meaning] of LISTS) {
    if (only && !only.includes(option)) continue;
    command.option(`--${option} <${values}>`, `Only ${meaning}`);
    command.option(`--not-${option} <${values}>`, `Leave out ${meaning}`);
  }
  if (only) return;
  command
    .option("--direction <direction>", `By what is internal: ${DIRECTIONS.join(", ")} (default: any)`)
    .option("--internal-networks <networks>", "What is internal (default: private, link-local, loopback and carrier-grade NAT networks)")
    .option("--allow-list <files>", "Leave out destinations that stand in these files: an address, network or name a line, or CSV")
    .option("--no-default-filters", "Do not leave out loopback, link-local and multicast addresses");
}

/** The filter that options give, with the allow lists of both; what they leave open is as the configuration has it. */
export async function filterWithLists(options: Readonly<Record<string, unknown>>, config: Config): Promise<ConnectionFilter> {
  const filter = filterFrom(options, config.filter);
  const given = options["allowList"];
  const files = [...(config.allow_lists ?? []), ...(typeof given === "string" ? given.split(",") : [])];
  return files.length === 0 ? filter : checkFilter(await (await import("@heliograph/runtime")).withAllowLists(filter, files));
}

/** The filter that options give; what they leave open is as the configuration has it. */
export function filterFrom(options: Readonly<Record<string, unknown>>, configured: ConnectionFilter = {}): ConnectionFilter {
  const listOf = (name: string): string[] | undefined => {
    const text = options[camel(name)];
    return typeof text === "string" ? text.split(",").map((item) => item.trim()) : undefined;
  };
  const members: Record<string, unknown> = { ...configured };
  for (const [option, member] of LISTS) {
    const include = listOf(option);
    const exclude = listOf(`not-${option}`);
    const choice: Choice = { ...(include && { include }), ...(exclude && { exclude }) };
    if (include || exclude) members[member] = { ...configured[member], ...choice };
  }
  const networks = listOf("internal-networks");
  if (networks) members["internal_networks"] = networks;
  if (options["direction"] !== undefined) members["direction"] = options["direction"];
  if (options["defaultFilters"] === false) members["default_filters"] = false;
  return checkFilter(members);
}
