// Linear memory: one bump allocator, no garbage collector, no imports. Nothing is freed: every structure that
// grows doubles, so what is left behind is at most as large as what is in use.

let top: usize = 0;

/** Reserves `bytes` (64-byte aligned). Growing detaches the host's views; traps past the 4 GiB of one instance. */
export function alloc(bytes: u64): usize {
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

/** A growable array of fixed-size records: {data, count, capacity}, each u32. */
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
    const data = alloc(<u64>count * 2 * <u64>bytes);
    memory.copy(data, load<u32>(list), <usize>count * bytes);
    store<u32>(list, <u32>data);
    store<u32>(list, count * 2, 8);
  }
  store<u32>(list, count + 1, 4);
  return <usize>load<u32>(list) + <usize>count * <usize>bytes;
}
