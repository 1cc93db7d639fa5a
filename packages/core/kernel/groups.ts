// Connection groups of one bucket: records to groups, their times put together and sorted.
//
// A record is six words or more: time (f64), source, destination, port | protocol << 16, … (see `flow-shard.ts`). What comes
// behind them is the host's: it gets the numbers of the records, group by group.
// The host fills the records, calls `groupRows`, may mark groups as dropped in `groupCounts`, and calls `placeGroups`.
import { alloc, regrow, release } from "./memory";
import { mix } from "./hash";
import { OTHER_ADDRESSES } from "./ipv4";

const KEY: usize = 12;
/** Stands in the place of a count or an end of a group that is left out. */
const DROPPED: u32 = 0xffffffff;
/** A row is moved back so far at most; one that belongs further back starts a run of its own. */
const REACH: usize = 16;

let record: usize = 24; // bytes of a record
let capacity: u32 = 0; // records that fit
let records: usize = 0;
let groupOfRow: usize = 0; // u32 a record
/** The time (f64) and the number (u32) of each record, group by group, after `placeGroups`. */
export let placedTimes: usize = 0;
export let placedRows: usize = 0;

let bits: u32 = 10;
let slots: usize = 0; // 16 bytes: source, destination, port | protocol << 16, group + 1 (0: free); at most half full
let groups: u32 = 0;
let groupCapacity: u32 = 0;
/** Three words a group. */
export let groupKeys: usize = 0;
/** Rows of each group; after `placeGroups` where its rows end. */
export let groupCounts: usize = 0;
/** One byte a group: whether two of its times are the same. */
export let groupTies: usize = 0;

let heldTimes: usize = 0; // the left one of two runs that are merged
let heldRows: usize = 0;
let heldCapacity: usize = 0;
let runs: usize = 0; // where runs start, u32
let runCapacity: u32 = 0;

/** Makes room for the records of a bucket, of so many words each; returns where they go. */
export function groupsReserve(rows: u32, words: u32): usize {
  const wide = <usize>words << 2;
  if (words < 6 || words > 64) unreachable();
  if (rows > capacity || !records || wide != record) {
    let wanted: u64 = capacity ? capacity : 1024;
    while (wanted < <u64>rows) wanted <<= 1;
    if (records) {
      const held = <u64>capacity;
      release(records, held * <u64>record);
      release(groupOfRow, held << 2);
      release(placedTimes, held << 3);
      release(placedRows, held << 2);
    }
    record = wide;
    records = alloc(wanted * <u64>record);
    groupOfRow = alloc(wanted << 2);
    placedTimes = alloc(wanted << 3);
    placedRows = alloc(wanted << 2);
    capacity = <u32>wanted;
  }
  return records;
}

function reserveGroups(wanted: u32): void {
  const held = <u64>groupCapacity;
  const used = <usize>groups;
  const bytes = <u64>wanted;
  if (!held) {
    groupKeys = alloc(bytes * <u64>KEY);
    groupCounts = alloc(bytes << 2);
    groupTies = alloc(bytes);
  } else {
    groupKeys = regrow(groupKeys, held * <u64>KEY, used * KEY, bytes * <u64>KEY);
    groupCounts = regrow(groupCounts, held << 2, used << 2, bytes << 2);
    groupTies = regrow(groupTies, held, used, bytes);
  }
  groupCapacity = wanted;
}

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
  if (groups == groupCapacity) reserveGroups(groupCapacity << 1);
  const key = groupKeys + <usize>groups * KEY;
  store<u32>(key, source);
  store<u32>(key, destination, 4);
  store<u32>(key, port, 8);
  store<u32>(groupCounts + (<usize>groups << 2), 0);
  store<u32>(slot, source);
  store<u32>(slot, destination, 4);
  store<u32>(slot, port, 8);
  store<u32>(slot, ++groups, 12);
  if (groups * 2 > (<u32>1 << bits)) grow();
  return groups - 1;
}

@inline
function joint(at: usize, places: usize, count: u32): void {
  const code = load<u32>(at);
  if (code < OTHER_ADDRESSES) return;
  const place = code - OTHER_ADDRESSES;
  if (place < count) store<u32>(at, OTHER_ADDRESSES + load<u32>(places + (<usize>place << 2)));
}

/** Replaces address places and protocol codes of the records [first, first + rows) by those in two tables. */
export function groupsRemap(first: u32, rows: u32, places: usize, placeCount: u32, protocols: usize, protocolCount: u32): void {
  if (<u64>first + <u64>rows > <u64>capacity) unreachable();
  for (let at = records + <usize>first * record, end = at + <usize>rows * record; at < end; at += record) {
    joint(at + 8, places, placeCount);
    joint(at + 12, places, placeCount);
    const port = load<u32>(at, 16);
    const protocol = port >> 16;
    if (protocol < protocolCount) store<u32>(at, (port & 0xffff) | (load<u32>(protocols + (<usize>protocol << 2)) << 16), 16);
  }
}

