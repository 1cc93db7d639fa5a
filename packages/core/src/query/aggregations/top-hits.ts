import type { QueryContext } from "../clauses/clause.js";
import { type Candidate, CandidateHeap, compareCandidates, type HitOptions, hitOf } from "../hits.js";
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
  /** The one best row of each owner, where one is wanted and one number orders them; NaN: none yet. */
  readonly best: { readonly values: Float64Array; readonly segments: Float64Array; readonly rows: Float64Array };
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
  // One hit by one number is found without an object a row.
  readonly #bestValues = new NumberList(Number.NaN);
  readonly #bestSegments = new NumberList();
  readonly #bestRows = new NumberList();

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
    const values = this.#numbers(scope);
    if (values) return this.#collectBest(values, number);
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

  /** The numbers that order the hits, when one hit is wanted and each row has one number at most. */
  #numbers(scope: Scope): Float64Array | undefined {
    const { from, size, keys } = this.#options;
    const [key] = keys;
    if (from !== 0 || size !== 1 || keys.length !== 1 || key?.kind !== "field" || key.missing !== "_last" || key.mode !== undefined)
      return undefined;
    const field = scope.context.mapping.field(key.path);
    if (!field?.hasDocValues || !["number", "date"].includes(field.traits.family)) return undefined;
    const column = scope.segment.column(field.column);
    return column?.kind === "number" && !column.offsets && column.exact.size === 0 ? column.values : undefined;
  }

  #collectBest(values: Float64Array, number: number): Collector {
    const isDescending = this.#options.keys[0]?.descending ?? false;
    // A row without a number comes last.
    const last = isDescending ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return {
      collect: (rows, owners, length) => {
        let most = 0;
        if (owners) for (let i = 0; i < length; i++) if ((owners[i] as number) > most) most = owners[i] as number;
        if (length > 0) this.#owners = Math.max(this.#owners, most + 1);
        const totals = this.#totals.reserve(most + 1);
        const best = this.#bestValues.reserve(most + 1);
        const bestSegments = this.#bestSegments.reserve(most + 1);
        const bestRows = this.#bestRows.reserve(most + 1);
        for (let i = 0; i < length; i++) {
          const row = rows[i] as number;
          const owner = owners ? (owners[i] as number) : 0;
          totals[owner] = (totals[owner] as number) + 1;
          let value = values[row] as number;
          if (Number.isNaN(value)) value = last;
          const before = best[owner] as number;
          // The first of equal ones stays; segments come in order in a thread.
          const isBetter =
            Number.isNaN(before) ||
            (isDescending ? value > before : value < before) ||
            (value === before && number < (bestSegments[owner] as number));
          if (!isBetter) continue;
          best[owner] = value;
          bestSegments[owner] = number;
          bestRows[owner] = row;
        }
      },
    };
  }

  /** The best row of an owner as a candidate. */
  #bestOf(owner: number): Candidate | undefined {
    const value = this.#bestValues.get(owner);
    if (Number.isNaN(value)) return undefined;
    return { segment: this.#bestSegments.get(owner), row: this.#bestRows.get(owner), score: Number.NaN, values: [value] };
  }

  state(): TopHitsState {
    return {
      totals: this.#totals.reserve(this.#owners).slice(0, this.#owners),
      hits: [...this.#heaps].map(([owner, heap]) => [owner, heap.sorted()] as const),
      best: {
        values: this.#bestValues.reserve(this.#owners).slice(0, this.#owners),
        segments: this.#bestSegments.reserve(this.#owners).slice(0, this.#owners),
        rows: this.#bestRows.reserve(this.#owners).slice(0, this.#owners),
      },
    };
  }

  absorb(state: TopHitsState, owners: OwnerMap): void {
    state.totals.forEach((total, owner) => {
      const mine = owners[owner] ?? 0;
      this.#owners = Math.max(this.#owners, mine + 1);
      this.#totals.add(mine, total);
    });
    const { values, segments, rows } = state.best;
    values.forEach((value, owner) => {
      if (Number.isNaN(value)) return;
      const mine = owners[owner] ?? 0;
      const theirs: Candidate = { segment: segments[owner] as number, row: rows[owner] as number, score: Number.NaN, values: [value] };
      const own = this.#bestOf(mine);
      if (own && compareCandidates(this.#options.keys, own, theirs) <= 0) return;
      this.#bestValues.set(mine, value);
      this.#bestSegments.set(mine, theirs.segment);
      this.#bestRows.set(mine, theirs.row);
    });
    for (const [owner, candidates] of state.hits) for (const candidate of candidates) this.#heap(owners[owner] ?? 0).offer(candidate);
  }

  result(owner: number): AggregationResult {
    const { from, size, hit, keys } = this.#options;
    const best = this.#bestOf(owner);
    // Segments of both kinds may have been seen: the better of both is first.
    const found = [...(this.#heaps.get(owner)?.sorted() ?? []), ...(best ? [best] : [])].sort((a, b) => compareCandidates(keys, a, b));
    const candidates = found.slice(from, from + size);
    const isScored = keys.some((key) => key.kind === "score");
    const highest = candidates.reduce((most, { score }) => Math.max(most, score), Number.NEGATIVE_INFINITY);
    return {
      hits: {
        total: { value: this.#totals.get(owner), relation: "eq" },
        max_score: isScored && candidates.length > 0 ? Math.fround(highest) : null,
        hits: candidates.map((candidate) => {
          const { context, segment } = this.#find(candidate.segment);
          return hitOf(context, segment, candidate, hit);
        }),
      },
    };
  }
}
