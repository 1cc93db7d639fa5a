import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hunt } from "../hunt.js";
import { bytesOf } from "../testing/rows.js";
import { detectors } from "./registry.js";
import { type Beacon, planSearch } from "./search-flows.js";

/** A log of some beacons and some noise; the rows in the order given by `shuffle`. */
function logOf(seed: number, shiftMicros: number, shuffle: boolean): string {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const rows: { micros: number; text: string }[] = [];
  for (let host = 0; host < 6; host++) {
    const period = 60e6 * (0.5 + random() * 18);
    let micros = 1_600_000_000_000_000 + Math.floor(random() * period);
    for (let call = 0; call < 130; call++) {
      rows.push({ micros, text: `10.0.0.${host}\t${2000 + call}\t192.0.2.${host % 3}\t443\ttcp` });
      micros += Math.floor(period * (host < 3 ? 1 + (random() - 0.5) * 0.2 : random() * 2));
    }
  }
  if (shuffle) rows.sort((a, b) => (a.text < b.text ? -1 : 1));
  const seconds = (micros: number): string => `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
  const body = rows.map(({ micros, text }) => `${seconds(micros + shiftMicros)}\t${text}\n`).join("");
  return `#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n${body}`;
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** A beacon with its times moved back; the clock hours in which it was active depend on them. */
function movedBack({ profile, surroundings, ...beacon }: Beacon, shift: number): object {
  const { hoursActive: _, timeline, longestGapStart, ...figures } = profile;
  return {
    ...beacon,
    ...figures,
    surroundings: { ...surroundings, capture: surroundings?.capture.map((time) => time - shift) },
    firstOccurrence: beacon.firstOccurrence - shift,
    lastOccurrence: beacon.lastOccurrence - shift,
    longestGapStart: longestGapStart - shift,
    timeline: { counts: timeline.counts, from: timeline.from - shift, to: timeline.to - shift },
  };
}

describe.each(detectors.map((detector) => [detector.name]))("the law of every detector holds for %s", (name) => {
  const beaconsOf = async (log: string, chunkBytes: number): Promise<readonly Beacon[]> => {
    const { results } = await hunt([{ name: "conn.log", data: chunked(bytesOf(log), chunkBytes) }], { searches: [planSearch(name)] });
    return results[0]?.beacons ?? [];
  };

  it("row order, chunk boundaries, a log read twice and a shift in time change nothing but the times", async () => {
    let found = 0;
    // RITA's score is defined on whole seconds.
    const step = name === "rita" ? 1e6 : 1;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 0, max: 1e12 / step }),
        fc.integer({ min: 1, max: 5000 }),
        async (seed, steps, chunkBytes) => {
          const shift = steps * step;
          const plain = await beaconsOf(logOf(seed, 0, false), 1e6);
          found += plain.length;
          expect(await beaconsOf(logOf(seed, 0, true), chunkBytes)).toEqual(plain);
          expect(await beaconsOf(logOf(seed, 0, false) + logOf(seed, 0, true), chunkBytes)).toEqual(plain);
          const shifted = await beaconsOf(logOf(seed, shift, false), chunkBytes);
          expect(shifted.map((beacon) => movedBack(beacon, shift))).toEqual(plain.map((beacon) => movedBack(beacon, 0)));
        },
      ),
      { numRuns: 15 },
    );
    expect(found).toBeGreaterThan(0);
  });
});

it("every detector's folder is in the registry", () => {
  const folders = readdirSync(fileURLToPath(new URL(".", import.meta.url)), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  expect(detectors.map((detector) => detector.name).sort()).toEqual(folders);
});
