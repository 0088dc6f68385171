// gzip (RFC 1952): members end to end, each a header, deflated blocks, CRC-32 and length of the output.

import { crc32, crcInit } from './crc32';
import {
  BAD_CHECK, BAD_HEADER, DONE, inflate, inflatedFrom, inflatedTo, inflateStart, TRUNCATED,
} from './inflate';
import { inflateInit } from './inflate-tables';

/** Past the output: read by src/kernel/gunzip.ts. */
const OUTPUT_END: usize = 131072;

const FLAG_HEADER_CRC: u32 = 2;
const FLAG_EXTRA: u32 = 4;
const FLAG_NAME: u32 = 8;
const FLAG_COMMENT: u32 = 16;
const FLAGS_RESERVED: u32 = 0xe0;

export function gunzipInit(): void {
  inflateInit();
  crcInit();
}

/** Inflates [p, end) to [out, outEnd). Returns a verdict (inflate.ts). */
export function gunzip(p: usize, end: usize, out: usize, outEnd: usize): u32 {
  inflateStart();
  // Nothing is no entries.
  while (p < end) {
    verdict = DONE;
    p = header(p, end);
    if (verdict != DONE) return verdict;
    const failed = inflate(p, end, out, outEnd);
    if (failed != DONE) return failed;
    p = inflatedFrom();
    const to = inflatedTo();
    if (p > end || end - p < 8) return TRUNCATED;
    if (load<u32>(p) != crc32(out, to, 0) || load<u32>(p, 4) != <u32>(to - out)) return BAD_CHECK;
    p += 8;
    out = to;
  }
  store<u32>(OUTPUT_END, <u32>out);
  return DONE;
}

let verdict: u32 = 0;

function refuse(why: u32): usize {
  verdict = why;
  return 0;
}

/** Past the header at `p`. */
function header(p: usize, end: usize): usize {
  const start = p;
  if (end - p < 10) return refuse(TRUNCATED);
  // 1f 8b, and the only method there is.
  if (load<u16>(p) != 0x8b1f || load<u8>(p, 2) != 8) return refuse(BAD_HEADER);
  const flags = <u32>load<u8>(p, 3);
  if ((flags & FLAGS_RESERVED) != 0) return refuse(BAD_HEADER);
  p += 10;
  if ((flags & FLAG_EXTRA) != 0) {
    if (end - p < 2) return refuse(TRUNCATED);
    const bytes = <usize>load<u16>(p);
    p += 2;
    if (end - p < bytes) return refuse(TRUNCATED);
    p += bytes;
  }
  if ((flags & FLAG_NAME) != 0) p = pastText(p, end);
  if ((flags & FLAG_COMMENT) != 0 && p != 0) p = pastText(p, end);
  if (p == 0) return refuse(TRUNCATED);
  if ((flags & FLAG_HEADER_CRC) != 0) {
    if (end - p < 2) return refuse(TRUNCATED);
    if (<u32>load<u16>(p) != (crc32(start, p, 0) & 0xffff)) return refuse(BAD_HEADER);
    p += 2;
  }
  return p;
}

/** Past a text that ends with a zero byte; 0 if it does not. */
function pastText(p: usize, end: usize): usize {
  while (p < end) {
    if (load<u8>(p++) == 0) return p;
  }
  return 0;
}
