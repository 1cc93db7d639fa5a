import type { CodeValues, ColumnBatch, NumberValues } from "../zeek/column-batch.js";
import type { Dictionary } from "../zeek/dictionary.js";
import { BARE_WORDS, CARRIED_WORDS } from "./flow-shard.js";

/** The columns that tell what each connection carries; read beside `FLOW_COLUMNS` where a search asks for them. */
export const CARRIED_COLUMNS = ["orig_bytes", "resp_bytes", "orig_ip_bytes", "conn_state", "service"] as const;

/**
 * Zeek's connection states; a connection's is a place in this list.
 * @see https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html
 */
export const CONN_STATES = ["S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"] as const;

/** Services that Zeek recognises and that searches tell apart; a connection's is a place in this list. */
export const CONN_SERVICES = ["dns", "ntp", "dhcp", "snmp", "syslog", "ssl", "http", "quic", "ssh"] as const;

/** Stands for a state or a service that is unset or none of the list. */
export const NOT_LISTED = 255;

/** What the connections of a flow carry, in the order of its times; each length = connections. */
export interface Carried {
  /** Payload bytes from source to destination, at most 4,294,967,294; NaN: unset. */
  readonly bytesUp: Float64Array;
  /** Payload bytes from destination to source. */
  readonly bytesDown: Float64Array;
  /** Bytes of the IP packets from source to destination. */
  readonly ipBytesUp: Float64Array;
  /** Places in `CONN_STATES`; `NOT_LISTED`: unset. */
  readonly states: Uint8Array;
  /** Places in `CONN_SERVICES`, the first of several that is listed. */
  readonly services: Uint8Array;
}

const UNSET = 0xffffffff;
const MOST = UNSET - 1;

const wordOf = (value: number): number => (value >= 0 ? Math.min(value, MOST) : UNSET);

/** Places of a dictionary's texts in a list, each text looked up once. */
class ListPlaces {
  readonly #list: readonly string[];
  #places = new Uint8Array(16);
  #known = 0;

  constructor(list: readonly string[]) {
    this.#list = list;
  }

  upTo(dictionary: Dictionary): Uint8Array {
    if (dictionary.size > this.#places.length) {
      const places = new Uint8Array(2 * dictionary.size);
      places.set(this.#places);
      this.#places = places;
    }
    for (; this.#known < dictionary.size; this.#known++) {
      const place = dictionary
        .text(this.#known)
        .split(",")
        .map((text) => this.#list.indexOf(text))
        .find((found) => found >= 0);
      this.#places[this.#known] = place ?? NOT_LISTED;
    }
    return this.#places;
  }
}

/** A code column and the places of its texts in a list. */
class ListColumn {
  readonly #places: ListPlaces;
  #codes: Int32Array = new Int32Array(0);
  #known: Uint8Array = new Uint8Array(0);

  constructor(list: readonly string[]) {
    this.#places = new ListPlaces(list);
  }

  open({ values, dictionary }: CodeValues): void {
    this.#codes = values;
    this.#known = this.#places.upTo(dictionary);
  }

  at(row: number): number {
    const code = this.#codes[row] ?? -1;
    return code < 0 ? NOT_LISTED : (this.#known[code] ?? NOT_LISTED);
  }
}

/** Writes what the rows of a batch carry behind their records. */
export class CarriedWriter {
  readonly #states = new ListColumn(CONN_STATES);
  readonly #services = new ListColumn(CONN_SERVICES);
  #up: Float64Array = new Float64Array(0);
  #down: Float64Array = new Float64Array(0);
  #ip: Float64Array = new Float64Array(0);

  /** Takes a batch with `CARRIED_COLUMNS`. */
  open({ columns }: ColumnBatch): void {
    this.#up = (columns.get("orig_bytes") as NumberValues).values;
    this.#down = (columns.get("resp_bytes") as NumberValues).values;
    this.#ip = (columns.get("orig_ip_bytes") as NumberValues).values;
    this.#states.open(columns.get("conn_state") as CodeValues);
    this.#services.open(columns.get("service") as CodeValues);
  }

  /** Writes what a row carries behind the record that starts at `at`. */
  write(row: number, words: Int32Array, at: number): void {
    words[at + BARE_WORDS] = wordOf(this.#up[row] ?? Number.NaN);
    words[at + BARE_WORDS + 1] = wordOf(this.#down[row] ?? Number.NaN);
    words[at + BARE_WORDS + 2] = wordOf(this.#ip[row] ?? Number.NaN);
    words[at + BARE_WORDS + 3] = this.#states.at(row) | (this.#services.at(row) << 8);
  }
}

/** What the records of the given numbers carry. */
export function carriedBy(records: Int32Array, rows: Uint32Array): Carried {
  const count = rows.length;
  const carried = {
    bytesUp: new Float64Array(count),
    bytesDown: new Float64Array(count),
    ipBytesUp: new Float64Array(count),
    states: new Uint8Array(count),
    services: new Uint8Array(count),
  };
  const bytesAt = (at: number): number => {
    const word = (records[at] ?? -1) >>> 0;
    return word === UNSET ? Number.NaN : word;
  };
  for (let i = 0; i < count; i++) {
    const at = (rows[i] ?? 0) * (BARE_WORDS + CARRIED_WORDS) + BARE_WORDS;
    carried.bytesUp[i] = bytesAt(at);
    carried.bytesDown[i] = bytesAt(at + 1);
    carried.ipBytesUp[i] = bytesAt(at + 2);
    const lists = records[at + 3] ?? 0xffff;
    carried.states[i] = lists & 0xff;
    carried.services[i] = (lists >> 8) & 0xff;
  }
  return carried;
}
