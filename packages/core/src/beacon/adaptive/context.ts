import { CONN_STATES } from "../../flows/carried.js";
import { nameTest } from "../../names/name-pattern.js";
import type { BenignService } from "../benign-service.js";

/** Why a regular flow is likely no beacon. */
export interface Label {
  readonly label: string;
  /** The score is multiplied by this, 0..1. */
  readonly factor: number;
}

/** Factors of the labels. */
const SERVICE = 0.3;
const SCANNED = 0.3;
const INBOUND = 0.4;
const FAILED = 0.5;

/** A source with so many destinations that mostly fail is a scanner. */
const SCAN_DESTINATIONS = 200;
const SCAN_FAILED = 0.5;
/** Above this share of failed connections nobody has ever answered. */
const ALL_FAILED = 0.98;

/** States of connections that never came about. */
export const FAILED_STATES: ReadonlySet<number> = new Set(
  (["S0", "REJ", "RSTOS0", "RSTRH", "SH"] as const).map((state) => CONN_STATES.indexOf(state)),
);

/** What the context of a flow is judged by. */
export interface ContextFacts {
  readonly port: number;
  readonly protocol: string;
  readonly names: readonly string[];
  /** What Zeek recognised in most of the connections; empty: nothing. */
  readonly service: string;
  /** Whether a destination ever answered with payload. */
  readonly failedShare: number;
  /** Distinct destinations of the source. */
  readonly destinations: number;
  readonly direction: string;
}

/** Finds the services that a flow may be. */
export class ServiceList {
  readonly #services: readonly { readonly service: BenignService; readonly named: (name: string) => boolean }[];

  constructor(services: readonly BenignService[]) {
    this.#services = services.map((service) => ({ service, named: nameTest(service.names ?? [], "services") }));
  }

  /** The label of the first service that fits; undefined: none. */
  labelOf({ port, protocol, names, service: recognised }: ContextFacts): string | undefined {
    for (const { service, named } of this.#services) {
      const onPort = service.ports?.includes(`${port}/${protocol}`) ?? false;
      if (onPort && (service.service === undefined || recognised === service.service)) return service.label;
      if (names.some(named)) return service.label;
    }
    return undefined;
  }
}

/** All that speaks against a beacon, the weightiest first. */
export function labelsOf(facts: ContextFacts, services: ServiceList): Label[] {
  const labels: Label[] = [];
  const service = services.labelOf(facts);
  if (service !== undefined) labels.push({ label: service, factor: SERVICE });
  if (facts.destinations >= SCAN_DESTINATIONS && facts.failedShare >= SCAN_FAILED)
    labels.push({ label: `scan: its source tries ${facts.destinations} destinations`, factor: SCANNED });
  if (facts.direction === "inbound") labels.push({ label: "comes from outside", factor: INBOUND });
  if (facts.failedShare >= ALL_FAILED) labels.push({ label: "never answered", factor: FAILED });
  return labels.sort((a, b) => a.factor - b.factor);
}
