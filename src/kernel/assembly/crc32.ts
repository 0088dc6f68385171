// CRC-32 as gzip has it (RFC 1952, 8), without a multiplication instruction for it.
//
// x^300 + x^155 + x^117 + x^89 + 1 is a multiple of the CRC's polynomial (the smallest one with five terms; found
// by search). Squared seven times over GF(2) it becomes x^(128*300) + x^(128*155) + ... + 1, still a multiple: so 16 bytes can be
// left out of a message if they are XORed to the 16 bytes 145, 183, 211 and 300 places behind. What remains are the last 300
// places, which a table takes. (The idea is that of "Chorba", S. Russell, 2024.)

import { tablesEnd } from './inflate-tables';

/** Eight tables of 256 words: byte b followed by 0 to 7 zero bytes. */
const TABLES: usize = tablesEnd;
/** What is XORed on: 300 places that are done, and behind them the block being worked on. */
const DONE: usize = TABLES + 8192;
const BLOCK: usize = DONE + 300 * 16;
const blockBytes: usize = 16 * 1024;
/** Less than this is left to the tables. */
const foldedFromBytes: usize = 2 * 300 * 16;

export function crcInit(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    store<u32>(TABLES + (i << 2), crc);
  }
  for (let at = TABLES; at < TABLES + 7168; at += 4) {
    const crc = load<u32>(at);
    store<u32>(at + 1024, (crc >> 8) ^ load<u32>(TABLES + ((crc & 255) << 2)));
  }
}

/** Of bytes whose CRC is `crc` (0: there are none), followed by [p, end). */
export function crc32(p: usize, end: usize, crc: u32): u32 {
  if (end - p < foldedFromBytes) return ~byTables(p, end, ~crc);
  memory.fill(DONE, 0, 300 * 16);
  // What came before is XORed to the first four bytes; nothing counts as ones in front.
  v128.store(BLOCK, v128.xor(v128.load(p), i32x4.replace_lane(i32x4.splat(0), 0, ~crc)));
  p += 16;
  let filled: usize = 16;
  const foldEnd = p + (((end - p) & ~15) - 300 * 16);
  while (p < foldEnd) {
    const bytes = min(foldEnd - p, blockBytes - filled);
    fold(p, BLOCK + filled, bytes);
    p += bytes;
    filled += bytes;
    memory.copy(DONE, DONE + filled, 300 * 16);
    filled = 0;
  }
  memory.fill(BLOCK, 0, 300 * 16);
  remainder(p);
  return ~byTables(p + 300 * 16, end, byTables(BLOCK, BLOCK + 300 * 16, 0));
}

/** What is left at `to` of 16 bytes at `p`, when all that lies 300 places in front has been taken in. */
// @ts-ignore: decorator
@inline
function taken(p: usize, to: usize): v128 {
  return v128.xor(
    v128.xor(v128.load(p), v128.load(to - 300 * 16)),
    v128.xor(v128.load(to - 211 * 16), v128.xor(v128.load(to - 183 * 16), v128.load(to - 145 * 16))),
  );
}

function fold(p: usize, to: usize, bytes: usize): void {
  const end = p + bytes;
  const four = p + (bytes & ~63);
  for (; p < four; p += 64, to += 64) {
    const a = taken(p, to);
    const b = taken(p + 16, to + 16);
    const c = taken(p + 32, to + 32);
    const d = taken(p + 48, to + 48);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
  }
  for (; p < end; p += 16, to += 16) v128.store(to, taken(p, to));
}

/** The last 300 places: they take in what is in front of them all, but nothing of each other. */
function remainder(p: usize): void {
  // From the back, so that what is stored is not loaded again.
  for (let i: usize = 300; i-- > 0; ) {
    const to = BLOCK + (i << 4);
    v128.store(to, taken(p + (i << 4), to));
  }
}

/** Goes on from `crc`, eight bytes a turn. */
function byTables(p: usize, end: usize, crc: u32): u32 {
  for (; p + 8 <= end; p += 8) {
    const low = load<u32>(p) ^ crc;
    const high = load<u32>(p, 4);
    crc =
      load<u32>(TABLES + ((low & 255) << 2), 7168) ^
      load<u32>(TABLES + (((low >> 8) & 255) << 2), 6144) ^
      load<u32>(TABLES + (((low >> 16) & 255) << 2), 5120) ^
      load<u32>(TABLES + ((low >> 24) << 2), 4096) ^
      load<u32>(TABLES + ((high & 255) << 2), 3072) ^
      load<u32>(TABLES + (((high >> 8) & 255) << 2), 2048) ^
      load<u32>(TABLES + (((high >> 16) & 255) << 2), 1024) ^
      load<u32>(TABLES + ((high >> 24) << 2));
  }
  for (; p < end; p++) crc = (crc >> 8) ^ load<u32>(TABLES + (((crc ^ load<u8>(p)) & 255) << 2));
  return crc;
}
