import { CoreError } from "../errors.js";
import { adaptive } from "./adaptive/adaptive.js";
import { detailed } from "./detailed/detailed.js";
import type { Detector } from "./detector.js";
import { hierarchical } from "./hierarchical/hierarchical.js";
import { quick } from "./quick/quick.js";
import { rita } from "./rita/rita.js";

/** All detectors, in the order adapters list them. */
export const detectors: readonly Detector[] = [adaptive, quick, detailed, hierarchical, rita];

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

/** Whether a search among these asks what connections carry, so that readers have to keep it. */
export function asksCarried(searches: readonly { readonly name: string }[]): boolean {
  return searches.some(({ name }) => detectorNamed(name).carried === true);
}

/** Whether a search among these goes by what destinations are called. */
export function asksNames(searches: readonly { readonly name: string }[]): boolean {
  return searches.some(({ name }) => detectorNamed(name).named === true);
}
