import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { microsOf, startOfNext, zonedTime } from "./calendar.js";
import { type DateMathOptions, parseDateMath } from "./date-math.js";
import { parseIsoDate } from "./iso-date.js";

const NOW = 1_700_000_000_123_456n; // 2023-11-14T22:13:20.123456Z, a Tuesday
const at = (text: string, options: Partial<DateMathOptions> = {}): string => {
  const micros = parseDateMath(text, { now: NOW, ...options });
  return zonedTime(micros, "UTC").toPlainDateTime().toString({ smallestUnit: "microsecond" });
};

describe("date math", () => {
  it.each<[string, string, string]>([
    // text, rounded down, rounded up
    ["now", "2023-11-14T22:13:20.123456", "2023-11-14T22:13:20.123456"],
    ["now-1d", "2023-11-13T22:13:20.123456", "2023-11-13T22:13:20.123456"],
    ["now+d", "2023-11-15T22:13:20.123456", "2023-11-15T22:13:20.123456"],
    ["now/d", "2023-11-14T00:00:00.000000", "2023-11-14T23:59:59.999999"],
    ["now/w", "2023-11-13T00:00:00.000000", "2023-11-19T23:59:59.999999"],
    ["now/M", "2023-11-01T00:00:00.000000", "2023-11-30T23:59:59.999999"],
    ["now/y", "2023-01-01T00:00:00.000000", "2023-12-31T23:59:59.999999"],
    ["now/h", "2023-11-14T22:00:00.000000", "2023-11-14T22:59:59.999999"],
    ["now/H", "2023-11-14T22:00:00.000000", "2023-11-14T22:59:59.999999"],
    ["now/m", "2023-11-14T22:13:00.000000", "2023-11-14T22:13:59.999999"],
    ["now/s", "2023-11-14T22:13:20.000000", "2023-11-14T22:13:20.999999"],
    ["now-1M/M+2h", "2023-10-01T02:00:00.000000", "2023-11-01T01:59:59.999999"],
    ["2014-11-18", "2014-11-18T00:00:00.000000", "2014-11-18T23:59:59.999999"],
    ["2014-11", "2014-11-01T00:00:00.000000", "2014-11-01T23:59:59.999999"],
    ["2014", "2014-01-01T00:00:00.000000", "2014-01-01T23:59:59.999999"],
    ["2014-11-18T14", "2014-11-18T14:00:00.000000", "2014-11-18T14:59:59.999999"],
    ["2014-11-18T14:27", "2014-11-18T14:27:00.000000", "2014-11-18T14:27:59.999999"],
    ["2014-11-18T14:27:32", "2014-11-18T14:27:32.000000", "2014-11-18T14:27:32.999999"],
    ["2014-11-18T14:27:32.5", "2014-11-18T14:27:32.500000", "2014-11-18T14:27:32.500000"],
    ["2014-11-18||", "2014-11-18T00:00:00.000000", "2014-11-18T00:00:00.000000"],
    ["2014-11||/M", "2014-11-01T00:00:00.000000", "2014-11-30T23:59:59.999999"],
    ["2014-11-18||/y", "2014-01-01T00:00:00.000000", "2014-12-31T23:59:59.999999"],
    ["2014-01-31||+1M", "2014-02-28T00:00:00.000000", "2014-02-28T00:00:00.000000"],
    ["2016-02-29||+1y", "2017-02-28T00:00:00.000000", "2017-02-28T00:00:00.000000"],
    ["2014-11-18T14||-1m+2w", "2014-12-02T13:59:00.000000", "2014-12-02T13:59:00.000000"],
    ["2014-11-18T14:27:32+02:00", "2014-11-18T12:27:32.000000", "2014-11-18T12:27:32.999999"],
    ["2021-07-15 17:20:18.181152", "2021-07-15T17:20:18.181152", "2021-07-15T17:20:18.181152"],
    ["1418248078000", "2014-12-10T21:47:58.000000", "2014-12-10T21:47:58.000000"],
    ["9999", "9999-01-01T00:00:00.000000", "9999-01-01T23:59:59.999999"],
    ["99999", "+099999-01-01T00:00:00.000000", "+099999-01-01T23:59:59.999999"],
    ["100000", "1970-01-01T00:01:40.000000", "1970-01-01T00:01:40.000000"],
    ["-1000", "1969-12-31T23:59:59.000000", "1969-12-31T23:59:59.000000"],
    ["1969-12-31T23:59:59.9999999", "1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999"],
  ])("%s", (text, down, up) => {
    expect([at(text), at(text, { roundUp: true })]).toEqual([down, up]);
  });

  it("rounds and counts by the clock of a zone, across changes of it", () => {
    expect(at("now/d", { timeZone: "+05:00" })).toBe("2023-11-14T19:00:00.000000");
    expect(at("now", { timeZone: "America/New_York" })).toBe("2023-11-14T22:13:20.123456");
    expect(at("2014-11-18", { timeZone: "-08:00" })).toBe("2014-11-18T08:00:00.000000");
    expect(at("2014-11-18T00:00:00Z", { timeZone: "-08:00" })).toBe("2014-11-18T00:00:00.000000");
    // The day that is 23 hours long.
    expect(at("2024-03-31||/d", { timeZone: "Europe/Berlin", roundUp: true })).toBe("2024-03-31T21:59:59.999999");
    expect(at("2024-03-30T02:30||+1d", { timeZone: "Europe/Berlin" })).toBe("2024-03-31T01:30:00.000000");
    expect(at("2024-03-31T01:30||+1h", { timeZone: "Europe/Berlin" })).toBe("2024-03-31T01:30:00.000000");
  });

  it.each([
    ["now/2m", "single unit"],
    ["now+5", "truncated"],
    ["now-", "truncated"],
    ["now/", "truncated"],
    ["now+1x", "unit [x]"],
    ["now*1d", "operator"],
    ["now 1d", "operator"],
    ["nowish", "operator"],
    ["2014-13-01", "neither"],
    ["2014-02-30", "neither"],
    ["2014-11-18T25", "neither"],
    ["yesterday", "neither"],
    ["", "neither"],
    ["||+1d", "neither"],
    ["now+9999999999999d", "too large"],
    ["now+999999999y", "out of range"],
  ])("%j is an error", (text, reason) => {
    expect(() => parseDateMath(text, { now: NOW })).toThrow(reason);
  });

  it("knows its zones", () => {
    expect(() => parseDateMath("now", { now: NOW, timeZone: "Mars/Base" })).toThrow("unknown time zone [Mars/Base]");
  });

  it("rounding down is at most the time, rounding up at least, and both lie in one unit", () => {
    const units = fc.constantFrom("y", "M", "w", "d", "h", "m", "s");
    const zones = fc.constantFrom("UTC", "+05:30", "America/Sao_Paulo", "Europe/Berlin");
    const names = { y: "year", M: "month", w: "week", d: "day", h: "hour", m: "minute", s: "second" } as const;
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 4n * 10n ** 15n }), units, zones, (now, unit, timeZone) => {
        const down = parseDateMath(`now/${unit}`, { now, timeZone });
        const up = parseDateMath(`now/${unit}`, { now, timeZone, roundUp: true });
        expect(down <= now && now <= up).toBe(true);
        expect(parseDateMath(`now/${unit}`, { now: down, timeZone })).toBe(down);
        expect(microsOf(startOfNext(zonedTime(now, timeZone), names[unit as keyof typeof names]))).toBe(up + 1n);
      }),
      { numRuns: 300 },
    );
  });
});

