import { KEY_WORDS } from "../flows/group-index.js";
import { byText } from "../flows/top-talkers.js";
import { addressCode } from "../zeek/address.js";
import { MapDictionary, type TextColumn, unpackTexts } from "../zeek/dictionary.js";

/** What hosts are called, by who called them so; plain data, which can be posted to another thread. */
export interface NameIndex {
  /** Texts of the addresses that are no dotted quads. */
  readonly addresses: TextColumn;
  readonly names: TextColumn;
  /** Three words an entry: source, destination, and 2 x the name's place, plus 1 for a DNS answer. */
  readonly entries: Int32Array;
  /** How often each entry was seen. */
  readonly counts: Uint32Array;
  /** When each entry was seen first, in microseconds. */
  readonly firsts: Float64Array;
}

/** Where a name comes from, the likeliest first: what this source said to the destination, what it had asked for, then others. */
const OWN_CONNECTION = 0;
const OWN_ANSWER = 1;
const OTHER_CONNECTION = 2;
/** Names kept of one destination. */
const MOST_NAMES = 8;

/** How often a name was seen in connections, how often and since when in answers. */
interface Sightings {
  connections: number;
  answers: number;
  firstAnswer: number;
}

/** The names of one destination: all together, and by the source that saw them. */
interface DestinationNames {
  readonly all: Map<number, Sightings>;
  readonly bySource: Map<number, Map<number, Sightings>>;
}

interface Candidate {
  readonly name: number;
  readonly rank: number;
  readonly count: number;
}

function see(names: Map<number, Sightings>, name: number, isAnswer: boolean, count: number, first: number): void {
  const known = names.get(name) ?? { connections: 0, answers: 0, firstAnswer: Number.POSITIVE_INFINITY };
  names.set(name, known);
  if (isAnswer) {
    known.answers += count;
    known.firstAnswer = Math.min(known.firstAnswer, first);
  } else known.connections += count;
}

/** Candidates of each kind; an answer counts when it came in time. */
function* candidates(names: ReadonlyMap<number, Sightings> | undefined, before: number, rank: number): Generator<Candidate> {
  for (const [name, { connections, answers, firstAnswer }] of names ?? []) {
    if (connections > 0) yield { name, rank, count: connections };
    else if (firstAnswer <= before) yield { name, rank: rank + (OWN_ANSWER - OWN_CONNECTION), count: answers };
  }
}

/** Finds the names of destinations. */
export class NameLookup {
  readonly #others = new MapDictionary();
  readonly #names: readonly string[];
  readonly #destinations = new Map<number, DestinationNames>();

  constructor({ addresses, names, entries, counts, firsts }: NameIndex) {
    this.#others.encodeAll(addresses);
    this.#names = unpackTexts(names);
    for (let entry = 0; entry < counts.length; entry++) {
      const source = entries[entry * KEY_WORDS] ?? -1;
      const destination = entries[entry * KEY_WORDS + 1] ?? -1;
      const word = entries[entry * KEY_WORDS + 2] ?? 0;
      const of = this.#destinations.get(destination) ?? { all: new Map(), bySource: new Map() };
      this.#destinations.set(destination, of);
      const own = of.bySource.get(source) ?? new Map<number, Sightings>();
      of.bySource.set(source, own);
      for (const to of [of.all, own]) see(to, word >>> 1, (word & 1) === 1, counts[entry] ?? 0, firsts[entry] ?? 0);
    }
  }

  /**
   * The names of a destination as a source would know it, the likeliest first, at most eight: TLS server names and HTTP hosts of
   * its own connections, DNS answers that it got, then the same of other sources; the more often, the likelier. DNS answers
   * first seen after `before` (microseconds) do not count.
   */
  of(source: string, destination: string, before = Number.POSITIVE_INFINITY): string[] {
    const names = this.#destinations.get(addressCode(this.#others, destination));
    if (!names) return [];
    const own = names.bySource.get(addressCode(this.#others, source));
    const found = [...candidates(own, before, OWN_CONNECTION), ...candidates(names.all, before, OTHER_CONNECTION)].sort(
      (a, b) => a.rank - b.rank || b.count - a.count || byText(this.#names[a.name] ?? "", this.#names[b.name] ?? ""),
    );
    const distinct = new Set(found.map(({ name }) => name));
    return [...distinct].slice(0, MOST_NAMES).map((name) => this.#names[name] ?? "");
  }
}
