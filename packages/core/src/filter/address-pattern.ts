import { badParameter } from "../errors.js";
import { isNetwork, NetworkSet } from "./networks.js";
import { matchesWildcard } from "./wildcard.js";

/** Whether an address matches. */
export type AddressTest = (address: string) => boolean;

/**
 * The test of a list of patterns: addresses, networks (`10.0.0.0/8`, `2001:db8::/32`), and wildcards (`10.1.*`, `2001:db8:*`), which
 * match the text that Zeek wrote.
 * @throws CoreError `bad-parameter` for a pattern that is none of these; `parameter` names whose it is
 */
export function addressTest(patterns: readonly string[], parameter: string): AddressTest {
  const wildcards = patterns.filter((pattern) => pattern.includes("*")).map((pattern) => pattern.trim().toLowerCase());
  const others = patterns.filter((pattern) => !pattern.includes("*"));
  const strange = others.find((pattern) => !isNetwork(pattern.trim()));
  if (strange !== undefined) {
    throw badParameter(
      parameter,
      `holds ${JSON.stringify(strange)}, which is no address, no network such as 10.0.0.0/8 and no pattern with *`,
    );
  }
  const networks = new NetworkSet(others, parameter);
  if (wildcards.length === 0) return (address) => networks.has(address);
  return (address) => networks.has(address) || wildcards.some((pattern) => matchesWildcard(pattern, address.toLowerCase()));
}
