import { Temporal } from "temporal-polyfill";
import { type DateUnit, isTimeZone } from "./calendar.js";

/** A date as written, and the smallest unit that it names: `2021-07` names a month. */
export interface WrittenDate {
  readonly time: Temporal.ZonedDateTime;
  /** `fraction`: it names a fraction of a second, and so a point in time. */
  readonly unit: DateUnit | "fraction";
}

const TIME = String.raw`(?<hour>\d{2})(?::?(?<minute>\d{2})(?::?(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?)?`;
const ZONE = String.raw`\s?(?<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)?(?:\[(?<zone>[A-Za-z][\w+/-]{0,60})\])?`;
const CALENDAR = new RegExp(String.raw`^(?<year>\d{4})(?:-(?<month>\d{2})(?:-(?<day>\d{2})(?:[Tt ]${TIME}${ZONE})?)?)?$`);
const BASIC = new RegExp(String.raw`^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})[Tt]${TIME}${ZONE}$`);
const WEEK = new RegExp(String.raw`^(?<year>\d{4})-W(?<week>\d{2})(?:-(?<weekday>[1-7])(?:[Tt ]${TIME}${ZONE})?)?$`);
const ORDINAL = new RegExp(String.raw`^(?<year>\d{4})-(?<ordinal>\d{3})(?:[Tt ]${TIME}${ZONE})?$`);

type Parts = Readonly<Record<string, string | undefined>>;

/** The day that a date names; undefined when there is none such. */
function dayOf({ year, month, day, week, weekday, ordinal }: Parts): Temporal.PlainDate | undefined {
  try {
    if (ordinal !== undefined) {
      const date = Temporal.PlainDate.from({ year: Number(year), month: 1, day: 1 });
      const place = Number(ordinal);
      return place >= 1 && place <= date.daysInYear ? date.add({ days: place - 1 }) : undefined;
    }
    if (week !== undefined) {
      // The first week is the one with the fourth of January in it.
      const fourth = Temporal.PlainDate.from({ year: Number(year), month: 1, day: 4 });
      const date = fourth.add({ days: 7 * (Number(week) - 1) + Number(weekday ?? 1) - fourth.dayOfWeek });
      return date.yearOfWeek === Number(year) && date.weekOfYear === Number(week) ? date : undefined;
    }
    return Temporal.PlainDate.from({ year: Number(year), month: Number(month ?? 1), day: Number(day ?? 1) }, { overflow: "reject" });
  } catch {
    return undefined;
  }
}

function unitOf({ month, day, week, weekday, ordinal, hour, minute, second, fraction }: Parts): WrittenDate["unit"] {
  if (fraction !== undefined) return "fraction";
  if (second !== undefined) return "second";
  if (minute !== undefined) return "minute";
  if (hour !== undefined) return "hour";
  if (day !== undefined || weekday !== undefined || ordinal !== undefined) return "day";
  if (week !== undefined) return "week";
  return month === undefined ? "year" : "month";
}

/** `+02`, `+0200`, `Z` as Temporal writes them. */
function offsetOf(offset: string): string {
  if (offset === "Z" || offset === "z") return "UTC";
  return offset.length === 3 ? `${offset}:00` : offset.includes(":") ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
}

function written(parts: Parts, timeZone: string): WrittenDate | undefined {
  const day = dayOf(parts);
  const { hour = "0", minute = "0", second = "0", fraction = "", offset, zone } = parts;
  // Hour 24 is no hour of ours; a leap second counts as the first of the next minute.
  if (!day || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (zone !== undefined && !isTimeZone(zone)) return undefined;
  const own = zone ?? (offset === undefined ? timeZone : offsetOf(offset));
  const nanos = Number(fraction.padEnd(9, "0"));
  try {
    const time = day
      .toZonedDateTime({
        timeZone: offset === undefined ? own : offsetOf(offset),
        plainTime: { hour: Number(hour), minute: Number(minute), second: Math.min(59, Number(second)) },
      })
      .add({ seconds: Number(second) === 60 ? 1 : 0, nanoseconds: nanos });
    return { time: time.withTimeZone(own), unit: unitOf(parts) };
  } catch {
    return undefined;
  }
}

/**
 * Reads ISO 8601: calendar, week and ordinal dates, extended and basic, `T` or a space before the time, a fraction of up to nine digits after a
 * point or a comma, offsets `Z`, `+02`, `+0200`, `+02:00`, a zone in brackets. Without an offset the zone given counts. Undefined for
 * anything else, and for dates that do not exist.
 * @see ISO 8601-1:2019, RFC 9557
 */
export function parseIsoDate(text: string, timeZone = "UTC"): WrittenDate | undefined {
  for (const form of [CALENDAR, BASIC, WEEK, ORDINAL]) {
    const groups = form.exec(text)?.groups;
    if (groups) return written(groups, timeZone);
  }
  return undefined;
}
