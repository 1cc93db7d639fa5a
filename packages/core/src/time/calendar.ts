import { Temporal } from "temporal-polyfill";

/** Units of date math: year, month, week (from Monday), day, hour, minute, second. */
export type DateUnit = "year" | "month" | "week" | "day" | "hour" | "minute" | "second";

const NANOS_PER_MICRO = 1000n;

/** Microseconds since 1970-01-01 UTC of an instant, rounded down. */
export function microsOf(time: Temporal.ZonedDateTime | Temporal.Instant): bigint {
  const nanos = time.epochNanoseconds;
  const micros = nanos / NANOS_PER_MICRO;
  return nanos < 0n && nanos % NANOS_PER_MICRO !== 0n ? micros - 1n : micros;
}

/** A time in a zone, from microseconds. */
export function zonedTime(micros: bigint, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochNanoseconds(micros * NANOS_PER_MICRO).toZonedDateTimeISO(timeZone);
}

/** The first moment of a year. */
export function startOfYear(year: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.PlainDate.from({ year, month: 1, day: 1 }).toZonedDateTime(timeZone);
}

/** The start of the unit that a time lies in, by the clock of its zone. */
export function startOf(time: Temporal.ZonedDateTime, unit: DateUnit): Temporal.ZonedDateTime {
  switch (unit) {
    case "year":
      return time.with({ month: 1, day: 1 }).startOfDay();
    case "month":
      return time.with({ day: 1 }).startOfDay();
    case "week":
      return time.subtract({ days: time.dayOfWeek - 1 }).startOfDay();
    case "day":
      return time.startOfDay();
    default:
      return time.round({ smallestUnit: unit, roundingMode: "floor" });
  }
}

/** The start of the next unit. */
export function startOfNext(time: Temporal.ZonedDateTime, unit: DateUnit): Temporal.ZonedDateTime {
  return startOf(startOf(time, unit).add({ [`${unit}s`]: 1 }), unit);
}

/** The last microsecond of the unit that starts at a time. */
export function lastMicroOf(start: Temporal.ZonedDateTime, unit: DateUnit): bigint {
  return microsOf(startOfNext(start, unit)) - 1n;
}

/** Whether a text names a time zone: an IANA name or an offset such as +02:00. */
export function isTimeZone(text: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text);
    return true;
  } catch {
    return false;
  }
}
