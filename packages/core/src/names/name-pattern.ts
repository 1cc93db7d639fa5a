import { badParameter } from "../errors.js";
import { matchesWildcard } from "../filter/wildcard.js";

/** Characters of host names, with the underscore that service records have, other scripts, and `*`. */
const PATTERN = /^[\p{L}\p{M}\p{N}_*-]+(?:\.[\p{L}\p{M}\p{N}_*-]+)*$/u;

/** Whether a text is a host name or a pattern of host names. */
export function isNamePattern(text: string): boolean {
  return text.length <= 255 && PATTERN.test(text.replace(/\.$/, ""));
}

/**
 * The test of a list of host names: `example.com` matches itself and its sub-domains, `*` in a pattern any characters, without regard
 * to case.
 * @throws CoreError `bad-parameter` for a text that is no host name; `parameter` names whose it is
 */
export function nameTest(patterns: readonly string[], parameter: string): (name: string) => boolean {
  const strange = patterns.find((pattern) => !isNamePattern(pattern.trim()));
  if (strange !== undefined)
    throw badParameter(
      parameter,
      `holds ${JSON.stringify(strange)}, which is no host name such as example.com and no pattern such as *cdn*`,
    );
  const lower = patterns.map((pattern) => pattern.trim().toLowerCase().replace(/\.$/, ""));
  const names = new Set(lower.filter((pattern) => !pattern.includes("*")));
  const wildcards = lower.filter((pattern) => pattern.includes("*"));
  return (name) => {
    const own = name.toLowerCase();
    for (let at = 0; ; ) {
      if (names.has(own.slice(at))) return true;
      const dot = own.indexOf(".", at);
      if (dot === -1) break;
      at = dot + 1;
    }
    return wildcards.some((pattern) => matchesWildcard(pattern, own));
  };
}
