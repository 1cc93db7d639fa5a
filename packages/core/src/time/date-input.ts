import { CoreError } from "../errors.js";
import { lastMicroOf, microsOf, startOf, zonedTime } from "./calendar.js";
import { parseDateMath } from "./date-math.js";
import { parseIsoDate, type WrittenDate } from "./iso-date.js";

/** How a date that somebody typed is read. */
export interface DateInputOptions {
  /** What it is called in errors. */
  readonly name: string;
  /** What `now` means, in microseconds since 1970-01-01 UTC. */
  readonly now: bigint;
  /** What an absent or empty one means, as date math. */
  readonly absent: string;
  /** Whether an incomplete date covers its whole unit, to the last microsecond, as an end does. */
  readonly roundUp?: boolean;
  /** How `07/08/2021` is meant; without it such a date is an error, unless only one of both can be. */
  readonly dateOrder?: "dmy" | "mdy";
}

const SECONDS_BELOW = 1e11;
const MILLIS_BELOW = 1e14;
const MICROS_BELOW = 1e17;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

function bad({ name }: DateInputOptions, value: unknown, reason: string): CoreError {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : (JSON.stringify(value)?.slice(0, 100) ?? typeof value);
  return new CoreError("bad-parameter", `${name} is ${shown}, ${reason}`, { column: name });
}

/** The microseconds of a written date, or the last ones of the unit that it names. */
function microsFrom({ time, unit }: WrittenDate, roundUp: boolean): bigint {
  return roundUp && unit !== "fraction" ? lastMicroOf(time, unit) : microsOf(time);
}

/** Digits as a year, or as seconds, milliseconds, microseconds or nanoseconds by their size. */
function fromNumber(text: string, options: DateInputOptions): bigint | undefined {
  const [, sign = "", whole = "", fraction = ""] = /^([+-]?)(\d{1,20})(?:\.(\d{1,30}))?$/.exec(text) ?? [];
  if (whole === "") return undefined;
  if (sign === "" && fraction === "" && whole.length <= 4) {
    const year = parseIsoDate(whole.padStart(4, "0"));
    return year && microsFrom(year, options.roundUp ?? false);
  }
  const size = Number(whole);
  const places = size < SECONDS_BELOW ? 6 : size < MILLIS_BELOW ? 3 : size < MICROS_BELOW ? 0 : -3;
  const digits = whole + fraction.slice(0, Math.max(0, places)).padEnd(Math.max(0, places), "0");
  const value = places < 0 ? BigInt(whole) / 1000n : BigInt(digits);
  return sign === "-" ? -value : value;
}

/** RFC 2822 and HTTP dates, ctime, Apache's, Zeek's file names, and days with slashes, as ISO 8601. */
function asIso(text: string, options: DateInputOptions): string | undefined {
  const two = (part: string): string => part.padStart(2, "0");
  const month = (name: string): string | undefined => {
    const place = MONTHS.indexOf(name.slice(0, 3).toLowerCase());
    return place < 0 ? undefined : two(String(place + 1));
  };
  const iso = (year: string, monthName: string, day: string, time: string, zone = ""): string | undefined => {
    const number = month(monthName);
    const offset = /^(?:GMT|UTC?|Z)$/i.test(zone) ? "Z" : zone;
    return number && `${year}-${number}-${two(day)}T${time}${offset}`;
  };
  const rfc = /^(?:[A-Z][a-z]{2},\s*)?(\d{1,2})[ -]([A-Z][a-z]{2})[ -](\d{4}) (\d{2}:\d{2}(?::\d{2})?) ?(GMT|UTC?|Z|[+-]\d{4})$/i.exec(
    text,
  );
  if (rfc) return iso(rfc[3] ?? "", rfc[2] ?? "", rfc[1] ?? "", rfc[4] ?? "", rfc[5]);
  const ctime = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d{2}:\d{2}:\d{2}) (?:(GMT|UTC) )?(\d{4})$/i.exec(text);
  if (ctime) return iso(ctime[5] ?? "", ctime[1] ?? "", ctime[2] ?? "", ctime[3] ?? "", ctime[4]);
  const apache = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ?([+-]\d{4})?$/i.exec(text);
  if (apache) return iso(apache[3] ?? "", apache[2] ?? "", apache[1] ?? "", apache[4] ?? "", apache[5]);
  const zeek = /^(\d{4}-\d{2}-\d{2})-(\d{2})-(\d{2})-(\d{2})$/.exec(text);
  if (zeek) return `${zeek[1]}T${zeek[2]}:${zeek[3]}:${zeek[4]}`;
  const slashes = /^(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?$/.exec(text);
  if (!slashes) return undefined;
  const [, first = "", second = "", year = "", clock] = slashes;
  const isDayFirst = Number(first) > 12 || (Number(second) <= 12 && options.dateOrder === "dmy");
  if (Number(first) <= 12 && Number(second) <= 12 && first !== second && options.dateOrder === undefined)
    throw bad(options, text, "which may be the day or the month first; write it as 2021-12-31");
  const [day, monthNumber] = isDayFirst ? [first, second] : [second, first];
  return `${year}-${two(monthNumber)}-${two(day)}${clock === undefined ? "" : `T${clock}`}`;
}

