import { type Column, GrowingTexts } from "../query/columns/column.js";
import { NumberBuilder, TextBuilder } from "../query/columns/column-builder.js";
import { addressWords } from "../query/columns/ip-address.js";
import { addressText } from "../zeek/address.js";
import type { ColumnBatch, ColumnValues } from "../zeek/column-batch.js";
import { unpackTexts } from "../zeek/dictionary.js";
import type { LogColumn } from "../zeek/schema.js";
import { certificateName, type Enricher, queryLength, registeredDomain } from "./enrich.js";
import { fieldName } from "./log-index.js";
import { LogTimeWriter } from "./log-time.js";
import { type SegmentData, timeRange } from "./segment-data.js";

class Codes {
  values = new Int32Array(1024);

  set(row: number, code: number): void {
    if (row >= this.values.length) {
      const grown = new Int32Array(2 * this.values.length);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[row] = code;
  }
}

class Numbers {
  values = new Float64Array(1024);
  readonly exact = new Map<number, bigint>();

  set(row: number, value: number): void {
    if (row >= this.values.length) {
      const grown = new Float64Array(2 * this.values.length);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[row] = value;
  }
}

/** Takes the rows of one column, and gives what the document says of each: a member with a comma before it, or nothing. */
interface FieldWriter {
  take(values: ColumnValues, rows: number, first: number): (row: number) => string;
  columns(rows: number): readonly (readonly [path: string, column: Column])[];
}

const member = (name: string, json: string): string => `,${JSON.stringify(name)}:${json}`;

/** Texts of a dictionary; `derived` columns follow from each distinct text. */
class TextField implements FieldWriter {
  readonly #name: string;
  readonly #codes = new Codes();
  readonly #dictionary = new GrowingTexts();
  /** Of each code of this segment. */
  readonly #members: string[] = [];
  #codeOf = new Int32Array(0);
  readonly #derive: ((text: string) => readonly (readonly [name: string, value: string | number])[]) | undefined;
  readonly #derived = new Map<
    string,
    { readonly numbers: number[]; readonly texts: number[]; readonly dictionary: GrowingTexts; isNumber: boolean }
  >();

  constructor(name: string, derive?: (text: string) => readonly (readonly [name: string, value: string | number])[]) {
    this.#name = name;
    this.#derive = derive;
  }

