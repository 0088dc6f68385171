// Inflating (RFC 1951) from one region to another. The fast loop runs while whole turns of it fit on both sides; the
// careful one looks at every bit. Whatever the input says, nothing is written but [out, outEnd), and nothing but the
// output so far is copied. Bytes behind the input are read (layout.ts leaves a guard there), and never relied upon.

import {
  buildDistances, buildFixed, buildLengths, buildOrder, DISTANCE_TABLE, distanceBits, END, EXCEPTIONAL, LENGTH_TABLE,
  lengthBits, LENS, LITERAL, ORDER_TABLE, PATTERNS, POINTER,
} from './inflate-tables';

/** Verdicts. */
export const DONE: u32 = 0;
/** There is more than there is room for. */
export const FULL: u32 = 1;
export const TRUNCATED: u32 = 2;
export const BAD_HEADER: u32 = 3;
export const BAD_BLOCK: u32 = 4;
export const BAD_CODE: u32 = 5;
export const BAD_DISTANCE: u32 = 6;
export const BAD_CHECK: u32 = 7;
/** A block of a few bytes can make us build tables of thousands: work out of proportion. */
export const TOO_MANY_TABLES: u32 = 8;
/** Not a verdict: the fast loop leaves the rest to the careful one. */
const MORE: u32 = 0xffffffff;

// The state between loops. Of `bits`, the lowest `left & 63` are the next ones of the stream, and those above
// are zeros or what follows in the stream; `left` is garbage above its lowest six bits.
let bits: u64 = 0;
let left: u64 = 0;
let at: usize = 0;
let inputEnd: usize = 0;
let to: usize = 0;
let outStart: usize = 0;
let outEnd: usize = 0;
/** Whether the tables are those of blocks of type 1. */
let fixed: bool = false;
/** Codes of blocks of type 2 that were read in this payload. */
let built: u32 = 0;
const tablesMax: u32 = 1024;

const lengthMask: u64 = (1 << lengthBits) - 1;
const distanceMask: u64 = (1 << distanceBits) - 1;
/** A turn of the fast loop takes less input, and writes less: three literals, or two and a match with its last step. */
const turnInput: usize = 15;
const turnOutput: usize = 2 + 258 + 32;

/** Before the first member of a payload. */
export function inflateStart(): void {
  built = 0;
}

/** Inflates the blocks at `from`, to `o`. */
export function inflate(from: usize, end: usize, o: usize, oEnd: usize): u32 {
  bits = left = 0;
  at = from;
  inputEnd = end;
  to = outStart = o;
  outEnd = oEnd;
  let last = false;
  let verdict = DONE;
  while (!last && verdict == DONE) {
    refill();
    const head = <u32>bits & 7;
    drop(3);
    last = (head & 1) != 0;
    switch (head >> 1) {
      case 0: verdict = stored(); break;
      case 1:
        if (!fixed) buildFixed();
        fixed = true;
        verdict = coded();
        break;
      case 2:
        fixed = false;
        if (built++ == tablesMax) return TOO_MANY_TABLES;
        verdict = dynamicTables() ? coded() : BAD_BLOCK;
        break;
      default: verdict = BAD_BLOCK;
    }
  }
  return overrun() ? TRUNCATED : verdict;
}

/** Past the last byte that `inflate` took a bit of. */
export function inflatedFrom(): usize {
  return at - <usize>((left & 63) >> 3);
}

/** Past the output. */
export function inflatedTo(): usize {
  return to;
}

/** At least 56 bits are there afterwards. */
// @ts-ignore: decorator
@inline
function refill(): void {
  bits |= load<u64>(at) << left;
  at += 7 - (<usize>(left >> 3) & 7);
  left |= 56;
}

// @ts-ignore: decorator
@inline
function drop(count: u64): void {
  bits >>= count;
  left -= count;
}

/** Whether bits were taken from behind the input. */
// @ts-ignore: decorator
@inline
function overrun(): bool {
  return <isize>(at - inputEnd) << 3 > <isize>(left & 63);
}

