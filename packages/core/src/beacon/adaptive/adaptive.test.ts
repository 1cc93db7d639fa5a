import { describe, expect, it } from "vitest";
import { type Carried, CONN_SERVICES, CONN_STATES } from "../../flows/carried.js";
import { flowOf, repeated } from "../../testing/flows.js";
import { exponential, randomFrom } from "../../testing/random.js";
import type { ExplainedStep, Surroundings, Verdict } from "../detector.js";
import { detectorNamed } from "../registry.js";
import { planSearch } from "../search-flows.js";
import { WEIGHTS, weighted } from "./weights.js";

const adaptive = detectorNamed("adaptive");

/** What connections carry: the same each time. */
function carriedOf(connections: number, { bytes = 404, state = "SF", service = "http" } = {}): Carried {
  const all = (value: number): Float64Array => new Float64Array(connections).fill(value);
  return {
    bytesUp: all(bytes),
    bytesDown: all(bytes),
    ipBytesUp: all(bytes + 80),
    states: new Uint8Array(connections).fill(CONN_STATES.indexOf(state as "SF")),
    services: new Uint8Array(connections).fill(CONN_SERVICES.indexOf(service as "http")),
  };
}

const DAY = 86_400e6;
const OUTBOUND: Surroundings = {
  prevalence: 1,
  internalHosts: 2000,
  destinations: 30,
  direction: "outbound",
  groupsTested: 20_000,
  capture: [0, DAY],
};

/** What the search says of gaps in minutes in some surroundings; undefined: no beacon. */
function judged(
  minutes: readonly number[],
  {
    parameters = {},
    surroundings = {},
    carried = carriedOf(minutes.length + 1),
    names = [] as readonly string[],
    port = 443,
    protocol = "tcp",
  } = {},
): Verdict | undefined {
  const flow = { ...flowOf(minutes), carried };
  const search = planSearch("adaptive", parameters);
  const verdict = adaptive.detect(flow, search.parameters);
  if (!verdict) return undefined;
  const { times } = flow;
  const candidate = {
    ...verdict,
    port,
    protocol,
    names,
    connectionCount: times.length,
    firstOccurrence: times[0] ?? 0,
    lastOccurrence: times.at(-1) ?? 0,
  };
  return adaptive.settle?.(candidate, { ...OUTBOUND, ...surroundings }, search.parameters);
}

const labelsOf = (verdict: Verdict | undefined): unknown => verdict?.evidence["labels"];

