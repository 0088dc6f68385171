// Messages of the forward protocol, one after another: what each is, its option, its ack. Consecutive messages of
// Message mode with one tag become one run of entries.

import {
  arrayCount, arrayHeadBytes, copy, COUNT, entriesRegion, ENTRIES_READ, INVALID, isRecord, PACKED_END, SLICES, spend,
  TIME_BAD, TIME_COPIED, timeForm, walkEntries, writeTime,
} from './scan-entries';
import { ack, asksForAck, CODEC_BYTES, rest, textBytes, textStart } from './scan-option';
import {
  BAD_OPTION, BUDGET, fail, FAULT, INVALID_BYTE, MALFORMED_ENTRIES, NONE, RESULT, TOO_DEEP, TRUNCATED, walk,
} from './scan-walk';

/** What scanNext found. The numbers are known to src/kernel/engine.ts. */
const END: i32 = 0;
const INCOMPLETE: i32 = 1;
const FATAL: i32 = 2;
const HEARTBEAT: i32 = 3;
const BROKEN: i32 = 4;
const TOO_LARGE: i32 = 5;
const LARGE: i32 = 6;
const RUN: i32 = 7;
const ENTRIES: i32 = 8;
const COMPRESSED: i32 = 9;

const NEXT: usize = RESULT + 8;
const TAG_AT: usize = RESULT + 12;
const TAG_BYTES: usize = RESULT + 16;
const ACKS_END: usize = RESULT + 36;
const ACK_COUNT: usize = RESULT + 40;
const MESSAGES: usize = RESULT + 44;
const WIRE_BYTES: usize = RESULT + 48;
const PAYLOAD_AT: usize = RESULT + 56;
const PAYLOAD_END: usize = RESULT + 60;
/** Of a Forward message that was cut among its entries: how many are to come, and elements of the message after them. */
const ENTRIES_LEFT: usize = RESULT + 120;
const ELEMENTS_LEFT: usize = RESULT + 124;

/** A run of Message mode ends when it has this much, so that the caller may look up in between. */
const runBytes: usize = 256 * 1024;

let acksAt: usize = 0;
let ackEndsAt: usize = 0;
let outAt: usize = 0;
let outEnd: usize = 0;
let messageLimit: usize = 0;
let warnLimit: usize = 0;
let itemLimit: u32 = 0;
let levelLimit: i32 = 0;
let lenient: bool = false;

export function scanRegions(acks: usize, ackEnds: usize, out: usize, outLimit: usize): void {
  acksAt = acks;
  ackEndsAt = ackEnds;
  outAt = out;
  outEnd = outLimit;
  entriesRegion(out);
}

/** What holds for the messages of one connection. `skip`: Fluentd's skip_invalid_event. */
export function scanLimits(skip: bool, messageBytes: u32, warnBytes: u32, items: u32, levels: i32): void {
  lenient = !skip;
  messageLimit = messageBytes;
  warnLimit = warnBytes;
  itemLimit = items;
  levelLimit = levels;
}

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

/** What FAULT means for the stream; NEXT stays before the message. */
function stopped(p: usize): i32 {
  store<u32>(NEXT, <u32>p);
  return load<u32>(FAULT) == TRUNCATED ? INCOMPLETE : FATAL;
}

/**
 * The same for a fault that matters only in a message that is taken: one above the limit is dropped, whatever is in it. So
 * its end must be known first.
 */
