// A str or bin as a JSON string: 16 bytes at a time while they are plain ASCII.
import { end, fail, limit, notUtf8, o, p, setNotUtf8, setO, setP, tables } from "./format-state";
import { CUT, FULL, T_ESCAPES } from "./format-state";

let broken: bool = false;

/** `p` stands at the first of `n` content bytes; leaves it behind the last. */
export function writeString(n: u32): bool {
  if (p > end || n > <u32>(end - p)) return fail(CUT);
  const stop = p + n;
  let i = p;
  let q = o;
  if (q > limit) return fail(FULL);
  store<u8>(q++, 34);
  const quote = i8x16.splat(34);
  const backslash = i8x16.splat(92);
  const space = i8x16.splat(32);
  broken = false;
  while (i < stop) {
    if (q > limit) return fail(FULL);
    const v = v128.load(i);
    v128.store(q, v);
    // Signed comparison: bytes from 0x80 on are negative, so one test finds them and the control characters.
    const special = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.lt_s(v, space)),
    );
    const left = stop - i;
    const plain: usize = special == 0 ? 16 : <usize>ctz(special);
    if (plain >= left) {
      q += left;
      break;
    }
    i += plain;
    q += plain;
    if (special == 0) continue;
    const c = load<u8>(i);
    if (c >= 0x80) {
      setO(q);
      i = writeWide(i, stop);
      if (i == 0) return fail(FULL);
      q = o;
    } else {
      i++;
      if (c >= 32) {
        store<u16>(q, 92 | (<u16>c << 8));
        q += 2;
      } else {
        const escape = load<u64>(tables + T_ESCAPES + (<usize>c << 3));
        store<u64>(q, escape);
        q += <usize>(escape >> 56);
      }
    }
  }
  if (broken) setNotUtf8(notUtf8 + 1);
  setP(stop);
  store<u8>(q++, 34);
  setO(q);
  return true;
}

/**
 * Copies what is not ASCII from `i` on, checked as UTF-8: each maximal broken part becomes one U+FFFD (as a
 * TextDecoder does it). Returns where ASCII goes on, or 0 when the output is full.
 */
function writeWide(i: usize, stop: usize): usize {
  let q = o;
  while (i < stop) {
    const c = load<u8>(i);
    if (c < 0x80) break;
    if (q > limit) return 0;
    const length = sequence(i, stop, c);
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
  setO(q);
  return i;
}

/** Bytes of the well-formed sequence at `i`; minus the bytes of the broken one. */
function sequence(i: usize, stop: usize, c: u8): isize {
  if (c < 0xc2) return -1;
  if (c < 0xe0) return i + 1 < stop && continues(load<u8>(i + 1)) ? 2 : -1;
  if (c > 0xf4) return -1;
  const low: u8 = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
  const high: u8 = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
  if (i + 1 >= stop) return -1;
  const second = load<u8>(i + 1);
  if (second < low || second > high) return -1;
  if (i + 2 >= stop || !continues(load<u8>(i + 2))) return -2;
  if (c < 0xf0) return 3;
  if (i + 3 >= stop || !continues(load<u8>(i + 3))) return -3;
  return 4;
}

// @ts-ignore: decorator
@inline
function continues(c: u8): bool {
  return (c & 0xc0) == 0x80;
}
