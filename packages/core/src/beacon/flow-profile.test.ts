import { describe, expect, it } from "vitest";
import { flowOf } from "../testing/flows.js";
import { profileFlow } from "./flow-profile.js";

describe("profileFlow", () => {
  it("describes how a flow behaves in time", () => {
    const profile = profileFlow(flowOf([10, 10, 10, 90, 20]));
    expect(profile).toMatchObject({
      medianMinutes: 10,
      meanMinutes: 28,
      madMinutes: 0,
      longestGapMinutes: 90,
      longestGapStart: 30 * 60e6,
      // Minutes 0, 10, 20, 30; 120; 140.
      hoursActive: 2,
    });
    // Deviations from 28: 3 x 18, 62, 8; population variance 976.
    expect(profile.coefficientOfVariation).toBeCloseTo(Math.sqrt(976) / 28, 12);
    expect(profile.intervals).toMatchObject({ from: 10, to: 90 });
    expect(profile.intervals.counts).toHaveLength(24);
    expect(profile.timeline).toMatchObject({ from: 0, to: 140 * 60e6 });
    expect(profile.timeline.counts.filter((count) => count > 0)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("counts every clock hour with a connection once", () => {
    expect(profileFlow(flowOf([30, 31, 5, 60, 59])).hoursActive).toBe(4);
  });

  it("describes a flow whose connections all start at once", () => {
    expect(profileFlow(flowOf([0, 0]))).toEqual({
      intervals: { from: 0, to: 0, counts: [2] },
      timeline: { from: 0, to: 0, counts: [3] },
      medianMinutes: 0,
      meanMinutes: 0,
      madMinutes: 0,
      coefficientOfVariation: 0,
      longestGapMinutes: 0,
      longestGapStart: 0,
      hoursActive: 1,
    });
  });
});
