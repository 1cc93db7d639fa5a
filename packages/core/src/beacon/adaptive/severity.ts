/** How soon to look at a beacon. */
export type Severity = "critical" | "high" | "medium" | "low";

/** The least score of each severity. */
export const SEVERITY_SCORES: readonly (readonly [least: number, severity: Severity])[] = [
  [85, "critical"],
  [70, "high"],
  [50, "medium"],
  [0, "low"],
];

/** The severity of a score of 0..100. */
export function severityOf(score: number): Severity {
  return SEVERITY_SCORES.find(([least]) => score >= least)?.[1] ?? "low";
}
