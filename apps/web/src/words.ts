const ZONE = "heliograph-zone";

/** Whether times are shown in the browser's zone instead of UTC. */
export const zone = {
  isLocal: (): boolean => localStorage.getItem(ZONE) === "local",
  set: (local: boolean): void => localStorage.setItem(ZONE, local ? "local" : "utc"),
};

/** A time to the second, with its zone's name left to the heading. */
export function time(iso: string | null): string {
  if (iso === null) return "–";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  if (!zone.isLocal()) return date.toISOString().slice(0, 19).replace("T", " ");
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export const zoneName = (): string => (zone.isLocal() ? "local" : "UTC");

export const grouped = (value: number): string => value.toLocaleString("en-US");

/** Minutes in the unit that reads best. */
export function minutes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const seconds = value * 60;
  const short = (number: number): string => number.toFixed(number < 10 ? 1 : 0).replace(/\.0$/, "");
  if (seconds < 120) return `${short(seconds)} s`;
  if (value < 120) return `${short(value)} min`;
  return value < 48 * 60 ? `${short(value / 60)} h` : `${short(value / 1440)} d`;
}

// Marks that turn the direction of text, and controls: logs are hostile, and React takes care of the rest.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** Text from a log as it may be shown. */
export function shown(text: string, longest = 200): string {
  const safe = text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`);
  return safe.length > longest ? `${safe.slice(0, longest - 1)}…` : safe;
}
