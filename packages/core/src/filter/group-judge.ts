import { type TextColumn, unpackTexts } from "../zeek/dictionary.js";
import type { FilterPlan, FilterRule } from "./filter-plan.js";

/** Puts a filter's rules to connection groups given by codes; each address and protocol is judged once. */
export class GroupJudge {
  readonly #addressRules: readonly {
    readonly rule: FilterRule;
    readonly marks: Uint8Array;
    readonly leavesOut: (source: number, destination: number) => boolean;
  }[];
  readonly #ports: Uint8Array | undefined;
  readonly #protocols: readonly boolean[] | undefined;

  constructor(plan: FilterPlan, addresses: TextColumn, protocols: TextColumn) {
    const texts = plan.addressRules.length > 0 ? unpackTexts(addresses) : [];
    this.#addressRules = plan.addressRules.map(({ rule, mark, leavesOut }) => ({ rule, marks: Uint8Array.from(texts, mark), leavesOut }));
    this.#ports = plan.ports;
    const { protocol } = plan;
    this.#protocols = protocol && unpackTexts(protocols).map((text) => protocol(text));
  }

  /** The first rule that leaves out a group; undefined when it is kept. */
  leftOutBy(source: number, destination: number, port: number, protocol: number): FilterRule | undefined {
    for (const { rule, marks, leavesOut } of this.#addressRules) if (leavesOut(marks[source] ?? 0, marks[destination] ?? 0)) return rule;
    if (this.#ports && this.#ports[port] !== 1) return "ports";
    return this.#protocols && !this.#protocols[protocol] ? "protocol" : undefined;
  }
}
