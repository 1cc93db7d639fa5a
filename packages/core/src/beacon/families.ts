import { standardDeviation } from "simple-statistics";
import type { PayloadProfile } from "../flows/payload.js";
import type { Beacon } from "./search-flows.js";

/** The family of a beacon: others that behave like it, maybe of other hosts. */
export interface FamilyMembership {
  /** From 1 on, the family of the highest-scored beacon first. */
  readonly id: number;
  /** Beacons of the family. */
  readonly size: number;
  /** Height of the dendrogram at which the family is joined: the mean difference of its last two branches; 0: all alike. */
  readonly height: number;
  /** The beacon was not clustered but assigned to the nearest family. */
  readonly assigned: boolean;
}

/** Families found. */
export interface Families {
  /** For each beacon its family; undefined: it is like no other. */
  readonly memberships: readonly (FamilyMembership | undefined)[];
  /** Beacons that were clustered; the others were assigned to a family or left alone. */
  readonly clustered: number;
}

/** ml-hclust takes longer to load than most hunts need: it is loaded when families are asked for. */
export type Agnes = typeof import("ml-hclust").agnes;

/** What a beacon is compared by. */
export type FamilyTraits = Pick<Beacon, "port" | "profile"> & { readonly payload?: PayloadProfile | undefined };

/** Beacons clustered at most: the cost grows with the cube of their number. */
export const MOST_CLUSTERED = 500;
/** A branch joins a family up to this height. Beacons of one implant differ by 0.1 and less, unlike ones by 0.5 and more. */
const JOIN_HEIGHT = 0.25;
/** A feature's spread counts as at least this much, so that noise among all alike is no difference: 28 % of a length or size, … */
const LEAST_LOG_SPREAD = 0.25;
/** … and 0.1 of the coefficient of variation. */
const LEAST_JITTER_SPREAD = 0.1;
/** Another port is as much of a difference as one standard deviation of a feature. */
const PORT_DIFFERENCE = 1;

/** Logarithms of interval, bytes up and down and duration, and the jitter; NaN: the log does not tell. */
function featuresOf({ profile, payload }: FamilyTraits): number[] {
  const log = (value: number | null | undefined): number => (value === null || value === undefined ? Number.NaN : Math.log1p(value));
  return [
    Math.log(Math.max(profile.medianMinutes, 1e-6)),
    profile.coefficientOfVariation,
    log(payload?.bytesUp?.median),
    log(payload?.bytesDown?.median),
    log(payload?.medianDurationSeconds),
  ];
}

const JITTER = 1;

/** The features of each beacon by their standard deviation over all of them. */
function standardised(rows: readonly number[][]): number[][] {
  const spreads = (rows[0] ?? []).map((_, feature) => {
    const known = rows.map((row) => row[feature] ?? Number.NaN).filter((value) => !Number.isNaN(value));
    const least = feature === JITTER ? LEAST_JITTER_SPREAD : LEAST_LOG_SPREAD;
    return known.length === 0 ? least : Math.max(least, standardDeviation(known));
  });
  return rows.map((row) => row.map((value, feature) => value / (spreads[feature] ?? 1)));
}

/** Root mean square of the differences in the features that both have, and the port. */
function difference(a: readonly number[], b: readonly number[], samePort: boolean): number {
  let sum = samePort ? 0 : PORT_DIFFERENCE;
  let known = 1;
  for (let feature = 0; feature < a.length; feature++) {
    const d = (a[feature] ?? Number.NaN) - (b[feature] ?? Number.NaN);
    if (Number.isNaN(d)) continue;
    sum += d * d;
    known++;
  }
  return Math.sqrt(sum / known);
}

/**
 * Finds beacons that behave alike: average linkage on their standardised interval, jitter, bytes up and down, duration and
 * port. The first 500, which should be the highest-scored, are clustered; each other one is assigned to the family whose members it
 * differs from least, if that is little enough.
 * @see Kaufman, Rousseeuw: Finding Groups in Data (1990), AGNES
 */
export function beaconFamilies(beacons: readonly FamilyTraits[], agnes: Agnes): Families {
  const features = standardised(beacons.map(featuresOf));
  const between = (i: number, j: number): number => difference(features[i] ?? [], features[j] ?? [], beacons[i]?.port === beacons[j]?.port);
  const clustered = Math.min(beacons.length, MOST_CLUSTERED);
  const families: { height: number; members: number[]; assigned: number[] }[] = [];
  if (clustered > 1) {
    const distances = Array.from({ length: clustered }, (_, i) => Array.from({ length: clustered }, (_, j) => between(i, j)));
    for (const branch of agnes(distances, { method: "average", isDistanceMatrix: true }).cut(JOIN_HEIGHT)) {
      const members = branch.indices().sort((a, b) => a - b);
      if (members.length > 1) families.push({ height: branch.height, members, assigned: [] });
    }
  }
  families.sort((a, b) => (a.members[0] ?? 0) - (b.members[0] ?? 0));
  for (let beacon = clustered; beacon < beacons.length; beacon++) {
    let nearest: (typeof families)[number] | undefined;
    let least = JOIN_HEIGHT;
    for (const family of families) {
      const mean = family.members.reduce((sum, member) => sum + between(beacon, member), 0) / family.members.length;
      if (mean <= least) {
        least = mean;
        nearest = family;
      }
    }
    nearest?.assigned.push(beacon);
  }
  const memberships = new Array<FamilyMembership | undefined>(beacons.length).fill(undefined);
  families.forEach(({ height, members, assigned }, index) => {
    const family = { id: index + 1, size: members.length + assigned.length, height };
    for (const member of members) memberships[member] = { ...family, assigned: false };
    for (const member of assigned) memberships[member] = { ...family, assigned: true };
  });
  return { memberships, clustered };
}
