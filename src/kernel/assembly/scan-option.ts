// What a message's option says: the chunk to acknowledge, the name of a compression. And the ack itself.

import { copy, isMap, spend } from './scan-entries';
import { levelLimit } from './scan-rules';
import { BAD_OPTION, be16, be32, fail, INVALID_BYTE, RESULT, TRUNCATED, walk } from './scan-walk';

const ACK_COUNT: usize = RESULT + 40;
const CODEC_AT: usize = RESULT + 64;
/** -1: not compressed; -2: the option is there and no string. */
export const CODEC_BYTES: usize = RESULT + 68;
const CHUNK_AT: usize = RESULT + 72;
const CHUNK_END: usize = RESULT + 76;

/** Bytes of the str or bin payload whose head is at `p`, -1 if it is neither, -2 if it is cut; START is set to the payload. */
export let textStart: usize = 0;
export function textBytes(p: usize, end: usize): i64 {
  const head = <u32>load<u8>(p);
  let n: u32 = 0;
  let size: usize = 1;
  if ((head & 0xe0) == 0xa0) {
    n = head & 31;
  } else if (head == 0xd9 || head == 0xc4) {
    n = load<u8>(p + 1);
    size = 2;
  } else if (head == 0xda || head == 0xc5) {
    n = be16(p + 1);
    size = 3;
  } else if (head == 0xdb || head == 0xc6) {
    n = be32(p + 1);
    size = 5;
  } else {
    return -1;
  }
  textStart = p + size;
  if (textStart > end || <usize>n > end - textStart) return -2;
  return n;
}

/** 'chunk' and 'compressed' as they stand in memory, by 8 and 4 bytes. */
function isChunk(p: usize, n: i64): bool {
  return n == 5 && load<u32>(p) == 0x6e756863 && load<u8>(p + 4) == 0x6b;
}
function isCompressed(p: usize, n: i64): bool {
  return n == 10 && load<u64>(p) == 0x73736572706d6f63 && load<u16>(p + 8) == 0x6465;
}
function isText(p: usize, n: i64): bool {
  return n == 4 && load<u32>(p) == 0x74786574;
}

/** Reads the option at `p`: a map or nil. Sets CHUNK_* and CODEC_*; returns its end, or 0 and FAULT. */
function option(p: usize, end: usize): usize {
  if (p >= end) return fail(TRUNCATED);
  const head = <u32>load<u8>(p);
  if (head == 0xc0) return p + 1;
  if (head == 0x80) return p + 1;
  if (!isMap(p)) return fail(head == 0xc1 ? INVALID_BYTE : BAD_OPTION);
  let pairs: u32;
  let at: usize;
  if (head < 0x90) {
    pairs = head & 15;
    at = p + 1;
  } else {
    at = p + (head == 0xde ? 3 : 5);
    if (at > end) return fail(TRUNCATED);
    pairs = head == 0xde ? be16(p + 1) : be32(p + 1);
  }
  if (!spend(pairs)) return 0;
  for (let i: u32 = 0; i < pairs; i++) {
    if (at >= end) return fail(TRUNCATED);
    const n = textBytes(at, end);
    const keyStart = textStart;
    const value = walk(at, end, 1, levelLimit - 2);
    if (value == 0) return 0;
    const next = walk(value, end, 1, levelLimit - 2);
    if (next == 0) return 0;
    if (isChunk(keyStart, n)) noteChunk(value, next);
    else if (isCompressed(keyStart, n)) noteCodec(value, next);
    at = next;
  }
  return at;
}

function noteChunk(p: usize, end: usize): void {
  const head = <u32>load<u8>(p);
  const none = head == 0xc0 || head == 0xc2;
  store<u32>(CHUNK_AT, none ? 0 : <u32>p);
  store<u32>(CHUNK_END, none ? 0 : <u32>end);
}

function noteCodec(p: usize, end: usize): void {
  const head = <u32>load<u8>(p);
  if (head == 0xc0 || head == 0xc2) {
    store<i32>(CODEC_BYTES, -1);
    return;
  }
  const n = textBytes(p, end);
  store<u32>(CODEC_AT, <u32>textStart);
  store<i32>(CODEC_BYTES, n < 0 ? -2 : isText(textStart, n) ? -1 : <i32>n);
}

/** The option (if `elements` leaves one) and what may follow it; returns the message's end, or 0 and FAULT. */
export function rest(p: usize, end: usize, elements: i64): usize {
  store<u32>(CHUNK_AT, 0);
  store<i32>(CODEC_BYTES, -1);
  if (elements <= 0) return p;
  const after = option(p, end);
  if (after == 0 || elements == 1) return after;
  return walk(after, end, <u32>(elements - 1), levelLimit - 1);
}

/** Whether the message asked for an ack. */
// @ts-ignore: decorator
@inline
export function asksForAck(): bool {
  return load<u32>(CHUNK_AT) != 0;
}

/** Appends `{"ack": chunk}` at `o` if the message asked for it; returns the new end. */
export function ack(o: usize): usize {
  const chunk = <usize>load<u32>(CHUNK_AT);
  if (chunk == 0) return o;
  store<u32>(o, 0x6361a381);
  store<u8>(o + 4, 0x6b);
  store<u32>(ACK_COUNT, load<u32>(ACK_COUNT) + 1);
  return copy(o + 5, chunk, load<u32>(CHUNK_END));
}