function stored(): u32 {
  const from = inflatedFrom();
  if (from > inputEnd || inputEnd - from < 4) return TRUNCATED;
  const length = <u32>load<u16>(from);
  if ((length ^ 0xffff) != <u32>load<u16>(from, 2)) return BAD_BLOCK;
  if (inputEnd - from - 4 < length) return TRUNCATED;
  if (outEnd - to < length) return FULL;
  memory.copy(to, from + 4, length);
  to += length;
  at = from + 4 + length;
  bits = left = 0;
  return DONE;
}

/** The order in which the lengths of the code of code lengths come. */
const order = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** Reads the codes of a block of type 2. False: they are none. */
function dynamicTables(): bool {
  const lengths = (<u32>bits & 31) + 257;
  const distances = (<u32>(bits >> 5) & 31) + 1;
  const ordered = (<u32>(bits >> 10) & 15) + 4;
  drop(14);
  if (lengths > 286 || distances > 30) return false;
  memory.fill(LENS, 0, 19);
  for (let i: u32 = 0; i < ordered; i++) {
    refill();
    store<u8>(LENS + load<u8>(order + i), <u8>(bits & 7));
    drop(3);
  }
  if (!buildOrder()) return false;
  const all = lengths + distances;
  let i: u32 = 0;
  while (i < all) {
    refill();
    const entry = load<u32>(ORDER_TABLE + ((<u32>bits & 127) << 2));
    if ((entry & EXCEPTIONAL) != 0 || overrun()) return false;
    drop(entry & 63);
    const symbol = entry >> 16;
    if (symbol < 16) {
      store<u8>(LENS + i, <u8>symbol);
      i++;
      continue;
    }
    const width: u32 = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    const repeated = (<u32>bits & ((1 << width) - 1)) + (symbol == 18 ? 11 : 3);
    drop(width);
    if (i + repeated > all || (symbol == 16 && i == 0)) return false;
    memory.fill(LENS + i, symbol == 16 ? load<u8>(LENS + i - 1) : 0, repeated);
    i += repeated;
  }
  // A block that cannot end is no block.
  if (load<u8>(LENS + 256) == 0) return false;
  return buildLengths(lengths) && buildDistances(lengths, distances);
}

function coded(): u32 {
  const verdict = fast();
  return verdict == MORE ? careful() : verdict;
}

/** The bits of `from` that `entry` gives a length or distance beside its own: code word first, then extra bits. */
// @ts-ignore: decorator
@inline
function extra(from: u64, entry: u64): u32 {
  return <u32>((from & ((<u64>1 << entry) - 1)) >> ((entry >> 8) & 15));
}

function fast(): u32 {
  const start = outStart;
  let p = at;
  let o = to;
  let b = bits;
  let n = left;
  let verdict = MORE;
  if (<isize>(inputEnd - p) >= <isize>turnInput && outEnd - o >= turnOutput) {
    const pLimit = inputEnd - turnInput;
    const oLimit = outEnd - turnOutput;
    while (p <= pLimit && o <= oLimit) {
      b |= load<u64>(p) << n;
      p += 7 - (<usize>(n >> 3) & 7);
      n |= 56;
      let entry = <u64>load<u32>(LENGTH_TABLE + (<usize>(b & lengthMask) << 2));
      if ((entry & LITERAL) != 0) {
        b >>= entry;
        n -= entry;
        store<u8>(o++, <u8>(entry >> 16));
        entry = <u64>load<u32>(LENGTH_TABLE + (<usize>(b & lengthMask) << 2));
        if ((entry & LITERAL) != 0) {
          b >>= entry;
          n -= entry;
          store<u8>(o++, <u8>(entry >> 16));
          entry = <u64>load<u32>(LENGTH_TABLE + (<usize>(b & lengthMask) << 2));
          if ((entry & LITERAL) != 0) {
            b >>= entry;
            n -= entry;
            store<u8>(o++, <u8>(entry >> 16));
            continue;
          }
        }
      }
      let from = b;
      b >>= entry;
      n -= entry;
      if ((entry & EXCEPTIONAL) != 0) {
        if ((entry & POINTER) != 0) {
          const width = (entry >> 8) & 15;
          entry = <u64>load<u32>(LENGTH_TABLE + (<usize>((entry >> 16) + (b & ((<u64>1 << width) - 1))) << 2));
          from = b;
          b >>= entry;
          n -= entry;
          if ((entry & LITERAL) != 0) {
            store<u8>(o++, <u8>(entry >> 16));
            continue;
          }
        }
        if ((entry & EXCEPTIONAL) != 0) {
          verdict = (entry & END) != 0 ? DONE : BAD_CODE;
          break;
        }
      }
      const length = <u32>(entry >> 16) + extra(from, entry);
      if ((n & 63) < 28) {
        b |= load<u64>(p) << n;
        p += 7 - (<usize>(n >> 3) & 7);
        n |= 56;
      }
      entry = <u64>load<u32>(DISTANCE_TABLE + (<usize>(b & distanceMask) << 2));
      from = b;
      b >>= entry;
      n -= entry;
      if ((entry & EXCEPTIONAL) != 0) {
        if ((entry & POINTER) != 0) {
          const width = (entry >> 8) & 15;
          entry = <u64>load<u32>(DISTANCE_TABLE + (<usize>((entry >> 16) + (b & ((<u64>1 << width) - 1))) << 2));
          from = b;
          b >>= entry;
          n -= entry;
        }
        if ((entry & EXCEPTIONAL) != 0) {
          verdict = BAD_CODE;
          break;
        }
      }
      const distance = <u32>(entry >> 16) + extra(from, entry);
      if (distance > <u32>(o - start)) {
        verdict = BAD_DISTANCE;
        break;
      }
      copyMatch(o, distance, length);
      o += length;
    }
  }
  at = p;
  to = o;
  bits = b;
  left = n;
  return verdict;
}

