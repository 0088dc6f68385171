// Decoding tables of DEFLATE's Huffman codes (RFC 1951, 3.2). Addresses are constants: src/kernel/layout.ts puts
// this region right after the scanner's tables.
//
// An entry, 32 bits, says what the next bits of the stream stand for:
//   bits 0-5   bits that are used up: the code word and the extra bits that follow it
//   bits 8-11  of these, the code word's own; in a pointer: bits that choose within the second table
//   bits 16-30 the literal, the least length or distance, the symbol of a code length, or the second table's first entry
//   flags      LITERAL; EXCEPTIONAL alone: no such code; with END: the block ends; with POINTER: a second table

const AREA: usize = 131072;

export const LITERAL: u32 = 0x80000000;
export const EXCEPTIONAL: u32 = 0x8000;
export const POINTER: u32 = 0x4000;
export const END: u32 = 0x2000;

export const lengthBits: u32 = 11;
export const distanceBits: u32 = 8;
const orderBits: u32 = 7;

/** Lengths of code words as they are read: 286 and 30 at most, and what a last repetition may write beyond. */
export const LENS: usize = AREA + 1024;
/** 16 bytes for each distance below 16: which bytes of a pattern so long stand in 16 bytes of its repetition. */
export const PATTERNS: usize = AREA + 1536;
/** Code of code lengths: 128 entries. */
export const ORDER_TABLE: usize = AREA + 2048;
/** Literals and lengths: 2048 entries and at most 294 in second tables. */
export const LENGTH_TABLE: usize = AREA + 4096;
/** 256 entries and at most 146 in second tables. */
export const DISTANCE_TABLE: usize = AREA + 16384;
/** Entries without their code words, by symbol. */
const LENGTH_SYMBOLS: usize = AREA + 18432;
const DISTANCE_SYMBOLS: usize = AREA + 19584;
const ORDER_SYMBOLS: usize = AREA + 19712;
/** Code words by length, places in SORTED by length, symbols by length and number: 16-bit. */
const COUNTS: usize = AREA + 19840;
const PLACES: usize = AREA + 19872;
const SORTED: usize = AREA + 19904;
/** Behind it: crc32.ts. */
export const tablesEnd: usize = AREA + 20480;

const LENGTHS_MAX: u32 = 288;
const DISTANCES_MAX: u32 = 32;

export function inflateInit(): void {
  for (let i: u32 = 0; i < LENGTHS_MAX; i++) {
    store<u32>(LENGTH_SYMBOLS + (i << 2), i < 256 ? LITERAL | (i << 16) : EXCEPTIONAL);
  }
  store<u32>(LENGTH_SYMBOLS + (256 << 2), EXCEPTIONAL | END);
  // 257 to 284: four lengths share a number of extra bits; 285 is 258, alone.
  let base: u32 = 3;
  for (let i: u32 = 0; i < 28; i++) {
    const extra: u32 = i < 4 ? 0 : (i >> 2) - 1;
    store<u32>(LENGTH_SYMBOLS + ((257 + i) << 2), (base << 16) | extra);
    base += 1 << extra;
  }
  store<u32>(LENGTH_SYMBOLS + (285 << 2), 258 << 16);
  base = 1;
  for (let i: u32 = 0; i < DISTANCES_MAX; i++) {
    const extra: u32 = i < 2 ? 0 : (i >> 1) - 1;
    store<u32>(DISTANCE_SYMBOLS + (i << 2), i < 30 ? (base << 16) | extra : EXCEPTIONAL);
    base += 1 << extra;
  }
  for (let i: u32 = 0; i < 19; i++) store<u32>(ORDER_SYMBOLS + (i << 2), i << 16);
  for (let distance: u32 = 1; distance < 16; distance++) {
    for (let i: u32 = 0; i < 16; i++) store<u8>(PATTERNS + (distance << 4) + i, <u8>(i % distance));
  }
}

/** The codes of a block of type 1. */
export function buildFixed(): void {
  memory.fill(LENS, 8, 144);
  memory.fill(LENS + 144, 9, 112);
  memory.fill(LENS + 256, 7, 24);
  memory.fill(LENS + 280, 8, 8);
  memory.fill(LENS + 288, 5, 32);
  buildLengths(288);
  buildDistances(288, 32);
}

export function buildOrder(): bool {
  return build(ORDER_TABLE, orderBits, LENS, 19, ORDER_SYMBOLS, false);
}

export function buildLengths(symbols: u32): bool {
  return build(LENGTH_TABLE, lengthBits, LENS, symbols, LENGTH_SYMBOLS, true);
}

