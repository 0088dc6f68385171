// MessagePack values as JSON. `p` is where values are read; what is written to is passed on and returned, 0 for
// "stopped, see status".
import { end, limit, p, setP, stop } from "./format-state";
import { CUT, FULL, SLOW } from "./format-state";
import { bitOf, hasRoom, insert, isRepeated, keysTop, openTable, PAIRWISE, setKeysTop } from "./format-keys";
import { writeFloat, writeSigned, writeUnsigned } from "./format-number";
import { writeShort, writeString } from "./format-string";

/** Entries are checked for depth when they arrive; this only keeps a bug from exhausting the stack. */
const DEPTH: u32 = 128;

export let oj: bool = true;
export function setOj(v: bool): void {
  oj = v;
}

// @ts-ignore: decorator
@inline
function big16(at: usize): u32 {
  return bswap<u16>(load<u16>(at));
}
// @ts-ignore: decorator
@inline
function big32(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}
// @ts-ignore: decorator
@inline
function big64(at: usize): u64 {
  return bswap<u64>(load<u64>(at));
}

/** The value at `p`, which is left behind it. */
export function writeValue(q: usize, depth: u32): usize {
  const at = p;
  if (at >= end) return stop(CUT);
  if (q > limit) return stop(FULL);
  const c = load<u8>(at);
  setP(at + 1);
  if (c >= 0xa0 && c < 0xc0) {
    const n = <u32>c & 31;
    const short = writeShort(q, at + 1, n);
    if (short == 0) return writeString(q, n);
    setP(at + 1 + n);
    return short;
  }
  if (c == 0xd9) {
    setP(at + 2);
    return writeString(q, load<u8>(at + 1));
  }
  if (c < 0x80) return writeUnsigned(q, c);
  if (c < 0x90) return writeMap(q, c & 15, depth);
  if (c < 0xa0) return writeArray(q, c & 15, depth);
  if (c >= 0xe0) return writeSigned(q, <i64>(<i8>c));
  return writeLong(q, c, depth);
}

function writeLong(q: usize, c: u8, depth: u32): usize {
  const at = p;
  switch (c) {
    case 0xc0: return writeNull(q);
    case 0xc2: {
      store<u8>(q, 102);
      store<u32>(q + 1, 0x65736c61);
      return q + 5;
    }
    case 0xc3: {
      store<u32>(q, 0x65757274);
      return q + 4;
    }
    case 0xc4: { setP(at + 1); return writeString(q, load<u8>(at)); }
    case 0xda:
    case 0xc5: { setP(at + 2); return writeString(q, big16(at)); }
    case 0xdb:
    case 0xc6: { setP(at + 4); return writeString(q, big32(at)); }
    case 0xdc: { setP(at + 2); return writeArray(q, big16(at), depth); }
    case 0xdd: { setP(at + 4); return writeArray(q, big32(at), depth); }
    case 0xde: { setP(at + 2); return writeMap(q, big16(at), depth); }
    case 0xdf: { setP(at + 4); return writeMap(q, big32(at), depth); }
  }
  return writeNumber(q, c, at);
}

function writeNumber(q: usize, c: u8, at: usize): usize {
  const bytes: usize = c >= 0xcc ? <usize>1 << ((c - 0xcc) & 3) : c == 0xca ? 4 : 8;
  if (c < 0xca || c > 0xd3) return writeExt(q, c, at);
  setP(at + bytes);
  if (p > end) return stop(CUT);
  switch (c) {
    case 0xca: return writeFloat(q, <f64>reinterpret<f32>(big32(at)), oj);
    case 0xcb: return writeFloat(q, reinterpret<f64>(big64(at)), oj);
    case 0xcc: return writeUnsigned(q, load<u8>(at));
    case 0xcd: return writeUnsigned(q, big16(at));
    case 0xce: return writeUnsigned(q, big32(at));
    case 0xcf: return writeUnsigned(q, big64(at));
    case 0xd0: return writeSigned(q, <i64>load<i8>(at));
    case 0xd1: return writeSigned(q, <i64>(<i16>big16(at)));
    case 0xd2: return writeSigned(q, <i64>(<i32>big32(at)));
    default: return writeSigned(q, <i64>big64(at));
  }
}

