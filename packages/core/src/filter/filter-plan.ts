import { nameTest } from "../names/name-pattern.js";
import { addressTest } from "./address-pattern.js";
import { type Choice, type ConnectionFilter, portRange } from "./connection-filter.js";
import { DEFAULT_EXCLUDED_NETWORKS, DEFAULT_INTERNAL_NETWORKS, MULTICAST_NETWORKS, NetworkSet, UNSPECIFIED_ADDRESSES } from "./networks.js";

/** The rules by which connections are left out, in the order in which they are put; named after the filter's members. */
export const FILTER_RULES = [
  "conn_state",
  "service",
  "default_filters",
  "direction",
  "source",
  "destination",
  "address",
  "ports",
  "protocol",
  "names",
] as const;

/** A rule by which connections are left out. */
export type FilterRule = (typeof FILTER_RULES)[number];

/** What a rule makes of one end of a connection group. */
export interface AddressRule {
  readonly rule: FilterRule;
  /** The ends it looks at; the mark of another is 0. */
  readonly reads: "source" | "destination" | "both";
  /** Whether the rule leaves out a group with these two ends. */
  readonly leavesOut: (source: number, destination: number) => boolean;
  /** What the rule must know of an address, below 255. */
  readonly mark: (address: string) => number;
}

/** A filter ready for use. The first rule that leaves out a connection is the one that counts it. */
export interface FilterPlan {
  /** Rules over columns of a row: whether they keep the text (`-` where it is unset). */
  readonly rowRules: readonly { readonly rule: FilterRule; readonly column: string; readonly keeps: (text: string) => boolean }[];
  readonly addressRules: readonly AddressRule[];
  /** Undefined: every port; else 1 where a port is kept. */
  readonly ports: Uint8Array | undefined;
  readonly protocol: ((text: string) => boolean) | undefined;
  /** Whether the likeliest name of a destination is kept; undefined stands for a destination without a name. */
  readonly names: ((name: string | undefined) => boolean) | undefined;
}

function isEmpty(choice: Choice<unknown> | undefined): boolean {
  return (choice?.include?.length ?? 0) === 0 && (choice?.exclude?.length ?? 0) === 0;
}

const INCLUDED = 1;
const EXCLUDED = 2;

/** Bits of an address under a choice; without an include list every address is included. */
function addressMarks(choice: Choice, name: string): (address: string) => number {
  const { include = [], exclude = [] } = choice;
  const included = addressTest(include, name);
  const excluded = addressTest(exclude, name);
  return (address) => (include.length === 0 || included(address) ? INCLUDED : 0) | (excluded(address) ? EXCLUDED : 0);
}

function addressRules({ source, destination, address }: ConnectionFilter): AddressRule[] {
  const rules: AddressRule[] = [];
  if (source && !isEmpty(source))
    rules.push({ rule: "source", reads: "source", mark: addressMarks(source, "source"), leavesOut: (from) => from !== INCLUDED });
  if (destination && !isEmpty(destination))
    rules.push({
      rule: "destination",
      reads: "destination",
      mark: addressMarks(destination, "destination"),
      leavesOut: (_, to) => to !== INCLUDED,
    });
  if (address && !isEmpty(address)) {
    const leavesOut = (from: number, to: number): boolean => ((from | to) & EXCLUDED) !== 0 || ((from | to) & INCLUDED) === 0;
    rules.push({ rule: "address", reads: "both", mark: addressMarks(address, "address"), leavesOut });
  }
  return rules;
}

function defaultRule(): AddressRule {
  const excluded = new NetworkSet(DEFAULT_EXCLUDED_NETWORKS, "default_filters");
  return {
    rule: "default_filters",
    reads: "both",
    mark: (address) => (excluded.has(address) ? 1 : 0),
    leavesOut: (from, to) => (from | to) !== 0,
  };
}

const INTERNAL = 1;
const EXTERNAL = 2;

