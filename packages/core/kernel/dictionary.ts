// A byte-text dictionary: text -> code 0, 1, 2, … in order of first sight. Open addressing, at most three quarters full.
//
// slot (8 bytes): hash, code + 1 (0: free)
// header (u32 each): 0 count; 4 bits; 8 slots; 12 arena; 16 arena used; 20 arena capacity; 24 offsets; 28 offsets capacity;
//   32 recent texts (0: none yet)
// offsets: count + 1 positions in the arena, so that arena and offsets are an Arrow Utf8 vector as they stand.
// recent texts: 16 entries of 32 bytes (masked text, code, length + 1), for columns of a few short texts.
import { alloc, regrow, release } from "./memory";
import { hashTail, mix } from "./hash";

// 16 times 0xff, then 16 times 0: loading at 16 - n gives a mask of the first n bytes.
export const PREFIX_MASK: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
], 16);

/** Arena bytes past its texts that may be read. */
const SLACK: u32 = 16;

/** A new dictionary with 2^bits slots to begin with. */
export function dictionaryNew(bits: u32): usize {
  const d = alloc(64);
  store<u32>(d, 0);
  store<u32>(d, bits, 4);
  store<u32>(d, <u32>alloc((<u64>8) << bits), 8);
  store<u32>(d, <u32>alloc((<u64>8) << bits), 12);
  store<u32>(d, 0, 16);
  store<u32>(d, 8 << bits, 20);
  store<u32>(d, <u32>alloc((<u64>4) << bits), 24);
  store<u32>(d, 1 << bits, 28);
  return d;
}

/** Doubles the table. */
function growSlots(d: usize): void {
  const bits = load<u32>(d, 4) + 1;
  const old: usize = load<u32>(d, 8);
  const oldBytes: usize = <usize>8 << (bits - 1);
  const slots = alloc((<u64>8) << bits);
  const mask: u32 = (1 << bits) - 1;
  for (let at = old, end = old + oldBytes; at < end; at += 8) {
    if (!load<u32>(at, 4)) continue;
    let i = load<u32>(at) >> (32 - bits);
    while (load<u32>(slots + (<usize>i << 3), 4)) i = (i + 1) & mask;
    store<u64>(slots + (<usize>i << 3), load<u64>(at));
  }
  release(old, oldBytes);
  store<u32>(d, bits, 4);
  store<u32>(d, <u32>slots, 8);
}

/** Appends a new text; returns its code. */
function append(d: usize, text: usize, length: u32): u32 {
  const code = load<u32>(d);
  const offsetCapacity = load<u32>(d, 28);
  if (code + 2 > offsetCapacity) {
    store<u32>(d, <u32>regrow(load<u32>(d, 24), <u64>offsetCapacity << 2, (<usize>code + 1) << 2, <u64>offsetCapacity << 3), 24);
    store<u32>(d, offsetCapacity << 1, 28);
  }
  const used = load<u32>(d, 16);
  const capacity = load<u32>(d, 20);
  const needed: u64 = <u64>used + <u64>length + <u64>SLACK;
  if (needed > <u64>capacity) {
    const wanted: u64 = max(<u64>capacity << 1, needed);
    if (wanted > 0xffffffff) unreachable();
    store<u32>(d, <u32>regrow(load<u32>(d, 12), capacity, used, wanted), 12);
    store<u32>(d, <u32>wanted, 20);
  }
  memory.copy(<usize>load<u32>(d, 12) + <usize>used, text, length);
  store<u32>(d, used + length, 16);
  const offset: usize = <usize>load<u32>(d, 24) + (<usize>code << 2);
  store<u32>(offset, used);
  store<u32>(offset, used + length, 4);
  store<u32>(d, code + 1);
  return code;
}

function insert(d: usize, slot: usize, hash: u32, text: usize, length: u32): u32 {
  const code = append(d, text, length);
  store<u32>(slot, hash);
  store<u32>(slot, code + 1, 4);
  if ((code + 1) * 4 > (<u32>3 << load<u32>(d, 4))) growSlots(d);
  return code;
}

/** The masked first 16 bytes of a text; reads 16 bytes whatever the length. */
@inline
export function prefix(text: usize, length: u32): v128 {
  return v128.and(v128.load(text), v128.load(PREFIX_MASK + 16 - min<u32>(length, 16)));
}

/** Whether the text of a code is this one, whose masked prefix is `key`. */
@inline
function isText(d: usize, code: u32, key: v128, text: usize, length: u32): bool {
  const offset: usize = <usize>load<u32>(d, 24) + (<usize>code << 2);
  const start = load<u32>(offset);
  if (load<u32>(offset, 4) - start != length) return false;
  const stored: usize = <usize>load<u32>(d, 12) + <usize>start;
  if (v128.any_true(v128.xor(prefix(stored, length), key))) return false;
  for (let i: u32 = 16; i < length; i++) if (load<u8>(stored + i) != load<u8>(text + i)) return false;
  return true;
}

/** The code of a text; inserts it when it is new. The text has 16 readable bytes after it. */
export function encode(d: usize, text: usize, length: u32): u32 {
  const key = prefix(text, length);
  let h = mix(i64x2.extract_lane(key, 0) ^ (<u64>length << 56), i64x2.extract_lane(key, 1));
  if (length > 16) h = hashTail(h, text + 16, length - 16);
  const hash = <u32>(h >> 32);
  const bits = load<u32>(d, 4);
  const slots: usize = load<u32>(d, 8);
  const mask: u32 = (1 << bits) - 1;
  let i = hash >> (32 - bits);
  while (true) {
    const slot = slots + (<usize>i << 3);
    const stored = load<u32>(slot, 4);
    if (stored == 0) return insert(d, slot, hash, text, length);
    if (load<u32>(slot) == hash && isText(d, stored - 1, key, text, length)) return stored - 1;
    i = (i + 1) & mask;
  }
  return 0;
}

/** `encode` for a short text, by way of the recent ones; `key` is its masked prefix. */
@inline
export function encodeRecent(d: usize, key: v128, text: usize, length: u32): u32 {
  let recent: usize = load<u32>(d, 32);
  if (!recent) {
    recent = alloc(16 * 32);
    store<u32>(d, <u32>recent, 32);
  }
  const entry = recent + (<usize>((<u32>i64x2.extract_lane(key, 0) * 0x9e3779b1) >> 28) << 5);
  if (load<u32>(entry, 20) == length + 1 && !v128.any_true(v128.xor(v128.load(entry), key))) return load<u32>(entry, 16);
  const code = encode(d, text, length);
  v128.store(entry, key);
  store<u32>(entry, code, 16);
  store<u32>(entry, length + 1, 20);
  return code;
}

/** Writes the codes of `count` packed texts to `out`; `offsets` holds count + 1 positions relative to `texts`. */
export function encodeAll(d: usize, texts: usize, offsets: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const start = load<u32>(offsets + (<usize>i << 2));
    const length = load<u32>(offsets + (<usize>i << 2), 4) - start;
    const text = texts + <usize>start;
    store<u32>(out + (<usize>i << 2), encode(d, text, length));
  }
}
