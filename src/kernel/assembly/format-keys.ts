// Finds keys that repeat within a map: they are rare, and the slow formatter deals with them. This only has to
// be quick in saying that there are none. The keys of the maps that are open lie on a stack in the tables.
import { tables, T_KEYS, T_KEYS_END } from "./format-state";

/** Above this many pairs keys are hashed instead of compared one with the other. */
export const PAIRWISE: u32 = 16;
const PROBES: u32 = 64;

/** The stack's end, absolute. Who opens a map puts it back afterwards. */
export let keysTop: usize = 0;
export function setKeysTop(at: usize): void {
  keysTop = at;
}
export function resetKeys(): void {
  keysTop = tables + T_KEYS;
}

/** Room for the keys of a map with few pairs. */
export function hasRoom(n: u32): bool {
  return keysTop + (<usize>n << 3) <= tables + T_KEYS_END;
}

/** A bit of a word of 64 for a key: only keys with the same bit can be equal. */
// @ts-ignore: decorator
@inline
export function bitOf(at: usize, n: u32): u64 {
  if (n == 0) return 1;
  return <u64>1 << (<u64>load<u8>(at) * 3 + <u64>load<u8>(at + n - 1) * 5 + <u64>n * 7);
}

/** Whether the key is among those noted, as address and length, from `from` to `top`. */
export function isRepeated(from: usize, top: usize, at: usize, n: u32): bool {
  for (let k = from; k < top; k += 8) {
    if (load<u32>(k, 4) == n && memory.compare(load<u32>(k), at, n) == 0) return true;
  }
  return false;
}

/** Takes a hash table for `n` keys from the stack and returns its mask; 0: it would not fit. */
export function openTable(n: u32): u32 {
  const room = tables + T_KEYS_END - keysTop;
  if (<usize>n > room >> 5) return 0;
  const slots: u32 = 1 << (33 - clz<u32>(n - 1));
  const bytes = <usize>slots << 4;
  if (bytes > room) return 0;
  memory.fill(keysTop, 0, bytes);
  keysTop += bytes;
  return slots - 1;
}

/** Puts the key into the table at `from`. False: it may be there already. */
export function insert(from: usize, mask: u32, at: usize, n: u32): bool {
  const sign = signature(at, n);
  let slot = <u32>((sign * 0x9e3779b97f4a7c15) >> 40);
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const k = from + (<usize>(slot & mask) << 4);
    if (load<u32>(k, 8) == 0) {
      store<u64>(k, sign);
      store<u32>(k, <u32>at, 8);
      store<u32>(k, n, 12);
      return true;
    }
    if (load<u64>(k) == sign && load<u32>(k, 12) == n) {
      if (memory.compare(load<u32>(k, 8), at, n) == 0) return false;
    }
    slot++;
  }
  return false;
}

/** First and last eight bytes and the length: differs for nearly all keys that differ. */
function signature(at: usize, n: u32): u64 {
  if (n >= 8) return load<u64>(at) ^ rotl<u64>(load<u64>(at + n - 8), 29) ^ (<u64>n << 40);
  if (n == 0) return 0;
  return (load<u64>(at) & (<u64>-1 >> (64 - (<u64>n << 3)))) ^ (<u64>n << 58);
}
