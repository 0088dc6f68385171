// A str or bin as a JSON string: 16 bytes at a time while they are plain ASCII.
import { end, limit, notUtf8, p, setNotUtf8, setP, stop, tables } from "./format-state";
import { CUT, FULL, T_ESCAPES } from "./format-state";

let broken: bool = false;

/**
 * A string of at most 16 bytes at `at`, all of them plain ASCII: written to `q` with the quotes in one go. Returns where it
 * ends; 0: it is not plain, or not all there, and nothing is written that counts.
 */
// @ts-ignore: decorator
@inline
export function writeShort(q: usize, at: usize, n: u32): usize {
  if (n > 16 || at + n > end) return 0;
  const v = v128.load(at);
  const special = v128.or(
    v128.or(i8x16.eq(v, i8x16.splat(34)), i8x16.eq(v, i8x16.splat(92))),
    i8x16.lt_s(v, i8x16.splat(32)),
  );
  if ((i8x16.bitmask(special) & ((1 << n) - 1)) != 0) return 0;
  store<u8>(q, 34);
  v128.store(q, v, 1);
  store<u8>(q + n, 34, 1);
  return q + n + 2;
}

/** Writes the `n` content bytes at `p`, which is left behind them, to `q`. Returns where it ends; 0: stopped. */
export function writeString(q: usize, n: u32): usize {
  let i = p;
  if (i > end || n > <u32>(end - i)) return stop(CUT);
  const last = i + n;
  setP(last);
  broken = false;
  if (q > limit) return stop(FULL);
  store<u8>(q++, 34);
  const quote = i8x16.splat(34);
  const backslash = i8x16.splat(92);
  const space = i8x16.splat(32);
  while (i < last) {
    if (q > limit) return stop(FULL);
    const v = v128.load(i);
    v128.store(q, v);
    // Signed comparison: bytes from 0x80 on are negative, so one test finds them and the control characters.
    const special = v128.or(
      v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)),
      i8x16.lt_s(v, space),
    );
    const left = last - i;
    const mask = i8x16.bitmask(special);
    if (mask == 0) {
      if (left <= 16) {
        q += left;
        break;
      }
      i += 16;
      q += 16;
      continue;
    }
    const plain = <usize>ctz(mask);
    if (plain >= left) {
      q += left;
      break;
    }
    i += plain;
    q += plain;
    const c = load<u8>(i);
    if (c >= 0x80) {
      q = writeWide(q, i, last);
      if (q == 0) return stop(FULL);
      i = wideEnd;
    } else {
      i++;
      if (c >= 32) {
        store<u16>(q, 92 | (<u16>c << 8));
        q += 2;
      } else {
        q = writeEscape(q, c);
        // Where one is, there often are more.
        for (; i < last && load<u8>(i) < 32 && q <= limit; i++) q = writeEscape(q, load<u8>(i));
      }
    }
  }
  if (broken) setNotUtf8(notUtf8 + 1);
  store<u8>(q, 34);
  return q + 1;
}

/** Writes a control character. */
// @ts-ignore: decorator
@inline
function writeEscape(q: usize, c: u8): usize {
  const escape = load<u64>(tables + T_ESCAPES + (<usize>c << 3));
  store<u64>(q, escape);
  return q + <usize>(escape >> 56);
}

let wideEnd: usize = 0;

/**
 * Copies what is not ASCII from `i` on, checked as UTF-8: each maximal broken part becomes one U+FFFD (as a
 * TextDecoder does it). ASCII goes on at wideEnd. Returns 0 when the output is full.
 */
function writeWide(q: usize, i: usize, last: usize): usize {
  while (i < last) {
    const c = load<u8>(i);
    if (c < 0x80) break;
    if (q > limit) return 0;
    const length = sequence(i, last, c);
    if (length > 0) {
      store<u32>(q, load<u32>(i));
      i += length;
      q += length;
    } else {
      store<u32>(q, 0xbdbfef);
      q += 3;
      i -= length;
      broken = true;
    }
  }
  wideEnd = i;
  return q;
}

/** Bytes of the well-formed sequence at `i`; minus the bytes of the broken one. */
// @ts-ignore: decorator
@inline
function sequence(i: usize, last: usize, c: u8): isize {
  if (c >= 0xe1 && c <= 0xec && i + 2 < last) {
    // Most of what is written in Asia: three bytes with nothing special about the second.
    if ((load<u16>(i + 1) & 0xc0c0) == 0x8080) return 3;
  }
  return anySequence(i, last, c);
}

function anySequence(i: usize, last: usize, c: u8): isize {
  if (c < 0xc2) return -1;
  if (c < 0xe0) return i + 1 < last && continues(load<u8>(i + 1)) ? 2 : -1;
  if (c > 0xf4) return -1;
  const low: u8 = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
  const high: u8 = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
  if (i + 1 >= last) return -1;
  const second = load<u8>(i + 1);
  if (second < low || second > high) return -1;
  if (i + 2 >= last || !continues(load<u8>(i + 2))) return -2;
  if (c < 0xf0) return 3;
  if (i + 3 >= last || !continues(load<u8>(i + 3))) return -3;
  return 4;
}

// @ts-ignore: decorator
@inline
function continues(c: u8): bool {
  return (c & 0xc0) == 0x80;
}