/** Gives each of the `rows` records its group, from 0 on in order of first sight; returns how many there are. */
export function groupRows(rows: u32): u32 {
  if (rows > capacity) unreachable();
  if (!groupCapacity) reserveGroups(1024);
  if (!slots) slots = alloc((<u64>16) << bits);
  else memory.fill(slots, 0, <usize>16 << bits);
  groups = 0;
  const end = groupOfRow + (<usize>rows << 2);
  for (let at = records, out = groupOfRow; out < end; at += record, out += 4) {
    const source = load<u32>(at, 8);
    const destination = load<u32>(at, 12);
    const port = load<u32>(at, 16);
    const mask: u32 = (1 << bits) - 1;
    let i = hashOf(source, destination, port) >> (32 - bits);
    let group: u32 = 0;
    while (true) {
      const slot = slots + (<usize>i << 4);
      group = load<u32>(slot, 12);
      if (group == 0) {
        group = addGroup(slot, source, destination, port) + 1;
        break;
      }
      if (load<u32>(slot) == source && load<u32>(slot, 4) == destination && load<u32>(slot, 8) == port) break;
      i = (i + 1) & mask;
    }
    store<u32>(out, group - 1);
    const count = groupCounts + (<usize>(group - 1) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  return groups;
}

/** Puts the rows of each group that was not dropped together, in order of time. */
export function placeGroups(rows: u32): void {
  if (rows > capacity) unreachable();
  let total: u32 = 0;
  for (let at = groupCounts, end = at + (<usize>groups << 2); at < end; at += 4) {
    const count = load<u32>(at);
    if (count == DROPPED) continue;
    store<u32>(at, total);
    total += count;
  }
  // The host may have changed counts: nothing is written beyond the rows there are.
  if (total > rows) unreachable();
  for (let i: u32 = 0, at = records; i < rows; i++, at += record) {
    const cursor = groupCounts + (<usize>load<u32>(groupOfRow + (<usize>i << 2)) << 2);
    const place = load<u32>(cursor);
    if (place == DROPPED) continue;
    if (place >= rows) unreachable();
    store<u32>(cursor, place + 1);
    store<f64>(placedTimes + (<usize>place << 3), load<f64>(at));
    store<u32>(placedRows + (<usize>place << 2), i);
  }
  let from: u32 = 0;
  for (let group: u32 = 0; group < groups; group++) {
    const end = load<u32>(groupCounts + (<usize>group << 2));
    if (end == DROPPED) continue;
    store<u8>(groupTies + <usize>group, end - from > 1 && sortRows(<usize>from, <usize>end) ? 1 : 0);
    from = end;
  }
}

@inline
function timeAt(row: usize): f64 {
  return load<f64>(placedTimes + (row << 3));
}

@inline
function setRow(row: usize, time: f64, number: u32): void {
  store<f64>(placedTimes + (row << 3), time);
  store<u32>(placedRows + (row << 2), number);
}

@inline
function numberAt(row: usize): u32 {
  return load<u32>(placedRows + (row << 2));
}

/** Sorts the rows [from, to) by time; whether two times are the same. Linear for nearly sorted rows and for a few sorted runs. */
function sortRows(from: usize, to: usize): bool {
  mergeRuns(sortRuns(from, to), to);
  for (let row = from + 1; row < to; row++) if (timeAt(row) == timeAt(row - 1)) return true;
  return false;
}

/** Sorts rows that are a few places off; returns how many sorted runs there are. */
function sortRuns(from: usize, to: usize): u32 {
  let count: u32 = 0;
  let start = from;
  addRun(count++, from);
  for (let i = from + 1; i < to; i++) {
    const time = timeAt(i);
    if (timeAt(i - 1) <= time) continue;
    const least = i - start > REACH ? i - REACH : start;
    let place = i - 1;
    while (place > least && timeAt(place - 1) > time) place--;
    if (place == least && place > start && timeAt(place - 1) > time) {
      addRun(count++, i);
      start = i;
      continue;
    }
    const number = numberAt(i);
    for (let j = i; j > place; j--) setRow(j, timeAt(j - 1), numberAt(j - 1));
    setRow(place, time, number);
  }
  return count;
}

function addRun(index: u32, start: usize): void {
  if (index == runCapacity) {
    const wanted: u32 = runCapacity ? runCapacity << 1 : 64;
    runs = runCapacity ? regrow(runs, <u64>runCapacity << 2, <usize>runCapacity << 2, <u64>wanted << 2) : alloc(<u64>wanted << 2);
    runCapacity = wanted;
  }
  store<u32>(runs + (<usize>index << 2), <u32>start);
}

@inline
function runAt(index: u32): usize {
  return load<u32>(runs + (<usize>index << 2));
}

/** Merges neighbouring runs until one is left. */
function mergeRuns(count: u32, to: usize): void {
  while (count > 1) {
    let left: u32 = 0;
    for (let run: u32 = 0; run < count; run += 2) {
      const from = runAt(run);
      if (run + 1 < count) merge(from, runAt(run + 1), run + 2 < count ? runAt(run + 2) : to);
      store<u32>(runs + (<usize>left << 2), <u32>from);
      left++;
    }
    count = left;
  }
}

/** Merges [from, middle) and [middle, to). */
function merge(from: usize, middle: usize, to: usize): void {
  const held = middle - from;
  if (held > heldCapacity) {
    if (heldCapacity) {
      release(heldTimes, <u64>heldCapacity << 3);
      release(heldRows, <u64>heldCapacity << 2);
    }
    heldCapacity = held * 2;
    heldTimes = alloc(<u64>heldCapacity << 3);
    heldRows = alloc(<u64>heldCapacity << 2);
  }
  memory.copy(heldTimes, placedTimes + (from << 3), held << 3);
  memory.copy(heldRows, placedRows + (from << 2), held << 2);
  let right = middle;
  let at = from;
  for (let i: usize = 0; i < held; at++) {
    const time = load<f64>(heldTimes + (i << 3));
    if (right < to && timeAt(right) < time) {
      setRow(at, timeAt(right), numberAt(right));
      right++;
    } else {
      setRow(at, time, load<u32>(heldRows + (i << 2)));
      i++;
    }
  }
}
