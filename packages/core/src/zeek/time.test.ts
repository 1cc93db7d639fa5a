import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTime, parseTime } from "./time.js";

describe("parseTime", () => {
  const cases: readonly (readonly [text: string, micros: number, why: string])[] = [
    ["1258531221.486539", 1_258_531_221_486_539, "what Zeek writes"],
    ["1517422336.04539", 1_517_422_336_045_390, "a shorter fraction"],
    ["1517422336", 1_517_422_336_000_000, "none at all"],
    ["0.000001", 1, "the first microsecond"],
    ["1714867270.9132699966", 1_714_867_270_913_270, "rounded up at the seventh digit"],
    ["1714867270.9132694966", 1_714_867_270_913_269, "rounded down"],
    ["1.9999995", 2_000_000, "half goes up, into the next second"],
    ["-1.5", -1_500_000, "before 1970"],
    ["-0.0000005", 0, "half goes up for negative times too"],
    ["-0.0000006", -1, "more than half goes down"],
    ["1.5e9", 1_500_000_000_000_000, "an exponent"],
    ["15E-1", 1_500_000, "a negative exponent"],
    ["1517336042279", 1_517_336_042_279_000, "milliseconds"],
    ["-1517336042279", -1_517_336_042_279_000, "negative milliseconds"],
    ["18446743758090351616", -315_619_200_000_000, "negative milliseconds that Zeek wrote unsigned"],
    ["2008-07-09T16:13:30.005432Z", 1_215_620_010_005_432, "ISO 8601"],
    ["2008-07-09T16:13:30.0054325Z", 1_215_620_010_005_433, "ISO 8601, half rounded up at the seventh digit"],
    ["2008-07-09 16:13:30", 1_215_620_010_000_000, "a blank, and no zone: UTC"],
    ["2008-07-09T18:13:30+02:00", 1_215_620_010_000_000, "a zone"],
    ["2008-07-09", 1_215_561_600_000_000, "a bare date is its midnight"],
    ["2008-07-09T16:13:30.1000000Z", 1_215_620_011_000_000, "Zeek's fraction that rounded up to a second"],
    ["2016-12-31T23:59:60Z", 1_483_228_800_000_000, "a leap second"],
  ];
  it.each(cases)("%s is %d (%s)", (text, micros) => {
    expect(parseTime(text)).toBe(micros);
  });

  it.each([
    "",
    "-",
    "abc",
    "1.",
    ".5",
    "1e",
    "0x10",
    "1_000",
    "2024-13-01",
    "2024-02-30",
    "2024-01-01T25:00:00Z",
    "9007199254.740992",
    "1e400",
    "NaN",
    "Infinity",
  ])("%j is no time", (text) => {
    expect(parseTime(text)).toBeNaN();
  });

  it("reads what formatTime writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: -60_000_000_000_000_000 / 8, max: 9_000_000_000_000_000 }), (micros) => {
        expect(parseTime(formatTime(micros))).toBe(micros);
      }),
    );
  });
});
