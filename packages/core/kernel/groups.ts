// Connection groups: (source, destination, port, protocol) -> group 0, 1, 2, … in order of first sight.
import { alloc } from "./memory";
import { mix } from "./hash";

let bits: u32 = 12;
let slots: usize = 0; // 16 bytes: source, destination, port | protocol << 16, group + 1
let hashes: usize = 0; // of the 256 rows in hand
let touched: u32 = 0;
/** Groups so far. */
export let groupCount: u32 = 0;
/** Their keys, 16 bytes a group: source, destination, port | protocol << 16, rows. */
export let groupKeys: usize = 0;
let keyCapacity: u32 = 0;

const BLOCK: u32 = 256;

@inline
function hashOf(source: u32, destination: u32, port: u32): u32 {
  return <u32>(mix(<u64>source | (<u64>destination << 32), <u64>port) >> 32);
}

function grow(): void {
  const wider = bits + 1;
  const next = alloc((<u64>16) << wider);
  const mask: u32 = (1 << wider) - 1;
  for (let at: usize = slots, end: usize = slots + (<usize>16 << bits); at < end; at += 16) {
    if (!load<u32>(at, 12)) continue;
    let i = hashOf(load<u32>(at), load<u32>(at, 4), load<u32>(at, 8)) >> (32 - wider);
    while (load<u32>(next + (<usize>i << 4), 12)) i = (i + 1) & mask;
    v128.store(next + (<usize>i << 4), v128.load(at));
  }
  slots = next;
  bits = wider;
}

function growKeys(): void {
  const capacity = keyCapacity ? keyCapacity << 1 : 4096;
  const keys = alloc(<u64>capacity << 4);
  memory.copy(keys, groupKeys, <usize>groupCount << 4);
  groupKeys = keys;
  keyCapacity = capacity;
}

/** Writes the group of each of `rows` rows to `out`. Codes are 32 bits, ports 16 bits in 32, protocol codes below 65,536 (0xffffffff: none). */
export function groupRows(sources: usize, destinations: usize, ports: usize, protocols: usize, out: usize, rows: u32): void {
  if (!slots) {
    slots = alloc((<u64>16) << bits);
    hashes = alloc(BLOCK << 2);
    growKeys();
  }
  for (let first: u32 = 0; first < rows; first += BLOCK) {
    const n = min<u32>(BLOCK, rows - first);
    // Hash a block ahead and touch its slots: the loads overlap, and the probes below find them in the cache.
    let touch: u32 = 0;
    for (let j: u32 = 0; j < n; j++) {
      const at: usize = <usize>(first + j) << 2;
      const h = hashOf(load<u32>(sources + at), load<u32>(destinations + at), load<u32>(ports + at) | (load<u32>(protocols + at) << 16));
      store<u32>(hashes + (<usize>j << 2), h);
      touch ^= load<u32>(slots + (<usize>(h >> (32 - bits)) << 4));
    }
    touched ^= touch;
    for (let j: u32 = 0; j < n; j++) {
      const at: usize = <usize>(first + j) << 2;
      const source = load<u32>(sources + at);
      const destination = load<u32>(destinations + at);
      const port = load<u32>(ports + at) | (load<u32>(protocols + at) << 16);
      const mask: u32 = (1 << bits) - 1;
      let i = load<u32>(hashes + (<usize>j << 2)) >> (32 - bits);
      let group: u32 = 0;
      while (true) {
        const slot = slots + (<usize>i << 4);
        group = load<u32>(slot, 12);
        if (group == 0) {
          if (groupCount == keyCapacity) growKeys();
          const key = groupKeys + (<usize>groupCount << 4);
          store<u32>(key, source);
          store<u32>(key, destination, 4);
          store<u32>(key, port, 8);
          store<u32>(key, 0, 12);
          group = ++groupCount;
          store<u32>(slot, source);
          store<u32>(slot, destination, 4);
          store<u32>(slot, port, 8);
          store<u32>(slot, group, 12);
          if (groupCount * 2 > mask) grow();
          break;
        }
        if (load<u32>(slot) == source && load<u32>(slot, 4) == destination && load<u32>(slot, 8) == port) break;
        i = (i + 1) & mask;
      }
      group--;
      store<u32>(out + at, group);
      const counter: usize = groupKeys + (<usize>group << 4) + 12;
      store<u32>(counter, load<u32>(counter) + 1);
    }
  }
}

export function groupsTouched(): u32 {
  return touched;
}
