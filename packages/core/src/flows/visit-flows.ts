import type { FilterPlan, FilterRule } from "../filter/filter-plan.js";
import { GroupJudge } from "../filter/group-judge.js";
import type { NameLookup } from "../names/name-index.js";
import { packedAddressText } from "../zeek/address.js";
import { textAt } from "../zeek/dictionary.js";
import type { ReadEngine } from "../zeek/log-reader.js";
import { BucketGroups } from "./bucket-groups.js";
import type { Carried } from "./carried.js";
import type { Flow } from "./flow.js";
import { BUCKETS, type JoinedFlows } from "./flow-shard.js";

/** Takes one flow; its arrays are valid until this returns. */
export type FlowVisitor = (flow: Flow) => void;

/** How to visit flows. */
export interface VisitOptions {
  /** Flows with fewer connections are counted, not visited. */
  readonly minConnections: number;
  /** Groups to leave out. */
  readonly filter?: FilterPlan | undefined;
  /** What the filter's rule on names goes by; without it no destination has a name. */
  readonly names?: NameLookup | undefined;
  /**
   * The next bucket to visit, from 0 on; threads that share the work share the count. Default: all in turn. A group's connections
   * are all in one bucket.
   */
  readonly nextBucket?: (() => number) | undefined;
  /** Called with the joint address codes of every group that the filter keeps. */
  readonly onGroup?: ((source: number, destination: number) => void) | undefined;
}

/** What a visit went over. */
export interface VisitTotals {
  /** Connection groups, of any size. */
  readonly groups: number;
  /** Rows dropped as duplicates. */
  readonly duplicateRows: number;
  /** Rows of the groups that the filter left out, by rule. */
  readonly removed: ReadonlyMap<FilterRule, number>;
}

/** A flow whose texts and whose payload are looked up when somebody asks: few flows are beacons. */
class VisitedFlow implements Flow {
  readonly port: number;
  readonly times: Float64Array;
  readonly gaps: Float64Array;
  readonly #flows: JoinedFlows;
  readonly #source: number;
  readonly #destination: number;
  readonly #protocol: number;
  readonly #groups: BucketGroups;
  readonly #from: number;
  #carried: Carried | undefined;

  constructor(flows: JoinedFlows, groups: BucketGroups, group: number, from: number, times: Float64Array, gaps: Float64Array) {
    this.#flows = flows;
    this.#groups = groups;
    this.#from = from;
    this.#source = groups.source(group);
    this.#destination = groups.destination(group);
    this.#protocol = groups.protocol(group);
    this.port = groups.port(group);
    this.times = times;
    this.gaps = gaps;
  }

  get source(): string {
    return packedAddressText(this.#flows.addresses, this.#source);
  }

  get destination(): string {
    return packedAddressText(this.#flows.addresses, this.#destination);
  }

  get protocol(): string {
    return textAt(this.#flows.protocols, this.#protocol);
  }

  get carried(): Carried | undefined {
    this.#carried ??= this.#groups.carried(this.#from, this.#from + this.times.length);
    return this.#carried;
  }
}

/**
 * Visits flows bucket by bucket: groups the connections of all shards, sorts them, drops duplicates and hands on those groups
 * that keep enough. The order of visits is not defined. The engine, which may be one that read a shard, groups. Memory grows
 * with the largest bucket.
 */
export function visitFlows(engine: ReadEngine, flows: JoinedFlows, options: VisitOptions, visit: FlowVisitor): VisitTotals {
  const { minConnections, filter, names, onGroup } = options;
  let inTurn = 0;
  const nextBucket = options.nextBucket ?? (() => inTurn++);
  const groups = new BucketGroups(engine, flows);
  const judge = filter && new GroupJudge(filter, flows);
  const removed = new Map<FilterRule, number>();
  const remove = (rule: FilterRule, rows: number): void => void removed.set(rule, (removed.get(rule) ?? 0) + rows);
  let gaps = new Float64Array(1024);
  let duplicateRows = 0;
  let kept = 0;
  for (let bucket = nextBucket(); bucket < BUCKETS; bucket = nextBucket()) {
    groups.read(bucket);
    for (let group = 0; group < groups.size; group++) {
      const rule = judge?.leftOutBy(groups.source(group), groups.destination(group), groups.port(group), groups.protocol(group));
      if (rule === undefined) continue;
      remove(rule, groups.rowsOf(group));
      groups.drop(group);
    }
    groups.place((group, from, to, duplicates) => {
      const count = to - from;
      const source = groups.source(group);
      const destination = groups.destination(group);
      if (filter?.names) {
        const times = groups.times(to - 1, to);
        const text = (code: number): string => packedAddressText(flows.addresses, code);
        // An answer that came after the last connection is no name that any of them used.
        const [likeliest] = names?.of(text(source), text(destination), times[0]) ?? [];
        if (!filter.names(likeliest)) return remove("names", count + duplicates);
      }
      kept++;
      duplicateRows += duplicates;
      onGroup?.(source, destination);
      if (count < minConnections) return;
      const times = groups.times(from, to);
      if (count > gaps.length) gaps = new Float64Array(2 * count);
      for (let i = 1; i < count; i++) gaps[i - 1] = (times[i] ?? 0) - (times[i - 1] ?? 0);
      visit(new VisitedFlow(flows, groups, group, from, times, gaps.subarray(0, count - 1)));
    });
  }
  return { groups: kept, duplicateRows, removed };
}