/** Writes up to 31 bytes more than `length`. */
// @ts-ignore: decorator
@inline
function copyMatch(o: usize, distance: u32, length: u32): void {
  const end = o + length;
  if (distance >= 16) {
    let from = o - distance;
    do {
      v128.store(o, v128.load(from));
      v128.store(o, v128.load(from, 16), 16);
      from += 32;
      o += 32;
    } while (o < end);
    return;
  }
  // A pattern shorter than 16 bytes: whole repetitions of it at a time.
  const pattern = v128.swizzle(v128.load(o - distance), v128.load(PATTERNS + (distance << 4)));
  const step = 16 - 16 % distance;
  do {
    v128.store(o, pattern);
    o += step;
  } while (o < end);
}

/** To the block's end, one symbol at a time. */
function careful(): u32 {
  let verdict = MORE;
  while (verdict == MORE) verdict = symbol();
  return verdict;
}

/** With all checks. MORE: the block goes on. */
function symbol(): u32 {
  refill();
  let entry = load<u32>(LENGTH_TABLE + (<usize>(bits & lengthMask) << 2));
  if ((entry & POINTER) != 0) entry = second(LENGTH_TABLE, entry);
  let from = bits;
  drop(entry & 63);
  if (overrun()) return TRUNCATED;
  if ((entry & LITERAL) != 0) {
    if (to >= outEnd) return FULL;
    store<u8>(to++, <u8>(entry >> 16));
    return MORE;
  }
  if ((entry & EXCEPTIONAL) != 0) return (entry & END) != 0 ? DONE : BAD_CODE;
  let length = (entry >> 16) + extra(from, entry);
  refill();
  entry = load<u32>(DISTANCE_TABLE + (<usize>(bits & distanceMask) << 2));
  if ((entry & POINTER) != 0) entry = second(DISTANCE_TABLE, entry);
  from = bits;
  drop(entry & 63);
  if (overrun()) return TRUNCATED;
  if ((entry & EXCEPTIONAL) != 0) return BAD_CODE;
  const distance = (entry >> 16) + extra(from, entry);
  if (distance > <u32>(to - outStart)) return BAD_DISTANCE;
  if (length > <u32>(outEnd - to)) return FULL;
  for (; length > 0; length--) {
    store<u8>(to, load<u8>(to - distance));
    to++;
  }
  return MORE;
}

/** The entry that a pointer leads to. */
function second(table: usize, pointer: u32): u32 {
  drop(pointer & 63);
  const mask: u32 = (1 << ((pointer >> 8) & 15)) - 1;
  return load<u32>(table + (<usize>((pointer >> 16) + (<u32>bits & mask)) << 2));
}
