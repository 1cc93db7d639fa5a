import { Temporal } from "temporal-polyfill";
import { isTimeZone, microsOf, zonedTime } from "../../time/calendar.js";
import { parseDateMath } from "../../time/date-math.js";
import { parseIsoDate } from "../../time/iso-date.js";
import { QueryError } from "../query-error.js";

/** How a date is read. */
export interface DateOptions {
  /** Microseconds since 1970-01-01 UTC. */
  readonly now: bigint;
  readonly timeZone?: string;
  /** To the last microsecond of what a date leaves open. */
  readonly roundUp?: boolean;
}

type Part =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "field"; readonly letter: string; readonly length: number };

interface OneFormat {
  /** Whether it reads counts since 1970. */
  readonly epoch?: boolean;
  /** Microseconds; undefined for a text that is no date of this format. */
  parse(text: string, options: DateOptions): bigint | undefined;
  format(micros: number, timeZone: string): string;
}

const STRICT =
  /^(?:\d{5}|[+-]?\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?)?)?)T?$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LONG_MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const pad = (value: number, length: number): string => String(Math.abs(value)).padStart(length, "0");

function offsetText(time: Temporal.ZonedDateTime): string {
  return time.offsetNanoseconds === 0 ? "Z" : time.offset;
}

/** A time as `strict_date_optional_time` writes it: at least three digits of the second's fraction. */
export function isoText(micros: number, timeZone = "UTC"): string {
  const whole = Math.floor(micros);
  if (timeZone === "UTC" && Math.abs(whole) < 8.64e18) {
    const text = new Date(Math.floor(whole / 1000)).toISOString();
    const rest = ((whole % 1000) + 1000) % 1000;
    return rest === 0 ? text : `${text.slice(0, -1)}${pad(rest, 3)}Z`;
  }
  const time = zonedTime(BigInt(whole), timeZone);
  const fraction = pad(time.millisecond, 3) + (time.microsecond > 0 ? pad(time.microsecond, 3) : "");
  return `${pad(time.year, 4)}-${pad(time.month, 2)}-${pad(time.day, 2)}T${pad(time.hour, 2)}:${pad(time.minute, 2)}:${pad(time.second, 2)}.${fraction}${offsetText(time)}`;
}

const iso = (strict: boolean, nanos = false): OneFormat => ({
  parse(text, { now, timeZone = "UTC", roundUp = false }) {
    if (strict ? !STRICT.test(text) : !/^[+-]?\d{4,9}(?:-|$|T|W)/.test(text)) return undefined;
    const bare = text.endsWith("T") ? text.slice(0, -1) : text;
    if (!/^\d+$/.test(bare) && !parseIsoDate(bare, timeZone)) return undefined;
    return parseDateMath(bare, { now, timeZone, roundUp });
  },
  format: (micros, timeZone) => {
    const text = isoText(micros, timeZone);
    return nanos ? text : text.replace(/(\.\d{3})\d+/, "$1");
  },
});

const epoch = (unit: bigint): OneFormat => ({
  epoch: true,
  parse(text) {
    const parts = /^(-?)(\d{1,18})(?:\.(\d{1,9}))?$/.exec(text);
    if (!parts) return undefined;
    const [, sign = "", whole = "0", fraction = ""] = parts;
    const micros = BigInt(whole) * unit + (fraction === "" ? 0n : BigInt(Math.floor(Number(`0.${fraction}`) * Number(unit))));
    return sign === "-" ? -micros : micros;
  },
  format: (micros) => {
    const value = micros / Number(unit);
    return String(unit === 1000n ? Math.floor(value) : value);
  },
});

