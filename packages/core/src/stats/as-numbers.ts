/** Typed numbers for simple-statistics, which reads any array-like of numbers; its types name only `number[]`. */
export function asNumbers(values: Float64Array): number[] {
  return values as unknown as number[];
}
