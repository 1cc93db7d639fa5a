import { GroupIndex } from "../flows/group-index.js";
import type { BatchSink } from "./batch-writer.js";
import { type Dictionary, MapDictionary } from "./dictionary.js";
import { checkProtocols, emptyKeys, type HashSeed } from "./kernel-engine.js";
import type { Grouper, GroupKeys, LendingReader, ReadEngine, ReadOptions, RowKeys } from "./log-reader.js";
import { startState, TextReader } from "./text-reader.js";

/** Groups in plain TypeScript, beside any engine. */
export class TextGrouper implements Grouper {
  readonly #index: GroupIndex;
  readonly #protocols: Dictionary;

  constructor(seed: HashSeed, protocols: Dictionary) {
    this.#index = new GroupIndex(seed[0]);
    this.#protocols = protocols;
  }

  get size(): number {
    return this.#index.size;
  }

  assign({ sources, destinations, ports, protocols }: RowKeys, rows: number, out: Uint32Array): void {
    checkProtocols(this.#protocols);
    for (let row = 0; row < rows; row++) {
      out[row] = this.#index.add(sources[row] ?? -1, destinations[row] ?? -1, ports[row] ?? 0, protocols[row] ?? -1);
    }
  }

  keys(): GroupKeys {
    const keys = emptyKeys(this.size);
    for (let group = 0; group < this.size; group++) {
      keys.sources[group] = this.#index.source(group);
      keys.destinations[group] = this.#index.destination(group);
      keys.ports[group] = this.#index.port(group);
      keys.protocols[group] = this.#index.protocol(group);
    }
    return keys;
  }
}

/** The plain TypeScript engine: the reference, and the way where WebAssembly SIMD is missing. */
export function createTextEngine(seed: HashSeed): ReadEngine {
  const dictionaries = new Map<string, Dictionary>();
  const dictionary = (name: string): Dictionary => {
    let found = dictionaries.get(name);
    if (!found) {
      found = new MapDictionary();
      dictionaries.set(name, found);
    }
    return found;
  };
  return {
    kind: "typescript",
    dictionary,
    reader: (options: ReadOptions, sink: BatchSink): LendingReader => new TextReader(startState(options, dictionary, sink)),
    grouper: () => new TextGrouper(seed, dictionary("proto")),
  };
}
