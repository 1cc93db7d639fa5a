// Connection groups: (source, destination, port, protocol) -> group 0, 1, 2, … in order of first sight.
import { alloc, regrow, release } from "./memory";
import { mix } from "./hash";

let bits: u32 = 12;
let slots: usize = 0; // 8 bytes: hash, group + 1; at most three quarters full
let hashes: usize = 0; // of the rows in hand
let touched: u32 = 0;
/** Groups so far. */
export let groupCount: u32 = 0;
/** Their keys, 12 bytes a group: source, destination, port | protocol << 16. */
export let groupKeys: usize = 0;
let keyCapacity: u32 = 4096;

const BLOCK: u32 = 256;
const KEY_BYTES: u32 = 12;

@inline
function hashOf(source: u32, destination: u32, port: u32): u32 {
  return <u32>(mix(<u64>source | (<u64>destination << 32), <u64>port) >> 32);
}

function grow(): void {
  const wider = bits + 1;
  const bytes: usize = <usize>8 << bits;
  const next = alloc((<u64>8) << wider);
  const mask: u32 = (1 << wider) - 1;
  for (let at = slots, end = slots + bytes; at < end; at += 8) {
    if (!load<u32>(at, 4)) continue;
    let i = load<u32>(at) >> (32 - wider);
    while (load<u32>(next + (<usize>i << 3), 4)) i = (i + 1) & mask;
    store<u64>(next + (<usize>i << 3), load<u64>(at));
  }
  release(slots, bytes);
  slots = next;
  bits = wider;
}

function addGroup(slot: usize, hash: u32, source: u32, destination: u32, port: u32): u32 {
  if (groupCount == keyCapacity) {
    const held = <u64>keyCapacity * <u64>KEY_BYTES;
    groupKeys = regrow(groupKeys, held, <usize>held, held * 2);
    keyCapacity <<= 1;
  }
  const key = groupKeys + <usize>groupCount * KEY_BYTES;
  store<u32>(key, source);
  store<u32>(key, destination, 4);
  store<u32>(key, port, 8);
  store<u32>(slot, hash);
  store<u32>(slot, ++groupCount, 4);
  if (groupCount * 4 > (<u32>3 << bits)) grow();
  return groupCount - 1;
}

/** Writes the group of each of `rows` rows to `out`. Codes are 32 bits, ports 16 bits in 32, protocol codes below 65,536. */
export function groupRows(sources: usize, destinations: usize, ports: usize, protocols: usize, out: usize, rows: u32): void {
  if (!slots) {
    slots = alloc((<u64>8) << bits);
    hashes = alloc(BLOCK << 2);
    groupKeys = alloc(<u64>keyCapacity * <u64>KEY_BYTES);
  }
  for (let first: u32 = 0; first < rows; first += BLOCK) {
    const n = min<u32>(BLOCK, rows - first);
    // Hash a block ahead and touch its slots: the loads overlap, and the probes below find them in the cache.
    let touch: u32 = 0;
    for (let j: u32 = 0; j < n; j++) {
      const at: usize = <usize>(first + j) << 2;
      const h = hashOf(load<u32>(sources + at), load<u32>(destinations + at), load<u32>(ports + at) | (load<u32>(protocols + at) << 16));
      store<u32>(hashes + (<usize>j << 2), h);
      touch ^= load<u32>(slots + (<usize>(h >> (32 - bits)) << 3));
    }
    touched ^= touch;
    for (let j: u32 = 0; j < n; j++) {
      const at: usize = <usize>(first + j) << 2;
      const source = load<u32>(sources + at);
      const destination = load<u32>(destinations + at);
      const port = load<u32>(ports + at) | (load<u32>(protocols + at) << 16);
      const hash = load<u32>(hashes + (<usize>j << 2));
      const mask: u32 = (1 << bits) - 1;
      let i = hash >> (32 - bits);
      let group: u32 = 0;
      while (true) {
        const slot = slots + (<usize>i << 3);
        group = load<u32>(slot, 4);
        if (group == 0) {
          group = addGroup(slot, hash, source, destination, port) + 1;
          break;
        }
        if (load<u32>(slot) == hash) {
          const key = groupKeys + <usize>(group - 1) * KEY_BYTES;
          if (load<u32>(key) == source && load<u32>(key, 4) == destination && load<u32>(key, 8) == port) break;
        }
        i = (i + 1) & mask;
      }
      store<u32>(out + at, group - 1);
    }
  }
}

export function groupsTouched(): u32 {
  return touched;
}
