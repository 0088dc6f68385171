// Where the values of some keys stand, entry by entry: for who looks at a few fields of many records.
import { be16, be32, BUDGET, walk } from './scan-walk';

/** In place of a length: there is no such key; the value is no str of ASCII alone. */
const MISSING: u32 = 0xffffffff;
const OTHER: u32 = 0xfffffffe;
const BINARY_TOO: u32 = 0x80000000;

/**
 * Of the entries in [p, end): a row each, of 32-bit words: where the entry ends, and for each key where its value stands, and how long
 * it is (a str of ASCII: its bytes; anything else: its head, and OTHER). Of a key that comes twice the last counts. `keys` has two
 * words for each: the address of its bytes, and their number, with BINARY_TOO where a bin is the same key. Returns the end
 * of the last entry with a row: of what is whole, and fits into [out, outEnd).
 */
export function findFields(
  p: usize,
  end: usize,
  keys: usize,
  count: u32,
  out: usize,
  outEnd: usize,
): usize {
  const rowBytes: usize = 4 + (<usize>count << 3);
  while (p < end && out + rowBytes <= outEnd) {
    store<u32>(BUDGET, 0xffffffff);
    const recordAt = walk(p + 1, end, 1, 64);
    if (recordAt == 0 || recordAt >= end) break;
    const next = findInRecord(recordAt, end, keys, count, out + 4);
    if (next == 0) break;
    store<u32>(out, <u32>next);
    out += rowBytes;
    p = next;
  }
  return p;
}

/** Returns where the record ends; 0: it is no whole map. */
function findInRecord(at: usize, end: usize, keys: usize, count: u32, row: usize): usize {
  const head = <u32>load<u8>(at);
  let pairs: u32;
  if (head - 0x80 < 16) {
    pairs = head & 15;
    at += 1;
  } else if (head == 0xde) {
    pairs = be16(at + 1);
    at += 3;
  } else if (head == 0xdf) {
    pairs = be32(at + 1);
    at += 5;
  } else {
    return 0;
  }
  for (let k: u32 = 0; k < count; k++) store<u32>(row + (<usize>k << 3) + 4, MISSING);
  for (let i: u32 = 0; i < pairs; i++) {
    const value = walk(at, end, 1, 64);
    if (value == 0) return 0;
    const next = walk(value, end, 1, 64);
    if (next == 0) return 0;
    const text = textAt(at, true);
    if (text != 0) {
      const bytes = <u32>(value - text);
      for (let k: u32 = 0; k < count; k++) {
        const key = keys + (<usize>k << 3);
        const wanted = load<u32>(key + 4);
        if ((wanted & ~BINARY_TOO) != bytes) continue;
        if ((wanted & BINARY_TOO) == 0 && textAt(at, false) == 0) continue;
        if (same(text, load<u32>(key), bytes)) storeValue(row + (<usize>k << 3), value, next);
      }
    }
    at = next;
  }
  return at;
}

// @ts-ignore: decorator
@inline
function same(one: usize, other: usize, bytes: u32): bool {
  let i: usize = 0;
  for (; i + 4 <= bytes; i += 4) if (load<u32>(one + i) != load<u32>(other + i)) return false;
  for (; i < bytes; i++) if (load<u8>(one + i) != load<u8>(other + i)) return false;
  return true;
}

/** Where the bytes of the str (or bin) at `at` begin; 0: it is none. */
// @ts-ignore: decorator
@inline
function textAt(at: usize, binaryToo: bool): usize {
  const head = <u32>load<u8>(at);
  if ((head & 0xe0) == 0xa0) return at + 1;
  if (head == 0xd9 || (binaryToo && head == 0xc4)) return at + 2;
  if (head == 0xda || (binaryToo && head == 0xc5)) return at + 3;
  if (head == 0xdb || (binaryToo && head == 0xc6)) return at + 5;
  return 0;
}

function storeValue(cell: usize, value: usize, next: usize): void {
  const text = textAt(value, false);
  if (text == 0 || !isAscii(text, next)) {
    store<u32>(cell, <u32>value);
    store<u32>(cell + 4, OTHER);
    return;
  }
  store<u32>(cell, <u32>text);
  store<u32>(cell + 4, <u32>(next - text));
}

function isAscii(at: usize, end: usize): bool {
  for (; at + 16 <= end; at += 16) if (i8x16.bitmask(v128.load(at)) != 0) return false;
  const left = <u32>(end - at);
  return (i8x16.bitmask(v128.load(at)) & ((1 << left) - 1)) == 0;
}
