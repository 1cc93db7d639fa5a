// Connection groups: (source, destination, port, protocol) -> a number from 0 on.
//
// A large table is slow because each row lands on another page of it. So the rows of a block are taken in the order of the
// top bits of their hash, which are also the place in the table: rows that follow each other lie near each other.
import { alloc, regrow, release } from "./memory";
import { mix } from "./hash";

let bits: u32 = 12;
let slots: usize = 0; // 16 bytes: source, destination, port | protocol << 16, group + 1 (0: free); at most three quarters full
let hashes: usize = 0; // of the rows in hand
/** The rows of the last block by the bucket of their group. */
export let order: usize = 0;
/** Where each bucket ends in `order`, 32 of them. */
export let bucketEnds: usize = 0;
let capacity: u32 = 0; // rows that fit
let touched: u32 = 0;
/** Groups so far. */
export let groupCount: u32 = 0;
/** Their keys, 12 bytes a group: source, destination, port | protocol << 16. */
export let groupKeys: usize = 0;
let keyCapacity: u32 = 4096;

const KEY_BYTES: u32 = 12;
const BUCKET_BITS: u32 = 5;
const BUCKETS: u32 = 1 << BUCKET_BITS;
/** Rows whose slots are touched ahead, so that the loads overlap. */
const AHEAD: u32 = 64;

@inline
function hashOf(source: u32, destination: u32, port: u32): u32 {
  return <u32>(mix(<u64>source | (<u64>destination << 32), <u64>port) >> 32);
}

function grow(): void {
  const wider = bits + 1;
  const bytes: usize = <usize>16 << bits;
  const next = alloc((<u64>16) << wider);
  const mask: u32 = (1 << wider) - 1;
  for (let at = slots, end = slots + bytes; at < end; at += 16) {
    if (!load<u32>(at, 12)) continue;
    let i = hashOf(load<u32>(at), load<u32>(at, 4), load<u32>(at, 8)) >> (32 - wider);
    while (load<u32>(next + (<usize>i << 4), 12)) i = (i + 1) & mask;
    v128.store(next + (<usize>i << 4), v128.load(at));
  }
  release(slots, bytes);
  slots = next;
  bits = wider;
}

function addGroup(slot: usize, source: u32, destination: u32, port: u32): u32 {
  if (groupCount == keyCapacity) {
    const held = <u64>keyCapacity * <u64>KEY_BYTES;
    groupKeys = regrow(groupKeys, held, <usize>held, held * 2);
    keyCapacity <<= 1;
  }
  const key = groupKeys + <usize>groupCount * KEY_BYTES;
  store<u32>(key, source);
  store<u32>(key, destination, 4);
  store<u32>(key, port, 8);
  store<u32>(slot, source);
  store<u32>(slot, destination, 4);
  store<u32>(slot, port, 8);
  store<u32>(slot, ++groupCount, 12);
  if (groupCount * 4 > (<u32>3 << bits)) grow();
  return groupCount - 1;
}

/** Makes room for blocks of `rows` rows. */
export function groupsReserve(rows: u32): void {
  if (!slots) {
    slots = alloc((<u64>16) << bits);
    bucketEnds = alloc((BUCKETS + 1) << 2);
    groupKeys = alloc(<u64>keyCapacity * <u64>KEY_BYTES);
  }
  if (rows <= capacity) return;
  capacity = rows;
  hashes = alloc(<u64>rows << 2);
  order = alloc(<u64>rows << 2);
}

/** Orders the rows by the top bits of their hashes. */
function orderByHash(rows: u32): void {
  memory.fill(bucketEnds, 0, (BUCKETS + 1) << 2);
  for (let i: u32 = 0; i < rows; i++) {
    const bucket = bucketEnds + (<usize>(load<u32>(hashes + (<usize>i << 2)) >> (32 - BUCKET_BITS)) << 2);
    store<u32>(bucket, load<u32>(bucket, 4) + 1, 4);
  }
  for (let b: u32 = 1; b < BUCKETS; b++) {
    const at = bucketEnds + (<usize>b << 2);
    store<u32>(at, load<u32>(at) + load<u32>(at - 4));
  }
  for (let i: u32 = 0; i < rows; i++) {
    const bucket = bucketEnds + (<usize>(load<u32>(hashes + (<usize>i << 2)) >> (32 - BUCKET_BITS)) << 2);
    const place = load<u32>(bucket);
    store<u32>(bucket, place + 1);
    store<u32>(order + (<usize>place << 2), i);
  }
}

/** Writes the group of each of `rows` rows to `out`. Codes are 32 bits, ports 16 bits in 32, protocol codes below 65,536. */
export function groupRows(sources: usize, destinations: usize, ports: usize, protocols: usize, out: usize, rows: u32): void {
  if (rows > capacity) unreachable();
  for (let i: u32 = 0; i < rows; i++) {
    const at: usize = <usize>i << 2;
    const port = load<u32>(ports + at) | (load<u32>(protocols + at) << 16);
    store<u32>(hashes + at, hashOf(load<u32>(sources + at), load<u32>(destinations + at), port));
  }
  orderByHash(rows);
  for (let first: u32 = 0; first < rows; first += AHEAD) {
    const end = min<u32>(rows, first + AHEAD);
    let touch: u32 = 0;
    for (let j = first; j < end; j++) {
      const i = load<u32>(order + (<usize>j << 2));
      touch ^= load<u32>(slots + (<usize>(load<u32>(hashes + (<usize>i << 2)) >> (32 - bits)) << 4), 12);
    }
    touched ^= touch;
    for (let j = first; j < end; j++) {
      const at: usize = <usize>load<u32>(order + (<usize>j << 2)) << 2;
      const source = load<u32>(sources + at);
      const destination = load<u32>(destinations + at);
      const port = load<u32>(ports + at) | (load<u32>(protocols + at) << 16);
      const mask: u32 = (1 << bits) - 1;
      let i = load<u32>(hashes + at) >> (32 - bits);
      let group: u32 = 0;
      while (true) {
        const slot = slots + (<usize>i << 4);
        group = load<u32>(slot, 12);
        if (load<u32>(slot) == source && load<u32>(slot, 4) == destination && load<u32>(slot, 8) == port && group != 0) break;
        if (group == 0) {
          group = addGroup(slot, source, destination, port) + 1;
          break;
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
