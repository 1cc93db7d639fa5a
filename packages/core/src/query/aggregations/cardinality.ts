import { type AggregationResult, Aggregator, type Collector, type OwnerMap } from "./aggregator.js";
import type { KeySource } from "./key-source.js";
import { type KeyState, KeyTable, NumberList } from "./key-table.js";
import type { Scope } from "./scope.js";

interface CardinalityState {
  readonly keys: KeyState;
  readonly kind: KeySource["kind"];
  readonly owners: Int32Array;
  readonly ids: Int32Array;
}

/** How many distinct values: exactly, at the cost of remembering each. */
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
      if (this.#isTop) {
        const seen = new Uint8Array(values + 1);
        return {
          collect(rows, _owners, length) {
            for (let i = 0; i < length; i++) seen[(codes[rows[i] as number] as number) + 1] = 1;
          },
          close: () => {
            for (let code = 0; code < values; code++) {
              if (seen[code + 1] !== 1) continue;
              const key = this.#source.codeKey(column, field, code);
              if (key >= 0) this.#note(0, key);
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
    return {
      collect: (rows, owners, length) => {
        for (let i = 0; i < length; i++) {
          const count = keys(rows[i] as number, into);
          for (let k = 0; k < count; k++) this.#note(owners ? (owners[i] as number) : 0, into[k] as number);
        }
      },
    };
  }

  state(): CardinalityState {
    const length = this.#seen.size;
    return {
      keys: this.#source.keys.state(),
      kind: this.#source.kind,
      owners: Int32Array.from({ length }, (_zero, place) => this.#seen.first(place)),
      ids: Int32Array.from({ length }, (_zero, place) => this.#seen.second(place)),
    };
  }

  absorb(state: CardinalityState, owners: OwnerMap): void {
    const ids = this.#source.keys.absorb(state.keys);
    for (let i = 0; i < state.owners.length; i++) this.#note(owners[state.owners[i] as number] ?? 0, ids[state.ids[i] as number] ?? 0);
  }

  override metric(owner: number): number {
    return this.#counts.get(owner);
  }

  result(owner: number): AggregationResult {
    return { value: this.#counts.get(owner) };
  }
}
