// Linear memory: a bump allocator with a short list of blocks to use again, no garbage collector, no imports.

let top: usize = 0;

const FREE_BLOCKS: u32 = 64;
let freeBlocks: usize = 0; // {address, bytes} pairs; bytes 0: no block

/** Takes a released block that fits without wasting more than it is used; 0 when there is none. */
function reuse(bytes: u64): usize {
  if (!freeBlocks) return 0;
  let best: usize = 0;
  let bestBytes: u32 = 0;
  for (let i: u32 = 0; i < FREE_BLOCKS; i++) {
    const block = freeBlocks + <usize>(i << 3);
    const room = load<u32>(block, 4);
    if (<u64>room >= bytes && <u64>room <= 2 * bytes && (!best || room < bestBytes)) {
      best = block;
      bestBytes = room;
    }
  }
  if (!best) return 0;
  store<u32>(best, 0, 4);
  const start: usize = load<u32>(best);
  memory.fill(start, 0, <usize>bytes);
  return start;
}

/** Reserves `bytes`, zeroed and 64-byte aligned. Growing detaches the host's views; traps past the 4 GiB of one instance. */
export function alloc(bytes: u64): usize {
  const again = reuse(bytes);
  if (again) return again;
  if (!top) top = (__heap_base + 63) & ~63;
  const start = top;
  const end: u64 = (<u64>start + bytes + 63) & ~63;
  if (end > 0xffff0000) unreachable();
  const pagesNeeded = <i32>((end + 65535) >> 16);
  const pages = memory.size();
  if (pagesNeeded > pages && memory.grow(pagesNeeded - pages) < 0) unreachable();
  top = <usize>end;
  return start;
}

/** Gives a block back for a later `alloc`; a block too many is forgotten. */
export function release(start: usize, bytes: u64): void {
  if (!freeBlocks) freeBlocks = alloc(FREE_BLOCKS << 3);
  for (let i: u32 = 0; i < FREE_BLOCKS; i++) {
    const block = freeBlocks + <usize>(i << 3);
    if (load<u32>(block, 4)) continue;
    store<u32>(block, <u32>start);
    store<u32>(block, <u32>bytes, 4);
    return;
  }
}

/** Moves a structure of `used` bytes to a block of `wanted` bytes. */
export function regrow(start: usize, bytes: u64, used: usize, wanted: u64): usize {
  const next = alloc(wanted);
  memory.copy(next, start, used);
  release(start, bytes);
  return next;
}

/** A growable array of fixed-size records: {data, count, capacity, record bytes}, each u32. */
export function listNew(recordBytes: u32, capacity: u32): usize {
  const list = alloc(16);
  store<u32>(list, <u32>alloc(<u64>recordBytes * <u64>capacity));
  store<u32>(list, 0, 4);
  store<u32>(list, capacity, 8);
  store<u32>(list, recordBytes, 12);
  return list;
}

/** Appends an uninitialised record and returns its address. */
export function listPush(list: usize): usize {
  const count = load<u32>(list, 4);
  const bytes = load<u32>(list, 12);
  if (count == load<u32>(list, 8)) {
    const held = <u64>count * <u64>bytes;
    store<u32>(list, <u32>regrow(load<u32>(list), held, <usize>held, held * 2));
    store<u32>(list, count * 2, 8);
  }
  store<u32>(list, count + 1, 4);
  return <usize>load<u32>(list) + <usize>count * <usize>bytes;
}
