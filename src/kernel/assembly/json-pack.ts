// A JSON object as a MessagePack map, in the smallest forms. What is rare is not done here: the caller's own reader, which is
// exact about everything, takes such texts. The byte behind the text must be 0, which no JSON has: so nothing is read beyond.
import { packNumber, packString } from './json-pack-values';
import { p, place, q, setP, setQ } from './json-pack-state';

/** Maps and arrays inside each other, and keys of one map, up to which it is done here. */
const levelsLimit: u32 = 32;
const keysLimit: u32 = 128;
const timeLimit: usize = 512;

let timeKeyAt: usize = 0;
let timeKeyBytes: u32 = 0;
let keepsTime: bool = false;
let timeArea: usize = 0;
let timeBytes: usize = 0;
let keysAt: usize = 0;

/** Where the packed value of the time key is put, and `keysLimit` × 4 bytes for each level. */
export function jsonPackRegions(time: usize, keys: usize): void {
  timeArea = time;
  keysAt = keys;
}

/**
 * Packs the text [at, end) to `out`. The value of the time key (a str of `keyBytes` bytes at `key`, head included; 0: there is none)
 * is put into the time area, and is left out of the map unless `keeps`. Returns where the map ends; 0: not done here.
 */
export function jsonPack(
  at: usize,
  end: usize,
  out: usize,
  key: usize,
  keyBytes: u32,
  keeps: bool,
  lenient: bool,
): usize {
  place(at, out, lenient);
  timeKeyAt = key;
  timeKeyBytes = keyBytes;
  keepsTime = keeps;
  timeBytes = 0;
  if (skipSpace() != 0x7b) return 0;
  if (!packMap(0)) return 0;
  if (skipSpace() != 0 || p != end) return 0;
  return q;
}

/** Bytes of the time key's value; 0: there was none. */
export function jsonPackTime(): usize {
  return timeBytes;
}

/** The byte that stands there. */
// @ts-ignore: decorator
@inline
function skipSpace(): u32 {
  let at = p;
  let c = <u32>load<u8>(at);
  while (c <= 0x20 && (c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09)) c = load<u8>(++at);
  setP(at);
  return c;
}

function packValue(level: u32): bool {
  const c = skipSpace();
  if (c == 0x22) return packString();
  if (c == 0x7b) return level < levelsLimit && packMap(level);
  if (c == 0x5b) return level < levelsLimit && packArray(level);
  if (c == 0x74) return packWord(0x65757274, 4, 0xc3);
  if (c == 0x6e) return packWord(0x6c6c756e, 4, 0xc0);
  if (c == 0x66) return load<u8>(p + 4) == 0x65 && packWord(0x736c6166, 5, 0xc2);
  return packNumber();
}

function packWord(word: u32, bytes: usize, packed: u8): bool {
  if (load<u32>(p) != word) return false;
  setP(p + bytes);
  store<u8>(q, packed);
  setQ(q + 1);
  return true;
}

/** At the opening brace. */
function packMap(level: u32): bool {
  const head = q;
  const keys = keysAt + ((<usize>(level * keysLimit)) << 2);
  let count: u32 = 0;
  let left: u32 = 0;
  let seen: u64 = 0;
  setP(p + 1);
  setQ(q + 1);
  let c = skipSpace();
  if (c == 0x7d) {
    setP(p + 1);
    store<u8>(head, 0x80);
    return true;
  }
  for (;;) {
    if (c != 0x22 || count == keysLimit) return false;
    const key = q;
    if (!packString()) return false;
    const bytes = <u32>(q - key);
    // A repeated key keeps its place and takes its last value: not here.
    const mark = markOf(key, bytes);
    if ((seen & mark) != 0 && isRepeated(keys, count, key, bytes)) return false;
    seen |= mark;
    const isTime = level == 0 && bytes == timeKeyBytes && memory.compare(key, timeKeyAt, bytes) == 0;
    if (isTime) left = keepsTime ? 0 : 1;
    store<u32>(keys + (<usize>count << 2), isTime && !keepsTime ? <u32>timeKeyAt : <u32>key);
    count++;
    if (skipSpace() != 0x3a) return false;
    setP(p + 1);
    const value = q;
    if (!packValue(level + 1)) return false;
    if (isTime) {
      timeBytes = q - value;
      if (timeBytes > timeLimit) return false;
      memory.copy(timeArea, value, timeBytes);
      if (!keepsTime) setQ(key);
    }
    c = skipSpace();
    setP(p + 1);
    if (c == 0x7d) break;
    if (c != 0x2c) return false;
    c = skipSpace();
  }
  finishHead(head, count - left, 0x80, 0xde);
  return true;
}

/** One bit of 64, by the first bytes of a packed key. */
// @ts-ignore: decorator
@inline
function markOf(key: usize, bytes: u32): u64 {
  let first = load<u64>(key);
  // What stands behind a short key is not its own.
  if (bytes < 8) first &= ((<u64>1) << (<u64>bytes << 3)) - 1;
  return (<u64>1) << ((first * 0x9e3779b97f4a7c15) >> 58);
}

function isRepeated(keys: usize, count: u32, key: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const other = <usize>load<u32>(keys + (<usize>i << 2));
    // What follows a key that is shorter cannot make it the same: its head says its length.
    if (load<u8>(other) == load<u8>(key) && memory.compare(other, key, bytes) == 0) return true;
  }
  return false;
}

/** At the opening bracket. */
function packArray(level: u32): bool {
  const head = q;
  let count: u32 = 0;
  setP(p + 1);
  setQ(q + 1);
  if (skipSpace() == 0x5d) {
    setP(p + 1);
    store<u8>(head, 0x90);
    return true;
  }
  for (;;) {
    if (!packValue(level + 1)) return false;
    count++;
    const c = skipSpace();
    setP(p + 1);
    if (c == 0x5d) break;
    if (c != 0x2c) return false;
  }
  finishHead(head, count, 0x90, 0xdc);
  return true;
}

/** There is a byte for the head; where it takes three, what follows moves. */
function finishHead(head: usize, count: u32, small: u8, wide: u8): void {
  if (count < 16) {
    store<u8>(head, small | <u8>count);
    return;
  }
  // Texts are so short that the count fits into 16 bits.
  memory.copy(head + 3, head + 1, q - head - 1);
  store<u8>(head, wide);
  store<u16>(head + 1, bswap<u16>(<u16>count));
  setQ(q + 2);
}