function directionRule({ direction = "any", internal_networks = DEFAULT_INTERNAL_NETWORKS }: ConnectionFilter): AddressRule | undefined {
  const internal = new NetworkSet(internal_networks, "internal_networks");
  if (direction === "any") return undefined;
  const neither = new NetworkSet([...MULTICAST_NETWORKS, ...UNSPECIFIED_ADDRESSES], "internal_networks");
  const wanted = { outbound: [INTERNAL, EXTERNAL], inbound: [EXTERNAL, INTERNAL], internal: [INTERNAL, INTERNAL] }[direction];
  return {
    rule: "direction",
    reads: "both",
    mark: (address) => (internal.has(address) ? INTERNAL : neither.has(address) ? 0 : EXTERNAL),
    leavesOut: (from, to) => from !== wanted[0] || to !== wanted[1],
  };
}

/** The ports kept. */
function portsKept(ports: Choice<number | string> | undefined): Uint8Array | undefined {
  if (!ports || isEmpty(ports)) return undefined;
  const { include = [], exclude = [] } = ports;
  const kept = new Uint8Array(65_536).fill(include.length === 0 ? 1 : 0);
  const set = (values: readonly (number | string)[], value: number): void => {
    for (const [first, last] of values.flatMap((item) => [portRange(item) ?? [1, 0]])) kept.fill(value, first, last + 1);
  };
  set(include, 1);
  set(exclude, 0);
  return kept;
}

/** Whether a text is kept, without regard to case. */
function textTest(
  choice: Choice | undefined,
  parts: (text: string) => readonly string[] = (text) => [text],
): ((text: string) => boolean) | undefined {
  if (!choice || isEmpty(choice)) return undefined;
  const lower = (texts: readonly string[] = []): Set<string> => new Set(texts.map((text) => text.toLowerCase()));
  const include = lower(choice.include);
  const exclude = lower(choice.exclude);
  return (text) => {
    const own = parts(text.toLowerCase());
    return (include.size === 0 || own.some((part) => include.has(part))) && !own.some((part) => exclude.has(part));
  };
}

function namesKept(names: Choice | undefined): FilterPlan["names"] {
  if (!names || isEmpty(names)) return undefined;
  const { include = [], exclude = [] } = names;
  const included = nameTest(include, "names");
  const excluded = nameTest(exclude, "names");
  return (name) => (include.length === 0 || (name !== undefined && included(name))) && !(name !== undefined && excluded(name));
}

/**
 * Makes a filter ready for use.
 * @throws CoreError `bad-parameter` for a pattern that is none
 */
export function planFilter(filter: ConnectionFilter = {}): FilterPlan {
  const direction = directionRule(filter);
  const state = textTest(filter.conn_state);
  const service = textTest(filter.service, (text) => text.split(","));
  return {
    rowRules: [
      ...(state ? [{ rule: "conn_state" as const, column: "conn_state", keeps: state }] : []),
      ...(service ? [{ rule: "service" as const, column: "service", keeps: service }] : []),
    ],
    addressRules: [
      ...(filter.default_filters === false ? [] : [defaultRule()]),
      ...(direction ? [direction] : []),
      ...addressRules(filter),
    ],
    ports: portsKept(filter.ports),
    protocol: textTest(filter.protocol),
    names: namesKept(filter.names),
  };
}

/** Rows that each rule left out; a rule that left out none is absent. */
export type RemovedRows = Readonly<Partial<Record<FilterRule, number>>>;

/** Adds up what several filters left out, in the order of the rules. */
export function removedRows(counts: readonly ReadonlyMap<FilterRule, number>[]): RemovedRows {
  const removed: Partial<Record<FilterRule, number>> = {};
  for (const rule of FILTER_RULES) {
    const rows = counts.reduce((sum, count) => sum + (count.get(rule) ?? 0), 0);
    if (rows > 0) removed[rule] = rows;
  }
  return removed;
}
