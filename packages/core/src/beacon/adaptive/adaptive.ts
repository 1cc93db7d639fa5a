import { type Carried, CONN_SERVICES, NOT_LISTED } from "../../flows/carried.js";
import { MICROS_PER_MINUTE } from "../../flows/flow.js";
import type { BenignService } from "../benign-service.js";
import { atLeast, type Detector } from "../detector.js";
import type { ParameterSpec, ValuesOf } from "../parameters.js";
import { FAILED_STATES, labelsOf, ServiceList } from "./context.js";
import { coverageOf } from "./coverage.js";
import { reachOf } from "./prevalence.js";
import { bestView, type Rhythm, rhythmOf } from "./rhythm.js";
import { withServices } from "./services.js";
import { severityOf } from "./severity.js";
import { significanceOf } from "./significance.js";
import { type Sizes, sizesOf } from "./sizes.js";
import { summaryOf } from "./summary.js";
import { type Sign, WEIGHTS, weighted } from "./weights.js";

const parameters = [
  {
    name: "min_score",
    type: "number",
    default: 50,
    min: 0,
    max: 100,
    description: "Minimum score, before what the surroundings say",
  },
  { name: "min_calls", type: "integer", default: 6, min: 4, description: "Minimum number of calls" },
  { name: "weights", type: "weights", default: WEIGHTS, description: "How much each sign counts" },
  {
    name: "services",
    type: "services",
    default: [],
    description: "Harmless services to label besides those known; one with a known label replaces it",
  },
] as const satisfies readonly ParameterSpec[];

type Values = ValuesOf<typeof parameters>;

/** The lists of services in use, each made once. */
const lists = new WeakMap<object, ServiceList>();

function serviceList(added: readonly BenignService[]): ServiceList {
  const list = lists.get(added) ?? new ServiceList(withServices(added));
  lists.set(added, list);
  return list;
}

/** A flow is looked at further from one in a hundred on that calls at random crowd as much. */
const LOOK_POWERS = 2;

/** The service that Zeek recognised most often, where it did so in half of the connections. */
function recognised({ services: places }: Carried): string {
  const counts = new Map<number, number>();
  for (const place of places) if (place !== NOT_LISTED) counts.set(place, (counts.get(place) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most && most[1] * 2 >= places.length ? (CONN_SERVICES[most[0]] ?? "") : "";
}

const failedShare = ({ states }: Carried): number =>
  states.reduce((sum, state) => sum + (FAILED_STATES.has(state) ? 1 : 0), 0) / states.length;

/** What `detect` measured, for `settle`. */
interface Measures extends Rhythm {
  /** Undefined: the log does not tell. */
  readonly sizes: Sizes | undefined;
  readonly failedShare: number;
  /** What Zeek recognised in at least half of the connections; empty: nothing. */
  readonly service: string;
}

/** All signs; those of the surroundings count in full until they are known. */
function signsOf({ sizes, ...rhythm }: Measures, reach = 1, coverage = 1): Omit<Record<Sign, number>, "significance"> {
  return {
    rhythm: Math.max(rhythm.concentration, rhythm.periodicity.value),
    regularity: rhythm.regularity.value,
    persistence: rhythm.persistence.value,
    bursts: rhythm.bursts.value,
    sizes: sizes?.value ?? Number.NaN,
    prevalence: reach,
    coverage,
  };
}

/**
 * Finds beacons of any sleep and jitter without tuning: calls whose gaps crowd as those of no calls at random can, rated by how regular, periodic,
 * lasting and alike they are, by how many hosts do the same, and by what else they may be.
 */
export const adaptive: Detector<Values> = {
  name: "adaptive",
  title: "Adaptive search",
  description: "Finds beacons of any interval and jitter without tuning, and says what speaks for and against each.",
  parameters,
  carried: true,
  named: true,
  minConnections: ({ min_calls }) => min_calls,
  detect(flow, { min_score, min_calls, weights }, explain) {
    const view = bestView(flow, min_calls);
    if (!atLeast(explain, "calls", view?.calls.starts.length ?? 0, min_calls) || !view) return undefined;
    if (!atLeast(explain, "crowding of the gaps: orders of magnitude beyond chance", -view.windows.logP / Math.LN10, LOOK_POWERS))
      return undefined;
    const rhythm = rhythmOf(view);
    const { carried } = flow;
    const sizes = carried && sizesOf(carried);
    const measures: Measures = {
      ...rhythm,
      sizes: sizes && Number.isNaN(sizes.value) ? undefined : sizes,
      failedShare: carried ? failedShare(carried) : 0,
      service: carried ? recognised(carried) : "",
    };
    const signs = signsOf(measures);
    for (const [sign, value] of Object.entries(signs)) {
      if (!Number.isNaN(value))
        explain?.({ step: `sign: ${sign}`, measured: 100 * value, comparison: "at least", limit: 0, unit: "%", passed: true });
    }
    const score = 100 * weighted(signs, weights);
    if (!atLeast(explain, "score before the surroundings", score, min_score)) return undefined;
    return { score, evidence: { n: rhythm.calls, medianMinutes: rhythm.usualGap / MICROS_PER_MINUTE, signs, measures } };
  },
  settle({ evidence, port, protocol, names, firstOccurrence, lastOccurrence }, surroundings, { weights, services }) {
    const measures = evidence["measures"] as Measures;
    const { prevalence, internalHosts, destinations, direction, groupsTested, capture } = surroundings;
    const reach = reachOf(prevalence, internalHosts, destinations, direction);
    const coverage = coverageOf(firstOccurrence, lastOccurrence, measures.persistence.interruptedShare, capture);
    const significance = significanceOf(measures.logP, groupsTested);
    const { service } = measures;
    const labels = labelsOf(
      { port, protocol, names, service, failedShare: measures.failedShare, destinations, direction },
      serviceList(services),
    );
    const signs = { ...signsOf(measures, reach.value, coverage.value), significance: significance.value };
    const score = 100 * weighted(signs, weights) * (labels[0]?.factor ?? 1);
    return {
      score,
      evidence: {
        n: evidence["n"],
        medianMinutes: evidence["medianMinutes"],
        severity: severityOf(score),
        summary: summaryOf(measures, measures.sizes, reach, (lastOccurrence - firstOccurrence) / 1e6),
        labels: labels.map(({ label }) => label),
        signs,
        measures: { ...measures, reach, coverage, significance },
      },
    };
  },
};
