import ipaddr from "ipaddr.js";
import { badParameter } from "../errors.js";
import { ipv4Number } from "../zeek/address.js";

/** An address: IPv4 as a number of 32 bits, IPv6 as one of 128. */
type AddressBits = number | bigint;

const numberOf = (address: ipaddr.IPv6): bigint => address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** Reads an address as Zeek writes it; an IPv4-mapped IPv6 address is its IPv4 address. Undefined for anything else. */
function addressBits(text: string): AddressBits | undefined {
  if (!text.includes(":")) {
    const bits = ipv4Number(text);
    return Number.isNaN(bits) ? undefined : bits;
  }
  // A zone is no part of an address.
  if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? ipv4Number(address.toIPv4Address().toString()) : numberOf(address);
}

/** Whether a text is an address, or a network as address/length. */
export function isNetwork(text: string): boolean {
  return networkOf(text) !== undefined;
}

/** A network as the prefix of its addresses; `shift` bits are free. */
function networkOf(text: string): { readonly bits: AddressBits; readonly shift: number } | undefined {
  const [address = "", length, ...more] = text.split("/");
  const bits = addressBits(address);
  if (bits === undefined || more.length > 0) return undefined;
  if (length === undefined) return { bits, shift: 0 };
  if (!/^\d{1,3}$/.test(length)) return undefined;
  // Written as IPv6, ::ffff:10.0.0.0/104 is 10.0.0.0/8: the same bits are free.
  const shift = (address.includes(":") ? 128 : 32) - Number(length);
  return shift >= 0 && shift <= (typeof bits === "number" ? 32 : 128) ? { bits, shift } : undefined;
}

/** Prefixes of one length: `bits` divided by `divisor`. */
interface Prefixes4 {
  readonly divisor: number;
  readonly values: Set<number>;
}

interface Prefixes6 {
  readonly shift: bigint;
  readonly values: Set<bigint>;
}

/** The first 16 bits of an IPv6 address as written; 0 for `::`. */
const firstGroup = (text: string): number => (text.startsWith(":") ? 0 : Number.parseInt(text, 16) & 0xffff);

/** A set of addresses and networks (`10.0.0.0/8`, `fe80::/10`), of any size: a look-up costs one probe a length of prefix in use. */
export class NetworkSet {
  readonly #prefixes4: readonly Prefixes4[];
  readonly #prefixes6: readonly Prefixes6[];
  /** 1 where an IPv6 address with these first 16 bits may be held: few are, and to read one takes long. */
  readonly #firstGroups = new Uint8Array(1 << 16);

  /** @throws CoreError `bad-parameter` for a text that is neither an address nor a network; `parameter` names whose it is */
  constructor(networks: readonly string[], parameter: string) {
    const prefixes4 = new Map<number, Prefixes4>();
    const prefixes6 = new Map<number, Prefixes6>();
    for (const text of networks) {
      const network = networkOf(text.trim());
      if (!network) {
        throw badParameter(
          parameter,
          `holds ${JSON.stringify(text)}, which is neither an address nor a network such as 10.0.0.0/8 or fe80::/10`,
        );
      }
      const { bits, shift } = network;
      if (typeof bits === "number") {
        const prefixes = prefixes4.get(shift) ?? { divisor: 2 ** shift, values: new Set() };
        prefixes.values.add(Math.floor(bits / prefixes.divisor));
        prefixes4.set(shift, prefixes);
        // It may be written as a mapped address.
        this.#firstGroups[0] = 1;
      } else {
        const prefixes = prefixes6.get(shift) ?? { shift: BigInt(shift), values: new Set() };
        prefixes.values.add(bits >> prefixes.shift);
        prefixes6.set(shift, prefixes);
        const free = Math.max(0, shift - 112);
        const first = Number(bits >> 112n) & ~((1 << free) - 1);
        this.#firstGroups.fill(1, first, first + (1 << free));
      }
    }
    this.#prefixes4 = [...prefixes4.values()];
    this.#prefixes6 = [...prefixes6.values()];
  }

  /** Whether the set holds an address; false for a text that is none. */
  has(text: string): boolean {
    if (text.includes(":") && this.#firstGroups[firstGroup(text)] !== 1) return false;
    const bits = addressBits(text);
    if (typeof bits === "number") {
      for (const { divisor, values } of this.#prefixes4) if (values.has(Math.floor(bits / divisor))) return true;
    } else if (bits !== undefined) {
      for (const { shift, values } of this.#prefixes6) if (values.has(bits >> shift)) return true;
    }
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