function refused(p: usize, end: usize): i32 {
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
  if (recordEnd == 0) return 0;
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

function incomplete(p: usize): i32 {
  fail(TRUNCATED);
  return stopped(p);
}

/** A value that is no array: nil is a heartbeat, anything else is broken. */
function stray(p: usize, end: usize): i32 {
  const next = walk(p, end, 1, levelLimit + 2);
  if (next == 0) return stopped(p);
  store<u32>(NEXT, <u32>next);
  store<u32>(WIRE_BYTES, <u32>(next - p));
  return load<u8>(p) == 0xc0 ? HEARTBEAT : BROKEN;
}

/** Whether the message's own bytes are within limits: RUN, or TOO_LARGE or LARGE. */
function sized(p: usize, next: usize, warned: bool): i32 {
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
    form = timeForm(at, true, lenient);
    at = timeEnd;
  }
  const recordAt = at;
  let valid = known && form != TIME_BAD && elements > 2;
  if (elements > 2) {
    if (at >= end) return incomplete(p);
    at = walk(at, end, 1, levelLimit - 1);
    if (at == 0) return refused(p, end);
    if (!isRecord(recordAt)) valid = false;
  }
  const recordEnd = at;
  const next = rest(at, end, elements - 3, levelLimit);
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

/** `[tag, [entry, ...], option?]`: `at` is at the entries. */
function forward(p: usize, at: usize, end: usize, elements: i64, known: bool, warned: bool): i32 {
  const entries = arrayCount(at, end);
  if (entries == -2) return incomplete(p);
  if (!spend(entries)) return refused(p, end);
  at += arrayHeadBytes(at);
  const last = walkEntries(at, end, <u32>entries, levelLimit, lenient);
  const read = load<u32>(ENTRIES_READ);
  if (<i64>read < entries) {
    if (load<u32>(FAULT) == NONE) fail(TRUNCATED);
    store<u32>(ENTRIES_LEFT, <u32>(entries - <i64>read));
    store<u32>(ELEMENTS_LEFT, <u32>(elements - 2));
    return refused(p, end);
  }
  const next = rest(last, end, elements - 2, levelLimit);
  if (next == 0) {
    store<u32>(ELEMENTS_LEFT, <u32>(elements - 2));
    return refused(p, end);
  }
  store<i32>(CODEC_BYTES, -1);
  const size = sized(p, next, warned);
  return size == RUN ? finish(p, next, known) : size;
}

/** `[tag, bytes, option?]`: `at` is at the bytes. */
function packed(p: usize, at: usize, end: usize, elements: i64, known: bool, warned: bool): i32 {
  const n = textBytes(at, end);
  if (n < 0) return incomplete(p);
  const payload = textStart;
  const payloadEnd = payload + <usize>n;
  const next = rest(payloadEnd, end, elements - 2, levelLimit);
  if (next == 0) return refused(p, end);
  const size = sized(p, next, warned);
  if (size != RUN) return size;
  if (load<i32>(CODEC_BYTES) != -1) {
    if (!known) {
      // Nobody could be handed its entries: not worth inflating.
      store<u32>(COUNT, 0);
      store<u32>(INVALID, 1);
      store<u32>(SLICES, 0);
      return finish(p, next, true);
    }
    store<u32>(PAYLOAD_AT, <u32>payload);
    store<u32>(PAYLOAD_END, <u32>payloadEnd);
    finish(p, next, true);
    return COMPRESSED;
  }
  walkEntries(payload, payloadEnd, 0xffffffff, levelLimit, lenient);
  const fault = load<u32>(FAULT);
  if (fault == TRUNCATED) store<u32>(INVALID, load<u32>(INVALID) + 1);
  else if (fault != NONE) {
    if (fault == INVALID_BYTE) fail(MALFORMED_ENTRIES);
    return refused(p, end);
  }
  return finish(p, next, known);
}

/** The message is accepted: its ack, its size. Without a tag, every entry of it is invalid. */
function finish(p: usize, next: usize, known: bool): i32 {
  if (!known) {
    store<u32>(INVALID, load<u32>(INVALID) + load<u32>(COUNT));
    store<u32>(COUNT, 0);
  }
  store<u32>(ACKS_END, <u32>ack(acks));
  store<u32>(MESSAGES, 1);
  store<u32>(NEXT, <u32>next);
  store<u32>(WIRE_BYTES, <u32>(next - p));
  return ENTRIES;
}
