import { CoreError } from "../errors.js";
import type { TimeBounds } from "../flows/row-filter.js";
import { parseTime } from "../zeek/time.js";

function parseBound(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const micros = parseTime(text.trim());
  if (Number.isNaN(micros)) {
    throw new CoreError(
      "bad-parameter",
      `${name} is not a time: ${JSON.stringify(text)}; write 2024-05-05, 2024-05-05T13:30:00Z or epoch seconds`,
      {
        column: name,
      },
    );
  }
  return micros;
}

/**
 * Inclusive time bounds from text: ISO 8601 or epoch seconds. A date without a zone is UTC, a bare date is 00:00:00 of
 * that day at both ends, the empty text is no bound.
 * @throws CoreError `bad-parameter` naming `start_dte` or `end_dte`, also when start is after end
 */
export function parseBounds(start: string | undefined, end: string | undefined): TimeBounds {
  const bounds = { start: parseBound("start_dte", start), end: parseBound("end_dte", end) };
  if (bounds.start !== undefined && bounds.end !== undefined && bounds.start > bounds.end) {
    throw new CoreError("bad-parameter", "start_dte is after end_dte", { column: "start_dte" });
  }
  return bounds;
}
