// What became of a message, for whoever asked: found, not yet whole, above a limit, or the end of its connection.

import { itemLimit, levelLimit, messageLimit, warnLimit } from './scan-rules';
import { BAD_OPTION, BUDGET, fail, FAULT, RESULT, TOO_DEEP, TRUNCATED, walk } from './scan-walk';

/** What scanNext found. The numbers are known to src/kernel/engine.ts. */
export const END: i32 = 0;
export const INCOMPLETE: i32 = 1;
export const FATAL: i32 = 2;
export const HEARTBEAT: i32 = 3;
export const BROKEN: i32 = 4;
export const TOO_LARGE: i32 = 5;
export const LARGE: i32 = 6;
export const RUN: i32 = 7;
export const ENTRIES: i32 = 8;
export const COMPRESSED: i32 = 9;

export const NEXT: usize = RESULT + 8;
export const TAG_AT: usize = RESULT + 12;
export const TAG_BYTES: usize = RESULT + 16;
export const ACKS_END: usize = RESULT + 36;
export const ACK_COUNT: usize = RESULT + 40;
export const MESSAGES: usize = RESULT + 44;
export const WIRE_BYTES: usize = RESULT + 48;
export const PAYLOAD_AT: usize = RESULT + 56;
export const PAYLOAD_END: usize = RESULT + 60;
/** Of a Forward message that was cut among its entries: how many are to come, and elements of the message after them. */
export const ENTRIES_LEFT: usize = RESULT + 120;
export const ELEMENTS_LEFT: usize = RESULT + 124;

/** What FAULT means for the stream; NEXT stays before the message. */
export function stopped(p: usize): i32 {
  store<u32>(NEXT, <u32>p);
  return load<u32>(FAULT) == TRUNCATED ? INCOMPLETE : FATAL;
}

/**
 * The same for a fault that matters only in a message that is taken: one above the limit is dropped, whatever is in it. So
 * its end must be known first.
 */
export function refused(p: usize, end: usize): i32 {
  const why = load<u32>(FAULT);
  if (why != BAD_OPTION && why != TOO_DEEP) return stopped(p);
  store<u32>(BUDGET, itemLimit);
  const next = walk(p, end, 1, levelLimit + 2);
  if (next == 0) return stopped(p);
  if (next - p <= messageLimit) {
    fail(why);
    return stopped(p);
  }
  return sized(p, next, false);
}

export function incomplete(p: usize): i32 {
  fail(TRUNCATED);
  return stopped(p);
}

/** Whether the message's own bytes are within limits: RUN, or TOO_LARGE or LARGE. */
export function sized(p: usize, next: usize, warned: bool): i32 {
  const size = next - p;
  if (size <= warnLimit && size <= messageLimit) return RUN;
  store<u32>(WIRE_BYTES, <u32>size);
  if (size > messageLimit) {
    store<u32>(NEXT, <u32>next);
    return TOO_LARGE;
  }
  store<u32>(NEXT, <u32>p);
  return warned ? RUN : LARGE;
}
