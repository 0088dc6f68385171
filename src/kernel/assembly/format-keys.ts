// Finds keys that repeat within a map: they are rare, and the slow formatter deals with them. This only has to
// be quick in saying that there are none.
import { tables, T_KEYS, T_KEYS_END } from "./format-state";

/** Above this many pairs keys are hashed instead of compared one with the other. */
const PAIRWISE: u32 = 16;
const PROBES: u32 = 64;

/** Where the innermost map's keys start, and behind the last of them; absolute. Kept by the caller over a nested map. */
export let keysFrom: usize = 0;
export let keysTop: usize = 0;
let mask: u32 = 0;

export function resetKeys(): void {
  keysTop = tables + T_KEYS;
}

/** Opens a map of `n` pairs. False: too wide to be checked here. */
export function openKeys(n: u32): bool {
  keysFrom = keysTop;
  mask = 0;
  const room = tables + T_KEYS_END - keysTop;
  if (n <= PAIRWISE) return <usize>n << 4 <= room;
  if (<usize>n > room >> 5) return false;
  const slots: u32 = 1 << (33 - clz<u32>(n - 1));
  const bytes = <usize>slots << 4;
  if (bytes > room) return false;
  memory.fill(keysTop, 0, bytes);
  keysTop += bytes;
  mask = slots - 1;
  return true;
}

/** Puts back what stood before `openKeys`, or before a nested map. */
export function closeKeys(from: usize, top: usize, wide: u32): void {
  keysFrom = from;
  keysTop = top;
  mask = wide;
}
export function keysMask(): u32 {
  return mask;
}

/** Notes the key of `n` bytes at `at`. False: it may have been there before. */
export function noteKey(at: usize, n: u32): bool {
  const sign = signature(at, n);
  if (mask != 0) return noteHashed(at, n, sign);
  for (let k = keysFrom; k < keysTop; k += 16) {
    if (load<u64>(k) == sign && same(k, at, n)) return false;
  }
  put(keysTop, at, n, sign);
  keysTop += 16;
  return true;
}

function noteHashed(at: usize, n: u32, sign: u64): bool {
  let slot = <u32>((sign * 0x9e3779b97f4a7c15) >> 40);
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const k = keysFrom + (<usize>(slot & mask) << 4);
    if (load<u32>(k + 8) == 0) {
      put(k, at, n, sign);
      return true;
    }
    if (load<u64>(k) == sign && same(k, at, n)) return false;
    slot++;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function put(k: usize, at: usize, n: u32, sign: u64): void {
  store<u64>(k, sign);
  store<u32>(k + 8, <u32>at);
  store<u32>(k + 12, n);
}

function same(k: usize, at: usize, n: u32): bool {
  return load<u32>(k + 12) == n && memory.compare(load<u32>(k + 8), at, n) == 0;
}

/** First and last eight bytes and the length: differs for nearly all keys that differ. */
function signature(at: usize, n: u32): u64 {
  if (n >= 8) return load<u64>(at) ^ rotl<u64>(load<u64>(at + n - 8), 29) ^ (<u64>n << 40);
  if (n == 0) return 0;
  return (load<u64>(at) & (<u64>-1 >> (64 - (<u64>n << 3)))) ^ (<u64>n << 58);
}
