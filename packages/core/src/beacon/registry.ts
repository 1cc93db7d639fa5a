import { CoreError } from "../errors.js";
import { detailed } from "./detailed/detailed.js";
import type { Detector } from "./detector.js";
import { hierarchical } from "./hierarchical/hierarchical.js";
import { quick } from "./quick/quick.js";

/** All detectors, in the order adapters list them. */
export const detectors: readonly Detector[] = [quick, detailed, hierarchical];

/**
 * The detector of that name.
 * @throws CoreError `bad-parameter` for an unknown one
 */
export function detectorNamed(name: string): Detector {
  const found = detectors.find((detector) => detector.name === name);
  if (found) return found;
  throw new CoreError(
    "bad-parameter",
    `search ${JSON.stringify(name)} is unknown; there are ${detectors.map((known) => known.name).join(", ")}`,
    {
      column: "search",
    },
  );
}
