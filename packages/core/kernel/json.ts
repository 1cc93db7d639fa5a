// JSON lines. The kernel accepts the subset that writers produce: one flat object a line, members as "key":value with
// at most one space after a colon or comma. Every byte of an accepted line is checked against RFC 8259; any other line
// goes to the host's JSON.parse.
import { alloc } from "./memory";
import { delimiterCapacity, delimiters, input, inputCapacity, maxRows, oddLines, pushLine, rowStarts, stride } from "./plan";
import { readRun } from "./fields";
import { PREFIX_MASK } from "./dictionary";

// A value that is not there: one zero byte, which no JSON string holds, is the "unset" text of a JSON plan.
const ABSENT: usize = memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 16);
const MAX_KEYS: u32 = 64;
const KEY: usize = 80; // 32 bytes `"key":`, 32 bytes mask, length, slot
const MAX_DEPTH: u32 = 32;

export let jsonBatchRows: u32 = 0;
/** Bytes and newlines consumed since `jsonStart`. */
export let consumedBytes: u32 = 0;
export let consumedLines: u32 = 0;

let keys: usize = 0;
let keyCount: u32 = 0;
let chunkEnd: usize = 0;

export function keysStart(): void {
  if (!keys) keys = alloc(<u64>MAX_KEYS * <u64>KEY);
  keyCount = 0;
}

/** Adds a key in its expected order; the host writes the `length` (at most 32) bytes of `"key":` where this returns. Slot -1: skip its value. */
export function keyAdd(length: u32, slot: i32): usize {
  if (keyCount == MAX_KEYS || length > 32 || length < 3 || slot >= <i32>(stride >> 1)) unreachable();
  const key = keys + <usize>keyCount * KEY;
  keyCount++;
  v128.store(key, i64x2.splat(0));
  v128.store(key, i64x2.splat(0), 16);
  v128.store(key, v128.load(PREFIX_MASK + 16 - min<u32>(length, 16)), 32);
  const beyond: usize = length > 16 ? <usize>length - 16 : 0;
  v128.store(key, v128.load(PREFIX_MASK + 16 - beyond), 48);
  store<u32>(key, length, 64);
  store<i32>(key, slot, 68);
  return key;
}

@inline
function matches(at: usize, key: usize): bool {
  if (v128.any_true(v128.and(v128.xor(v128.load(at), v128.load(key)), v128.load(key, 32)))) return false;
  return load<u32>(key, 64) <= 16 ||
    !v128.any_true(v128.and(v128.xor(v128.load(at, 16), v128.load(key, 16)), v128.load(key, 48)));
}

@inline
function isHex(byte: u32): bool {
  return byte - 48 < 10 || (byte | 32) - 97 < 6;
}

/** The closing quote of a string whose content starts at `at`, honouring escapes; 0 when it is not valid. */
function stringEndSlow(at: usize, end: usize): usize {
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte == 34) return at;
    if (byte < 32) return 0;
    if (byte != 92) {
      at++;
      continue;
    }
    const escape = <u32>load<u8>(at, 1);
    if (escape == 117) {
      if (!isHex(load<u8>(at, 2)) || !isHex(load<u8>(at, 3)) || !isHex(load<u8>(at, 4)) || !isHex(load<u8>(at, 5))) return 0;
      at += 6;
    } else if (
      escape == 34 || escape == 92 || escape == 47 || escape == 98 || escape == 102 || escape == 110 || escape == 114 || escape == 116
    ) {
      at += 2;
    } else return 0;
  }
  return 0;
}

@inline
function stringEnd(at: usize, end: usize): usize {
  const quote = i8x16.splat(34);
  const backslash = i8x16.splat(92);
  const control = i8x16.splat(32);
  while (at < end) {
    const v = v128.load(at);
    const stop = <u32>i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.lt_u(v, control)));
    if (stop) {
      at += ctz(stop);
      if (at >= end) return 0;
      return load<u8>(at) == 34 ? at : stringEndSlow(at, end);
    }
    at += 16;
  }
  return 0;
}

