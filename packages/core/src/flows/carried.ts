import type { CodeValues, ColumnBatch, NumberValues } from "../zeek/column-batch.js";
import type { Dictionary } from "../zeek/dictionary.js";
import { BARE_WORDS, CARRIED_WORDS } from "./flow-shard.js";

/** The columns that tell what each connection carries; read beside `FLOW_COLUMNS` where a search asks for them. */
export const CARRIED_COLUMNS = ["orig_bytes", "resp_bytes", "orig_ip_bytes", "conn_state"] as const;

/**
 * Zeek's connection states; a connection's is a place in this list.
 * @see https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html
 */
export const CONN_STATES = ["S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"] as const;

/** Stands for a state that is unset or none of Zeek's. */
export const NO_STATE = 255;

/** What the connections of a flow carry, in the order of its times; each length = connections. */
export interface Carried {
  /** Payload bytes from source to destination, at most 4,294,967,294; NaN: unset. */
  readonly bytesUp: Float64Array;
  /** Payload bytes from destination to source. */
  readonly bytesDown: Float64Array;
  /** Bytes of the IP packets from source to destination. */
  readonly ipBytesUp: Float64Array;
  /** Places in `CONN_STATES`; `NO_STATE`: unset. */
  readonly states: Uint8Array;
}

const UNSET = 0xffffffff;
const MOST = UNSET - 1;

const wordOf = (value: number): number => (value >= 0 ? Math.min(value, MOST) : UNSET);

/** Places of a dictionary's states in `CONN_STATES`, each text looked up once. */
class StatePlaces {
  #places = new Uint8Array(16);
  #known = 0;

  upTo(dictionary: Dictionary): Uint8Array {
    if (dictionary.size > this.#places.length) {
      const places = new Uint8Array(2 * dictionary.size);
      places.set(this.#places);
      this.#places = places;
    }
    for (; this.#known < dictionary.size; this.#known++) {
      const place = (CONN_STATES as readonly string[]).indexOf(dictionary.text(this.#known));
      this.#places[this.#known] = place < 0 ? NO_STATE : place;
    }
    return this.#places;
  }
}

/** Writes what the rows of a batch carry behind their records. */
export class CarriedWriter {
  readonly #states = new StatePlaces();
  #up: Float64Array = new Float64Array(0);
  #down: Float64Array = new Float64Array(0);
  #ip: Float64Array = new Float64Array(0);
  #codes: Int32Array = new Int32Array(0);
  #places: Uint8Array = new Uint8Array(0);

  /** Takes a batch with `CARRIED_COLUMNS`. */
  open({ columns }: ColumnBatch): void {
    this.#up = (columns.get("orig_bytes") as NumberValues).values;
    this.#down = (columns.get("resp_bytes") as NumberValues).values;
    this.#ip = (columns.get("orig_ip_bytes") as NumberValues).values;
    const { values, dictionary } = columns.get("conn_state") as CodeValues;
    this.#codes = values;
    this.#places = this.#states.upTo(dictionary);
  }

  /** Writes what a row carries behind the record that starts at `at`. */
  write(row: number, words: Int32Array, at: number): void {
    words[at + BARE_WORDS] = wordOf(this.#up[row] ?? Number.NaN);
    words[at + BARE_WORDS + 1] = wordOf(this.#down[row] ?? Number.NaN);
    words[at + BARE_WORDS + 2] = wordOf(this.#ip[row] ?? Number.NaN);
    const code = this.#codes[row] ?? -1;
    words[at + BARE_WORDS + 3] = code < 0 ? NO_STATE : (this.#places[code] ?? NO_STATE);
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
    carried.states[i] = records[at + 3] ?? NO_STATE;
  }
  return carried;
}
