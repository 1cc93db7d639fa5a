import type { Temporal } from "temporal-polyfill";
import { type DateUnit, isTimeZone, microsOf, startOf, startOfNext, zonedTime } from "../../time/calendar.js";
import { illegalArgument } from "../query-error.js";

/** Steps of a histogram: the start of the step that a value lies in, and of the one after. */
export interface Rounding {
  round(value: number): number;
  next(start: number): number;
}

/** Steps of equal width. */
export class EqualSteps implements Rounding {
  readonly #width: number;
  readonly #offset: number;

  constructor(width: number, offset: number) {
    this.#width = width;
    this.#offset = offset;
  }

  round(value: number): number {
    return Math.floor((value - this.#offset) / this.#width) * this.#width + this.#offset;
  }

  next(start: number): number {
    return Math.floor((start - this.#offset) / this.#width + 1.5) * this.#width + this.#offset;
  }
}

/** Steps of a calendar or of a zone's clock, whose starts are looked up: each is computed once. */
class KnownSteps implements Rounding {
  readonly #startOf: (value: number) => number;
  readonly #nextOf: (start: number) => number;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #at = 0;

  constructor(start: (value: number) => number, next: (start: number) => number) {
    this.#startOf = start;
    this.#nextOf = next;
  }

  round(value: number): number {
    const start = this.#starts[this.#at];
    if (start !== undefined && value >= start && value < (this.#ends[this.#at] as number)) return start;
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    const before = low - 1;
    if (before >= 0 && value < (this.#ends[before] as number)) {
      this.#at = before;
      return this.#starts[before] as number;
    }
    const found = this.#startOf(value);
    this.#starts.splice(low, 0, found);
    this.#ends.splice(low, 0, this.#nextOf(found));
    this.#at = low;
    return found;
  }

  next(start: number): number {
    return this.#nextOf(start);
  }
}

const CALENDAR: Readonly<Record<string, DateUnit | "quarter">> = {
  second: "second",
  "1s": "second",
  minute: "minute",
  "1m": "minute",
  hour: "hour",
  "1h": "hour",
  day: "day",
  "1d": "day",
  week: "week",
  "1w": "week",
  month: "month",
  "1M": "month",
  quarter: "quarter",
  "1q": "quarter",
  year: "year",
  "1y": "year",
};

const MICROS_OF: Readonly<Record<string, number>> = { nanos: 0.001, micros: 1, ms: 1000, s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10 };

/** Microseconds of a span such as `30s`, `1.5h` or `-90m`; undefined for a text that is none. */
export function spanMicros(text: string): number | undefined {
  const parts = /^([+-]?)(\d+(?:\.\d+)?)(nanos|micros|ms|s|m|h|d)$/.exec(text.trim());
  if (!parts) return undefined;
  return (parts[1] === "-" ? -1 : 1) * Number(parts[2]) * (MICROS_OF[parts[3] ?? ""] ?? Number.NaN);
}

function startOfQuarter(time: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  return startOf(time, "month").subtract({ months: (time.month - 1) % 3 });
}

function checkZone(timeZone: string): void {
  if (!isTimeZone(timeZone)) throw illegalArgument(`Unknown time-zone ID: ${timeZone.slice(0, 60)}`);
}

/**
 * Steps of a calendar: `month` or `1M`, and so on, by the clock of a zone.
 * @throws QueryError for an interval that is none, such as `2d`
 */
export function calendarSteps(interval: string, timeZone: string, offset: number): Rounding {
  const unit = Object.hasOwn(CALENDAR, interval) ? CALENDAR[interval] : undefined;
  if (!unit) throw illegalArgument(`The supplied interval [${interval.slice(0, 40)}] could not be parsed as a calendar interval.`);
  checkZone(timeZone);
  const shift = BigInt(Math.round(offset));
  const zoned = (micros: number): Temporal.ZonedDateTime => zonedTime(BigInt(Math.floor(micros)) - shift, timeZone);
  const start = (time: Temporal.ZonedDateTime): Temporal.ZonedDateTime => (unit === "quarter" ? startOfQuarter(time) : startOf(time, unit));
  const back = (time: Temporal.ZonedDateTime): number => Number(microsOf(time) + shift);
  return new KnownSteps(
    (micros) => back(start(zoned(micros))),
    (micros) => back(unit === "quarter" ? start(zoned(micros)).add({ months: 3 }) : startOfNext(zoned(micros), unit)),
  );
}

/**
 * Steps of a fixed width, such as `30m`; in a zone by its clock, so that steps of a day start at midnight there.
 * @throws QueryError for an interval that is none
 */
export function fixedSteps(interval: string, timeZone: string, offset: number): Rounding {
  const width = spanMicros(interval);
  if (width === undefined || !(width >= 1)) {
    throw illegalArgument(
      `failed to parse setting [date_histogram.fixed_interval] with value [${interval.slice(0, 40)}] as a time value: unit is missing or unrecognized`,
    );
  }
  checkZone(timeZone);
  if (timeZone === "UTC" || timeZone === "Z") return new EqualSteps(width, offset);
  const offsetAt = (micros: number): number => zonedTime(BigInt(Math.floor(micros)), timeZone).offsetNanoseconds / 1000;
  const start = (micros: number): number => {
    const zone = offsetAt(micros);
    const local = Math.floor((micros + zone - offset) / width) * width + offset;
    // The zone may have shifted since the step began.
    return local - offsetAt(local - zone);
  };
  return new KnownSteps(start, (micros) => {
    const zone = offsetAt(micros);
    const local = micros + zone + width;
    const next = local - offsetAt(local - zone);
    return next > micros ? next : micros + width;
  });
}

/** The steps of `auto_date_histogram`, from fine to coarse. */
export const AUTO_STEPS: readonly { readonly interval: string; readonly unit: string; readonly factors: readonly number[] }[] = [
  { interval: "second", unit: "s", factors: [1, 5, 10, 30] },
  { interval: "minute", unit: "m", factors: [1, 5, 10, 30] },
  { interval: "hour", unit: "h", factors: [1, 3, 12] },
  { interval: "day", unit: "d", factors: [1, 7] },
  { interval: "month", unit: "M", factors: [1, 3] },
  { interval: "year", unit: "y", factors: [1, 5, 10, 20, 50, 100] },
];
