const NUMBER = /^[+-]?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?$/;
const WHOLE = /^\d{1,20}$/;

/** 0..65535; -1 when the text is no port. Zeek's own reader takes `80/tcp`, some JSON writers `80.0`. */
export function parsePort(text: string): number {
  const slash = text.indexOf("/");
  const value = parseNumber(slash > 0 ? text.slice(0, slash) : text);
  return Number.isInteger(value) && value >= 0 && value <= 65535 ? value : -1;
}

/** A finite number; NaN when the text is none. */
export function parseNumber(text: string): number {
  if (!NUMBER.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** A whole number of 64 bits, unsigned: a number up to 2^53, a bigint above, NaN when the text is none. */
export function parseCount(text: string): number | bigint {
  if (WHOLE.test(text)) {
    const value = Number(text);
    if (Number.isSafeInteger(value)) return value;
    const exact = BigInt(text);
    return exact < 1n << 64n ? exact : Number.NaN;
  }
  const value = parseNumber(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : Number.NaN;
}

/** 1, 0, or -1 when the text is no truth value. */
export function parseFlag(text: string): number {
  if (text === "T" || text === "true" || text === "1") return 1;
  return text === "F" || text === "false" || text === "0" ? 0 : -1;
}
