const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Length of the well-formed UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strictUtf8.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Not whole yet, or not valid: try the next length.
    }
  }
  return 0;
}

/**
 * Decodes UTF-8; each byte that is not part of a well-formed sequence becomes `byteEscape` and two hex digits, as Zeek
 * itself writes it, so that no two different byte strings become one text by loss.
 */
export function decodeUtf8(bytes: Uint8Array, byteEscape = "\\x"): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    let text = "";
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at] ?? 0;
      const length = byte < 0x80 ? 1 : sequenceLength(bytes, at);
      if (length === 0) {
        text += byteEscape + byte.toString(16).padStart(2, "0");
        at++;
      } else {
        text += strictUtf8.decode(bytes.subarray(at, at + length));
        at += length;
      }
    }
    return text;
  }
}

const SINGLE: ReadonlyMap<number, number> = new Map([
  [92, 92],
  [110, 10],
  [116, 9],
  [98, 8],
  [102, 12],
  [114, 13],
  [34, 34],
]);

/** The bytes of a field of Zeek's TSV: `\xHH` and `\\` undone (and `\n \t \b \f \r \"`, which other writers use); other backslashes stay. */
export function unescapeBytes(raw: Uint8Array): Uint8Array {
  const out = new Uint8Array(raw.length);
  let length = 0;
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0;
    if (byte === 92 && at + 1 < raw.length) {
      const next = raw[at + 1] ?? 0;
      const high = next === 120 ? hexDigit(raw[at + 2] ?? 0) : -1;
      const low = next === 120 ? hexDigit(raw[at + 3] ?? 0) : -1;
      if (high >= 0 && low >= 0) {
        out[length++] = high * 16 + low;
        at += 3;
        continue;
      }
      const single = SINGLE.get(next);
      if (single !== undefined) {
        out[length++] = single;
        at++;
        continue;
      }
    }
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

/** Whether a raw field needs decoding: it holds a backslash or a byte of 0x80 and more. */
export function isPlain(raw: Uint8Array, start = 0, end = raw.length): boolean {
  for (let at = start; at < end; at++) {
    const byte = raw[at] ?? 0;
    if (byte === 92 || byte >= 0x80) return false;
  }
  return true;
}

/** The text of a raw TSV field. */
export function tsvText(raw: Uint8Array): string {
  return decodeUtf8(raw.includes(92) ? unescapeBytes(raw) : raw);
}

// Zeek's JSON string policy PUA writes byte HH as U+F00HH.
const PUA_PAIR = /\uDB80[\uDC00-\uDCFF]/;
const SURROGATE = /[\uD800-\uDFFF]/;
const encoder = new TextEncoder();

/**
 * The text of a decoded JSON string: bytes that Zeek put into the private use area become `\xHH` again, and half a
 * surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.
 */
export function jsonText(value: string): string {
  if (!SURROGATE.test(value)) return value;
  const whole = strictUtf8.decode(encoder.encode(value));
  if (!PUA_PAIR.test(whole)) return whole;
  let text = "";
  for (const character of whole) {
    const point = character.codePointAt(0) ?? 0;
    text += point >= 0xf0000 && point <= 0xf00ff ? `\\x${(point - 0xf0000).toString(16).padStart(2, "0")}` : character;
  }
  return text;
}