describe("adaptive", () => {
  it.each([0.5, 5, 60, 3600, 43_200])("finds a beacon that sleeps %d s, whatever its jitter up to a half, without tuning", (seconds) => {
    for (const [jitter, seed] of [
      [0, 1],
      [0.1, 2],
      [0.3, 3],
      [0.5, 4],
    ] as const) {
      const random = randomFrom(seed);
      const gaps = Array.from({ length: 60 }, () => (seconds / 60) * (1 + jitter * (2 * random() - 1)));
      const length = gaps.reduce((sum, gap) => sum + gap, 0) * 60e6;
      expect(judged(gaps, { surroundings: { capture: [0, length] } })?.score).toBeGreaterThan(jitter > 0.4 ? 75 : 90);
    }
  });

  it("finds one that misses calls, works by day, has two sleeps, drifts, or calls with many connections", () => {
    const random = randomFrom(5);
    const jittered = (minutes: number): number => minutes * (0.95 + 0.1 * random());
    const missed = Array.from({ length: 150 }, () => (random() < 0.3 ? jittered(5) + jittered(5) : jittered(5)));
    const days = Array.from({ length: 3 }, () => [...Array.from({ length: 90 }, () => jittered(5)), 990]).flat();
    const modes = Array.from({ length: 120 }, (_, i) => jittered(Math.floor(i / 10) % 2 ? 1 : 10));
    const drift = Array.from({ length: 120 }, (_, i) => jittered(4 * 1.8 ** (i / 120)));
    const bursts = Array.from({ length: 60 }, () => [0.01, 0.01, 0.01, jittered(10)]).flat();
    const scores = [missed, days, modes, drift, bursts].map(
      (gaps) => judged(gaps, { surroundings: { capture: [0, 3 * DAY] } })?.score ?? 0,
    );
    for (const score of scores) expect(score).toBeGreaterThan(70);
  });

  it("takes calls at random for no beacon, however many", () => {
    const random = randomFrom(6);
    for (const calls of [20, 200, 5000]) {
      for (let run = 0; run < 20; run++) expect(judged(Array.from({ length: calls }, () => exponential(random, 3)))).toBeUndefined();
    }
  });

  it("says in a sentence what a beacon does", () => {
    const random = randomFrom(7);
    const gaps = Array.from({ length: 288 }, () => 5 * (0.67 + 0.66 * random()));
    expect(judged(gaps)?.evidence["summary"]).toMatch(
      /^calls every (29\d|30\d) s ± 3\d%, 289 of 289 expected calls over 2\d(\.\d)? h, 404 bytes up each time, only host to talk to it$/,
    );
    const nights = [...repeated(10, 60), 840, ...repeated(10, 60)];
    expect(judged(nights, { surroundings: { prevalence: 3 } })?.evidence["summary"]).toBe(
      "calls every 10 min, 122 of 122 expected calls while active, over 34 h with 1 break, 404 bytes up each time, 3 hosts talk to it",
    );
    const missed = Array.from({ length: 80 }, (_, i) => (i % 3 === 0 ? 20 : 10));
    expect(judged(missed)?.evidence["summary"]).toMatch(
      /^calls every 10 min, 81 of 108 expected calls over 17.8 h, on time whenever it calls \(10 min\)/,
    );
  });

  it("labels what is likely harmless and ranks it below, and leaves nothing out", () => {
    const beacon = repeated(5, 200);
    const all = beacon.length + 1;
    const alone = judged(beacon);
    expect([labelsOf(alone), alone?.evidence["severity"]]).toEqual([[], "critical"]);
    const labelled = [
      judged(beacon, { port: 123, protocol: "udp" }),
      judged(beacon, { port: 53, protocol: "udp", carried: carriedOf(all, { service: "dns" }) }),
      judged(beacon, { names: ["fe2.update.microsoft.com"] }),
      judged(beacon, { surroundings: { direction: "inbound" } }),
      judged(beacon, { carried: carriedOf(all, { state: "S0", bytes: 0 }) }),
      judged(beacon, { carried: carriedOf(all, { state: "REJ", bytes: 0 }), surroundings: { destinations: 5000 } }),
    ];
    expect(labelled.map(labelsOf)).toEqual([
      ["time (NTP)"],
      ["DNS"],
      ["software updates"],
      ["comes from outside"],
      ["never answered"],
      ["scan: its source tries 5000 destinations", "never answered"],
    ]);
    for (const verdict of labelled) {
      expect(verdict?.score).toBeGreaterThan(0);
      expect(verdict?.score).toBeLessThan(51);
    }
  });

  it("does not believe a port: what Zeek does not recognise as DNS is none", () => {
    expect(labelsOf(judged(repeated(5, 200), { port: 53, protocol: "udp", carried: carriedOf(201, { service: "" }) }))).toEqual([]);
  });

  it("takes services from the user, and lets a known one be replaced", () => {
    const beacon = repeated(5, 200);
    const services = [{ label: "backup", ports: ["9102/tcp"], names: ["*.backup.example"] }, { label: "time (NTP)" }];
    expect(labelsOf(judged(beacon, { port: 9102, parameters: { services } }))).toEqual(["backup"]);
    expect(labelsOf(judged(beacon, { names: ["a.backup.example"], parameters: { services } }))).toEqual(["backup"]);
    expect(labelsOf(judged(beacon, { port: 123, protocol: "udp", parameters: { services } }))).toEqual([]);
  });

  it("ranks what many hosts do below what one does", () => {
    const scores = [1, 3, 20, 400].map((prevalence) => judged(repeated(5, 200), { surroundings: { prevalence } })?.score ?? 0);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores[0]).toBeGreaterThan(95);
    expect(scores[3]).toBeLessThan(50);
  });

  it("does without what the log does not tell", () => {
    const flow = flowOf(repeated(5, 50));
    const verdict = adaptive.detect(flow, planSearch("adaptive").parameters);
    expect(verdict?.score).toBe(100);
    expect(verdict?.evidence["signs"]).toMatchObject({ sizes: Number.NaN });
  });

  it("goes by weights and limits that a user gives", () => {
    const beacon = [...repeated(5, 30), 60, ...repeated(5, 30)];
    const carried = { ...carriedOf(62), bytesUp: Float64Array.from({ length: 62 }, (_, i) => 2 ** (i % 30)) };
    const score = (parameters: object): number => judged(beacon, { parameters, carried })?.score ?? 0;
    expect(score({ weights: { sizes: 5 } })).toBeLessThan(score({}));
    expect(score({ weights: { sizes: 0 } })).toBeGreaterThan(score({}));
    expect(judged(beacon, { parameters: { min_calls: 63 } })).toBeUndefined();
    expect(judged(beacon, { parameters: { min_score: 100 } })).toBeUndefined();
  });

  it("explains itself up to the step that fails", () => {
    const steps: ExplainedStep[] = [];
    const explain = (step: ExplainedStep): number => steps.push(step);
    adaptive.detect(flowOf(repeated(5, 30)), planSearch("adaptive").parameters, explain);
    expect(steps.map(({ step }) => step).slice(0, 3)).toEqual([
      "calls",
      "crowding of the gaps: orders of magnitude beyond chance",
      "sign: rhythm",
    ]);
    expect(steps.at(-1)).toMatchObject({ step: "score before the surroundings", passed: true });
    steps.length = 0;
    const random = randomFrom(8);
    adaptive.detect(flowOf(Array.from({ length: 30 }, () => exponential(random, 5))), planSearch("adaptive").parameters, explain);
    expect(steps.at(-1)).toMatchObject({ step: "crowding of the gaps: orders of magnitude beyond chance", passed: false });
  });
});

describe("weighted", () => {
  it("is the geometric mean of the signs that are known", () => {
    expect(weighted({ rhythm: 0.25, persistence: 1 }, { rhythm: 1, persistence: 1 })).toBeCloseTo(0.5, 12);
    expect(weighted({ rhythm: 0.25, sizes: Number.NaN }, { rhythm: 1, sizes: 1 })).toBeCloseTo(0.25, 12);
    expect(weighted({ rhythm: 0 }, { rhythm: 1 })).toBeCloseTo(0.02, 12);
    expect(weighted({}, WEIGHTS)).toBe(0);
  });
});
