// Integers and floats as decimal text.
import { tables, T_DIGITS, notFinite, setNotFinite } from "./format-state";

/** Writes the shortest digits of a float that is no whole number below 2^63 (or 1e16), as Ruby does. At most 32 bytes. */
@external("env", "formatFloat")
declare function formatFloat(value: f64, at: usize): usize;

// @ts-ignore: decorator
@inline
function pair(at: usize, value: u32): void {
  store<u16>(at, load<u16>(tables + T_DIGITS + (<usize>value << 1)));
}

function digitsOf(v: u64): usize {
  if (v < 100_000_000) {
    const w = <u32>v;
    if (w < 10_000) return w < 100 ? (w < 10 ? 1 : 2) : w < 1_000 ? 3 : 4;
    return w < 1_000_000 ? (w < 100_000 ? 5 : 6) : w < 10_000_000 ? 7 : 8;
  }
  let count: usize = 8;
  let w = v / 100_000_000;
  while (w > 0) {
    count++;
    w /= 10;
  }
  return count;
}

/** Writes at `o`, up to 20 bytes, and returns where it ends; so do the others. */
export function writeUnsigned(o: usize, v: u64): usize {
  if (v < 10) {
    store<u8>(o, 48 + <u8>v);
    return o + 1;
  }
  const stop = o + digitsOf(v);
  let e = stop;
  while (v >= 0x1_0000_0000) {
    const q = v / 100;
    e -= 2;
    pair(e, <u32>(v - q * 100));
    v = q;
  }
  let w = <u32>v;
  while (w >= 100) {
    const q = w / 100;
    e -= 2;
    pair(e, w - q * 100);
    w = q;
  }
  if (w >= 10) pair(e - 2, w);
  else store<u8>(e - 1, 48 + <u8>w);
  return stop;
}

export function writeSigned(o: usize, v: i64): usize {
  if (v >= 0) return writeUnsigned(o, <u64>v);
  store<u8>(o, 45);
  return writeUnsigned(o + 1, 0 - <u64>v);
}

/** A float as Oj (whole numbers below 2^63 in full, no minus zero) or Ruby's own JSON writes it. */
export function writeFloat(o: usize, v: f64, oj: bool): usize {
  if (!isFinite(v)) {
    store<u32>(o, 0x6c6c756e);
    setNotFinite(notFinite + 1);
    return o + 4;
  }
  const wholeBelow: f64 = oj ? 9223372036854775808.0 : 1e16;
  if (Math.trunc(v) == v && v < wholeBelow && (v > -wholeBelow || (oj && v == -wholeBelow))) {
    let q = o;
    if (v == 0 && !oj && reinterpret<u64>(v) != 0) store<u8>(q++, 45);
    q = writeSigned(q, <i64>v);
    store<u16>(q, 0x302e);
    return q + 2;
  }
  return o + formatFloat(v, o);
}