/** The end of a JSON number that starts at `at`; 0 when it is not valid. Short ones without sign and exponent take no loop. */
@inline
function numberEnd(at: usize): usize {
  const others = <u32>i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(at), i8x16.splat(48)), i8x16.splat(9)));
  const whole = <usize>ctz(others | 0x10000);
  const next = load<u8>(at + whole);
  const leading = load<u8>(at) == 48 && whole > 1;
  if (whole - 1 < 15 && !leading) {
    if (next == 44 || next == 125) return at + whole;
    if (next == 46) {
      const end = <usize>ctz((others & (others - 1)) | 0x10000);
      const after = load<u8>(at + end);
      if (end > whole + 1 && end < 16 && (after == 44 || after == 125)) return at + end;
    }
  }
  return numberEndSlow(at);
}

function numberEndSlow(at: usize): usize {
  if (load<u8>(at) == 45) at++;
  const first = <u32>load<u8>(at) - 48;
  if (first > 9) return 0;
  at++;
  if (first == 0) {
    if (<u32>load<u8>(at) - 48 < 10) return 0;
  } else while (<u32>load<u8>(at) - 48 < 10) at++;
  if (load<u8>(at) == 46) {
    at++;
    if (<u32>load<u8>(at) - 48 > 9) return 0;
    while (<u32>load<u8>(at) - 48 < 10) at++;
  }
  if ((load<u8>(at) | 32) == 101) {
    at++;
    if (load<u8>(at) == 43 || load<u8>(at) == 45) at++;
    if (<u32>load<u8>(at) - 48 > 9) return 0;
    while (<u32>load<u8>(at) - 48 < 10) at++;
  }
  return at;
}

/** The end of true, false or null at `at`; 0 otherwise. */
@inline
function literalEnd(at: usize): usize {
  const four = load<u32>(at);
  if (four == 0x65757274 || four == 0x6c6c756e) return at + 4;
  if (four == 0x736c6166 && load<u8>(at, 4) == 101) return at + 5;
  return 0;
}

/** The end of an array or object at `at`, strict but for single spaces; 0 when it is not valid or too deep. */
function nestedEnd(at: usize, end: usize, depth: u32): usize {
  if (depth > MAX_DEPTH) return 0;
  const object = load<u8>(at) == 123;
  const close: u32 = object ? 125 : 93;
  at++;
  if (load<u8>(at) == close) return at + 1;
  while (at < end) {
    if (object) {
      if (load<u8>(at) != 34) return 0;
      at = stringEnd(at + 1, end);
      if (!at || load<u8>(at, 1) != 58) return 0;
      at += 2;
      if (load<u8>(at) == 32) at++;
    }
    at = valueEnd(at, end, depth);
    if (!at || at >= end) return 0;
    const byte = <u32>load<u8>(at);
    at++;
    if (byte == close) return at;
    if (byte != 44) return 0;
    if (load<u8>(at) == 32) at++;
  }
  return 0;
}

function valueEnd(at: usize, end: usize, depth: u32): usize {
  const byte = load<u8>(at);
  if (byte == 34) {
    const close = stringEnd(at + 1, end);
    return close ? close + 1 : 0;
  }
  if (byte == 123 || byte == 91) return nestedEnd(at, end, depth + 1);
  if (byte >= 97) return literalEnd(at);
  return numberEnd(at);
}

