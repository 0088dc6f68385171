// The resumable walk: where an unfinished message ends, one piece of its bytes after the other. All of its state lies
// between FRAME and FRAME_END, which the caller saves and restores for each connection.

import {
  be16, be32, fail, FAULT, INVALID_BYTE, NONE, RESULT, TOO_DEEP, TOO_MANY_ITEMS, TRUNCATED, UNKNOWN_EXT, widthOf,
} from './scan-walk';

const FRAME: usize = RESULT + 2048;
/** Payload bytes still to pass over. */
const NEED: usize = FRAME + 0;
const LEVEL: usize = FRAME + 4;
const LEFT: usize = FRAME + 8;
const ITEMS: usize = FRAME + 12;
const LEVELS: usize = FRAME + 16;
/** A head that was cut: how many of its bytes are there, and the bytes. */
const HEAD_BYTES: usize = FRAME + 20;
const HEAD: usize = FRAME + 24;
/** Where the message's first array or map ends, counted from the message's start: a Forward message's entries; 0: not yet. */
const INNER_END: usize = FRAME + 40;
const STACK: usize = FRAME + 64;

/** Starts before a message. */
export function scanFrameStart(items: u32, levels: u32): void {
  store<u32>(NEED, 0);
  store<u32>(LEVEL, 0);
  store<u32>(LEFT, 1);
  store<u32>(ITEMS, items);
  store<u32>(LEVELS, levels);
  store<u32>(HEAD_BYTES, 0);
  store<u32>(INNER_END, 0);
}

/** Starts between two entries of a Forward message, of which `entries` and then `elements` of the message follow. */
export function scanFrameStartInside(items: u32, levels: u32, entries: u32, elements: u32): void {
  scanFrameStart(items, levels);
  store<u32>(LEVEL, 2);
  store<u32>(STACK, 0);
  store<u32>(STACK + 4, elements);
  store<u32>(LEFT, entries);
}

/**
 * Where the message ends in [p, end); 0 if it does not (FAULT is TRUNCATED: go on with what comes) or may not. `before`:
 * bytes of the message that came before.
 */
export function scanFrame(p: usize, end: usize, before: u32): usize {
  store<u32>(FAULT, NONE);
  const start = p;
  while (true) {
    const need = load<u32>(NEED);
    if (need > 0) {
      const taken = min<usize>(need, end - p);
      p += taken;
      store<u32>(NEED, need - <u32>taken);
      if (taken < <usize>need) return fail(TRUNCATED);
    }
    let left = load<u32>(LEFT);
    while (left == 0) {
      const level = load<u32>(LEVEL);
      if (level == 0) return p;
      if (level == 2 && load<u32>(INNER_END) == 0) store<u32>(INNER_END, before + <u32>(p - start));
      store<u32>(LEVEL, level - 1);
      left = load<u32>(STACK + ((level - 1) << 2));
      store<u32>(LEFT, left);
    }
    if (p >= end) return fail(TRUNCATED);
    const cut = load<u32>(HEAD_BYTES);
    if (cut == 0) {
      const length = headBytes(load<u8>(p));
      if (p + length > end) {
        keepHead(p, end, 0);
        return fail(TRUNCATED);
      }
      if (!token(p)) return 0;
      p += length;
    } else {
      const length = headBytes(load<u8>(HEAD));
      const missing = length - cut;
      if (p + missing > end) {
        keepHead(p, end, cut);
        return fail(TRUNCATED);
      }
      memory.copy(HEAD + cut, p, missing);
      store<u32>(HEAD_BYTES, 0);
      if (!token(HEAD)) return 0;
      p += missing;
    }
  }
}

function keepHead(p: usize, end: usize, have: u32): void {
  memory.copy(HEAD + have, p, end - p);
  store<u32>(HEAD_BYTES, have + <u32>(end - p));
}

/** Bytes it takes to know how much a value with this head needs. */
function headBytes(head: u32): u32 {
  if (head < 0xc4 || head >= 0xe0) return 1;
  switch (head) {
    case 0xc4: case 0xd9: case 0xd7: return 2;
    case 0xc5: case 0xda: case 0xdc: case 0xde: case 0xc7: return 3;
    case 0xc6: case 0xdb: case 0xdd: case 0xdf: return 5;
    default: return 1;
  }
}

/** Takes account of the value whose head is at `p`: its payload as NEED, or a level more. */
function token(p: usize): bool {
  const head = <u32>load<u8>(p);
  store<u32>(LEFT, load<u32>(LEFT) - 1);
  if ((head & 0xe0) == 0xa0) {
    store<u32>(NEED, head & 31);
    return true;
  }
  if (head < 0x80 || head >= 0xe0) return true;
  if (head < 0xa0) return container(head & 15, head < 0x90);
  const width = widthOf(head);
  if (width != 0xff) {
    store<u32>(NEED, width);
    return true;
  }
  switch (head) {
    case 0xc4: case 0xd9: store<u32>(NEED, load<u8>(p + 1)); return true;
    case 0xc5: case 0xda: store<u32>(NEED, be16(p + 1)); return true;
    case 0xc6: case 0xdb: store<u32>(NEED, be32(p + 1)); return true;
    case 0xc7: return eventTime(load<u16>(p + 1) == 8);
    case 0xd7: return eventTime(load<u8>(p + 1) == 0);
    case 0xdc: return container(be16(p + 1), false);
    case 0xdd: return container(be32(p + 1), false);
    case 0xde: return container(be16(p + 1), true);
    case 0xdf: return container(be32(p + 1), true);
    case 0xc1: return fail(INVALID_BYTE) != 0;
    default: return fail(UNKNOWN_EXT) != 0;
  }
}

function eventTime(known: bool): bool {
  if (!known) return fail(UNKNOWN_EXT) != 0;
  store<u32>(NEED, 8);
  return true;
}

function container(n: u32, pairs: bool): bool {
  const level = load<u32>(LEVEL);
  if (level >= load<u32>(LEVELS)) return fail(TOO_DEEP) != 0;
  const items = load<u32>(ITEMS);
  if (n > items) return fail(TOO_MANY_ITEMS) != 0;
  store<u32>(ITEMS, items - n);
  store<u32>(STACK + (level << 2), load<u32>(LEFT));
  store<u32>(LEVEL, level + 1);
  store<u32>(LEFT, pairs ? n << 1 : n);
  return true;
}