/** The letters of a pattern of `java.time`; texts between quotes stand for themselves. */
function patternParts(pattern: string): Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < pattern.length; ) {
    const letter = pattern[i] ?? "";
    if (letter === "'") {
      const end = pattern.indexOf("'", i + 1);
      if (end === -1) throw new QueryError("illegal_argument_exception", `Invalid format: [${pattern}]: a quote is not closed`);
      parts.push({ kind: "literal", text: end === i + 1 ? "'" : pattern.slice(i + 1, end) });
      i = end + 1;
    } else if (/[A-Za-z]/.test(letter)) {
      let end = i;
      while (pattern[end] === letter) end++;
      if (!"yuYMLdDHhkKmsSnaEeZXxzV".includes(letter)) {
        throw new QueryError("illegal_argument_exception", `Invalid format: [${pattern}]: Unknown pattern letter: ${letter}`);
      }
      parts.push({ kind: "field", letter, length: end - i });
      i = end;
    } else {
      parts.push({ kind: "literal", text: letter });
      i++;
    }
  }
  return parts;
}

const FIELD_OF: Readonly<Record<string, string>> = {
  y: "year",
  u: "year",
  Y: "year",
  M: "month",
  L: "month",
  d: "day",
  D: "ordinal",
  H: "hour",
  k: "hour",
  h: "hour12",
  K: "hour12",
  m: "minute",
  s: "second",
};

class PatternFormat implements OneFormat {
  readonly #parts: readonly Part[];

  constructor(pattern: string) {
    this.#parts = patternParts(pattern);
  }

  parse(text: string, { timeZone = "UTC", roundUp = false }: DateOptions): bigint | undefined {
    const fields = new Map<string, number>();
    let zone: string | undefined;
    let fraction: string | undefined;
    let at = 0;
    const digits = (least: number, most: number): string | undefined => {
      let end = at;
      while (end < text.length && end - at < most && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
      if (end - at < least) return undefined;
      const found = text.slice(at, end);
      at = end;
      return found;
    };
    const oneOf = (names: readonly string[]): number => {
      const index = names.findIndex((name) => text.slice(at, at + name.length).toLowerCase() === name.toLowerCase());
      if (index !== -1) at += names[index]?.length ?? 0;
      return index;
    };
    for (const [index, part] of this.#parts.entries()) {
      if (part.kind === "literal") {
        if (!text.startsWith(part.text, at)) return undefined;
        at += part.text.length;
        continue;
      }
      const { letter, length } = part;
      if (letter === "S" || letter === "n") {
        fraction = digits(length, length);
        if (fraction === undefined) return undefined;
      } else if ((letter === "M" || letter === "L") && length >= 3) {
        const month = length === 3 ? oneOf(MONTHS) : oneOf(LONG_MONTHS);
        if (month === -1) return undefined;
        fields.set("month", month + 1);
      } else if (letter === "E" || letter === "e") {
        if ((length >= 4 ? oneOf(LONG_DAYS) : oneOf(DAYS)) === -1) return undefined;
      } else if (letter === "a") {
        const half = oneOf(["AM", "PM"]);
        if (half === -1) return undefined;
        fields.set("half", half);
      } else if ("ZXxzV".includes(letter)) {
        const rest = text.slice(at);
        const found = /^(?:Z|[+-]\d{2}(?::?\d{2})?|[A-Za-z]+(?:\/[A-Za-z_]+)*)/.exec(rest)?.[0];
        if (found === undefined) return undefined;
        at += found.length;
        zone =
          found === "Z"
            ? "UTC"
            : /^[+-]\d{2}$/.test(found)
              ? `${found}:00`
              : /^[+-]\d{4}$/.test(found)
                ? `${found.slice(0, 3)}:${found.slice(3)}`
                : found;
        if (!isTimeZone(zone)) return undefined;
      } else {
        // A number that another follows at once is as long as its pattern says.
        const next = this.#parts[index + 1];
        const exact = next?.kind === "field" && !"ZXxzVaE".includes(next.letter);
        const most = exact ? length : letter === "y" || letter === "u" ? Math.max(length, 9) : Math.max(length, 2);
        const found = digits(length === 2 && (letter === "y" || letter === "u") ? 2 : length, most);
        if (found === undefined) return undefined;
        const year = (letter === "y" || letter === "u") && length === 2 ? 2000 : 0;
        fields.set(FIELD_OF[letter] ?? letter, Number(found) + year);
      }
    }
    if (at !== text.length) return undefined;
    try {
      return this.#time(fields, fraction, zone ?? timeZone, roundUp);
    } catch {
      return undefined;
    }
  }

  #time(fields: ReadonlyMap<string, number>, fraction: string | undefined, timeZone: string, roundUp: boolean): bigint {
    const get = (name: string, otherwise: number): number => fields.get(name) ?? otherwise;
    let date = Temporal.PlainDate.from({ year: get("year", 1970), month: get("month", 1), day: get("day", 1) }, { overflow: "reject" });
    if (fields.has("ordinal")) date = date.with({ month: 1, day: 1 }).add({ days: get("ordinal", 1) - 1 });
    const hasTime = fields.has("hour") || fields.has("hour12");
    const up = (present: boolean, last: number): number => (roundUp && !present ? last : 0);
    const hour = fields.has("hour12") ? (get("hour12", 0) % 12) + 12 * get("half", 0) : get("hour", up(hasTime, 23));
    const minute = get("minute", up(fields.has("minute"), 59));
    const second = get("second", up(fields.has("second"), 59));
    const nanos = fraction === undefined ? up(false, 999_999_999) : Number(fraction.padEnd(9, "0").slice(0, 9));
    if (hour > 23 || minute > 59 || second > 59) throw new RangeError("no time of day");
    const time = date.toZonedDateTime({ timeZone, plainTime: { hour, minute, second } }).add({ nanoseconds: nanos });
    return microsOf(time);
  }

