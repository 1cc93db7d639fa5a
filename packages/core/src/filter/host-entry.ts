import { isNamePattern } from "../names/name-pattern.js";
import { isNetwork } from "./networks.js";

/** An entry of a list of hosts: an address, network or pattern of addresses, or a host name or pattern of names. */
export interface HostEntry {
  readonly kind: "address" | "name";
  readonly value: string;
}

/** Reads one entry of a list of hosts; undefined for a text that is none. */
export function hostEntry(text: string): HostEntry | undefined {
  const value = text.trim();
  if (isNetwork(value)) return { kind: "address", value };
  // Digits, dots and stars alone are part of an address, such as 10.1.*, or a slip.
  if (/^[\d.*]+$/.test(value)) return value.includes("*") && value.includes(".") ? { kind: "address", value } : undefined;
  if (/^[\da-f:*]+$/i.test(value) && value.includes(":") && value.includes("*")) return { kind: "address", value };
  return isNamePattern(value) ? { kind: "name", value } : undefined;
}

/** Whether a text is one address, and no network or pattern. */
export function isAddress(text: string): boolean {
  const entry = hostEntry(text);
  return entry?.kind === "address" && !/[/*]/.test(entry.value);
}
