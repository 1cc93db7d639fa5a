import { formatTime } from "@heliograph/core";

// Terminal controls, and marks that turn the direction of text: logs are hostile, a table is not the place to obey them.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** The text with everything that a terminal would act on written as `\u{…}`, and cut at `longest` characters. */
export function printable(text: string, longest = 64): string {
  const safe = text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`);
  return safe.length > longest ? `${safe.slice(0, longest - 1)}…` : safe;
}

const BARS = "▁▂▃▄▅▆▇█";

/** Counts as a line of bars; an empty bin is a blank. */
export function sparkline(counts: readonly number[]): string {
  const most = Math.max(...counts, 1);
  return counts.map((count) => (count === 0 ? " " : (BARS[Math.ceil((count / most) * BARS.length) - 1] ?? ""))).join("");
}

/** A bar of a share of so many characters, at least a sliver for more than nothing. */
export function bar(share: number, width: number): string {
  return share > 0 ? "█".repeat(Math.floor(share * width)) || "▏" : "";
}

/** Minutes in the unit that reads best. */
export function humanMinutes(minutes: number): string {
  const seconds = minutes * 60;
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  if (seconds < 120) return `${trimmed(seconds)}s`;
  if (minutes < 120) return `${trimmed(minutes)}min`;
  return `${trimmed(minutes / 60)}h`;
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

/** A time in microseconds since 1970-01-01 UTC to the second, for people. */
export function humanTime(micros: number): string {
  return formatTime(micros).slice(0, 19).replace("T", " ");
}

/** A whole number with thin groups of three. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

/** Bytes in the unit that reads best. */
export function humanBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}