/** From the lengths that follow those of `lengths` symbols. */
export function buildDistances(lengths: u32, symbols: u32): bool {
  return build(DISTANCE_TABLE, distanceBits, LENS + lengths, symbols, DISTANCE_SYMBOLS, true);
}

/**
 * Whether the code is one: no bits stand for two symbols, and all stand for one. As in zlib, a code of a single
 * word of one bit is good too (if `sparse`), and one without any word; their other words are errors where they are met.
 */
function counted(lens: usize, symbols: u32, sparse: bool): bool {
  memory.fill(COUNTS, 0, 32);
  for (let i: u32 = 0; i < symbols; i++) {
    const count = COUNTS + (<usize>load<u8>(lens + i) << 1);
    store<u16>(count, load<u16>(count) + 1);
  }
  let free: i32 = 1;
  let longest: u32 = 0;
  let place: u32 = 0;
  for (let length: u32 = 1; length < 16; length++) {
    const count = <u32>load<u16>(COUNTS + (length << 1));
    store<u16>(PLACES + (length << 1), <u16>place);
    place += count;
    free = (free << 1) - <i32>count;
    if (free < 0) return false;
    if (count != 0) longest = length;
  }
  return free == 0 || longest == 0 || (sparse && longest == 1);
}

/** The code word that follows `code` of `length` bits, with its first bit lowest, as it comes in the stream. */
// @ts-ignore: decorator
@inline
function following(code: u32, length: u32): u32 {
  let bit: u32 = 1 << (length - 1);
  while ((code & bit) != 0) bit >>= 1;
  return bit == 0 ? 0 : (code & (bit - 1)) | bit;
}

function build(table: usize, bits: u32, lens: usize, symbols: u32, entries: usize, sparse: bool): bool {
  if (!counted(lens, symbols, sparse)) return false;
  for (let i: u32 = 0; i < symbols; i++) {
    const length = <usize>load<u8>(lens + i);
    if (length == 0) continue;
    const place = <u32>load<u16>(PLACES + (length << 1));
    store<u16>(SORTED + (place << 1), <u16>i);
    store<u16>(PLACES + (length << 1), <u16>(place + 1));
  }
  const size: u32 = 1 << bits;
  for (let i: u32 = 0; i < size; i++) store<u32>(table + (i << 2), EXCEPTIONAL);
  let code: u32 = 0;
  let sorted = SORTED;
  for (let length: u32 = 1; length <= bits; length++) {
    for (let left = <u32>load<u16>(COUNTS + (length << 1)); left > 0; left--) {
      const entry = load<u32>(entries + (<usize>load<u16>(sorted) << 2)) + length * 0x101;
      sorted += 2;
      for (let i = code; i < size; i += <u32>1 << length) store<u32>(table + (i << 2), entry);
      code = following(code, length);
    }
  }
  buildSecond(table, bits, code, sorted, entries);
  return true;
}

/** Code words longer than `bits`, from `code` on: a table for each of their beginnings. */
function buildSecond(table: usize, bits: u32, code: u32, sorted: usize, entries: usize): void {
  const mask: u32 = (<u32>1 << bits) - 1;
  let beginning: u32 = 0xffffffff;
  let first: u32 = 0;
  let next: u32 = mask + 1;
  let size: u32 = 0;
  for (let length = bits + 1; length < 16; length++) {
    for (let left = <u32>load<u16>(COUNTS + (length << 1)); left > 0; left--) {
      if ((code & mask) != beginning) {
        beginning = code & mask;
        const secondBits = enough(length, left, bits);
        first = next;
        size = <u32>1 << secondBits;
        next += size;
        store<u32>(table + (beginning << 2), EXCEPTIONAL | POINTER | (first << 16) | (secondBits << 8) | bits);
      }
      const own = length - bits;
      const entry = load<u32>(entries + (<usize>load<u16>(sorted) << 2)) + own * 0x101;
      sorted += 2;
      for (let i = code >> bits; i < size; i += <u32>1 << own) store<u32>(table + ((first + i) << 2), entry);
      code = following(code, length);
    }
  }
}

/** Bits of a second table whose first code word has `length` bits, `left` of which are still to come. */
function enough(length: u32, left: u32, bits: u32): u32 {
  let own = length - bits;
  let taken: u32 = left;
  while (taken < (<u32>1 << own) && bits + own < 15) {
    own++;
    taken = (taken << 1) + <u32>load<u16>(COUNTS + ((bits + own) << 1));
  }
  return own;
}
