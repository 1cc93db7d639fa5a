/**
 * A number by a pattern of Java's `DecimalFormat`: `0.00`, `#,##0.#`, `$0`, `0%`. Rounds half to even, as it does.
 * @see https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/text/DecimalFormat.html
 */
export function formatNumber(value: number, pattern: string): string {
  if (pattern === "raw") return Number.isInteger(value) ? value.toFixed(1) : String(value);
  const [positive = "", negative] = pattern.split(";");
  const body = /[#0][#0,.]*/.exec(positive);
  if (!body) return String(value);
  const [number] = body;
  const before = positive.slice(0, body.index).replaceAll("'", "");
  const after = positive.slice(body.index + number.length).replaceAll("'", "");
  const [wholePart = "", fractionPart = ""] = number.split(".");
  const least = (fractionPart.match(/0/g) ?? []).length;
  const scaled = after.includes("%") ? value * 100 : value;
  const text = new Intl.NumberFormat("en-US", {
    minimumIntegerDigits: Math.max(1, (wholePart.match(/0/g) ?? []).length),
    minimumFractionDigits: Math.min(20, least),
    maximumFractionDigits: Math.min(20, fractionPart.length),
    useGrouping: wholePart.includes(","),
    roundingMode: "halfEven",
  } as Intl.NumberFormatOptions).format(Math.abs(scaled));
  if (scaled >= 0) return `${before}${text}${after}`;
  return negative === undefined ? `-${before}${text}${after}` : negative.replace(/[#0][#0,.]*/, text);
}
