import { Resolver } from "node:dns/promises";
import { hostName } from "@heliograph/core";

/** How to ask for names. */
export interface ReverseDnsOptions {
  /** Addresses asked for at most. Default 200. */
  readonly limit?: number;
  /** Milliseconds until an address counts as one without a name. Default 2000. */
  readonly timeoutMs?: number;
  /** Servers as address or address:port; default: those of the system. */
  readonly servers?: readonly string[];
}

/** What was found out. */
export interface ReverseNames {
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** Addresses beyond the limit. */
  readonly notAsked: number;
}

const DEFAULT_LIMIT = 200;
const DEFAULT_TIMEOUT_MS = 2000;
const AT_ONCE = 16;

/**
 * Asks DNS what addresses are called. This tells the servers asked which addresses are looked at: only for who asked for it. An
 * address without an answer has no name; nothing throws.
 */
export async function reverseNames(addresses: Iterable<string>, options: ReverseDnsOptions = {}): Promise<ReverseNames> {
  const { limit = DEFAULT_LIMIT, timeoutMs = DEFAULT_TIMEOUT_MS, servers } = options;
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  if (servers) resolver.setServers([...servers]);
  const all = [...new Set(addresses)];
  const asked = all.slice(0, limit);
  const names = new Map<string, readonly string[]>();
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let address = asked[next++]; address !== undefined; address = asked[next++]) {
      const found = await resolver.reverse(address).catch(() => [] as string[]);
      const known = found.map(hostName).filter((name) => name !== "");
      if (known.length > 0) names.set(address, known);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return { names, notAsked: all.length - asked.length };
}
