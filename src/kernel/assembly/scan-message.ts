// Messages of the forward protocol, one after another: what each is, its option, its ack. Consecutive messages of
// Message mode with one tag become one run of entries.

import {
  arrayCount, arrayHeadBytes, copy, COUNT, INVALID, isMap, isWithin, PACKED_END, spend, TIME_BAD, TIME_COPIED, timeForm,
  writeTime,
} from './scan-entries';
import { ack, asksForAck, rest, textBytes, textStart } from './scan-option';
import {
  ackEndsAt, acksAt, itemLimit, levelLimit, messageLimit, outAt, outEnd, warnLimit,
} from './scan-rules';
import {
  ACK_COUNT, ACKS_END, BROKEN, ELEMENTS_LEFT, END, ENTRIES, ENTRIES_LEFT, HEARTBEAT, incomplete, MESSAGES, NEXT,
  refused, RUN, sized, stopped, TAG_AT, TAG_BYTES, WIRE_BYTES,
} from './scan-verdict';
import { forward, packed } from './scan-whole';
import { BUDGET, FAULT, NONE, walk } from './scan-walk';

/** A run of Message mode ends when it has this much, so that the caller may look up in between. */
const runBytes: usize = 256 * 1024;

// @ts-ignore: decorator
@inline
function sameBytes(a: usize, b: usize, n: i32): bool {
  let i: i32 = 0;
  for (; i + 8 <= n; i += 8) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
  }
  for (; i < n; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

let runAt: usize = 0;
let runTag: usize = 0;
let runTagBytes: i32 = 0;
/** Elements of the run's first message, and its bytes before the time; 0 elements: nothing can be alike. */
let runElements: i32 = 0;
let runHeadBytes: i32 = 0;
let out: usize = 0;
let acks: usize = 0;
/** For each ack of the run, where its message's entry ends behind the out region's start; then the next one's begins. */
let ackEnds: usize = 0;
/** Whether the messages of the run ask for acks: all of them do, or none. */
let runAsks: bool = false;
let messages: u32 = 0;
let messagesCount: u32 = 0;
let messagesInvalid: u32 = 0;

/**
 * The next thing in [p, end), where a message starts. RUN: messages of Message mode with one tag, all with an ack or all
 * without, their entries in the out region up to PACKED_END. ENTRIES: one Forward or Packed message, its slices in the table. INCOMPLETE,
 * FATAL: of the first message. NEXT is where to go on. `warned`: that the first message is large was said already.
 */
export function scanNext(p: usize, end: usize, warned: bool, seconds: u32, nanoseconds: u32): i32 {
  if (p >= end) return END;
  store<u32>(FAULT, NONE);
  store<u32>(ACK_COUNT, 0);
  store<u32>(ENTRIES_LEFT, 0);
  store<u32>(ELEMENTS_LEFT, 0xffffffff);
  store<u32>(TAG_BYTES, 0);
  runAt = p;
  out = outAt;
  acks = acksAt;
  ackEnds = ackEndsAt;
  messages = messagesCount = messagesInvalid = 0;
  runTagBytes = -1;
  while (p < end && out - outAt < runBytes) {
    const next = messages > 0 ? alike(p, end) : 0;
    if (next != 0) {
      p = next;
      continue;
    }
    const found = message(p, end, warned, seconds, nanoseconds);
    if (found != RUN) {
      if (messages == 0) return found;
      break;
    }
    p = load<u32>(NEXT);
    warned = false;
  }
  store<u32>(NEXT, <u32>p);
  store<u32>(TAG_AT, <u32>runTag);
  store<u32>(TAG_BYTES, runTagBytes);
  store<u32>(COUNT, messagesCount);
  store<u32>(INVALID, messagesInvalid);
  store<u32>(PACKED_END, <u32>out);
  store<u32>(ACKS_END, <u32>acks);
  store<u32>(MESSAGES, messages);
  store<u32>(WIRE_BYTES, <u32>(p - runAt));
  return RUN;
}

/**
 * The common case of a run: a message that starts with the same bytes as the run's first, up to its tag's end, has a
 * time of a common form and a small record, and an empty option, if any, or only a chunk. Joins it to the run and returns its
 * end; 0: it must be looked at properly.
 */
// @ts-ignore: decorator
@inline
function alike(p: usize, end: usize): usize {
  const timeAt = p + <usize>runHeadBytes;
  if (runElements < 3 || timeAt + 12 > end || out + 1024 > outEnd || !sameBytes(p, runAt, runHeadBytes)) return 0;
  const time = <u32>load<u8>(timeAt);
  let at = timeAt;
  if (time == 0xd2 || time == 0xce) {
    if (load<u32>(timeAt + 1) == 0) return 0;
    at += 5;
  } else if (load<u16>(timeAt) == 0x00d7) {
    if (load<u32>(timeAt + 2) == 0) return 0;
    at += 10;
  } else {
    return 0;
  }
  const head = <u32>load<u8>(at);
  if ((head & 0xf0) != 0x80) return 0;
  store<u32>(BUDGET, itemLimit);
  const recordEnd = walk(at + 1, end, (head & 15) << 1, levelLimit - 2);
  if (recordEnd == 0 || !isWithin(at, recordEnd, itemLimit + (head & 15))) return 0;
  let next = recordEnd;
  let ackEnd = acks;
  if (runElements == 4) {
    const option = <u32>load<u8>(next++);
    if (option == 0x81) {
      // {"chunk": fixstr}
      if (load<u32>(next) != 0x756863a5 || load<u16>(next + 4) != 0x6b6e) return 0;
      const chunk = <u32>load<u8>(next + 6);
      if ((chunk & 0xe0) != 0xa0) return 0;
      next += 7 + (chunk & 31);
      if (next > end) return 0;
      store<u32>(ackEnd, 0x6361a381);
      store<u8>(ackEnd + 4, 0x6b);
      ackEnd = copy(ackEnd + 5, recordEnd + 7, next);
    } else if (option != 0x80) {
      return 0;
    }
  }
  const asks = ackEnd != acks;
  const size = next - p;
  if (asks != runAsks || next > end || size > messageLimit || size > warnLimit || out + size + 64 > outEnd) return 0;
  acks = ackEnd;
  store<u8>(out, 0x92);
  out = copy(out + 1, timeAt, recordEnd);
  if (asks) {
    store<u32>(ACK_COUNT, load<u32>(ACK_COUNT) + 1);
    noteAckEnd();
  }
  messages++;
  messagesCount++;
  return next;
}

/** One message. RUN: it joined the run; anything else while a run is under way: it is left for the next call. */
function message(p: usize, end: usize, warned: bool, seconds: u32, nanoseconds: u32): i32 {
  store<u32>(BUDGET, itemLimit);
  const elements = arrayCount(p, end);
  if (elements < 0) return elements == -2 ? incomplete(p) : stray(p, end);
  if (!spend(elements)) return refused(p, end);
  let at = p + arrayHeadBytes(p);
  let tag = at;
  let tagBytes: i32 = -1;
  if (elements > 0) {
    if (at >= end) return incomplete(p);
    const n = textBytes(at, end);
    if (n >= 0) {
      tag = textStart;
      tagBytes = <i32>n;
      at = textStart + <usize>n;
    } else {
      at = walk(at, end, 1, levelLimit - 1);
      if (at == 0) return refused(p, end);
    }
  }
  const known = tagBytes >= 0;
  if (!known) tagBytes = 0;
  store<u32>(TAG_AT, <u32>tag);
  store<u32>(TAG_BYTES, tagBytes);
  if (elements > 1) {
    if (at >= end) return incomplete(p);
    const head = <u32>load<u8>(at);
    if ((head & 0xf0) == 0x90 || head == 0xdc || head == 0xdd) {
      return messages > 0 ? ENTRIES : forward(p, at, end, elements, known, warned);
    }
    if ((head & 0xe0) == 0xa0 || (head >= 0xd9 && head <= 0xdb) || (head >= 0xc4 && head <= 0xc6)) {
      return messages > 0 ? ENTRIES : packed(p, at, end, elements, known, warned);
    }
  }
  if (messages > 0 && (tagBytes != runTagBytes || !sameBytes(tag, runTag, tagBytes))) return END;
  return single(p, at, end, elements, known, warned, tag, tagBytes, seconds, nanoseconds);
}

/** A value that is no array: nil is a heartbeat, anything else is broken. */
function stray(p: usize, end: usize): i32 {
  const next = walk(p, end, 1, levelLimit + 2);
  if (next == 0) return stopped(p);
  store<u32>(NEXT, <u32>next);
  store<u32>(WIRE_BYTES, <u32>(next - p));
  return load<u8>(p) == 0xc0 ? HEARTBEAT : BROKEN;
}

/** `[tag, time, record, option?]`: `at` is at the time. */
function single(
  p: usize, at: usize, end: usize, elements: i64, known: bool, warned: bool, tag: usize, tagBytes: i32,
  seconds: u32, nanoseconds: u32,
): i32 {
  let form = TIME_BAD;
  const timeAt = at;
  let timeEnd = at;
  if (elements > 1) {
    const head = <u32>load<u8>(at);
    if ((head == 0xd2 || head == 0xce) && at + 5 <= end) {
      timeEnd = at + 5;
    } else {
      timeEnd = walk(at, end, 1, levelLimit - 1);
      if (timeEnd == 0) return refused(p, end);
    }
    form = timeForm(at, true);
    at = timeEnd;
  }
  const recordAt = at;
  let valid = known && form != TIME_BAD && elements > 2;
  if (elements > 2) {
    if (at >= end) return incomplete(p);
    const before = load<u32>(BUDGET);
    at = walk(at, end, 1, levelLimit - 1);
    if (at == 0) return refused(p, end);
    if (!isMap(recordAt) || !isWithin(recordAt, at, before)) valid = false;
  }
  const recordEnd = at;
  const next = rest(at, end, elements - 3);
  if (next == 0) return refused(p, end);
  const size = sized(p, next, warned);
  if (size != RUN) return size;
  const asks = asksForAck();
  if (out + (next - p) + 64 > outEnd || (messages > 0 && asks != runAsks)) return END;
  runAsks = asks;
  if (valid) {
    store<u8>(out, 0x92);
    if (form == TIME_COPIED) {
      out = copy(out + 1, timeAt, recordEnd);
    } else {
      out = writeTime(out + 1, timeAt, timeEnd, form, seconds, nanoseconds);
      out = copy(out, recordAt, recordEnd);
    }
    messagesCount++;
  } else {
    messagesInvalid++;
  }
  acks = ack(acks);
  if (asks) noteAckEnd();
  if (messages == 0) {
    runTag = tag;
    runTagBytes = tagBytes;
    runHeadBytes = <i32>(timeAt - p);
    runElements = known && elements < 5 ? <i32>elements : 0;
  }
  messages++;
  store<u32>(NEXT, <u32>next);
  return RUN;
}

// @ts-ignore: decorator
@inline
function noteAckEnd(): void {
  store<u32>(ackEnds, <u32>(out - outAt));
  ackEnds += 4;
}
