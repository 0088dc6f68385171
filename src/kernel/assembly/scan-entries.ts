// Entries `[time, record]`, end to end: what is valid, what can stay where it lies, and rewriting of what cannot.

import { itemLimit, keyLimit, lenient, levelLimit, outAt, recordLimit } from './scan-rules';
import {
  be16, be32, BUDGET, fail, FAULT, NONE, RESULT, TOO_MANY_ITEMS, TRUNCATED, walk,
} from './scan-walk';

export const COUNT: usize = RESULT + 28;
export const INVALID: usize = RESULT + 32;
export const PACKED_END: usize = RESULT + 24;
export const SLICES: usize = RESULT + 52;
/** Where the last whole entry ended, how many were read, and what BUDGET was there. */
export const ENTRIES_END: usize = RESULT + 80;
export const ENTRIES_READ: usize = RESULT + 84;
export const ENTRIES_BUDGET: usize = RESULT + 92;

/** Of the entry read last: what it is, and its parts. */
const SHAPE: usize = RESULT + 96;
const TIME_AT: usize = RESULT + 100;
const TIME_END: usize = RESULT + 104;
const RECORD_AT: usize = RESULT + 108;
const RECORD_END: usize = RESULT + 112;
const TIME_FORM: usize = RESULT + 116;

/** Values of SHAPE: as it should be; valid, but to be written anew; to be left out. */
const PLAIN: u32 = 0;
const REWRITE: u32 = 1;
const DROP: u32 = 2;

/** Values of TIME_FORM: how the time is to be written. */
export const TIME_COPIED: u32 = 0;
export const TIME_NOW: u32 = 1;
export const TIME_FROM_FLOAT: u32 = 2;
export const TIME_BAD: u32 = 3;

/** Slices of what walkEntries walked: start, end, count, invalid, what to hand on (HANDED), and where that lies if WRITTEN. */
const SLICE_TABLE: usize = RESULT + 8192;
const SLICE_FIELDS: usize = 28;
/** In place; written anew here already; still to be written anew (its size is not bounded by what it is made from). */
const IN_PLACE: u32 = 0;
const WRITTEN: u32 = 1;
const TO_WRITE: u32 = 2;
const sliceBytesMin: usize = 256 * 1024;
const slicesMax: usize = 1000;

/**
 * Whether the value at `p`, which is whole, can be a time, and how it is to be written. `zeroIsNow`: Fluentd's rule of Message
 * mode.
 */
export function timeForm(p: usize, zeroIsNow: bool): u32 {
  const head = <u32>load<u8>(p);
  let zero = false;
  if (head < 0x80) zero = head == 0;
  else if (head >= 0xe0) zero = false;
  else {
    switch (head) {
      case 0xcc: case 0xd0: zero = load<u8>(p + 1) == 0; break;
      case 0xcd: case 0xd1: zero = load<u16>(p + 1) == 0; break;
      case 0xce: case 0xd2: zero = load<u32>(p + 1) == 0; break;
      case 0xcf: case 0xd3: zero = load<u64>(p + 1) == 0; break;
      case 0xd7: zero = load<u32>(p + 2) == 0; break;
      case 0xc7: zero = load<u32>(p + 3) == 0; break;
      case 0xc0: return lenient ? TIME_NOW : TIME_BAD;
      case 0xca: case 0xcb: return lenient ? floatForm(p) : TIME_BAD;
      default: return TIME_BAD;
    }
  }
  return zero && zeroIsNow ? TIME_NOW : TIME_COPIED;
}

function floatAt(p: usize): f64 {
  if (load<u8>(p) == 0xca) return <f64>reinterpret<f32>(bswap<u32>(load<u32>(p + 1)));
  return reinterpret<f64>(bswap<u64>(load<u64>(p + 1)));
}

function floatForm(p: usize): u32 {
  const value = floatAt(p);
  if (abs<f64>(value) < 1) return TIME_NOW;
  return value >= 0 && value < 4294967296.0 ? TIME_FROM_FLOAT : TIME_BAD;
}

/** Writes the time at `p` (to `timeEnd`) to `o`, and says where it ends there. */
export function writeTime(o: usize, p: usize, timeEnd: usize, form: u32, seconds: u32, nanoseconds: u32): usize {
  if (form == TIME_COPIED) return copy(o, p, timeEnd);
  if (form == TIME_FROM_FLOAT) {
    const value = floatAt(p);
    seconds = <u32>value;
    nanoseconds = <u32>((value - <f64>seconds) * 1e9);
  }
  store<u16>(o, 0x00d7);
  store<u32>(o + 2, bswap<u32>(seconds));
  store<u32>(o + 6, bswap<u32>(nanoseconds));
  return o + 10;
}

/** Copies [p, end) to `o`, in steps of 16 bytes: up to 15 more are read and written. */
// @ts-ignore: decorator
@inline
export function copy(o: usize, p: usize, end: usize): usize {
  const length = end - p;
  if (length > 512) {
    memory.copy(o, p, length);
    return o + length;
  }
  let q = o;
  while (p < end) {
    v128.store(q, v128.load(p));
    q += 16;
    p += 16;
  }
  return o + length;
}

