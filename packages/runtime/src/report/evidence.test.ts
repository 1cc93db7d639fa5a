import { type Beacon, hunt, planSearch } from "@heliograph/core";
import { describe, expect, it } from "vitest";
import { evidenceFrom, evidenceOf } from "./evidence.js";

describe("evidence", () => {
  it("comes back from what is kept as it was", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${1_700_000_000 + i * 600 + (i % 3)}.000001\t10.0.0.1\t${i}\t192.0.2.1\t443\ttcp`);
    const log = `#path\tconn\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n${rows.join("\n")}\n`;
    const { results } = await hunt([{ name: "conn.log", data: new TextEncoder().encode(log) }], { searches: [planSearch("quick")] });
    const [beacon] = results[0]?.beacons ?? [];
    const full: Beacon = {
      ...(beacon as Beacon),
      family: { id: 1, size: 2, height: 0.1, assigned: false },
      payload: { bytesUp: null, bytesDown: null, medianDurationSeconds: 1, connStates: [{ state: "SF", share: 1 }] },
    };
    for (const one of [beacon as Beacon, full]) {
      const { evidence, names, prevalence, modes, profile, payload, family } = one;
      const kept = JSON.parse(JSON.stringify(evidenceOf(one))) as object;
      expect(evidenceFrom(kept)).toEqual({
        evidence,
        names,
        prevalence,
        modes,
        profile,
        ...(payload && { payload }),
        ...(family && { family }),
      });
    }
  });
});
