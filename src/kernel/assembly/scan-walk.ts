// Walking over MessagePack: where a value ends, whether its bytes, types, depth and counts are acceptable.
// Addresses are constants (src/kernel/layout.ts puts the scanner's tables right after the module's own page).

/** The result: 32-bit fields, read by src/kernel/engine.ts under the same numbers. */
export const RESULT: usize = 65536;
export const FAULT: usize = RESULT + 0;
/** Items (array elements, map pairs) that the message may still declare. */
export const BUDGET: usize = RESULT + 4;

/** Values of FAULT. */
export const NONE: u32 = 0;
export const TRUNCATED: u32 = 1;
export const INVALID_BYTE: u32 = 2;
export const UNKNOWN_EXT: u32 = 3;
export const TOO_DEEP: u32 = 4;
export const TOO_MANY_ITEMS: u32 = 5;
export const BAD_OPTION: u32 = 6;
export const MALFORMED_ENTRIES: u32 = 7;

/** Items left at each level above the current one. */
const STACK: usize = RESULT + 1024;
/** By head - 0xc0: bytes after the head of nil, booleans, floats and integers; 0xff for everything else. */
const WIDTHS: usize = RESULT + 512;

export function scanInit(): void {
  memory.fill(WIDTHS, 0xff, 32);
  store<u8>(WIDTHS + 0x00, 0);
  store<u8>(WIDTHS + 0x02, 0);
  store<u8>(WIDTHS + 0x03, 0);
  store<u8>(WIDTHS + 0x0a, 4);
  store<u8>(WIDTHS + 0x0b, 8);
  for (let i: u32 = 0; i < 4; i++) {
    store<u8>(WIDTHS + 0x0c + i, <u8>((<u32>1) << i));
    store<u8>(WIDTHS + 0x10 + i, <u8>((<u32>1) << i));
  }
}

// @ts-ignore: decorator
@inline
export function be16(p: usize): u32 {
  return bswap<u16>(load<u16>(p));
}

// @ts-ignore: decorator
@inline
export function be32(p: usize): u32 {
  return bswap<u32>(load<u32>(p));
}

/** Notes why, and gives the 0 that stands for "no such place". */
export function fail(why: u32): usize {
  store<u32>(FAULT, why);
  return 0;
}

/** Bytes after the head of a scalar with head 0xc0 to 0xdf, or 0xff. */
// @ts-ignore: decorator
@inline
export function widthOf(head: u32): u32 {
  return load<u8>(WIDTHS + head - 0xc0);
}

/**
 * Where the `items` values that start at `p` end; 0 and FAULT if they do not, before `end`. `levels` of arrays and maps are
 * allowed. Memory somewhat beyond `end` may be read, never relied upon.
 */
export function walk(p: usize, end: usize, items: u32, levels: i32): usize {
  let left = items;
  let top = STACK;
  const limit = STACK + (<usize>max(levels, 0) << 2);
  for (;;) {
    if (left == 0) {
      if (top == STACK) break;
      top -= 4;
      left = load<u32>(top);
      continue;
    }
    left--;
    if (p >= end) return fail(TRUNCATED);
    const head = <u32>load<u8>(p++);
    if ((head & 0xe0) == 0xa0) {
      p += head & 31;
      continue;
    }
    if (head < 0x80 || head >= 0xe0) continue;
    let n: u32;
    if (head < 0xa0) {
      n = head & 15;
    } else {
      if (head == 0xd9) {
        p += 1 + <usize>load<u8>(p);
        continue;
      }
      const width = widthOf(head);
      if (width != 0xff) {
        p += width;
        continue;
      }
      if (head < 0xdc) {
        p = payload(head, p, end);
        if (p == 0) return 0;
        continue;
      }
      const wide = head & 1;
      if (p + 2 + (wide << 1) > end) return fail(TRUNCATED);
      n = wide ? be32(p) : be16(p);
      p += 2 + (wide << 1);
    }
    if (top == limit) return fail(TOO_DEEP);
    const budget = load<u32>(BUDGET);
    if (n > budget) return fail(TOO_MANY_ITEMS);
    store<u32>(BUDGET, budget - n);
    store<u32>(top, left);
    top += 4;
    left = head < 0x90 || head >= 0xde ? n << 1 : n;
  }
  return p > end ? fail(TRUNCATED) : p;
}

/** Past the payload of a bin, str 16, str 32 or ext whose head was read: `p` follows it. */
function payload(head: u32, p: usize, end: usize): usize {
  let n: u32;
  switch (head) {
    case 0xc4:
      n = load<u8>(p);
      p += 1;
      break;
    case 0xc5:
    case 0xda:
      n = be16(p);
      p += 2;
      break;
    case 0xc6:
    case 0xdb:
      n = be32(p);
      p += 4;
      break;
    case 0xc7: // only EventTime: 8 bytes of type 0
      if (p + 2 > end) return fail(TRUNCATED);
      if (load<u16>(p) != 8) return fail(UNKNOWN_EXT);
      n = 8;
      p += 2;
      break;
    case 0xd7:
      if (p >= end) return fail(TRUNCATED);
      if (load<u8>(p) != 0) return fail(UNKNOWN_EXT);
      n = 8;
      p += 1;
      break;
    case 0xc1:
      return fail(INVALID_BYTE);
    default:
      return fail(UNKNOWN_EXT);
  }
  if (p > end || <usize>n > end - p) return fail(TRUNCATED);
  return p + n;
}
