import { agnes } from "ml-hclust";
import { describe, expect, it } from "vitest";
import { flowOf, repeated } from "../testing/flows.js";
import { beaconFamilies, type FamilyTraits, MOST_CLUSTERED } from "./families.js";
import { profileFlow } from "./flow-profile.js";

const size = (median: number) => ({ median, modal: median, modalShare: 1, total: median });
/** A beacon that sleeps so many minutes, with sizes and a port. */
function beacon(minutes: number, up: number | null, down: number | null, port = 443): FamilyTraits {
  const profile = profileFlow(flowOf(repeated(minutes, 20)));
  if (up === null || down === null) return { port, profile };
  return { port, profile, payload: { bytesUp: size(up), bytesDown: size(down), medianDurationSeconds: 1, connStates: [] } };
}
const idsOf = (beacons: readonly FamilyTraits[]): (number | undefined)[] =>
  beaconFamilies(beacons, agnes).memberships.map((membership) => membership?.id);

describe("beaconFamilies", () => {
  it("join beacons that behave alike, whatever the order, and leave the others alone", () => {
    const first = [beacon(5, 400, 900), beacon(5.1, 410, 880), beacon(4.95, 395, 905)];
    const second = [beacon(60, 20_000, 100, 8443), beacon(61, 21_000, 105, 8443)];
    const alone = beacon(15, 3000, 50_000, 80);
    expect(idsOf([...first, ...second, alone])).toEqual([1, 1, 1, 2, 2, undefined]);
    expect(idsOf([alone, second[0] as FamilyTraits, ...first, second[1] as FamilyTraits])).toEqual([undefined, 1, 2, 2, 2, 1]);
  });

  it("tell two beacons apart that differ, and take two that are the same for one family of height 0", () => {
    expect(idsOf([beacon(5, 400, 900), beacon(30, 9000, 10, 80)])).toEqual([undefined, undefined]);
    expect(idsOf([beacon(5, 400, 900), beacon(5, 400, 900, 80)])).toEqual([undefined, undefined]);
    // All alike but for a few percent: no spread makes that a difference.
    expect(idsOf([beacon(5, 400, 900), beacon(5.2, 410, 920), beacon(4.9, 395, 890), beacon(5.1, 404, 905)])).toEqual([1, 1, 1, 1]);
    const { memberships } = beaconFamilies([beacon(5, 400, 900), beacon(5, 400, 900)], agnes);
    expect(memberships[0]).toEqual({ id: 1, size: 2, height: 0, assigned: false });
  });

  it("do with what the logs tell, and with nothing to compare", () => {
    expect(idsOf([beacon(5, null, null), beacon(5.05, null, null), beacon(50, null, null)])).toEqual([1, 1, undefined]);
    expect(idsOf([beacon(5, 400, 900)])).toEqual([undefined]);
    expect(idsOf([])).toEqual([]);
  });

  it("cluster the first five hundred and assign the others to the nearest family", () => {
    const many = Array.from({ length: MOST_CLUSTERED }, (_, i) =>
      i % 2 ? beacon(5 + (i % 7) / 100, 400, 900) : beacon(60, 20_000, 100, 80),
    );
    const { memberships, clustered } = beaconFamilies([...many, beacon(5, 401, 899), beacon(0.1, 1, 1e9, 22)], agnes);
    expect(clustered).toBe(MOST_CLUSTERED);
    expect(memberships.at(-2)).toEqual({ ...memberships[1], assigned: true });
    expect(memberships.at(-1)).toBeUndefined();
    expect(memberships[1]?.size).toBe(MOST_CLUSTERED / 2 + 1);
  });
});
