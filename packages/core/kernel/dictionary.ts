// A byte-text dictionary: text -> code 0, 1, 2, … in order of first sight. Open addressing, load at most one half.
//
// slot (32 bytes): 0 first 16 bytes of the text, zero padded; 16 code + 1 (0: free); 20 length; 24 arena offset; 28 hash
// header (u32 each): 0 count; 4 bits; 8 slots; 12 arena; 16 arena used; 20 arena capacity; 24 offsets; 28 offsets capacity
// offsets: count + 1 positions in the arena, so that arena and offsets are an Arrow Utf8 vector as they stand.
import { alloc } from "./memory";
import { hashTail, mix } from "./hash";

// 16 times 0xff, then 16 times 0: loading at 16 - n gives a mask of the first n bytes.
export const PREFIX_MASK: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
], 16);

/** A new dictionary with room for 2^(bits - 1) texts before it grows. */
export function dictionaryNew(bits: u32): usize {
  const d = alloc(64);
  store<u32>(d, 0);
  store<u32>(d, bits, 4);
  store<u32>(d, <u32>alloc((<u64>32) << bits), 8);
  store<u32>(d, <u32>alloc((<u64>8) << bits), 12);
  store<u32>(d, 0, 16);
  store<u32>(d, 8 << bits, 20);
  store<u32>(d, <u32>alloc((<u64>4) << bits), 24);
  store<u32>(d, 1 << bits, 28);
  return d;
}

function growSlots(d: usize): void {
  const bits = load<u32>(d, 4) + 1;
  const old = load<u32>(d, 8);
  const slots = alloc((<u64>32) << bits);
  const mask: u32 = (1 << bits) - 1;
  for (let at: usize = old, end: usize = <usize>old + (<usize>32 << (bits - 1)); at < end; at += 32) {
    if (!load<u32>(at, 16)) continue;
    let i = load<u32>(at, 28) >> (32 - bits);
    while (load<u32>(slots + (<usize>i << 5), 16)) i = (i + 1) & mask;
    memory.copy(slots + (<usize>i << 5), at, 32);
  }
  store<u32>(d, bits, 4);
  store<u32>(d, <u32>slots, 8);
}

function insert(d: usize, slot: usize, key: v128, hash: u32, text: usize, length: u32): u32 {
  const code = load<u32>(d);
  if (code + 2 > load<u32>(d, 28)) {
    const capacity = load<u32>(d, 28) << 1;
    const offsets = alloc(<u64>capacity << 2);
    memory.copy(offsets, load<u32>(d, 24), (<usize>code + 1) << 2);
    store<u32>(d, <u32>offsets, 24);
    store<u32>(d, capacity, 28);
  }
  const used = load<u32>(d, 16);
  const capacity = load<u32>(d, 20);
  if (<u64>used + <u64>length + 16 > <u64>capacity) {
    const wanted: u64 = max(<u64>capacity << 1, <u64>used + <u64>length + 16);
    const arena = alloc(wanted);
    memory.copy(arena, load<u32>(d, 12), used);
    store<u32>(d, <u32>arena, 12);
    store<u32>(d, <u32>wanted, 20);
  }
  memory.copy(load<u32>(d, 12) + used, text, length);
  store<u32>(d, used + length, 16);
  const offset: usize = <usize>load<u32>(d, 24) + (<usize>code << 2);
  store<u32>(offset, used);
  store<u32>(offset, used + length, 4);
  v128.store(slot, key);
  store<u32>(slot, code + 1, 16);
  store<u32>(slot, length, 20);
  store<u32>(slot, used, 24);
  store<u32>(slot, hash, 28);
  store<u32>(d, code + 1);
  if ((code + 1) * 2 > (<u32>1 << load<u32>(d, 4))) growSlots(d);
  return code;
}

function sameBytes(a: usize, b: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

/** The masked first 16 bytes of a text; reads 16 bytes whatever the length. */
@inline
export function prefix(text: usize, length: u32): v128 {
  return v128.and(v128.load(text), v128.load(PREFIX_MASK + 16 - min<u32>(length, 16)));
}

/** The code of a text whose masked prefix is `key`; inserts it when it is new. */
@inline
export function encode(d: usize, key: v128, text: usize, length: u32): u32 {
  let h = mix(i64x2.extract_lane(key, 0) ^ (<u64>length << 56), i64x2.extract_lane(key, 1));
  if (length > 16) h = hashTail(h, text + 16, length - 16);
  const hash = <u32>(h >> 32);
  const bits = load<u32>(d, 4);
  const slots: usize = load<u32>(d, 8);
  const mask: u32 = (1 << bits) - 1;
  let i = hash >> (32 - bits);
  let code: u32 = 0;
  while (true) {
    const slot = slots + (<usize>i << 5);
    const stored = load<u32>(slot, 16);
    if (
      stored != 0 && load<u32>(slot, 20) == length && !v128.any_true(v128.xor(v128.load(slot), key)) &&
      (length <= 16 || sameBytes(load<u32>(d, 12) + load<u32>(slot, 24) + 16, text + 16, length - 16))
    ) {
      code = stored - 1;
      break;
    }
    if (stored == 0) {
      code = insert(d, slot, key, hash, text, length);
      break;
    }
    i = (i + 1) & mask;
  }
  return code;
}

/** `encode` for the host: the text stands at `text` with 16 readable bytes after it. */
export function dictionaryEncode(d: usize, text: usize, length: u32): u32 {
  return encode(d, prefix(text, length), text, length);
}
