import { GroupIndex } from "../flows/group-index.js";
import type { BatchSink } from "./batch-writer.js";
import { type Dictionary, MapDictionary } from "./dictionary.js";
import { checkProtocols, emptyKeys, type HashSeed } from "./kernel-engine.js";
import {
  BUCKETS,
  type Grouper,
  type GroupKeys,
  type LendingReader,
  type ReadEngine,
  type ReadOptions,
  type RowBuckets,
  type RowKeys,
} from "./log-reader.js";
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

  assign({ sources, destinations, ports, protocols }: RowKeys, rows: number, out: Uint32Array): RowBuckets {
    checkProtocols(this.#protocols);
    const ends = new Uint32Array(BUCKETS + 1);
    for (let row = 0; row < rows; row++) {
      const group = this.#index.add(sources[row] ?? -1, destinations[row] ?? -1, ports[row] ?? 0, protocols[row] ?? -1);
      out[row] = group;
      ends[(group % BUCKETS) + 1] = (ends[(group % BUCKETS) + 1] ?? 0) + 1;
    }
    for (let bucket = 1; bucket <= BUCKETS; bucket++) ends[bucket] = (ends[bucket] ?? 0) + (ends[bucket - 1] ?? 0);
    const order = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      const bucket = (out[row] ?? 0) % BUCKETS;
      const at = ends[bucket] ?? 0;
      order[at] = row;
      ends[bucket] = at + 1;
    }
    // Each bucket's start has moved on to its end.
    return { order, ends: ends.subarray(0, BUCKETS) };
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
