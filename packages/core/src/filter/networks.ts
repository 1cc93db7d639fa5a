import ipaddr from "ipaddr.js";
import { CoreError } from "../errors.js";

/** An address as a number of 32 or 128 bits. */
interface AddressBits {
  readonly width: 32 | 128;
  readonly value: bigint;
}

function bitsOf(address: ipaddr.IPv4 | ipaddr.IPv6): AddressBits {
  const bytes = address.toByteArray();
  return { width: bytes.length === 4 ? 32 : 128, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

/** Reads an address as Zeek writes it; an IPv4-mapped IPv6 address is its IPv4 address. Undefined for anything else. */
function addressBits(text: string): AddressBits | undefined {
  if (text.includes(":")) {
    // A zone is no part of an address.
    if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
    const address = ipaddr.IPv6.parse(text);
    return bitsOf(address.isIPv4MappedAddress() ? address.toIPv4Address() : address);
  }
  return ipaddr.IPv4.isValidFourPartDecimal(text) ? bitsOf(ipaddr.IPv4.parse(text)) : undefined;
}

/** Whether a text is an address, or a network as address/length. */
export function isNetwork(text: string): boolean {
  return networkOf(text) !== undefined;
}

function networkOf(text: string): (AddressBits & { readonly length: number }) | undefined {
  const [address = "", length, ...more] = text.split("/");
  const bits = addressBits(address);
  if (!bits || more.length > 0) return undefined;
  if (length === undefined) return { ...bits, length: bits.width };
  if (!/^\d{1,3}$/.test(length)) return undefined;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const given = Number(length) - (address.includes(":") && bits.width === 32 ? 96 : 0);
  return given >= 0 && given <= bits.width ? { ...bits, length: given } : undefined;
}

/** A set of addresses and networks (`10.0.0.0/8`, `fe80::/10`), of any size: a look-up costs one probe a length of prefix in use. */
export class NetworkSet {
  readonly #prefixes = new Map<string, { readonly width: number; readonly shift: bigint; readonly values: Set<bigint> }>();

  /** @throws CoreError `bad-parameter` for a text that is neither an address nor a network; `parameter` names whose it is */
  constructor(networks: readonly string[], parameter: string) {
    for (const text of networks) {
      const network = networkOf(text.trim());
      if (!network) {
        const message = `${parameter} holds ${JSON.stringify(text)}, which is neither an address nor a network such as 10.0.0.0/8 or fe80::/10`;
        throw new CoreError("bad-parameter", message, { column: parameter });
      }
      const { width, length, value } = network;
      const key = `${width}/${length}`;
      const shift = BigInt(width - length);
      const prefix = this.#prefixes.get(key) ?? { width, shift, values: new Set<bigint>() };
      prefix.values.add(value >> shift);
      this.#prefixes.set(key, prefix);
    }
  }

  /** Whether the set holds an address; false for a text that is none. */
  has(text: string): boolean {
    if (this.#prefixes.size === 0) return false;
    const bits = addressBits(text);
    if (!bits) return false;
    for (const { width, shift, values } of this.#prefixes.values())
      if (width === bits.width && values.has(bits.value >> shift)) return true;
    return false;
  }
}

/** Private, link-local, loopback and carrier-grade NAT addresses: what counts as internal by default. */
export const DEFAULT_INTERNAL_NETWORKS: readonly string[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
  "169.254.0.0/16",
  "fe80::/10",
  "127.0.0.0/8",
  "::1",
  "100.64.0.0/10",
];

/** Multicast and broadcast: neither internal nor external. */
export const MULTICAST_NETWORKS: readonly string[] = ["224.0.0.0/4", "255.255.255.255", "ff00::/8"];

/** Nobody's address: neither internal nor external. */
export const UNSPECIFIED_ADDRESSES: readonly string[] = ["0.0.0.0", "::"];

/** Loopback, link-local and multicast: left out of hunts by default. */
export const DEFAULT_EXCLUDED_NETWORKS: readonly string[] = ["127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10", ...MULTICAST_NETWORKS];