  #code(text: string): number {
    const before = this.#dictionary.size;
    const code = this.#dictionary.encode(text);
    if (this.#dictionary.size === before) return code;
    let json = member(this.#name, JSON.stringify(text));
    for (const [name, value] of this.#derive?.(text) ?? []) {
      json += member(name, JSON.stringify(value));
      let column = this.#derived.get(name);
      if (!column) {
        column = { numbers: [], texts: [], dictionary: new GrowingTexts(), isNumber: typeof value === "number" };
        this.#derived.set(name, column);
      }
      if (typeof value === "number") column.numbers[code] = value;
      else column.texts[code] = column.dictionary.encode(value);
    }
    this.#members[code] = json;
    return code;
  }

  take(values: ColumnValues, rows: number, first: number): (row: number) => string {
    const members = this.#members;
    const codes = this.#codes;
    if (values.kind === "code") {
      const { dictionary } = values;
      if (this.#codeOf.length < dictionary.size) {
        const grown = new Int32Array(Math.max(64, 2 * dictionary.size)).fill(-1);
        grown.set(this.#codeOf);
        this.#codeOf = grown;
      }
      for (let row = 0; row < rows; row++) {
        const given = values.values[row] as number;
        if (given < 0) {
          codes.set(first + row, -1);
          continue;
        }
        let code = this.#codeOf[given] as number;
        if (code === -1) {
          code = this.#code(dictionary.text(given));
          this.#codeOf[given] = code;
        }
        codes.set(first + row, code);
      }
    } else if (values.kind === "text") {
      const texts = unpackTexts({ offsets: values.offsets.slice(0, rows + 1), bytes: values.bytes.slice(0, values.offsets[rows]) });
      for (let row = 0; row < rows; row++) codes.set(first + row, values.valid[row] === 1 ? this.#code(texts[row] ?? "") : -1);
    }
    return (row) => {
      const code = codes.values[first + row] as number;
      return code < 0 ? "" : (members[code] as string);
    };
  }

  columns(rows: number): readonly (readonly [string, Column])[] {
    const codes = this.#codes.values.slice(0, rows);
    const own: Column = { kind: "text", rows, offsets: undefined, codes, dictionary: this.#dictionary };
    const derived = [...this.#derived].map(([name, { numbers, texts, dictionary, isNumber }]): readonly [string, Column] => {
      if (isNumber) {
        const values = Float64Array.from(codes, (code) => numbers[code] ?? Number.NaN);
        return [name, { kind: "number", rows, offsets: undefined, values, exact: new Map() }];
      }
      return [name, { kind: "text", rows, offsets: undefined, codes: codes.map((code) => texts[code] ?? -1), dictionary }];
    });
    return [[this.#name, own], ...derived];
  }
}

/** Addresses, and whether each is internal. */
class AddressField implements FieldWriter {
  readonly #name: string;
  readonly #enricher: Enricher;
  readonly #internalName: string | undefined;
  readonly #codes = new Codes();
  readonly #codeOf = new Map<number, number>();
  readonly #words: number[] = [];
  readonly #members: string[] = [];
  readonly #internal: number[] = [];
  readonly #unreadable = new Set<number>();

  constructor(name: string, enricher: Enricher) {
    this.#name = name;
    this.#enricher = enricher;
    this.#internalName = name === "orig_h" ? "orig_internal" : name === "resp_h" ? "resp_internal" : undefined;
  }

  take(values: ColumnValues, rows: number, first: number): (row: number) => string {
    if (values.kind === "address") {
      for (let row = 0; row < rows; row++) {
        const given = values.values[row] as number;
        let code = given === -1 ? -1 : this.#codeOf.get(given);
        if (code === undefined) {
          code = this.#add(addressText(values.dictionary, given));
          this.#codeOf.set(given, code);
        }
        this.#codes.set(first + row, code);
      }
    }
    return (row) => {
      const code = this.#codes.values[first + row] as number;
      return code < 0 ? "" : (this.#members[code] as string);
    };
  }

  #add(text: string): number {
    const code = this.#members.length;
    const words = addressWords(text);
    const isInternal = words && this.#internalName !== undefined ? this.#enricher.isInternal(text) : undefined;
    // What is no address stays in the document alone.
    if (!words) this.#unreadable.add(code);
    this.#words.push(...(words ?? [0, 0, 0, 0]));
    this.#internal.push(isInternal === undefined ? Number.NaN : isInternal ? 1 : 0);
    this.#members.push(
      member(this.#name, JSON.stringify(text)) + (isInternal === undefined ? "" : member(this.#internalName ?? "", String(isInternal))),
    );
    return code;
  }

  columns(rows: number): readonly (readonly [string, Column])[] {
    const codes = this.#codes.values.slice(0, rows);
    if (this.#unreadable.size > 0) for (let row = 0; row < rows; row++) if (this.#unreadable.has(codes[row] as number)) codes[row] = -1;
    const own: Column = { kind: "ip", rows, offsets: undefined, codes, addresses: Uint32Array.from(this.#words) };
    if (this.#internalName === undefined) return [[this.#name, own]];
    const values = Float64Array.from(codes, (code) => this.#internal[code] ?? Number.NaN);
    return [
      [this.#name, own],
      [this.#internalName, { kind: "number", rows, offsets: undefined, values, exact: new Map() }],
    ];
  }
}

class NumberField implements FieldWriter {
  readonly #name: string;
  readonly #member: string;
  readonly #numbers = new Numbers();
  readonly #times = new LogTimeWriter();

  constructor(name: string) {
    this.#name = name;
    this.#member = `,${JSON.stringify(name)}:`;
  }

  take(values: ColumnValues, rows: number, first: number): (row: number) => string {
    const numbers = this.#numbers;
    switch (values.kind) {
      case "port":
        for (let row = 0; row < rows; row++)
          numbers.set(first + row, (values.values[row] as number) < 0 ? Number.NaN : (values.values[row] as number));
        break;
      case "flag":
        for (let row = 0; row < rows; row++)
          numbers.set(first + row, values.values[row] === 255 ? Number.NaN : (values.values[row] as number));
        break;
      case "time":
      case "number":
      case "count":
        for (let row = 0; row < rows; row++) numbers.set(first + row, values.values[row] as number);
        if (values.kind !== "time") for (const [row, exact] of values.exact) if (row < rows) numbers.exact.set(first + row, exact);
        break;
      default:
    }
    const { kind } = values;
    return (row) => {
      const value = numbers.values[first + row] as number;
      if (Number.isNaN(value)) return "";
      if (kind === "time") return `${this.#member}"${this.#times.write(value)}"`;
      if (kind === "flag") return this.#member + (value === 1 ? "true" : "false");
      return this.#member + (numbers.exact.size > 0 ? (numbers.exact.get(first + row) ?? value) : value);
    };
  }

  columns(rows: number): readonly (readonly [string, Column])[] {
    return [
      [this.#name, { kind: "number", rows, offsets: undefined, values: this.#numbers.values.slice(0, rows), exact: this.#numbers.exact }],
    ];
  }
}

/** Lists of texts, or of numbers where the field is one of numbers. */
class ListField implements FieldWriter {
  readonly #name: string;
  readonly #texts: TextBuilder | undefined;
  readonly #numbers: NumberBuilder | undefined;

  constructor(name: string, isNumber: boolean) {
    this.#name = name;
    if (isNumber) this.#numbers = new NumberBuilder();
    else this.#texts = new TextBuilder();
  }

  take(values: ColumnValues, rows: number, first: number): (row: number) => string {
    if (values.kind !== "list") return () => "";
    const { offsets, valid, items } = values;
    const count = offsets[rows] ?? 0;
    const texts = unpackTexts({ offsets: items.offsets.slice(0, count + 1), bytes: items.bytes.slice(0, items.offsets[count]) });
    const json: string[] = [];
    for (let row = 0; row < rows; row++) {
      if (valid[row] !== 1) {
        json.push("");
        continue;
      }
      const shown: (string | number | null)[] = [];
      for (let at = offsets[row] ?? 0; at < (offsets[row + 1] ?? 0); at++) {
        const text = texts[at] ?? "";
        if (items.valid[at] !== 1) shown.push(null);
        else if (this.#numbers) {
          const number = Number(text);
          if (text === "" || Number.isNaN(number)) shown.push(text);
          else {
            this.#numbers.add(first + row, number);
            shown.push(number);
          }
        } else {
          this.#texts?.add(first + row, text);
          shown.push(text);
        }
      }
      json.push(member(this.#name, JSON.stringify(shown)));
    }
    return (row) => json[row] ?? "";
  }

  columns(rows: number): readonly (readonly [string, Column])[] {
    const column = (this.#texts ?? this.#numbers)?.build(rows);
    return column ? [[this.#name, column]] : [];
  }
}

/** What certificate a server showed: its fingerprint where the log has it, else its subject and issuer. */
class CertificateField {
  readonly #codes = new Codes();
  readonly #dictionary = new GrowingTexts();
  readonly #members: string[] = [];

  take(columns: ColumnBatch["columns"], rows: number, first: number): (row: number) => string {
    const chain = columns.get("cert_chain_fps");
    const subject = columns.get("subject");
    const issuer = columns.get("issuer") ?? columns.get("issuer_subject");
    const textAt = (values: ColumnValues | undefined, row: number): string | undefined =>
      values?.kind === "code" && (values.values[row] as number) >= 0 ? values.dictionary.text(values.values[row] as number) : undefined;
    const chained =
      chain?.kind === "list"
        ? unpackTexts({
            offsets: chain.items.offsets.slice(0, (chain.offsets[rows] ?? 0) + 1),
            bytes: chain.items.bytes.slice(0, chain.items.offsets[chain.offsets[rows] ?? 0]),
          })
        : [];
    for (let row = 0; row < rows; row++) {
      const place = chain?.kind === "list" && (chain.offsets[row + 1] ?? 0) > (chain.offsets[row] ?? 0) ? (chain.offsets[row] ?? 0) : -1;
      const fingerprint = place >= 0 && chain?.kind === "list" && chain.items.valid[place] === 1 ? chained[place] : undefined;
      const name = certificateName(fingerprint, textAt(subject, row), textAt(issuer, row));
      if (name === undefined) {
        this.#codes.set(first + row, -1);
        continue;
      }
      const code = this.#dictionary.encode(name);
      this.#members[code] ??= member("cert_fp", JSON.stringify(name));
      this.#codes.set(first + row, code);
    }
    return (row) => {
      const code = this.#codes.values[first + row] as number;
      return code < 0 ? "" : (this.#members[code] as string);
    };
  }

  columns(rows: number): readonly (readonly [string, Column])[] {
    return [
      ["cert_fp", { kind: "text", rows, offsets: undefined, codes: this.#codes.values.slice(0, rows), dictionary: this.#dictionary }],
    ];
  }
}

/** Fields that follow from a text of each type of log. */
function derivedFrom(path: string, column: string): ((text: string) => readonly (readonly [string, string | number])[]) | undefined {
  if (path === "dns" && column === "query") {
    return (text) => [
      ["query_length", queryLength(text)],
      ["registered_domain", registeredDomain(text)],
    ];
  }
  if ((path === "ssl" && column === "server_name") || (path === "http" && column === "host")) {
    return (text) => (text === "" ? [] : [["registered_domain", registeredDomain(text)]]);
  }
  return undefined;
}

/**
 * Makes the rows of a Zeek log, as a reader hands them on, into columns and documents of its index, with what is known of addresses and
 * names added. Costs the columns, and a text a row.
 */
export class ZeekRows {
  readonly #path: string;
  readonly #columns: readonly LogColumn[];
  readonly #enricher: Enricher;
  #fields = new Map<string, FieldWriter>();
  #certificates: CertificateField | undefined;
  /** Fields that the batches have: every batch of a log has the same ones. */
  readonly #taken = new Set<FieldWriter>();
  readonly #onSource: (source: string) => void;
  #rows = 0;

  /**
   * @param path the log type, such as `dns`
   * @param onSource takes each row's document as JSON, in order
   */
  constructor(path: string, columns: readonly LogColumn[], enricher: Enricher, onSource: (source: string) => void) {
    this.#onSource = onSource;
    this.#path = path;
    this.#columns = columns;
    this.#enricher = enricher;
    this.#reset();
  }

  #reset(): void {
    this.#rows = 0;
    this.#taken.clear();
    this.#certificates = this.#path === "ssl" ? new CertificateField() : undefined;
    this.#fields = new Map(
      this.#columns.map(({ name, kind }): [string, FieldWriter] => {
        const field = fieldName(name);
        if (kind === "address") return [name, new AddressField(field, this.#enricher)];
        if (kind === "list") return [name, new ListField(field, name === "TTLs")];
        if (kind === "code" || kind === "text") return [name, new TextField(field, derivedFrom(this.#path, name))];
        return [name, new NumberField(field)];
      }),
    );
  }

  get rows(): number {
    return this.#rows;
  }

  /** Takes the rows of a batch; copies what it keeps. */
  add({ rows, columns }: ColumnBatch): void {
    const first = this.#rows;
    const writers: ((row: number) => string)[] = [];
    for (const [name, values] of columns) {
      const field = this.#fields.get(name);
      if (!field) continue;
      this.#taken.add(field);
      writers.push(field.take(values, rows, first));
    }
    this.#rows += rows;
    const certificate = this.#certificates?.take(columns, rows, first);
    for (let row = 0; row < rows; row++) {
      let text = "";
      for (const write of writers) text += write(row);
      if (certificate) text += certificate(row);
      this.#onSource(`{${text.slice(1)},"count":1}`);
    }
  }

  /** What was gathered, and a new start. */
  take(): SegmentData {
    const rows = this.#rows;
    const columns = new Map<string, Column>();
    for (const field of this.#taken) for (const [path, column] of field.columns(rows)) columns.set(path, column);
    for (const [path, column] of this.#certificates?.columns(rows) ?? []) columns.set(path, column);
    columns.set("count", { kind: "number", rows, offsets: undefined, values: new Float64Array(rows).fill(1), exact: new Map() });
    const data = { rows, columns, range: timeRange(columns.get("ts")) };
    this.#reset();
    return data;
  }
}
