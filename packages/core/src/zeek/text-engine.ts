import type { BatchSink } from "./batch-writer.js";
import { type Dictionary, MapDictionary } from "./dictionary.js";
import type { HashSeed, LendingReader, ReadEngine, ReadOptions } from "./log-reader.js";
import { startState, TextReader } from "./text-reader.js";

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
    seed,
    dictionary,
    reader: (options: ReadOptions, sink: BatchSink): LendingReader => new TextReader(startState(options, dictionary, sink)),
  };
}
