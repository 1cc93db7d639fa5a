import ipaddr from "ipaddr.js";
import { ipv4Number } from "../../zeek/address.js";

/**
 * Addresses as four words of 32 bits, the highest first; an IPv4 address is its mapped one, `::ffff:a.b.c.d`, so that one order holds for all.
 * @see RFC 4291, 2.5.5.2
 */
export type AddressWords = readonly [number, number, number, number];

const MAPPED = 0xffff;

/** The words of an address; undefined for a text that is none. */
export function addressWords(text: string): AddressWords | undefined {
  if (!text.includes(":")) {
    const number = ipv4Number(text);
    return Number.isNaN(number) ? undefined : [0, 0, MAPPED, number];
  }
  if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  const bytes = ipaddr.IPv6.parse(text).toByteArray();
  const word = (at: number): number =>
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
  return [word(0), word(4), word(8), word(12)];
}

/** An address as text: IPv4 dotted, IPv6 as RFC 5952 has it. */
export function wordsText(a: number, b: number, c: number, d: number): string {
  if (a === 0 && b === 0 && c === MAPPED) return `${d >>> 24}.${(d >>> 16) & 255}.${(d >>> 8) & 255}.${d & 255}`;
  return new ipaddr.IPv6([a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff]).toRFC5952String();
}

/** -1, 0, 1: the order of two addresses. */
export function compareWords(a: AddressWords, b: AddressWords): number {
  for (let i = 0; i < 4; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  return 0;
}

/** First and last address of a network such as 10.0.0.0/8; undefined for a text that is none. */
export function networkRange(text: string): { readonly first: AddressWords; readonly last: AddressWords } | undefined {
  const [address = "", length, ...more] = text.split("/");
  const words = addressWords(address);
  if (!words || length === undefined || more.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const isMapped = !address.includes(":");
  const prefix = Number(length) + (isMapped ? 96 : 0);
  if (prefix > 128) return undefined;
  const masks = [0, 1, 2, 3].map((word) => {
    const bits = Math.min(32, Math.max(0, prefix - 32 * word));
    return bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
  });
  const first = words.map((word, index) => (word & (masks[index] ?? 0)) >>> 0) as unknown as AddressWords;
  const last = first.map((word, index) => (word | ~(masks[index] ?? 0)) >>> 0) as unknown as AddressWords;
  return { first, last };
}

/** The next address up or down; undefined at the ends of the space. */
export function neighbour(words: AddressWords, step: 1 | -1): AddressWords | undefined {
  const next = [...words];
  for (let i = 3; i >= 0; i--) {
    const value = (next[i] ?? 0) + step;
    if (value >= 0 && value <= 0xffffffff) {
      next[i] = value;
      return next as unknown as AddressWords;
    }
    next[i] = step === 1 ? 0 : 0xffffffff;
  }
  return undefined;
}
