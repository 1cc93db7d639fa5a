import { isIgnored as isIgnoredText } from "../clauses/field-terms.js";
import { type TextHash, type TextValuesColumn, textHash } from "../columns/column.js";
import type { Field } from "../mapping/field.js";
import { type AggregationResult, Aggregator, type Collector, type OwnerMap } from "./aggregator.js";
import type { KeySource } from "./key-source.js";
import { type KeyState, KeyTable, NumberList } from "./key-table.js";
import type { Scope } from "./scope.js";

const isIgnored = (field: Field, { dictionary }: TextValuesColumn, code: number): boolean =>
  field.ignoreAbove !== undefined && isIgnoredText(field, dictionary.text(code));

interface CardinalityState {
  readonly keys: KeyState;
  readonly kind: KeySource["kind"];
  readonly owners: Int32Array;
  readonly ids: Int32Array;
  /** Hashes of texts, two words each, and which owner has which; at the top there is one owner. */
  readonly hashes: Int32Array;
  readonly textOwners: Int32Array;
  readonly textIds: Int32Array;
}

/**
 * How many distinct values, at the cost of remembering each: addresses and numbers as they are, texts by 64 bits of a hash, so that even ten million of
 * them take 200 MB and are miscounted once in a million times.
 */
export class CardinalityAggregator extends Aggregator {
  readonly #source: KeySource;
  readonly #seen = new KeyTable();
  readonly #counts = new NumberList();
  readonly #isTop: boolean;

  constructor(name: string, meta: unknown, source: KeySource, isTop: boolean) {
    super(name, meta);
    this.#source = source;
    this.#isTop = isTop;
  }

  readonly #hashes = new KeyTable();
  readonly #seenTexts = new KeyTable();

  /** Notes a text by the number of its hash. */
  #noteText(owner: number, id: number): void {
    // At the top a text that has a number was seen.
    if (this.#isTop) return;
    const before = this.#seenTexts.size;
    this.#seenTexts.find(owner, id);
    if (this.#seenTexts.size > before) this.#counts.add(owner, 1);
  }

  #idOf([a, b]: TextHash): number {
    return this.#hashes.find(a, b);
  }

  #note(owner: number, key: number): void {
    const before = this.#seen.size;
    this.#seen.find(owner, key);
    if (this.#seen.size > before) this.#counts.add(owner, 1);
  }

  open(scope: Scope): Collector {
    const { column, field, missing } = this.#source.open(scope);
    if (column && field && column.kind !== "number" && !column.offsets && missing === -1 && !field.traits.analyzed) {
      const { codes } = column;
      const values = column.kind === "ip" ? column.addresses.length / 4 : column.dictionary.size;
      const isText = column.kind === "text" && this.#source.kind !== "ip";
      if (this.#isTop) {
        const seen = new Uint8Array(values + 1);
        return {
          collect(rows, _owners, length) {
            for (let i = 0; i < length; i++) seen[(codes[rows[i] as number] as number) + 1] = 1;
          },
          close: () => {
            for (let code = 0; code < values; code++) {
              if (seen[code + 1] !== 1) continue;
              if (isText) {
                if (!isIgnored(field, column, code)) this.#idOf(column.dictionary.hash(code));
                continue;
              }
              const key = this.#source.codeKey(column, field, code);
              if (key >= 0) this.#note(0, key);
            }
          },
        };
      }
      if (isText) {
        const ids = new Int32Array(values).fill(-1);
        return {
          collect: (rows, owners, length) => {
            for (let i = 0; i < length; i++) {
              const code = codes[rows[i] as number] as number;
              if (code < 0) continue;
              if (ids[code] === -1) {
                ids[code] = isIgnored(field, column, code) ? -2 : this.#idOf(column.dictionary.hash(code));
              }
              if (ids[code] === -2) continue;
              this.#noteText(owners ? (owners[i] as number) : 0, ids[code] as number);
            }
          },
        };
      }
      const known = new Int32Array(values).fill(-1);
      return {
        collect: (rows, owners, length) => {
          for (let i = 0; i < length; i++) {
            const code = codes[rows[i] as number] as number;
            if (code < 0) continue;
            let key = known[code] as number;
            if (key === -1) {
              key = this.#source.codeKey(column, field, code);
              known[code] = key < 0 ? -2 : key;
            }
            if (key >= 0) this.#note(owners ? (owners[i] as number) : 0, key);
          }
        },
      };
    }
    const keys = this.#source.rowKeys(scope);
    const into: number[] = [];
    // Texts count by their hashes, however they came; -1 for what is no text.
    const hashIds: number[] = [];
    const hashIdOf = (key: number): number => {
      const value = this.#source.kind === "ip" ? 0 : this.#source.keys.at(key);
      const id = typeof value === "string" ? this.#idOf(textHash(value)) : -1;
      hashIds[key] = id;
      return id;
    };
    return {
      collect: (rows, owners, length) => {
        for (let i = 0; i < length; i++) {
          const count = keys(rows[i] as number, into);
          const owner = owners ? (owners[i] as number) : 0;
          for (let k = 0; k < count; k++) {
            const key = into[k] as number;
            const id = hashIds[key] ?? hashIdOf(key);
            if (id === -1) this.#note(owner, key);
            else this.#noteText(owner, id);
          }
        }
      },
    };
  }

  state(): CardinalityState {
    const hashes = new Int32Array(2 * this.#hashes.size);
    for (let id = 0; id < this.#hashes.size; id++) {
      hashes[2 * id] = this.#hashes.first(id);
      hashes[2 * id + 1] = this.#hashes.second(id);
    }
    return {
      keys: this.#source.keys.state(),
      kind: this.#source.kind,
      owners: this.#seen.firsts(),
      ids: this.#seen.seconds(),
      hashes,
      textOwners: this.#seenTexts.firsts(),
      textIds: this.#seenTexts.seconds(),
    };
  }

  absorb(state: CardinalityState, owners: OwnerMap): void {
    const ids = this.#source.keys.absorb(state.keys);
    for (let i = 0; i < state.owners.length; i++) this.#note(owners[state.owners[i] as number] ?? 0, ids[state.ids[i] as number] ?? 0);
    const { hashes, textOwners, textIds } = state;
    const texts = new Int32Array(hashes.length / 2);
    for (let id = 0; id < texts.length; id++) texts[id] = this.#hashes.find(hashes[2 * id] as number, hashes[2 * id + 1] as number);
    for (let i = 0; i < textOwners.length; i++) {
      this.#noteText(owners[textOwners[i] as number] ?? 0, texts[textIds[i] as number] as number);
    }
  }

  override metric(owner: number): number {
    return this.#counts.get(owner) + (this.#isTop && owner === 0 ? this.#hashes.size : 0);
  }

  result(owner: number): AggregationResult {
    return { value: this.metric(owner) };
  }
}
