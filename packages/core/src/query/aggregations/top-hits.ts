import type { QueryContext } from "../clauses/clause.js";
import { type Candidate, CandidateHeap, type HitOptions, hitOf } from "../hits.js";
import type { SortKey } from "../sort.js";
import { type AggregationResult, Aggregator, type Collector, type OwnerMap } from "./aggregator.js";
import { NumberList } from "./key-table.js";
import type { Scope } from "./scope.js";

export interface TopHitsOptions {
  readonly from: number;
  readonly size: number;
  readonly keys: readonly SortKey[];
  readonly hit: HitOptions;
}

interface TopHitsState {
  readonly totals: Float64Array;
  readonly hits: readonly (readonly [owner: number, candidates: readonly Candidate[]])[];
}

/** Looks up the segment of a search by its number, and the index that it belongs to. */
export type FindSegment = (number: number) => { readonly context: QueryContext; readonly segment: Scope["segment"] };

/** The first hits of each bucket. */
export class TopHitsAggregator extends Aggregator {
  readonly #options: TopHitsOptions;
  readonly #find: FindSegment;
  readonly #numberOf: (scope: Scope) => number;
  readonly #heaps = new Map<number, CandidateHeap>();
  readonly #totals = new NumberList();
  #owners = 0;

  constructor(name: string, meta: unknown, options: TopHitsOptions, find: FindSegment, numberOf: (scope: Scope) => number) {
    super(name, meta);
    this.#options = options;
    this.#find = find;
    this.#numberOf = numberOf;
  }

  #heap(owner: number): CandidateHeap {
    let heap = this.#heaps.get(owner);
    if (!heap) {
      heap = new CandidateHeap(this.#options.keys, this.#options.from + this.#options.size);
      this.#heaps.set(owner, heap);
    }
    return heap;
  }

  open(scope: Scope): Collector {
    const number = this.#numberOf(scope);
    const offers = new Map<number, (row: number) => void>();
    const scores = scope.scores ?? (() => 1);
    return {
      collect: (rows, owners, length) => {
        for (let i = 0; i < length; i++) {
          const owner = owners ? (owners[i] as number) : 0;
          let offer = offers.get(owner);
          if (!offer) {
            offer = this.#heap(owner).open(scope.context, scope.segment, number, scores);
            offers.set(owner, offer);
          }
          this.#owners = Math.max(this.#owners, owner + 1);
          this.#totals.add(owner, 1);
          offer(rows[i] as number);
        }
      },
    };
  }

  state(): TopHitsState {
    return {
      totals: this.#totals.reserve(this.#owners).slice(0, this.#owners),
      hits: [...this.#heaps].map(([owner, heap]) => [owner, heap.sorted()] as const),
    };
  }

  absorb(state: TopHitsState, owners: OwnerMap): void {
    state.totals.forEach((total, owner) => {
      const mine = owners[owner] ?? 0;
      this.#owners = Math.max(this.#owners, mine + 1);
      this.#totals.add(mine, total);
    });
    for (const [owner, candidates] of state.hits) for (const candidate of candidates) this.#heap(owners[owner] ?? 0).offer(candidate);
  }

  result(owner: number): AggregationResult {
    const { from, size, hit, keys } = this.#options;
    const candidates =
      this.#heaps
        .get(owner)
        ?.sorted()
        .slice(from, from + size) ?? [];
    const isScored = keys.some((key) => key.kind === "score");
    const best = candidates.reduce((most, { score }) => Math.max(most, score), Number.NEGATIVE_INFINITY);
    return {
      hits: {
        total: { value: this.#totals.get(owner), relation: "eq" },
        max_score: isScored && candidates.length > 0 ? Math.fround(best) : null,
        hits: candidates.map((candidate) => {
          const { context, segment } = this.#find(candidate.segment);
          return hitOf(context, segment, candidate, hit);
        }),
      },
    };
  }
}
