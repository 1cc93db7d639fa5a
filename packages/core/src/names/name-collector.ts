import ipaddr from "ipaddr.js";
import { GroupIndex } from "../flows/group-index.js";
import { addressCode, ipv4Number } from "../zeek/address.js";
import type { AddressValues, CodeValues, ColumnBatch, ListValues, TimeValues } from "../zeek/column-batch.js";
import { type Dictionary, MapDictionary } from "../zeek/dictionary.js";
import type { NameLogType } from "../zeek/log-names.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import type { LogSchema } from "../zeek/schema.js";
import { dnsSchema } from "../zeek/schemas/dns.js";
import { httpSchema } from "../zeek/schemas/http.js";
import { sslSchema } from "../zeek/schemas/ssl.js";
import type { NameIndex } from "./name-index.js";

/** What is read of each log type. */
export const NAME_LOGS: Readonly<Record<NameLogType, { readonly schema: LogSchema; readonly columns: readonly string[] }>> = {
  dns: { schema: dnsSchema, columns: ["ts", "id.orig_h", "query", "answers"] },
  ssl: { schema: sslSchema, columns: ["ts", "id.orig_h", "id.resp_h", "server_name"] },
  http: { schema: httpSchema, columns: ["ts", "id.orig_h", "id.resp_h", "host"] },
};

const decoder = new TextDecoder();

/** A host name in lower case without its port and its last dot; the empty text for an address, and for what is no name. */
export function hostName(text: string): string {
  if (text.includes("[")) return "";
  const name = text.trim().toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  return name.includes(":") || name.length > 255 || !Number.isNaN(ipv4Number(name)) ? "" : name;
}

/** Names by the codes of a dictionary, each read once. */
class KnownNames {
  readonly #dictionary: Dictionary;
  readonly #names: MapDictionary;
  readonly #codes: number[] = [];

  constructor(dictionary: Dictionary, names: MapDictionary) {
    this.#dictionary = dictionary;
    this.#names = names;
  }

  /** The joint code of a name; -1: none. */
  code(own: number): number {
    if (own < 0) return -1;
    const known = this.#codes[own];
    if (known !== undefined) return known;
    const name = hostName(this.#dictionary.text(own));
    const code = name === "" ? -1 : this.#names.encode(name);
    this.#codes[own] = code;
    return code;
  }
}

/**
 * Collects what hosts are called from the batches of dns, ssl and http logs: DNS answers, TLS server names, HTTP hosts. Memory
 * grows with the distinct (source, destination, name).
 */
export class NameCollector {
  readonly #engine: ReadEngine;
  readonly #wanted: ReadonlySet<number> | undefined;
  readonly #names = new MapDictionary();
  readonly #known = new Map<string, KnownNames>();
  readonly #index: GroupIndex;
  readonly #counts: number[] = [];
  readonly #firsts: number[] = [];

  /** `destinations`: the addresses to find names for; default: all. */
  constructor(engine: ReadEngine, destinations?: Iterable<string>) {
    this.#engine = engine;
    this.#index = new GroupIndex(engine.seed[1]);
    const others = engine.dictionary("address");
    this.#wanted = destinations && new Set([...destinations].map((address) => addressCode(others, address)));
  }

  /** Takes a batch of a log with the columns of `NAME_LOGS`. */
  add(type: NameLogType, batch: ColumnBatch): void {
    if (type === "dns") this.#addAnswers(batch);
    else this.#addNames(batch, type === "ssl" ? "server_name" : "host");
  }

  #addAnswers({ rows, columns }: ColumnBatch): void {
    const times = (columns.get("ts") as TimeValues).values;
    const sources = (columns.get("id.orig_h") as AddressValues).values;
    const query = columns.get("query") as CodeValues;
    const answers = columns.get("answers") as ListValues;
    const names = this.#knownNames("query", query.dictionary);
    const others = this.#engine.dictionary("address");
    const { items } = answers;
    for (let row = 0; row < rows; row++) {
      const from = answers.offsets[row] ?? 0;
      const to = answers.offsets[row + 1] ?? 0;
      if (from === to) continue;
      const name = names.code(query.values[row] ?? -1);
      if (name < 0) continue;
      for (let at = from; at < to; at++) {
        if (items.valid[at] !== 1) continue;
        const text = decoder.decode(items.bytes.subarray(items.offsets[at], items.offsets[at + 1]));
        // Answers are texts of all kinds: names of a chain, mail servers, …
        if (Number.isNaN(ipv4Number(text)) && !(text.includes(":") && ipaddr.IPv6.isValid(text))) continue;
        this.#add(sources[row] ?? -1, addressCode(others, text), name, true, times[row] ?? 0);
      }
    }
  }

  #addNames({ rows, columns }: ColumnBatch, column: "server_name" | "host"): void {
    const times = (columns.get("ts") as TimeValues).values;
    const sources = (columns.get("id.orig_h") as AddressValues).values;
    const destinations = (columns.get("id.resp_h") as AddressValues).values;
    const { values, dictionary } = columns.get(column) as CodeValues;
    const names = this.#knownNames(column, dictionary);
    for (let row = 0; row < rows; row++) {
      const destination = destinations[row] ?? -1;
      if (this.#wanted && !this.#wanted.has(destination)) continue;
      const name = names.code(values[row] ?? -1);
      if (name >= 0) this.#add(sources[row] ?? -1, destination, name, false, times[row] ?? 0);
    }
  }

  #knownNames(column: string, dictionary: Dictionary): KnownNames {
    const known = this.#known.get(column) ?? new KnownNames(dictionary, this.#names);
    this.#known.set(column, known);
    return known;
  }

  #add(source: number, destination: number, name: number, answer: boolean, time: number): void {
    if (this.#wanted && !this.#wanted.has(destination)) return;
    const entry = this.#index.add(source, destination, name * 2 + (answer ? 1 : 0));
    this.#counts[entry] = (this.#counts[entry] ?? 0) + 1;
    this.#firsts[entry] = Math.min(this.#firsts[entry] ?? Number.POSITIVE_INFINITY, time);
  }

  /** What was collected so far. */
  index(): NameIndex {
    return {
      addresses: this.#engine.dictionary("address").toText(),
      names: this.#names.toText(),
      entries: this.#index.keys().slice(),
      counts: Uint32Array.from(this.#counts),
      firsts: Float64Array.from(this.#firsts),
    };
  }
}