  format(micros: number, timeZone: string): string {
    const time = zonedTime(BigInt(Math.floor(micros)), timeZone);
    const nanos = pad(time.millisecond, 3) + pad(time.microsecond, 3) + pad(time.nanosecond, 3);
    return this.#parts.map((part) => (part.kind === "literal" ? part.text : fieldText(part.letter, part.length, time, nanos))).join("");
  }
}

function fieldText(letter: string, length: number, time: Temporal.ZonedDateTime, nanos: string): string {
  switch (letter) {
    case "y":
    case "u":
    case "Y":
      return length === 2 ? pad(time.year % 100, 2) : pad(time.year, length);
    case "M":
    case "L":
      return length === 3 ? (MONTHS[time.month - 1] ?? "") : length > 3 ? (LONG_MONTHS[time.month - 1] ?? "") : pad(time.month, length);
    case "d":
      return pad(time.day, length);
    case "D":
      return pad(time.dayOfYear, length);
    case "H":
    case "k":
      return pad(time.hour, length);
    case "h":
    case "K":
      return pad(time.hour % 12 === 0 ? 12 : time.hour % 12, length);
    case "m":
      return pad(time.minute, length);
    case "s":
      return pad(time.second, length);
    case "S":
    case "n":
      return nanos.slice(0, length).padEnd(length, "0");
    case "a":
      return time.hour < 12 ? "AM" : "PM";
    case "E":
    case "e":
      return (length >= 4 ? LONG_DAYS : DAYS)[time.dayOfWeek - 1] ?? "";
    case "Z":
      return time.offset.replace(":", "");
    case "z":
    case "V":
      return time.timeZoneId;
    default:
      return letter === "X" ? offsetText(time) : time.offset;
  }
}

const NAMED_PATTERNS: Readonly<Record<string, string>> = {
  basic_date: "yyyyMMdd",
  basic_date_time: "yyyyMMdd'T'HHmmss.SSSZ",
  basic_date_time_no_millis: "yyyyMMdd'T'HHmmssZ",
  date: "yyyy-MM-dd",
  year_month_day: "yyyy-MM-dd",
  year_month: "yyyy-MM",
  year: "yyyy",
  date_hour: "yyyy-MM-dd'T'HH",
  date_hour_minute: "yyyy-MM-dd'T'HH:mm",
  date_hour_minute_second: "yyyy-MM-dd'T'HH:mm:ss",
  date_hour_minute_second_millis: "yyyy-MM-dd'T'HH:mm:ss.SSS",
  date_hour_minute_second_fraction: "yyyy-MM-dd'T'HH:mm:ss.SSS",
  date_time: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
  date_time_no_millis: "yyyy-MM-dd'T'HH:mm:ssXXX",
  hour_minute_second: "HH:mm:ss",
  hour_minute: "HH:mm",
  hour: "HH",
};

