import type { TextColumn } from "../zeek/dictionary.js";
import type { GroupKeys } from "../zeek/log-reader.js";

/**
 * The connection groups that one reader found, by partition. Plain typed arrays: it can be posted to another thread, or
 * lie in shared memory and be read by several. Groups of a partition stand together, and so do their rows.
 */
export interface FlowShard {
  /** Texts of the address codes. */
  readonly addresses: TextColumn;
  /** Texts of the protocol codes. */
  readonly protocols: TextColumn;
  /** The groups in partition order. */
  readonly keys: GroupKeys;
  /** Groups of partition p: `partitions[p] .. partitions[p + 1]`. */
  readonly partitions: Uint32Array;
  /** Rows of group g: `starts[g] .. starts[g + 1]`. */
  readonly starts: Uint32Array;
  /** Start times in microseconds, in the order read within a group; length = rows. */
  readonly times: Float64Array;
  /** `id.orig_p` of each row; -1: unset. */
  readonly originPorts: Int32Array;
}

/** Allocates zeroed memory of so many bytes; a runtime with threads hands out shared memory. */
export type Allocate = (bytes: number) => ArrayBufferLike;
