import { type Dictionary, type TextColumn, textAt } from "./dictionary.js";

// Address codes are 32 bits. A dotted quad is its own code, the first octet highest, so that no table is needed for it and
// every thread gives it the same code. Codes of 240.0.0.0/4, which nobody has, are places in a dictionary of all other texts.

const OTHER_ADDRESSES = 0xf0000000;
const DOT = 46;
const ZERO = 48;

/** The number of a dotted quad in the one form that Zeek writes (no leading zeros); NaN for anything else. */
export function ipv4Number(text: string): number {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (part < 0 || part > 255) return Number.NaN;
      value = value * 256 + part;
      part = -1;
      dots++;
    } else {
      const digit = code - ZERO;
      // A leading zero would be octal to some readers.
      if (digit < 0 || digit > 9 || part === 0) return Number.NaN;
      part = part < 0 ? digit : part * 10 + digit;
    }
  }
  return dots === 4 ? value : Number.NaN;
}

/** The code of an address as the log writes it; a text that is no dotted quad is entered into `others`. */
export function addressCode(others: Pick<Dictionary, "encode">, text: string): number {
  const number = ipv4Number(text);
  return (number < OTHER_ADDRESSES ? number : OTHER_ADDRESSES + others.encode(text)) | 0;
}

/** The place of a code's text in the dictionary of other texts; -1 when it is a dotted quad. */
export function otherPlace(code: number): number {
  const unsigned = code >>> 0;
  return unsigned < OTHER_ADDRESSES ? -1 : unsigned - OTHER_ADDRESSES;
}

/** The code of a place in a dictionary of other texts. */
export function otherCode(place: number): number {
  return (OTHER_ADDRESSES + place) | 0;
}

/** The text of an address code; the empty text for an unset value (-1). */
export function addressText(others: Pick<Dictionary, "text">, code: number): string {
  if (code === -1) return "";
  const place = otherPlace(code);
  return place >= 0 ? others.text(place) : `${code >>> 24}.${(code >>> 16) & 255}.${(code >>> 8) & 255}.${code & 255}`;
}

/** `addressText` over packed texts. */
export function packedAddressText(others: TextColumn, code: number): string {
  return addressText({ text: (place) => textAt(others, place) }, code);
}