/** EventTime is written as its seconds, as Fluentd does; any other extension (none comes in by forward) as null. */
function writeExt(q: usize, c: u8, at: usize): usize {
  let header: usize = 1;
  let bytes: u32;
  switch (c) {
    case 0xd4: bytes = 1; break;
    case 0xd5: bytes = 2; break;
    case 0xd6: bytes = 4; break;
    case 0xd7: bytes = 8; break;
    case 0xd8: bytes = 16; break;
    case 0xc7: { bytes = load<u8>(at); header = 2; break; }
    case 0xc8: { bytes = big16(at); header = 3; break; }
    case 0xc9: { bytes = big32(at); header = 5; break; }
    default: return stop(SLOW);
  }
  const content = at + header;
  if (content > end || bytes > <u32>(end - content)) return stop(CUT);
  setP(content + bytes);
  const isTime = bytes == 8 && load<u8>(content - 1) == 0;
  return isTime ? writeUnsigned(q, big32(content)) : writeNull(q);
}

// @ts-ignore: decorator
@inline
function writeNull(q: usize): usize {
  store<u32>(q, 0x6c6c756e);
  return q + 4;
}

function writeArray(q: usize, n: u32, depth: u32): usize {
  if (p > end || n > <u32>(end - p)) return stop(CUT);
  if (depth >= DEPTH) return stop(SLOW);
  store<u8>(q++, 91);
  for (let i: u32 = 0; i < n; i++) {
    if (i != 0) store<u8>(q++, 44);
    q = writeValue(q, depth + 1);
    if (q == 0) return 0;
  }
  if (q > limit) return stop(FULL);
  store<u8>(q, 93);
  return q + 1;
}

function writeMap(q: usize, n: u32, depth: u32): usize {
  if (p > end || n > <u32>(end - p) >> 1) return stop(CUT);
  if (depth >= DEPTH) return stop(SLOW);
  if (n > PAIRWISE) return writeWideMap(q, n, depth);
  if (!hasRoom(n)) return stop(SLOW);
  const from = keysTop;
  setKeysTop(from + (<usize>n << 3));
  let top = from;
  let seen: u64 = 0;
  store<u8>(q++, 123);
  for (let i: u32 = 0; i < n; i++) {
    if (i != 0) store<u8>(q++, 44);
    const length = keyLength();
    if (length < 0) return 0;
    const at = p;
    const bit = bitOf(at, length);
    if ((seen & bit) != 0 && isRepeated(from, top, at, length)) return stop(SLOW);
    seen |= bit;
    store<u32>(top, <u32>at);
    store<u32>(top, length, 4);
    top += 8;
    q = writePair(q, length, depth);
    if (q == 0) return 0;
  }
  setKeysTop(from);
  if (q > limit) return stop(FULL);
  store<u8>(q, 125);
  return q + 1;
}

function writeWideMap(q: usize, n: u32, depth: u32): usize {
  const from = keysTop;
  const mask = openTable(n);
  if (mask == 0) return stop(SLOW);
  store<u8>(q++, 123);
  for (let i: u32 = 0; i < n; i++) {
    if (i != 0) store<u8>(q++, 44);
    const length = keyLength();
    if (length < 0) return 0;
    if (!insert(from, mask, p, length)) return stop(SLOW);
    q = writePair(q, length, depth);
    if (q == 0) return 0;
  }
  setKeysTop(from);
  if (q > limit) return stop(FULL);
  store<u8>(q, 125);
  return q + 1;
}

// @ts-ignore: decorator
@inline
function writePair(q: usize, keyBytes: u32, depth: u32): usize {
  const short: usize = q > limit ? 0 : writeShort(q, p, keyBytes);
  if (short != 0) {
    setP(p + keyBytes);
    q = short;
  } else {
    q = writeString(q, keyBytes);
    if (q == 0) return 0;
  }
  store<u8>(q, 58);
  return writeValue(q + 1, depth + 1);
}

/** Steps over a key's head and returns its length, which lies inside the input; below 0: stopped. */
// @ts-ignore: decorator
@inline
function keyLength(): i32 {
  const at = p;
  if (at < end) {
    const c = load<u8>(at);
    const n = <u32>c & 31;
    if (c >= 0xa0 && c < 0xc0 && n < <u32>(end - at)) {
      setP(at + 1);
      return n;
    }
  }
  return longKeyLength();
}

function longKeyLength(): i32 {
  if (p >= end) return <i32>stop(CUT) - 1;
  const c = load<u8>(p);
  const at = p + 1;
  let n: u32;
  if (c >= 0xa0 && c < 0xc0) {
    n = c & 31;
    setP(at);
  } else if (c == 0xd9 || c == 0xc4) {
    n = load<u8>(at);
    setP(at + 1);
  } else if (c == 0xda || c == 0xc5) {
    n = big16(at);
    setP(at + 2);
  } else if (c == 0xdb || c == 0xc6) {
    n = big32(at);
    setP(at + 4);
  } else return <i32>stop(SLOW) - 1;
  if (p > end || n > <u32>(end - p) || n > 0x7fff_ffff) return <i32>stop(CUT) - 1;
  return <i32>n;
}
