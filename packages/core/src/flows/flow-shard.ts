import { MapDictionary, type TextColumn } from "../zeek/dictionary.js";

// Connections lie in memory as records of six 32-bit words, or of ten where a search asks what they carry:
//   0, 1  start time in microseconds, a float64
//   2, 3  address codes of source and destination
//   4     port | protocol code << 16
//   5     origin port, -1: unset
//   6-9   bytes up, bytes down, bytes of IP packets up, connection state | service << 8: see `carried.ts`
// Records are filed by bucket. A bucket's groups are few enough for the processor's caches, the groups of two buckets have
// nothing in common, and every reader files a group under the same bucket: so threads read apart and then search apart.

/** Words of a record that tells when, who and where. */
export const BARE_WORDS = 6;
/** Words that tell what it carries. */
export const CARRIED_WORDS = 4;
/** The word of the origin port. */
export const ORIGIN_PORT_WORD = 5;
/** Buckets of connections. */
export const BUCKETS = 128;
/** Records of a bucket that stand together. */
export const SEGMENT_ROWS = 1024;
/** Segments in one allocation. */
export const SLAB_SEGMENTS = 64;

/**
 * The connections that one reader found, by bucket. Plain data: it can be posted to another thread, and its slabs may
 * lie in shared memory.
 */
export interface FlowShard {
  /** Texts of the addresses that are no dotted quad; see `addressText`. */
  readonly addresses: TextColumn;
  /** Texts of the protocol codes. */
  readonly protocols: TextColumn;
  /** Words of a record. */
  readonly recordWords: number;
  /** Memory of `SLAB_SEGMENTS` segments each. */
  readonly slabs: readonly ArrayBufferLike[];
  /** Records of each bucket; length = `BUCKETS`. */
  readonly rows: Uint32Array;
  /** The segments of each bucket, all but the last full; length = `BUCKETS`. */
  readonly segments: readonly (readonly number[])[];
}

/** Allocates zeroed memory of so many bytes; a runtime with threads hands out shared memory. */
export type Allocate = (bytes: number) => ArrayBufferLike;

/** Shards whose codes are made to agree. */
export interface JoinedFlows {
  readonly shards: readonly FlowShard[];
  /** For each shard the joint places of its addresses that are no dotted quad, … */
  readonly addressPlaces: readonly (Int32Array | undefined)[];
  /** … and the joint codes of its protocols. Both undefined for a shard whose own ones hold. */
  readonly protocolCodes: readonly (Int32Array | undefined)[];
  /** Texts of the joint places. */
  readonly addresses: TextColumn;
  readonly protocols: TextColumn;
}

/** Makes shards ready to be visited together. Costs as much as they have distinct addresses that are no dotted quads. */
export function joinShards(shards: readonly FlowShard[]): JoinedFlows {
  const [only] = shards;
  if (only && shards.length === 1) {
    return { shards, addressPlaces: [undefined], protocolCodes: [undefined], addresses: only.addresses, protocols: only.protocols };
  }
  const addresses = new MapDictionary();
  const protocols = new MapDictionary();
  const places = shards.map((shard) => addresses.encodeAll(shard.addresses));
  const codes = shards.map((shard) => protocols.encodeAll(shard.protocols));
  const same = shards.map((_, s) => [places[s], codes[s]].every((table) => table?.every((code, own) => code === own)));
  return {
    shards,
    addressPlaces: places.map((table, s) => (same[s] ? undefined : table)),
    protocolCodes: codes.map((table, s) => (same[s] ? undefined : table)),
    addresses: addresses.toText(),
    protocols: protocols.toText(),
  };
}
