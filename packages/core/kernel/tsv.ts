// Tab-separated rows: first an index of every separator and newline, 64 bytes a step, then the rows between them.
import { badLines, delimiterCapacity, delimiters, input, inputCapacity, maxRows, pushLine, stride } from "./plan";
import { readRun } from "./fields";

/** Rows of the batch, after `tsvRows` or `jsonRows`. */
export let tsvBatchRows: u32 = 0;
/** Bytes up to and with the last newline of the chunk, after `tsvIndex`. */
export let indexedBytes: u32 = 0;
/** Newlines in them. */
export let indexedLines: u32 = 0;
/** The directive line at which `tsvRows` stopped: offset of its first byte and of its newline. */
export let directiveStart: u32 = 0;
export let directiveEnd: u32 = 0;

let count: u32 = 0; // delimiters up to and with the last newline
let cursor: u32 = 0; // the delimiter before the next row
let carriageReturns: bool = false;

/** Indexes `length` bytes of input; rows come from `tsvRows`. The rest after the last newline is the caller's to keep. */
export function tsvIndex(length: u32, separator: u32): void {
  if (length > inputCapacity) unreachable();
  const tabs = i8x16.splat(<i8>separator);
  const newlines = i8x16.splat(10);
  const end = input + length;
  let out = delimiters + 4;
  let lines: u32 = 0;
  store<u32>(delimiters, <u32>input - 1);
  for (let p = input; p < end; p += 64) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const an = i8x16.eq(a, newlines);
    const bn = i8x16.eq(b, newlines);
    const cn = i8x16.eq(c, newlines);
    const dn = i8x16.eq(d, newlines);
    let all: u64 =
      <u64>(<u32>i8x16.bitmask(v128.or(an, i8x16.eq(a, tabs))) | (<u32>i8x16.bitmask(v128.or(bn, i8x16.eq(b, tabs))) << 16)) |
      (<u64>(<u32>i8x16.bitmask(v128.or(cn, i8x16.eq(c, tabs))) | (<u32>i8x16.bitmask(v128.or(dn, i8x16.eq(d, tabs))) << 16)) << 32);
    let ends: u64 =
      <u64>(<u32>i8x16.bitmask(an) | (<u32>i8x16.bitmask(bn) << 16)) |
      (<u64>(<u32>i8x16.bitmask(cn) | (<u32>i8x16.bitmask(dn) << 16)) << 32);
    if (end - p < 64) {
      const inside: u64 = ((<u64>1) << <u64>(end - p)) - 1;
      all &= inside;
      ends &= inside;
    }
    lines += <u32>popcnt(ends);
    const found = <usize>popcnt(all);
    const base = <u32>p;
    // Twelve stores without a test: a Zeek row has about ten delimiters in 64 bytes. What is written too much is
    // overwritten by the next step; the index has room for a full step more than the input has bytes.
    store<u32>(out, base + <u32>ctz(all)); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 4); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 8); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 12); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 16); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 20); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 24); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 28); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 32); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 36); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 40); all &= all - 1;
    store<u32>(out, base + <u32>ctz(all), 44); all &= all - 1;
    let more = out + 48;
    while (all) {
      store<u32>(more, base + <u32>ctz(all));
      all &= all - 1;
      more += 4;
    }
    out += found << 2;
  }
  let n = <u32>((out - delimiters - 4) >> 2);
  if (n + 1 > delimiterCapacity) unreachable();
  while (n && load<u8>(load<u32>(delimiters + (<usize>n << 2))) != 10) n--;
  count = n;
  cursor = 0;
  indexedLines = lines;
  indexedBytes = n ? load<u32>(delimiters + (<usize>n << 2)) + 1 - <u32>input : 0;
  carriageReturns = false;
  if (n) {
    // Lines end alike within a file; a mixed one is found by the walk below.
    for (let i: u32 = 1; i <= n; i++) {
      const at: usize = load<u32>(delimiters + (<usize>i << 2));
      if (load<u8>(at) == 10) {
        carriageReturns = load<u8>(at - 1) == 13;
        break;
      }
    }
  }
}

@inline
function positionAt(delimiter: u32): usize {
  return load<u32>(delimiters + (<usize>delimiter << 2));
}

/** #fields, #path, #separator, #set_separator, #empty_field, #unset_field, #types: what changes how rows are read. */
function isDirective(start: usize, end: usize): bool {
  if (end - start < 5) return false;
  const four = load<u32>(start, 1);
  return four == 0x6c656966 || four == 0x68746170 || four == 0x61706573 || four == 0x5f746573 || four == 0x74706d65 ||
    four == 0x65736e75 || four == 0x65707974; // fiel path sepa set_ empt unse type
}

/**
 * Reads rows until the batch is full, a directive line comes, or the chunk ends.
 * Returns 0 when the chunk is done, 1 at a directive (already stepped over), 2 when the batch is full.
 */
export function tsvRows(): u32 {
  tsvBatchRows = 0;
  const fields = stride;
  // The whole rest regular: as many delimiters as rows x fields, every line end where it belongs.
  const rest = count - cursor;
  const wholeRows = rest / fields;
  if (cursor == 0 && wholeRows * fields == rest && indexedLines == wholeRows) {
    const rows = min(wholeRows, maxRows);
    let irregular: u32 = 0;
    let trailing: u32 = 0;
    for (let i: u32 = 0, at = delimiters; i < rows; i++) {
      const next = at + (<usize>fields << 2);
      const newline: usize = load<u32>(next);
      irregular |= (<u32>load<u8>(newline) ^ 10) | <u32>(load<u8>(load<u32>(at) + 1) == 35);
      trailing |= <u32>(load<u8>(newline - 1) == 13);
      at = next;
    }
    if (!irregular) {
      readRun(delimiters, rows, 0, trailing != 0);
      tsvBatchRows = rows;
      cursor = rows * fields;
      return cursor == count ? 0 : 2;
    }
  }
  let runStart: u32 = cursor;
  let run: u32 = 0;
  let status: u32 = 0;
  while (cursor < count) {
    if (tsvBatchRows + run == maxRows) {
      status = 2;
      break;
    }
    let q = cursor + 1;
    while (load<u8>(positionAt(q)) != 10) q++;
    const start = positionAt(cursor) + 1;
    const newline = positionAt(q);
    const first = load<u8>(start);
    if (q - cursor == fields && first != 35 && !(fields == 1 && newline == start)) {
      if (!run) runStart = cursor;
      if (load<u8>(newline - 1) == 13) carriageReturns = true;
      run++;
      cursor = q;
      continue;
    }
    if (run) {
      readRun(delimiters + (<usize>runStart << 2), run, tsvBatchRows, carriageReturns);
      tsvBatchRows += run;
      run = 0;
    }
    const found = q - cursor;
    cursor = q;
    if (first == 35) {
      if (isDirective(start, newline)) {
        directiveStart = <u32>(start - input);
        directiveEnd = <u32>(newline - input);
        status = 1;
        break;
      }
    } else if (newline != start && !(first == 13 && newline - start == 1)) {
      pushLine(badLines, found, start, newline);
    }
  }
  if (run) {
    readRun(delimiters + (<usize>runStart << 2), run, tsvBatchRows, carriageReturns);
    tsvBatchRows += run;
  }
  return status;
}