/** Finds the members of the line [start, end) and writes the wanted values' positions; false: the host must read the line. */
function readLine(start: usize, end: usize, positions: usize): bool {
  if (end - start < 2 || load<u8>(start) != 123 || load<u8>(end - 1) != 125) return false;
  let at = start + 1;
  if (at == end - 1) return true;
  let expected = keys;
  const keysEnd = keys + <usize>keyCount * KEY;
  while (true) {
    let slot: i32 = -1;
    let value: usize;
    let key = expected;
    // Members mostly come in the order of the line before, some left out.
    while (key < keysEnd && !matches(at, key)) key += KEY;
    if (key == keysEnd) {
      key = keys;
      while (key < expected && !matches(at, key)) key += KEY;
      if (key == expected) key = keysEnd;
    }
    if (key < keysEnd) {
      value = at + load<u32>(key, 64);
      slot = load<i32>(key, 68);
      expected = key + KEY;
    } else {
      if (load<u8>(at) != 34) return false;
      const close = stringEnd(at + 1, end);
      if (!close || load<u8>(close, 1) != 58) return false;
      // A key with an escape may spell a wanted one.
      for (let p = at + 1; p < close; p++) if (load<u8>(p) == 92) return false;
      value = close + 2;
    }
    if (load<u8>(value) == 32) value++;
    if (value >= end) return false;
    const byte = <u32>load<u8>(value);
    let after: usize;
    let first = value;
    let last: usize;
    if (byte == 34) {
      last = stringEnd(value + 1, end);
      if (!last) return false;
      first = value + 1;
      after = last + 1;
    } else {
      after = byte == 123 || byte == 91 ? nestedEnd(value, end, 1) : byte >= 97 ? literalEnd(value) : numberEnd(value);
      if (!after) return false;
      last = after;
      // The host decides what an array or object means where it is wanted.
      if (slot >= 0 && byte == 123) return false;
      if (byte == 110) {
        first = ABSENT;
        last = ABSENT + 1;
      }
    }
    if (slot >= 0) {
      const pair = positions + (<usize>slot << 3);
      store<u32>(pair, <u32>first - 1);
      store<u32>(pair, <u32>last, 4);
    } else if (byte == 123 && isNestedId(at)) return false;
    if (after >= end) return false;
    const next = load<u8>(after);
    if (next == 125) return after + 1 == end;
    if (next != 44) return false;
    at = after + 1;
    if (load<u8>(at) == 32) at++;
  }
}

/** `"id":{…}`: the four-tuple as a nested record, which the host flattens. */
@inline
function isNestedId(at: usize): bool {
  return load<u32>(at) == 0x22646922 && load<u8>(at, 4) == 58;
}

@inline
function lineEnd(at: usize): usize {
  const newlines = i8x16.splat(10);
  while (at < chunkEnd) {
    const a = i8x16.eq(v128.load(at), newlines);
    const b = i8x16.eq(v128.load(at, 16), newlines);
    const c = i8x16.eq(v128.load(at, 32), newlines);
    const d = i8x16.eq(v128.load(at, 48), newlines);
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) {
      const found: u64 =
        <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16)) |
        (<u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16)) << 32);
      at += <usize>ctz(found);
      return at < chunkEnd ? at : 0;
    }
    at += 64;
  }
  return 0;
}

/** Starts a chunk of `length` bytes. */
export function jsonStart(length: u32): void {
  if (length > inputCapacity) unreachable();
  if (<u64>maxRows * <u64>stride + 1 > <u64>delimiterCapacity) unreachable();
  chunkEnd = input + length;
  consumedBytes = 0;
  consumedLines = 0;
}

/** Reads lines until the batch is full (returns 2) or no whole line is left (returns 0). A line left to the host takes a row. */
export function jsonRows(): u32 {
  jsonBatchRows = 0;
  const pairs = stride >> 1;
  const step: usize = <usize>stride << 2;
  let at = input + consumedBytes;
  let runStart: u32 = 0;
  let status: u32 = 0;
  let rows: u32 = 0;
  while (true) {
    if (rows == maxRows) {
      status = 2;
      break;
    }
    const newline = lineEnd(at);
    if (!newline) break;
    consumedLines++;
    const start = at;
    at = newline + 1;
    let end = newline;
    if (end > start && load<u8>(end - 1) == 13) end--;
    if (end == start) continue;
    store<u32>(rowStarts + (<usize>rows << 2), <u32>start);
    const positions = delimiters + <usize>rows * step;
    for (let i: u32 = 0; i < pairs; i++) {
      store<u32>(positions + (<usize>i << 3), <u32>ABSENT - 1);
      store<u32>(positions + (<usize>i << 3), <u32>ABSENT + 1, 4);
    }
    if (!readLine(start, end, positions)) {
      if (rows > runStart) readRun(delimiters + <usize>runStart * step, rows - runStart, runStart, false);
      pushLine(oddLines, rows, start, end);
      runStart = rows + 1;
    }
    rows++;
  }
  if (rows > runStart) readRun(delimiters + <usize>runStart * step, rows - runStart, runStart, false);
  jsonBatchRows = rows;
  consumedBytes = <u32>(at - input);
  return status;
}
