const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,18}))?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$/i;
const DECIMAL = /^(-?)(\d{1,40})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,3}))?$/;
const MAX_MICROS = BigInt(Number.MAX_SAFE_INTEGER);
/** Epoch numbers of this size and more are milliseconds: seconds reach it in the year 5138. */
const MILLISECONDS_FROM = 100_000_000_000n;

/** Digits of a fraction as microseconds, rounded half up at the seventh digit. */
function fractionMicros(digits: string): number {
  // Zeek prints a fraction that rounds up to a whole second as 1000000, seven digits.
  if (digits === "1000000") return 1_000_000;
  const micros = Number(digits.slice(0, 6).padEnd(6, "0"));
  return digits.charCodeAt(6) >= 53 ? micros + 1 : micros;
}

function isoMicros(parts: RegExpExecArray): number {
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = parts;
  const days = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(days);
  if (Number(year) < 100) return Number.NaN;
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return Number.NaN;
  // A leap second (60) counts as the first second of the next minute, as POSIX time does.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return Number.NaN;
  let offsetMinutes = 0;
  if (zone !== "Z" && zone !== "z") {
    const zoneHours = Number(zone.slice(1, 3));
    const zoneMinutes = Number(zone.slice(-2));
    if (zoneHours > 23 || zoneMinutes > 59) return Number.NaN;
    offsetMinutes = (zone.startsWith("-") ? -1 : 1) * (zoneHours * 60 + zoneMinutes);
  }
  const seconds = days / 1000 + Number(hour) * 3600 + (Number(minute) - offsetMinutes) * 60 + Number(second);
  return seconds * 1_000_000 + fractionMicros(fraction);
}

/** x / 10^places, rounded half up (towards plus infinity), as Zeek's own `%.6f` never needs but other writers do. */
function roundedShift(value: bigint, places: number): bigint {
  if (places <= 0) return value * 10n ** BigInt(-places);
  const unit = 10n ** BigInt(places);
  const doubled = 2n * value + unit;
  const quotient = doubled / (2n * unit);
  return doubled < 0n && doubled % (2n * unit) !== 0n ? quotient - 1n : quotient;
}

/**
 * A point in time as integer microseconds since 1970-01-01 UTC; NaN when the text is no time.
 *
 * Takes epoch seconds with any number of decimals or an exponent, epoch milliseconds (an absolute value of 1e11 and
 * more; Zeek's unsigned wrap of negative ones is undone) and ISO 8601 dates and times (no zone: UTC; a bare date:
 * midnight). Digits beyond the sixth decimal are rounded half up. Times past the year 2255, where microseconds
 * leave the exact range of a number, are NaN.
 * @see https://docs.zeek.org/en/master/frameworks/logging.html (JSON timestamp formats)
 */
export function parseTime(text: string): number {
  const decimal = DECIMAL.exec(text);
  if (decimal === null) {
    const iso = ISO.exec(text);
    return iso === null ? Number.NaN : isoMicros(iso);
  }
  const [, sign, whole = "0", fraction = "", exponent = "0"] = decimal;
  let digits = BigInt(whole + fraction);
  if (sign === "-") digits = -digits;
  // The value is digits x 10^-places.
  const places = fraction.length - Number(exponent);
  const magnitude = roundedShift(digits < 0n ? -digits : digits, places);
  let micros: bigint;
  if (magnitude >= MILLISECONDS_FROM) {
    if (places === 0 && digits >= 1n << 63n && digits < 1n << 64n) digits -= 1n << 64n;
    micros = roundedShift(digits, places - 3);
  } else {
    micros = roundedShift(digits, places - 6);
  }
  return micros > MAX_MICROS || micros < -MAX_MICROS ? Number.NaN : Number(micros);
}

/** ISO 8601 UTC with microseconds, such as `2024-05-05T00:01:10.913270Z`. The input is integer microseconds since the epoch. */
export function formatTime(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = micros - seconds * 1_000_000;
  return `${new Date(seconds * 1000).toISOString().slice(0, -5)}.${String(fraction).padStart(6, "0")}Z`;
}
