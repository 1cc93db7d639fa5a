import { badParameter, shownValue } from "../errors.js";

/** Values to keep alone, and values to leave out; what is in both is left out. Absent or empty: no condition. */
export interface Choice<Value = string> {
  readonly include?: readonly Value[];
  readonly exclude?: readonly Value[];
}

/** From where to where a connection goes, by what is internal. */
export type Direction = "outbound" | "inbound" | "internal" | "any";

export const DIRECTIONS: readonly Direction[] = ["outbound", "inbound", "internal", "any"];

/** Which connections a search looks at: one plain object in library, command line, configuration and API. */
export interface ConnectionFilter {
  /** Ports of the destination, as numbers or as ranges `8000-8100`. */
  readonly ports?: Choice<number | string>;
  /** Addresses, networks (`10.0.0.0/8`) or wildcards (`10.1.*`) of the source, … */
  readonly source?: Choice;
  /** … of the destination, … */
  readonly destination?: Choice;
  /** … and of either of the two. */
  readonly address?: Choice;
  /** `tcp`, `udp`, … */
  readonly protocol?: Choice;
  /** Zeek's states: `SF`, `S0`, `REJ`, … */
  readonly conn_state?: Choice;
  /** Zeek's services: `ssl`, `http`, …; a connection with several has each of them. `-`: none. */
  readonly service?: Choice;
  /** Names of the destination: `example.com` with its sub-domains, or `*cdn*`. A group goes by its likeliest name. */
  readonly names?: Choice;
  /** What counts as internal. Default: private, link-local, loopback and carrier-grade NAT networks. */
  readonly internal_networks?: readonly string[];
  /** Default `any`. */
  readonly direction?: Direction;
  /** Whether loopback, link-local and multicast addresses are left out. Default true. */
  readonly default_filters?: boolean;
}

const TEXT_CHOICES = ["source", "destination", "address", "protocol", "conn_state", "service", "names"] as const;
const LONGEST_LIST = 1_000_000;

function record(value: unknown, name: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badParameter(name, `must be an object, got ${shownValue(value)}`);
  for (const key of Object.keys(value))
    if (!keys.includes(key)) throw badParameter(name, `has no member ${JSON.stringify(key)}; it has ${keys.join(", ")}`);
  return value as Record<string, unknown>;
}

function list<Value>(value: unknown, name: string, check: (item: unknown) => Value): readonly Value[] {
  if (!Array.isArray(value)) throw badParameter(name, `must be a list, got ${shownValue(value)}`);
  if (value.length > LONGEST_LIST) throw badParameter(name, `must have at most ${LONGEST_LIST} entries`);
  return (value as unknown[]).map(check);
}

function textOf(name: string): (item: unknown) => string {
  return (item) => {
    if (typeof item !== "string" || item.trim() === "") throw badParameter(name, `must hold texts, got ${shownValue(item)}`);
    return item.trim();
  };
}

const PORT = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/** First and last port of a number or a range; undefined when it is neither. */
export function portRange(value: number | string): readonly [first: number, last: number] | undefined {
  const [, from, to] = PORT.exec(String(value).trim()) ?? [];
  if (from === undefined) return undefined;
  const first = Number(from);
  const last = to === undefined ? first : Number(to);
  return first <= last && last <= 65_535 ? [first, last] : undefined;
}

function portOf(item: unknown): number | string {
  if ((typeof item === "number" || typeof item === "string") && portRange(item)) return item;
  throw badParameter("ports", `must hold ports from 0 to 65535 or ranges such as 8000-8100, got ${shownValue(item)}`);
}

function choice<Value>(value: unknown, name: string, check: (item: unknown) => Value): Choice<Value> {
  const { include, exclude } = record(value, name, ["include", "exclude"]);
  return {
    ...(include !== undefined && { include: list(include, name, check) }),
    ...(exclude !== undefined && { exclude: list(exclude, name, check) }),
  };
}

const MEMBERS = ["ports", ...TEXT_CHOICES, "internal_networks", "direction", "default_filters"] as const;

/**
 * Checks a filter that came from outside: the one place where its shape is judged. Patterns are judged by `planFilter`.
 * @throws CoreError `bad-parameter`, whose `column` names the member
 */
export function checkFilter(given: unknown): ConnectionFilter {
  const members = record(given, "filter", MEMBERS);
  const { ports, internal_networks, direction, default_filters } = members;
  const texts = TEXT_CHOICES.flatMap((name) =>
    members[name] === undefined ? [] : [[name, choice(members[name], name, textOf(name))] as const],
  );
  if (direction !== undefined && !DIRECTIONS.includes(direction as Direction))
    throw badParameter("direction", `must be one of ${DIRECTIONS.join(", ")}, got ${shownValue(direction)}`);
  if (default_filters !== undefined && typeof default_filters !== "boolean")
    throw badParameter("default_filters", `must be true or false, got ${shownValue(default_filters)}`);
  return {
    ...(ports !== undefined && { ports: choice(ports, "ports", portOf) }),
    ...Object.fromEntries(texts),
    ...(internal_networks !== undefined && {
      internal_networks: list(internal_networks, "internal_networks", textOf("internal_networks")),
    }),
    ...(direction !== undefined && { direction: direction as Direction }),
    ...(default_filters !== undefined && { default_filters }),
  };
}
