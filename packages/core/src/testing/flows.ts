import type { Explain, Verdict } from "../beacon/detector.js";
import { detectorNamed } from "../beacon/registry.js";
import { planSearch } from "../beacon/search-flows.js";
import type { Flow } from "../flows/flow.js";

/** A flow with gaps in minutes. */
export function flowOf(minutes: readonly number[]): Flow {
  const gaps = Float64Array.from(minutes, (gap) => Math.round(gap * 60_000_000));
  const times = new Float64Array(gaps.length + 1);
  gaps.forEach((gap, i) => {
    times[i + 1] = (times[i] ?? 0) + gap;
  });
  return { source: "10.0.0.1", destination: "192.0.2.1", port: 443, protocol: "tcp", times, gaps };
}

/** What a detector says of a flow with gaps in minutes. */
export function detectIn(name: string, minutes: readonly number[], parameters: object = {}, explain?: Explain): Verdict | undefined {
  return detectorNamed(name).detect(flowOf(minutes), planSearch(name, parameters).parameters, explain);
}

/** One gap many times. */
export const repeated = (gap: number, times: number): number[] => new Array<number>(times).fill(gap);
