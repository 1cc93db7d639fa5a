/**
 * Insertions, deletions, changes and swaps of neighbours (when `transpositions`) between two texts; `most + 1` for more than `most`.
 * @see Damerau 1964, in its optimal string alignment form
 */
export function distance(a: string, b: string, most: number, transpositions = true): number {
  const x = [...a];
  const y = [...b];
  if (Math.abs(x.length - y.length) > most) return most + 1;
  let before: number[] = [];
  let last = Array.from({ length: y.length + 1 }, (_zero, index) => index);
  for (let i = 1; i <= x.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= y.length; j++) {
      const cost = x[i - 1] === y[j - 1] ? 0 : 1;
      let value = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (transpositions && i > 1 && j > 1 && x[i - 1] === y[j - 2] && x[i - 2] === y[j - 1])
        value = Math.min(value, (before[j - 2] ?? 0) + 1);
      row.push(value);
      least = Math.min(least, value);
    }
    if (least > most) return most + 1;
    before = last;
    last = row;
  }
  return Math.min(last[y.length] ?? 0, most + 1);
}

/** The changes that a fuzziness such as `AUTO`, `AUTO:3,6` or `2` allows a word; undefined for none such. */
export function fuzziness(text: string, word: string): number | undefined {
  const auto = /^AUTO(?::(\d+),(\d+))?$/i.exec(text);
  if (auto) {
    const { length } = [...word];
    if (length < Number(auto[1] ?? 3)) return 0;
    return length < Number(auto[2] ?? 6) ? 1 : 2;
  }
  const number = Number(text);
  return Number.isInteger(number) && number >= 0 && number <= 2 ? number : undefined;
}
