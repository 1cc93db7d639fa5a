import { parse } from "tldts";
import { DEFAULT_INTERNAL_NETWORKS, MULTICAST_NETWORKS, NetworkSet, UNSPECIFIED_ADDRESSES } from "../filter/networks.js";

const utf8 = new TextEncoder();

/** What is known of addresses and names beyond what a log says. */
export class Enricher {
  readonly #internal: NetworkSet;
  readonly #neither = new NetworkSet([...MULTICAST_NETWORKS, ...UNSPECIFIED_ADDRESSES], "networks");

  /**
   * @param internal networks that count as internal; default: private, link-local, loopback and carrier-grade NAT
   * @throws CoreError `bad-parameter` for a text that is no network
   */
  constructor(internal: readonly string[] = DEFAULT_INTERNAL_NETWORKS) {
    this.#internal = new NetworkSet(internal, "internal");
  }

  /** Whether an address is internal; undefined for multicast, broadcast and unspecified ones, which are neither, and for what is no address. */
  isInternal(address: string): boolean | undefined {
    if (this.#internal.has(address)) return true;
    return this.#neither.has(address) || !/[.:]/.test(address) ? undefined : false;
  }
}

const withoutDot = (name: string): string => (name.endsWith(".") ? name.slice(0, -1) : name);

/**
 * The domain that was registered: a public suffix, private ones too, and the label before it. A bare suffix and an address are themselves.
 * @see https://publicsuffix.org
 */
export function registeredDomain(name: string): string {
  const plain = withoutDot(name).toLowerCase();
  return parse(plain, { allowPrivateDomains: true, validateHostname: false }).domain ?? plain;
}

/** Bytes of a query as it is written, without the dot at its end. */
export function queryLength(query: string): number {
  const plain = withoutDot(query);
  return /^[\x20-\x7e]*$/.test(plain) ? plain.length : utf8.encode(plain).length;
}

/** What a certificate is known by: its fingerprint, else its subject and issuer; undefined when the log has neither. */
export function certificateName(
  fingerprint: string | undefined,
  subject: string | undefined,
  issuer: string | undefined,
): string | undefined {
  if (fingerprint) return fingerprint;
  return subject && issuer ? `${subject} / ${issuer}` : undefined;
}
