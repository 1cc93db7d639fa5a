import { type Beacon, type Evidence, type FlowProfile, formatTime, type Histogram, type IntervalMode, parseTime } from "@heliograph/core";

/** A flow's behaviour in time, as JSON shows it. */
export function profileObject({ intervals, timeline, ...figures }: FlowProfile): ProfileObject {
  return {
    intervalMinutes: intervals,
    timeline: { from: formatTime(timeline.from), to: formatTime(timeline.to), counts: timeline.counts },
    all: { ...figures, longestGapStart: formatTime(figures.longestGapStart) },
  };
}

interface ProfileObject {
  readonly intervalMinutes: Histogram;
  readonly timeline: { readonly from: string; readonly to: string; readonly counts: readonly number[] };
  readonly all: Omit<FlowProfile, "intervals" | "timeline" | "longestGapStart"> & { readonly longestGapStart: string };
}

/** A beacon's evidence, as JSON shows it and the store keeps it. */
export function evidenceOf({ evidence, names, prevalence, modes, profile, payload, family }: Beacon): object {
  return { ...evidence, names, prevalence, modes, ...profileObject(profile), ...(payload && { payload }), ...(family && { family }) };
}

/** What `evidenceOf` was made from. */
export function evidenceFrom(kept: object): Pick<Beacon, "evidence" | "names" | "prevalence" | "modes" | "profile" | "payload" | "family"> {
  const { names, prevalence, modes, intervalMinutes, timeline, all, payload, family, ...evidence } = kept as ProfileObject &
    Pick<Beacon, "names" | "prevalence" | "payload" | "family"> & { modes: readonly IntervalMode[] };
  const micros = (text: string): number => parseTime(text);
  return {
    evidence: evidence as Evidence,
    names,
    prevalence,
    modes,
    profile: {
      ...all,
      longestGapStart: micros(all.longestGapStart),
      intervals: intervalMinutes,
      timeline: { from: micros(timeline.from), to: micros(timeline.to), counts: timeline.counts },
    },
    ...(payload && { payload }),
    ...(family && { family }),
  };
}
