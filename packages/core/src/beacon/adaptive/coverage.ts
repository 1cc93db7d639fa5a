/** How much of the log a flow is active in. */
export interface Coverage {
  /** 0..1. */
  readonly value: number;
  readonly captureHours: number;
  readonly activeHours: number;
}

const MICROS_PER_HOUR = 3.6e9;
/** What is active for a moment is rated this. */
const LEAST = 0.05;

/** Coverage of a log from its first to its last time by a flow's, in microseconds; `interrupted`: the share of the flow's time that it paused. */
export function coverageOf(first: number, last: number, interrupted: number, [from, to]: readonly [from: number, to: number]): Coverage {
  const capture = Math.max(to - from, 1);
  const active = (last - first) * (1 - interrupted);
  const share = Math.min(1, Math.max(0, active / capture));
  return { value: LEAST + (1 - LEAST) * Math.cbrt(share), captureHours: capture / MICROS_PER_HOUR, activeHours: active / MICROS_PER_HOUR };
}
