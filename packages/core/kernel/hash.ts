// Keyed hashing. Logs are hostile: without the seed nobody can choose texts or groups that collide.

let seedA: u64 = 0x9e3779b97f4a7c15;
let seedB: u64 = 0xd6e8feb86659fd93;

/** Sets the seed from four 32-bit words; call it before anything is inserted. */
export function seed(a: u32, b: u32, c: u32, d: u32): void {
  seedA = ((<u64>a << 32) | <u64>b) ^ 0x9e3779b97f4a7c15;
  seedB = ((<u64>c << 32) | <u64>d) ^ 0xd6e8feb86659fd93;
}

/** Folds the 128-bit product of the keyed operands to 64 bits. */
@inline
export function mix(x: u64, y: u64): u64 {
  const a = x ^ seedA;
  const b = y ^ seedB;
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle1 = aHigh * bLow + (low >> 32);
  const middle2 = aLow * bHigh + (middle1 & 0xffffffff);
  const high = aHigh * bHigh + (middle1 >> 32) + (middle2 >> 32);
  return high ^ ((middle2 << 32) | (low & 0xffffffff));
}

/** Hashes the `length` bytes at `at` on top of `hash`, eight at a time; reads up to 7 bytes past the end. */
export function hashTail(hash: u64, at: usize, length: u32): u64 {
  while (length) {
    let word = load<u64>(at);
    if (length < 8) {
      word &= ((<u64>1) << (length << 3)) - 1;
      length = 0;
    } else {
      length -= 8;
      at += 8;
    }
    hash = mix(hash, word);
  }
  return hash;
}
