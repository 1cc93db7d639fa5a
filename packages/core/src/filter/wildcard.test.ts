import { describe, expect, it } from "vitest";
import { matchesWildcard } from "./wildcard.js";

describe("matchesWildcard", () => {
  it.each([
    ["*", "", true],
    ["a*b?c", "axxbyc", true],
    ["a*b?c", "axxbc", false],
    ["*a*a*a*a*a*a*a*b", "a".repeat(5000), false],
    ["conn.*.log", "conn.1.log", true],
    ["conn.*.log", "conn.log", false],
    [".+", "ab", false],
    ["", "", true],
  ])("%j on %j is %j", (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected);
  });
});