/** Words such as `July 15, 2021 at 5pm` and `2 days ago`: only when all of the text was understood. */
async function fromWords(text: string, { now, roundUp = false }: DateInputOptions): Promise<bigint | undefined> {
  // Loaded for those alone who write words.
  const { strict } = await import("chrono-node");
  const [found, ...more] = strict.parse(text, { instant: new Date(Number(now / 1000n)), timezone: "UTC" });
  if (!found || more.length > 0 || found.text.length !== text.length) return undefined;
  const { start } = found;
  const part = (name: "year" | "month" | "day" | "hour" | "minute" | "second"): number => start.get(name) ?? 0;
  // A day without a time is all of it, not its noon.
  const unit = start.isCertain("second") ? "second" : start.isCertain("minute") ? "minute" : start.isCertain("hour") ? "hour" : "day";
  const clock = unit === "day" ? [0, 0, 0] : [part("hour"), part("minute") - (start.get("timezoneOffset") ?? 0), part("second")];
  const millis = Date.UTC(part("year"), part("month") - 1, part("day"), ...clock);
  return microsFrom({ time: startOf(zonedTime(BigInt(millis) * 1000n, "UTC"), unit), unit }, roundUp);
}

/**
 * The microseconds since 1970-01-01 UTC that a date means which somebody gave in almost any format: nothing; date math; a JSON number or
 * digits (up to four: a year; else seconds, milliseconds, microseconds or nanoseconds by their size); ISO 8601; Zeek's
 * `2021-07-15-17-20-18`; RFC 2822, HTTP, ctime and Apache dates; at last English words. Without a zone it is UTC. What could mean two
 * things is an error that says so.
 * @throws CoreError `bad-parameter` that names the parameter
 */
export async function parseDateInput(value: unknown, options: DateInputOptions): Promise<bigint> {
  const { now, absent, roundUp = false } = options;
  if (value === undefined || value === null || (typeof value === "string" && value.trim() === ""))
    return parseDateMath(absent, { now, roundUp });
  if (typeof value === "number") {
    const micros = Number.isFinite(value) ? fromNumber(plainDigits(value), options) : undefined;
    if (micros === undefined) throw bad(options, value, "which is no time");
    return micros;
  }
  if (typeof value !== "string") throw bad(options, value, "which is neither a text nor a number");
  const text = value.trim();
  if (text.length > 200) throw bad(options, text, "which is too long for a date");
  if (/^now\b/.test(text) || text.includes("||")) {
    try {
      return parseDateMath(text, { now, roundUp });
    } catch (cause) {
      throw bad(options, text, cause instanceof Error ? cause.message : "which is no date math");
    }
  }
  if (/^(?:19[7-9]|20\d)\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(text))
    throw bad(options, text, "which may be a day or seconds; write a day as 2021-12-31");
  const number = fromNumber(text, options);
  if (number !== undefined) return number;
  const written = parseIsoDate(text) ?? parseIsoDate(asIso(text, options) ?? "");
  if (written) return microsFrom(written, roundUp);
  const words = await fromWords(text, options);
  if (words === undefined) throw bad(options, text, "which is no date; write 2021-12-31, 2021-12-31T23:59:59Z, epoch seconds, or now-1d");
  return words;
}

/** A number without an exponent. */
function plainDigits(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(9);
}