/** Where the entry at `p` ends (0 and FAULT if it does not); sets SHAPE. */
// @ts-ignore: decorator
@inline
function entry(p: usize, end: usize): usize {
  if (!lenient && load<u8>(p) == 0x92) {
    const meta = load<u8>(p + 1) == 0x92;
    const timeAt = p + 1 + <usize>meta;
    const time = <u32>load<u8>(timeAt);
    let at: usize = 0;
    if (time == 0xd7 && load<u8>(timeAt + 1) == 0) at = timeAt + 10;
    else if (time == 0xce || time == 0xd2) at = timeAt + 5;
    else if (time < 0x80 || time >= 0xe0) at = timeAt + 1;
    const timeEnd = at;
    // Metadata that is not empty is rare.
    if (meta && at != 0) at = load<u8>(at) == 0x80 ? at + 1 : 0;
    if (at != 0 && at < end) {
      const head = <u32>load<u8>(at);
      if ((head & 0xf0) == 0x80) {
        const budget = load<u32>(BUDGET);
        const n = (head & 15) + (meta ? 4 : 2);
        if (n > budget) return fail(TOO_MANY_ITEMS);
        store<u32>(BUDGET, budget - n);
        const next = walk(at + 1, end, (head & 15) << 1, levelLimit - 2);
        const fits = isWithin(at, next, budget - (meta ? 4 : 2));
        if (!meta || !fits) {
          store<u32>(SHAPE, fits ? PLAIN : DROP);
          return next;
        }
        store<u32>(SHAPE, REWRITE);
        store<u32>(TIME_FORM, TIME_COPIED);
        store<u32>(TIME_AT, <u32>timeAt);
        store<u32>(TIME_END, <u32>timeEnd);
        store<u32>(RECORD_AT, <u32>at);
        store<u32>(RECORD_END, <u32>next);
        return next;
      }
    }
  }
  return anyEntry(p, end);
}

/** Elements of the array whose head is at `p`, -1 if there is no array; -2 if its head is cut. */
export function arrayCount(p: usize, end: usize): i64 {
  const head = <u32>load<u8>(p);
  if ((head & 0xf0) == 0x90) return head & 15;
  if (head == 0xdc) return p + 3 > end ? -2 : <i64>be16(p + 1);
  if (head == 0xdd) return p + 5 > end ? -2 : <i64>be32(p + 1);
  return -1;
}

// @ts-ignore: decorator
@inline
export function arrayHeadBytes(p: usize): usize {
  const head = <u32>load<u8>(p);
  return head == 0xdc ? 3 : head == 0xdd ? 5 : 1;
}

export function spend(items: i64): bool {
  const budget = load<u32>(BUDGET);
  if (items > <i64>budget) return fail(TOO_MANY_ITEMS) != 0;
  store<u32>(BUDGET, budget - <u32>items);
  return true;
}

// @ts-ignore: decorator
@inline
export function isMap(p: usize): bool {
  const head = <u32>load<u8>(p);
  return (head & 0xf0) == 0x80 || head == 0xde || head == 0xdf;
}

/** Whether the record in [p, end) is within the limits of one; before it was walked BUDGET was `budget`. */
// @ts-ignore: decorator
@inline
export function isWithin(p: usize, end: usize, budget: u32): bool {
  return budget - load<u32>(BUDGET) <= keyLimit && end - p <= recordLimit;
}

/** The same for entries of every form: any array head, metadata beside the time, further elements, other values. */
function anyEntry(p: usize, end: usize): usize {
  if (p >= end) return fail(TRUNCATED);
  store<u32>(SHAPE, DROP);
  const elements = arrayCount(p, end);
  if (elements == -2) return fail(TRUNCATED);
  if (elements == -1) return walk(p, end, 1, levelLimit);
  if (!spend(elements)) return 0;
  let at = p + arrayHeadBytes(p);
  if (elements == 0) return at;
  const plain = elements == 2 && load<u8>(p) == 0x92;
  let timeAt = at;
  if (at >= end) return fail(TRUNCATED);
  const parts = arrayCount(at, end);
  if (parts >= 1) timeAt = at + arrayHeadBytes(at);
  at = walk(at, end, 1, levelLimit - 1);
  if (at == 0) return 0;
  let form = parts == 0 ? TIME_BAD : timeForm(timeAt, lenient);
  let timeEnd = at;
  if (parts >= 1 && form != TIME_BAD) {
    // Walked once already: this finds only where the time ends.
    const budget = load<u32>(BUDGET);
    timeEnd = walk(timeAt, end, 1, levelLimit);
    store<u32>(BUDGET, budget);
  }
  if (elements == 1) return at;
  if (at >= end) return fail(TRUNCATED);
  const recordAt = at;
  const before = load<u32>(BUDGET);
  const recordEnd = walk(at, end, 1, levelLimit - 1);
  if (recordEnd == 0) return 0;
  const fits = isMap(recordAt) && isWithin(recordAt, recordEnd, before);
  const last = walk(recordEnd, end, <u32>(elements - 2), levelLimit - 1);
  if (last == 0 || form == TIME_BAD || !fits) return last;
  store<u32>(SHAPE, plain && parts < 0 && form == TIME_COPIED ? PLAIN : REWRITE);
  store<u32>(TIME_FORM, form);
  store<u32>(TIME_AT, <u32>timeAt);
  store<u32>(TIME_END, <u32>timeEnd);
  store<u32>(RECORD_AT, <u32>recordAt);
  store<u32>(RECORD_END, <u32>recordEnd);
  return last;
}

