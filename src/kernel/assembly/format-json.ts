// MessagePack values as JSON.
import { end, fail, limit, o, p, setO, setP } from "./format-state";
import { CUT, FULL, SLOW } from "./format-state";
import { closeKeys, keysFrom, keysMask, keysTop, noteKey, openKeys } from "./format-keys";
import { writeFloat, writeSigned, writeUnsigned } from "./format-number";
import { writeString } from "./format-string";

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

// @ts-ignore: decorator
@inline
function put(c: u8): void {
  store<u8>(o, c);
  setO(o + 1);
}

/** The value at `p`, which is left behind it. False: stopped, see status. */
export function writeValue(depth: u32): bool {
  if (p >= end) return fail(CUT);
  if (o > limit) return fail(FULL);
  const c = load<u8>(p);
  setP(p + 1);
  if (c >= 0xa0 && c < 0xc0) return writeString(c & 31);
  if (c < 0x80) {
    writeUnsigned(c);
    return true;
  }
  if (c < 0x90) return writeMap(c & 15, depth);
  if (c < 0xa0) return writeArray(c & 15, depth);
  if (c >= 0xe0) {
    writeSigned(<i64>(<i8>c));
    return true;
  }
  return writeLong(c, depth);
}

function writeLong(c: u8, depth: u32): bool {
  const at = p;
  switch (c) {
    case 0xc0: return word(0x6c6c756e, 4);
    case 0xc2: { put(102); return word(0x65736c61, 4); }
    case 0xc3: return word(0x65757274, 4);
    case 0xd9:
    case 0xc4: { setP(at + 1); return writeString(load<u8>(at)); }
    case 0xda:
    case 0xc5: { setP(at + 2); return writeString(big16(at)); }
    case 0xdb:
    case 0xc6: { setP(at + 4); return writeString(big32(at)); }
    case 0xdc: { setP(at + 2); return writeArray(big16(at), depth); }
    case 0xdd: { setP(at + 4); return writeArray(big32(at), depth); }
    case 0xde: { setP(at + 2); return writeMap(big16(at), depth); }
    case 0xdf: { setP(at + 4); return writeMap(big32(at), depth); }
  }
  return writeNumber(c, at);
}

function writeNumber(c: u8, at: usize): bool {
  switch (c) {
    case 0xca: { setP(at + 4); if (p > end) return fail(CUT); writeFloat(<f64>reinterpret<f32>(big32(at)), oj); return true; }
    case 0xcb: { setP(at + 8); if (p > end) return fail(CUT); writeFloat(reinterpret<f64>(big64(at)), oj); return true; }
    case 0xcc: { setP(at + 1); writeUnsigned(load<u8>(at)); break; }
    case 0xcd: { setP(at + 2); writeUnsigned(big16(at)); break; }
    case 0xce: { setP(at + 4); writeUnsigned(big32(at)); break; }
    case 0xcf: { setP(at + 8); writeUnsigned(big64(at)); break; }
    case 0xd0: { setP(at + 1); writeSigned(<i64>(<i8>load<u8>(at))); break; }
    case 0xd1: { setP(at + 2); writeSigned(<i64>(<i16>big16(at))); break; }
    case 0xd2: { setP(at + 4); writeSigned(<i64>(<i32>big32(at))); break; }
    case 0xd3: { setP(at + 8); writeSigned(<i64>big64(at)); break; }
    default: return writeExt(c, at);
  }
  return p > end ? fail(CUT) : true;
}

/** EventTime is written as its seconds, as Fluentd does; any other extension (none comes in by forward) as null. */
function writeExt(c: u8, at: usize): bool {
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
    default: return fail(SLOW);
  }
  const content = at + header;
  if (content > end || bytes > <u32>(end - content)) return fail(CUT);
  setP(content + bytes);
  if (bytes == 8 && load<u8>(content - 1) == 0) {
    writeUnsigned(big32(content));
    return true;
  }
  return word(0x6c6c756e, 4);
}

// @ts-ignore: decorator
@inline
function word(letters: u32, n: usize): bool {
  store<u32>(o, letters);
  setO(o + n);
  return true;
}

function writeArray(n: u32, depth: u32): bool {
  if (p > end || n > <u32>(end - p)) return fail(CUT);
  if (depth >= DEPTH) return fail(SLOW);
  put(91);
  for (let i: u32 = 0; i < n; i++) {
    if (i != 0) put(44);
    if (!writeValue(depth + 1)) return false;
  }
  if (o > limit) return fail(FULL);
  put(93);
  return true;
}

export function writeMap(n: u32, depth: u32): bool {
  if (p > end || n > <u32>(end - p) >> 1) return fail(CUT);
  if (depth >= DEPTH) return fail(SLOW);
  put(123);
  const outerFrom = keysFrom;
  const outerTop = keysTop;
  const outerMask = keysMask();
  if (n > 1 && !openKeys(n)) return fail(SLOW);
  for (let i: u32 = 0; i < n; i++) {
    if (o > limit) return fail(FULL);
    if (i != 0) put(44);
    if (!writeKey(n > 1)) return false;
    put(58);
    if (!writeValue(depth + 1)) return false;
  }
  if (o > limit) return fail(FULL);
  put(125);
  if (n > 1) closeKeys(outerFrom, outerTop, outerMask);
  return true;
}

function writeKey(check: bool): bool {
  if (p >= end) return fail(CUT);
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
  } else return fail(SLOW);
  if (p > end || n > <u32>(end - p)) return fail(CUT);
  if (check && !noteKey(p, n)) return fail(SLOW);
  return writeString(n);
}
