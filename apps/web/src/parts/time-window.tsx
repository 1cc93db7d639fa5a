import type { ReactNode } from "react";

/** The two ends of a time window, as the address bar has them: dates, or date math. */
export function TimeWindow({
  from,
  to,
  change,
}: {
  readonly from: string;
  readonly to: string;
  readonly change: (ends: Readonly<Record<string, string>>) => void;
}): ReactNode {
  return (
    <>
      <label>
        From <span>(date, or math such as now-7d)</span>
        <br />
        <input value={from} onChange={(event) => change({ from: event.target.value })} />
      </label>
      <label>
        To
        <br />
        <input value={to} onChange={(event) => change({ to: event.target.value })} />
      </label>
    </>
  );
}