describe("parseIsoDate", () => {
  it.each<[string, string, string]>([
    ["2021-W28-4", "2021-07-15T00:00:00", "day"],
    ["2021-W28", "2021-07-12T00:00:00", "week"],
    ["2020-W53-7", "2021-01-03T00:00:00", "day"],
    ["2021-196T10:30", "2021-07-15T10:30:00", "minute"],
    ["20210715T172018Z", "2021-07-15T17:20:18", "second"],
    ["20210715T172018,25+0200", "2021-07-15T15:20:18.25", "fraction"],
    ["2021-07-15T17:20:18+02", "2021-07-15T15:20:18", "second"],
    ["2021-07-15T17:20:18[Europe/Berlin]", "2021-07-15T15:20:18", "second"],
    ["2021-07-15T17:20:18+02:00[America/New_York]", "2021-07-15T15:20:18", "second"],
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00", "second"],
  ])("%s", (text, utc, unit) => {
    const date = parseIsoDate(text);
    expect([date?.time.withTimeZone("UTC").toPlainDateTime().toString(), date?.unit]).toEqual([utc, unit]);
  });

  it.each(["2021-W54", "2021-W53-1", "2021-000", "2021-366", "2021-07-15T17:60", "2021-07-15T17:20:18[No/Where]", "21-07-15", "2021-7-15"])(
    "%s is none",
    (text) => {
      expect(parseIsoDate(text)).toBeUndefined();
    },
  );
});
