// One loop a column kind over the rows of a run. A common form is read here; anything else (an escape, a non-ASCII
// byte, an exponent, an ISO time, a port like 80/tcp) goes to the host's field parser, so that both readers agree.
import { encode, encodeRecent, prefix } from "./dictionary";
import { OTHER_ADDRESSES, quad, quadOf } from "./ipv4";
import {
  ADDRESS, CODE, columns, COUNT, emptyKey, emptyLength, entryOf, FLAG, NUMBER, PORT, pushOddField, SPAN, stride, TIME, unsetKey, unsetLength
} from "./plan";

const MAX_SAFE: f64 = 9007199254740991;

/** Where a field ends; a carriage return before the newline of a TSV line belongs to the line end. */
@inline
function endOf(at: usize, trim: bool): usize {
  const end: usize = load<u32>(at, 4);
  return trim && load<u8>(end - 1) == 13 && end - 1 > <usize>load<u32>(at) ? end - 1 : end;
}

@inline
function isUnset(start: usize, length: u32): bool {
  return length == unsetLength && !v128.any_true(v128.xor(prefix(start, length), unsetKey));
}

/** Digits, a point, any number of digits; microseconds rounded half up at the sixth; -1 when the text is of another form. */
function timeGeneral(start: usize, end: usize): f64 {
  let at = start;
  let whole: u64 = 0;
  while (at < end) {
    const digit = <u32>load<u8>(at) - 48;
    if (digit > 9) break;
    whole = whole * 10 + digit;
    if (++at - start > 10) return -1;
  }
  if (at == start) return -1;
  let fraction: u64 = 0;
  if (at < end) {
    if (load<u8>(at) != 46) return -1;
    at++;
    if (at == end) return -1;
    let digits = 0;
    let up: u64 = 0;
    while (at < end) {
      const digit = <u32>load<u8>(at) - 48;
      if (digit > 9) return -1;
      if (digits < 6) fraction = fraction * 10 + digit;
      else if (digits == 6 && digit >= 5) up = 1;
      digits++;
      at++;
    }
    while (digits < 6) {
      fraction *= 10;
      digits++;
    }
    fraction += up;
  }
  return <f64>(whole * 1000000 + fraction);
}

/** Microseconds; the form Zeek writes, ten digits, a point and six digits, takes the SIMD way. */
@inline
function timeOf(start: usize, end: usize): f64 {
  if (end - start == 17 && load<u8>(start, 10) == 46) {
    const digits = i8x16.sub(
      i8x16.shuffle(v128.load(start), v128.load(start, 1), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 31),
      i8x16.splat(48)
    );
    if (!v128.any_true(i8x16.gt_u(digits, i8x16.splat(9)))) {
      const pairs = i16x8.add(i16x8.mul(v128.and(digits, i16x8.splat(255)), i16x8.splat(10)), i16x8.shr_u(digits, 8));
      const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
      const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1));
      return <f64>i32x4.extract_lane(eights, 0) * 1e8 + <f64>i32x4.extract_lane(eights, 1);
    }
  }
  return timeGeneral(start, end);
}

/** 0..65535 from one to five digits; -1 when the text is of another form. */
@inline
function portOf(start: usize, length: u32): i32 {
  if (length - 1 < 5) {
    let t: u64 = (load<u64>(start) ^ 0x3030303030303030) << <u64>(64 - (length << 3));
    if (!((t | (t + 0x7676767676767676)) & 0x8080808080808080)) {
      t = (t * 10 + (t >> 8)) & 0x00ff00ff00ff00ff;
      t = (t * 100 + (t >> 16)) & 0x0000ffff0000ffff;
      const value = <u32>(t * 10000 + (t >> 32));
      if (value <= 65535) return <i32>value;
    }
  }
  return -1;
}

/** Up to 15 digits with an optional point, so that one division rounds correctly; -1 when the text is of another form. */
function numberOf(start: usize, end: usize): f64 {
  if (end - start > 16 || end == start) return -1;
  let value: u64 = 0;
  let scale: f64 = 1;
  let seen = 0;
  let point = false;
  let after = 0;
  for (let at = start; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == 46 && !point && seen) {
      point = true;
      continue;
    }
    const digit = byte - 48;
    if (digit > 9) return -1;
    value = value * 10 + digit;
    seen++;
    if (point) {
      scale *= 10;
      after++;
    }
  }
  if (!seen || seen > 15 || (point && !after)) return -1;
  return <f64>value / scale;
}

function readSpans(at: usize, step: usize, trim: bool, rows: u32, out: usize, out2: usize): void {
  for (let i: u32 = 0; i < rows; i++, at += step) {
    store<u32>(out + (<usize>i << 2), load<u32>(at) + 1);
    store<u32>(out2 + (<usize>i << 2), <u32>endOf(at, trim));
  }
}

function readTimes(at: usize, step: usize, trim: bool, rows: u32, out: usize, row: u32, column: u32, required: bool): void {
  for (let i: u32 = 0; i < rows; i++, at += step, out += 8) {
    const start: usize = load<u32>(at) + 1;
    const end = endOf(at, trim);
    const value = timeOf(start, end);
    if (value >= 0 && value <= MAX_SAFE) {
      store<f64>(out, value);
    } else {
      store<f64>(out, NaN);
      if (required || !isUnset(start, <u32>(end - start))) pushOddField(row + i, column, start, end);
    }
  }
}

