/** Distinct texts as UTF-8: text i lies at `bytes[offsets[i] .. offsets[i + 1]]`, the layout of an Arrow Utf8 vector. */
export interface TextColumn {
  /** Length = texts + 1. */
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

/** Gives each distinct text a code: 0, 1, 2, … in order of first sight. */
export interface Dictionary {
  /** Distinct texts so far. */
  readonly size: number;
  /** The code of a text; a new text gets the next one. */
  encode(text: string): number;
  /** The codes of packed texts; length = texts. */
  encodeAll(texts: TextColumn): Int32Array;
  /** The text of a code; an unset value (-1) has none and is the empty text here. */
  text(code: number): string;
  /** The texts of the codes from `from` (default: all) on, copied. */
  toText(from?: number): TextColumn;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Packs texts as UTF-8. */
export function packTexts(texts: readonly string[]): TextColumn {
  const offsets = new Int32Array(texts.length + 1);
  const parts = texts.map((text) => encoder.encode(text));
  let length = 0;
  parts.forEach((part, index) => {
    length += part.length;
    offsets[index + 1] = length;
  });
  const bytes = new Uint8Array(length);
  parts.forEach((part, index) => {
    bytes.set(part, offsets[index]);
  });
  return { offsets, bytes };
}

/** One of packed texts; the empty text for a code that has none. */
export function textAt({ offsets, bytes }: TextColumn, code: number): string {
  // A copy: a shared buffer cannot be decoded in place everywhere.
  return decoder.decode(bytes.slice(offsets[code] ?? 0, offsets[code + 1] ?? 0));
}

/** Unpacks texts; those of pure ASCII, as addresses are, cost one slice each. */
export function unpackTexts({ offsets, bytes }: TextColumn): string[] {
  const count = Math.max(0, offsets.length - 1);
  const texts = new Array<string>(count);
  // A shared buffer cannot be decoded in place everywhere.
  const owned = bytes.slice();
  const all = decoder.decode(owned);
  const ascii = all.length === owned.length;
  for (let i = 0; i < count; i++) {
    const start = offsets[i] ?? 0;
    const end = offsets[i + 1] ?? 0;
    texts[i] = ascii ? all.slice(start, end) : decoder.decode(owned.subarray(start, end));
  }
  return texts;
}

/** A dictionary over a Map. */
export class MapDictionary implements Dictionary {
  readonly #codes = new Map<string, number>();
  readonly #texts: string[] = [];

  get size(): number {
    return this.#texts.length;
  }

  encode(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const code = this.#texts.push(text) - 1;
    this.#codes.set(text, code);
    return code;
  }

  encodeAll(texts: TextColumn): Int32Array {
    return Int32Array.from(unpackTexts(texts), (text) => this.encode(text));
  }

  text(code: number): string {
    return this.#texts[code] ?? "";
  }

  toText(from = 0): TextColumn {
    return packTexts(this.#texts.slice(from));
  }
}