function oneFormat(name: string): OneFormat {
  const plain = name.replace(/^8(?=[a-zA-Z])/, "");
  if (plain === "strict_date_optional_time") return iso(true);
  if (plain === "strict_date_optional_time_nanos") return iso(true, true);
  if (plain === "date_optional_time" || plain === "iso8601") return iso(plain === "iso8601");
  if (plain === "epoch_millis") return epoch(1000n);
  if (plain === "epoch_second") return epoch(1_000_000n);
  const bare = plain.replace(/^strict_/, "");
  const named = Object.hasOwn(NAMED_PATTERNS, bare) ? NAMED_PATTERNS[bare] : undefined;
  if (named === undefined && /^[a-z_]+_[a-z_]+$/.test(plain)) {
    throw new QueryError("illegal_argument_exception", `Invalid format: [${name}]: Unknown pattern letter: ${plain[0]}`);
  }
  return new PatternFormat(named ?? plain);
}

/**
 * A date format as Elasticsearch names it: names and `java.time` patterns, alternatives between `||`. Read in order; written by the first.
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/mapping-date-format.html
 */
export class DateFormat {
  readonly text: string;
  readonly #formats: readonly OneFormat[];

  /** @throws QueryError `illegal_argument_exception` for a format that there is not */
  constructor(text: string) {
    this.text = text;
    this.#formats = text.split("||").map((name) => oneFormat(name.trim()));
  }

  /** Microseconds of a date as a document or a query has it, without date math. */
  parse(value: string | number | bigint, options: DateOptions): bigint {
    const text = String(value);
    // A number is a count of milliseconds or seconds before it is a year.
    const formats = typeof value === "string" ? this.#formats : [...this.#formats].sort((a, b) => Number(!a.epoch) - Number(!b.epoch));
    for (const format of formats) {
      const micros = format.parse(text, options);
      if (micros !== undefined) return micros;
    }
    throw new QueryError("parse_exception", `failed to parse date field [${text.slice(0, 100)}] with format [${this.text}]`);
  }

  /** Microseconds of a date of a query: date math too. */
  parseMath(value: string | number | bigint, options: DateOptions): bigint {
    const text = String(value);
    const { roundUp = false, timeZone = "UTC" } = options;
    try {
      if (text.startsWith("now")) return parseDateMath(text, options);
      const bars = text.indexOf("||");
      if (bars === -1) return this.parse(text, options);
      const anchor = this.parse(text.slice(0, bars), { ...options, roundUp: false });
      return parseDateMath(`now${text.slice(bars + 2)}`, { now: anchor, timeZone, roundUp });
    } catch (cause) {
      if (cause instanceof QueryError) throw cause;
      throw new QueryError("parse_exception", cause instanceof Error ? cause.message : String(cause));
    }
  }

  /** A time in microseconds, as the first of the formats writes it. */
  format(micros: number, timeZone = "UTC"): string {
    return this.#formats[0]?.format(micros, timeZone) ?? "";
  }
}

export const DEFAULT_DATE_FORMAT = new DateFormat("strict_date_optional_time||epoch_millis");
/** What dynamic mapping takes for a date. */
export const DYNAMIC_DATE_FORMATS: readonly DateFormat[] = [
  new DateFormat("strict_date_optional_time"),
  new DateFormat("yyyy/MM/dd HH:mm:ss Z||yyyy/MM/dd Z||yyyy/MM/dd HH:mm:ss||yyyy/MM/dd"),
];