function readCodes(at: usize, step: usize, trim: bool, rows: u32, out: usize, row: u32, column: u32, required: bool, dictionary: usize, emptyCode: u32, addresses: bool
): void {
  const backslash = i8x16.splat(92);
  for (let i: u32 = 0; i < rows; i++, at += step, out += 4) {
    const start: usize = load<u32>(at) + 1;
    const length = <u32>(endOf(at, trim) - start);
    const key = prefix(start, length);
    // One mask for both: a backslash, or a byte of 0x80 and more.
    let odd = i8x16.bitmask(v128.or(key, i8x16.eq(key, backslash))) != 0 || load<u8>(start) == 91; // or a JSON array
    if (length > 16 && !odd) {
      for (let p = start + 16, end = start + length; p < end; p += 16) {
        const part = prefix(p, <u32>(end - p));
        if (i8x16.bitmask(v128.or(part, i8x16.eq(part, backslash)))) {
          odd = true;
          break;
        }
      }
    }
    if (odd || (length == 0 && required)) {
      store<u32>(out, 0xffffffff);
      pushOddField(row + i, column, start, start + length);
    } else if (length == unsetLength && !v128.any_true(v128.xor(key, unsetKey))) {
      store<u32>(out, 0xffffffff);
      if (required) pushOddField(row + i, column, start, start + length);
    } else if (length == emptyLength && emptyLength != 0 && !v128.any_true(v128.xor(key, emptyKey))) {
      store<u32>(out, emptyCode);
      if (required) pushOddField(row + i, column, start, start + length);
    } else if (addresses) {
      store<u32>(out, quadOf(key, length) && quad < OTHER_ADDRESSES ? quad : OTHER_ADDRESSES + encode(dictionary, start, length));
    } else {
      store<u32>(out, length <= 16 ? encodeRecent(dictionary, key, start, length) : encode(dictionary, start, length));
    }
  }
}

function readPorts(at: usize, step: usize, trim: bool, rows: u32, out: usize, row: u32, column: u32, required: bool): void {
  for (let i: u32 = 0; i < rows; i++, at += step, out += 4) {
    const start: usize = load<u32>(at) + 1;
    const length = <u32>(endOf(at, trim) - start);
    const value = portOf(start, length);
    store<i32>(out, value);
    if (value < 0 && (required || !isUnset(start, length))) pushOddField(row + i, column, start, start + length);
  }
}

function readNumbers(at: usize, step: usize, trim: bool, rows: u32, out: usize, row: u32, column: u32, required: bool, whole: bool): void {
  for (let i: u32 = 0; i < rows; i++, at += step, out += 8) {
    const start: usize = load<u32>(at) + 1;
    const end = endOf(at, trim);
    const value = numberOf(start, end);
    if (value >= 0 && (!whole || Math.floor(value) == value)) {
      store<f64>(out, value);
    } else {
      store<f64>(out, NaN);
      if (required || !isUnset(start, <u32>(end - start))) pushOddField(row + i, column, start, end);
    }
  }
}

function readFlags(at: usize, step: usize, trim: bool, rows: u32, out: usize, row: u32, column: u32, required: bool): void {
  for (let i: u32 = 0; i < rows; i++, at += step, out++) {
    const start: usize = load<u32>(at) + 1;
    const length = <u32>(endOf(at, trim) - start);
    const first = load<u8>(start);
    let value: u32 = 255;
    if (length == 1 && (first == 84 || first == 70)) value = first == 84 ? 1 : 0;
    else if (length == 4 && load<u32>(start) == 0x65757274) value = 1; // true
    else if (length == 5 && load<u32>(start) == 0x736c6166 && load<u8>(start, 4) == 101) value = 0; // false
    else if (required || !isUnset(start, length)) pushOddField(row + i, column, start, start + length);
    store<u8>(out, value);
  }
}

/** Reads every planned column of `rows` consecutive rows, the first of which starts at delimiter `first`, as batch rows from `row` on. */
export function readRun(first: usize, rows: u32, row: u32, carriageReturns: bool): void {
  const step: usize = <usize>stride << 2;
  for (let c: u32 = 0; c < columns; c++) {
    const entry = entryOf(c);
    const kind = load<u32>(entry);
    const at = first + (<usize>load<u32>(entry, 4) << 2);
    const out: usize = load<u32>(entry, 16);
    const required = load<u32>(entry, 12) != 0;
    const trim = carriageReturns && load<u32>(entry, 4) == stride - 1;
    if (kind == TIME) readTimes(at, step, trim, rows, out + (<usize>row << 3), row, c, required);
    else if (kind == CODE || kind == ADDRESS) {
      readCodes(at, step, trim, rows, out + (<usize>row << 2), row, c, required, load<u32>(entry, 8), load<u32>(entry, 24), kind == ADDRESS);
    } else if (kind == PORT) readPorts(at, step, trim, rows, out + (<usize>row << 2), row, c, required);
    else if (kind == NUMBER || kind == COUNT) readNumbers(at, step, trim, rows, out + (<usize>row << 3), row, c, required, kind == COUNT);
    else if (kind == FLAG) readFlags(at, step, trim, rows, out + row, row, c, required);
    else if (kind == SPAN) readSpans(at, step, trim, rows, out + (<usize>row << 2), <usize>load<u32>(entry, 20) + (<usize>row << 2));
  }
}
