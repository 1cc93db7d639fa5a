import { packedAddressText } from "../zeek/address.js";
import { type TextColumn, unpackTexts } from "../zeek/dictionary.js";
import type { AddressRule, FilterPlan, FilterRule } from "./filter-plan.js";

/** An address rule with the marks of addresses by code, each made when it is first asked for. */
class MarkedRule {
  readonly rule: FilterRule;
  readonly #plan: AddressRule;
  readonly #addresses: TextColumn;
  readonly #marks = new Map<number, number>();

  constructor(plan: AddressRule, addresses: TextColumn) {
    this.rule = plan.rule;
    this.#plan = plan;
    this.#addresses = addresses;
  }

  #mark(code: number): number {
    const known = this.#marks.get(code);
    if (known !== undefined) return known;
    const mark = this.#plan.mark(packedAddressText(this.#addresses, code));
    this.#marks.set(code, mark);
    return mark;
  }

  leavesOut(source: number, destination: number): boolean {
    const { reads } = this.#plan;
    return this.#plan.leavesOut(reads === "destination" ? 0 : this.#mark(source), reads === "source" ? 0 : this.#mark(destination));
  }
}

/** What the codes of groups mean. */
export interface GroupTexts {
  /** Texts of the addresses that are no dotted quad. */
  readonly addresses: TextColumn;
  readonly protocols: TextColumn;
}

/** Puts a filter's rules to connection groups given by codes; each address and protocol is judged once. */
export class GroupJudge {
  readonly #addressRules: readonly MarkedRule[];
  readonly #ports: Uint8Array | undefined;
  readonly #protocols: readonly boolean[] | undefined;

  constructor(plan: FilterPlan, { addresses, protocols }: GroupTexts) {
    this.#addressRules = plan.addressRules.map((rule) => new MarkedRule(rule, addresses));
    this.#ports = plan.ports;
    const { protocol } = plan;
    this.#protocols = protocol && unpackTexts(protocols).map((text) => protocol(text));
  }

  /** The first rule that leaves out a group; undefined when it is kept. */
  leftOutBy(source: number, destination: number, port: number, protocol: number): FilterRule | undefined {
    for (const rule of this.#addressRules) if (rule.leavesOut(source, destination)) return rule.rule;
    if (this.#ports && this.#ports[port] !== 1) return "ports";
    return this.#protocols && !this.#protocols[protocol] ? "protocol" : undefined;
  }
}
