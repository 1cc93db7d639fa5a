import { unescapeBytes } from "./escape.js";

/** What a meta line did: nothing, or changed how rows are read. */
export type HeaderChange = "none" | "layout";

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

function binary(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Separator and markers are written escaped (`\x09`) or as they are (`||`). */
function unescaped(value: string): string {
  return value.includes("\\") ? binary(unescapeBytes(latin1(value))) : value;
}

/**
 * The header state of a TSV log, which may change at any line. Texts are binary strings: one character a byte.
 * @see https://docs.zeek.org/en/master/log-formats.html
 */
export class Header {
  separator = "\t";
  setSeparator = ",";
  emptyField = "(empty)";
  unsetField = "-";
  path: string | undefined;
  /** Undefined until a `#fields` line was read. */
  fields: readonly string[] | undefined;
  /** Why rows under this header cannot be read; undefined when they can. */
  problem: string | undefined;

  /** Takes one line that starts with `#`, without its line end. */
  accept(line: string): HeaderChange {
    if (line.startsWith("#separator")) {
      // Always one space before the value; everything after it, trailing blanks too, is the separator.
      const value = unescaped(line.slice("#separator".length + 1));
      if (value === "") return "none";
      this.separator = value;
      return "layout";
    }
    const parts = line.split(this.separator);
    const value = parts[1];
    switch (parts[0]) {
      case "#set_separator":
        if (value) this.setSeparator = unescaped(value);
        return "layout";
      case "#empty_field":
        if (value !== undefined) this.emptyField = unescaped(value);
        return "layout";
      case "#unset_field":
        if (value !== undefined) this.unsetField = unescaped(value);
        return "layout";
      case "#path":
        this.path = value === undefined || value === "-" || value === "" ? undefined : value;
        return "layout";
      case "#fields":
        this.setFields(parts.slice(1));
        return "layout";
      case "#types":
        if (this.fields && parts.length - 1 !== this.fields.length) {
          this.problem = `#types names ${parts.length - 1} columns, #fields ${this.fields.length}`;
        }
        return "layout";
      default:
        return "none";
    }
  }

  /** Sets the columns: from `#fields`, from a plain header line, or from the caller for a log without any. */
  setFields(fields: readonly string[]): void {
    this.fields = fields;
    this.problem = undefined;
  }

  /** Everything that decides how a row reads, as one comparable text. */
  fingerprint(): string {
    return JSON.stringify([this.separator, this.setSeparator, this.emptyField, this.unsetField, this.path, this.fields, this.problem]);
  }
}
