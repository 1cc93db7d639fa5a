import { CoreError } from "../errors.js";
import { type DateUnit, isTimeZone, lastMicroOf, microsOf, startOf, startOfYear, zonedTime } from "./calendar.js";
import { parseIsoDate } from "./iso-date.js";

/** How date math is read. */
export interface DateMathOptions {
  /** What `now` means, in microseconds since 1970-01-01 UTC. */
  readonly now: bigint;
  /** Zone of dates without one, and by whose clock is rounded and counted. Default UTC; `now` itself is not shifted. */
  readonly timeZone?: string;
  /** Whether rounding goes to the last microsecond of a unit, as `gt` and `lte` want it, instead of the first. */
  readonly roundUp?: boolean;
}

const UNITS: Readonly<Record<string, DateUnit>> = {
  y: "year",
  M: "month",
  w: "week",
  d: "day",
  h: "hour",
  H: "hour",
  m: "minute",
  s: "second",
};

/** Numbers below it are years in a text, others epoch milliseconds. */
const LEAST_MILLISECONDS = 100_000;

const fail = (text: string, reason: string): CoreError =>
  new CoreError("bad-parameter", `failed to parse date field [${text.slice(0, 100)}]: ${reason}`);

/** A date without math; of an incomplete one the time of day is filled up when rounding up, the month and the day stay the first. */
function parseDate(text: string, timeZone: string, roundUp: boolean): bigint {
  if (/^-?\d+$/.test(text)) {
    const number = Number(text);
    return number >= 0 && number < LEAST_MILLISECONDS ? filled(startOfYear(number, timeZone), "year", roundUp) : BigInt(text) * 1000n;
  }
  const date = parseIsoDate(text, timeZone);
  if (!date) throw fail(text, "it is neither strict_date_optional_time nor epoch_millis");
  return filled(date.time, date.unit, roundUp);
}

function filled(time: Parameters<typeof startOf>[0], unit: DateUnit | "fraction", roundUp: boolean): bigint {
  if (!roundUp || unit === "fraction") return microsOf(time);
  return lastMicroOf(time, unit === "year" || unit === "month" || unit === "week" ? "day" : unit);
}

/**
 * The microseconds since 1970-01-01 UTC that a text of Elasticsearch's date math names: `now` or a date and `||`, then `+`, `-` and `/`
 * with units `y M w d h H m s`, from left to right. A text without math is a date, or epoch milliseconds.
 * @throws CoreError `bad-parameter`
 * @see https://www.elastic.co/guide/en/elasticsearch/reference/current/common-options.html#date-math
 */
export function parseDateMath(text: string, { now, timeZone = "UTC", roundUp = false }: DateMathOptions): bigint {
  if (!isTimeZone(timeZone)) throw new CoreError("bad-parameter", `unknown time zone [${timeZone.slice(0, 60)}]`, { column: "time_zone" });
  if (text.startsWith("now")) return applyMath(text, text.slice(3), now, timeZone, roundUp);
  const bars = text.indexOf("||");
  if (bars === -1) return parseDate(text, timeZone, roundUp);
  // With math behind it a date is what it says, and only the math rounds.
  return applyMath(text, text.slice(bars + 2), parseDate(text.slice(0, bars), timeZone, false), timeZone, roundUp);
}

function applyMath(text: string, math: string, from: bigint, timeZone: string, roundUp: boolean): bigint {
  let micros = from;
  for (let at = 0; at < math.length; ) {
    const operator = math[at++];
    if (operator !== "+" && operator !== "-" && operator !== "/")
      throw fail(text, `operator not supported for date math [${operator ?? ""}]`);
    const digits = /^\d*/.exec(math.slice(at))?.[0] ?? "";
    at += digits.length;
    const letter = math[at++];
    if (letter === undefined) throw fail(text, "truncated date math");
    const unit = UNITS[letter];
    if (unit === undefined) throw fail(text, `unit [${letter}] not supported for date math`);
    const number = digits === "" ? 1 : Number(digits);
    if (number > 1e9) throw fail(text, `[${digits}] is too large a number of units`);
    const time = zonedTime(micros, timeZone);
    if (operator === "/") {
      if (number !== 1) throw fail(text, "rounding `/` can only be used on single unit types");
      const start = startOf(time, unit);
      micros = roundUp ? lastMicroOf(start, unit) : microsOf(start);
      continue;
    }
    try {
      // Months clamp the day; microseconds below the clock's are kept.
      micros = microsOf(time.add({ [`${unit}s`]: operator === "+" ? number : -number }));
    } catch (cause) {
      throw new CoreError("bad-parameter", `failed to parse date field [${text.slice(0, 100)}]: the time is out of range`, { cause });
    }
  }
  return micros;
}