/**
 * Walks up to `most` entries from `p`, filling the slice table; SLICES, COUNT, INVALID are totals. Returns where it came to:
 * `end`, or before it with FAULT set, or after `most` entries. From the first entry on that cannot stay as it is, a slice is
 * written to the out region; not in lenient mode, where times may make entries longer: scanRewrite does it then.
 */
export function walkEntries(p: usize, end: usize, most: u32): usize {
  const sliceBytes = max<usize>(sliceBytesMin, (end - p) / slicesMax + 1);
  let slice = SLICE_TABLE;
  let start = p;
  let out = outAt;
  let outStart = out;
  let handed = IN_PLACE;
  let read: u32 = 0;
  let count: u32 = 0;
  let invalid: u32 = 0;
  let allCount: u32 = 0;
  let allInvalid: u32 = 0;
  store<u32>(FAULT, NONE);
  let budget = load<u32>(BUDGET);
  while (read < most && p < end) {
    const next = entry(p, end);
    if (next == 0) break;
    read++;
    budget = load<u32>(BUDGET);
    const shape = load<u32>(SHAPE);
    if (shape != PLAIN && handed == IN_PLACE) {
      handed = lenient ? TO_WRITE : WRITTEN;
      if (!lenient) out = copy(out, start, p);
    }
    if (shape == DROP) {
      invalid++;
    } else {
      count++;
      if (handed == WRITTEN) out = shape == PLAIN ? copy(out, p, next) : writeEntry(out, 0, 0);
    }
    p = next;
    if (p - start >= sliceBytes) {
      writeSlice(slice, start, p, count, invalid, handed, outStart, out);
      slice += SLICE_FIELDS;
      allCount += count;
      allInvalid += invalid;
      count = invalid = 0;
      handed = IN_PLACE;
      start = p;
      outStart = out;
    }
  }
  if (p > start) {
    writeSlice(slice, start, p, count, invalid, handed, outStart, out);
    slice += SLICE_FIELDS;
  }
  store<u32>(SLICES, <u32>((slice - SLICE_TABLE) / SLICE_FIELDS));
  store<u32>(COUNT, allCount + count);
  store<u32>(INVALID, allInvalid + invalid);
  store<u32>(ENTRIES_END, <u32>p);
  store<u32>(ENTRIES_READ, read);
  store<u32>(ENTRIES_BUDGET, budget);
  return p;
}

function writeSlice(
  at: usize, start: usize, end: usize, count: u32, invalid: u32, handed: u32, outStart: usize, outEnd: usize,
): void {
  store<u32>(at, <u32>start);
  store<u32>(at + 4, <u32>end);
  store<u32>(at + 8, count);
  store<u32>(at + 12, invalid);
  store<u32>(at + 16, handed);
  store<u32>(at + 20, <u32>outStart);
  store<u32>(at + 24, <u32>outEnd);
}

/** Writes the entry read last, whose SHAPE is REWRITE, to `o`. */
function writeEntry(o: usize, seconds: u32, nanoseconds: u32): usize {
  store<u8>(o, 0x92);
  o = writeTime(o + 1, load<u32>(TIME_AT), load<u32>(TIME_END), load<u32>(TIME_FORM), seconds, nanoseconds);
  return copy(o, load<u32>(RECORD_AT), load<u32>(RECORD_END));
}

/** The exported face of walkEntries, for entries that are not inside a message in this memory. */
export function scanEntries(p: usize, end: usize): usize {
  store<u32>(BUDGET, itemLimit);
  return walkEntries(p, end, 0xffffffff);
}

/**
 * Writes the valid entries of [p, end), which walkEntries has accepted, to `o`: canonical. Returns their end there, 0 if
 * there is no room before `limit` (which the layout's sizes exclude).
 */
export function scanRewrite(p: usize, end: usize, o: usize, limit: usize, seconds: u32, nanoseconds: u32): usize {
  store<u32>(BUDGET, 0xffffffff);
  while (p < end) {
    const next = entry(p, end);
    if (next == 0) return 0;
    if (o + (next - p) + 16 > limit) return 0;
    const shape = load<u32>(SHAPE);
    if (shape == PLAIN) {
      o = copy(o, p, next);
    } else if (shape == REWRITE) {
      o = writeEntry(o, seconds, nanoseconds);
    }
    p = next;
  }
  return o;
}
