// Messages of Forward and Packed mode, which bring entries of their own: each is looked at as a whole.

import { arrayCount, arrayHeadBytes, COUNT, ENTRIES_READ, INVALID, SLICES, spend, walkEntries } from './scan-entries';
import { ack, CODEC_BYTES, rest, textBytes, textStart } from './scan-option';
import { acksAt } from './scan-rules';
import {
  ACKS_END, COMPRESSED, ELEMENTS_LEFT, ENTRIES, ENTRIES_LEFT, incomplete, MESSAGES, NEXT, PAYLOAD_AT, PAYLOAD_END,
  refused, RUN, sized, WIRE_BYTES,
} from './scan-verdict';
import { fail, FAULT, INVALID_BYTE, MALFORMED_ENTRIES, NONE, TRUNCATED } from './scan-walk';

/** `[tag, [entry, ...], option?]`: `at` is at the entries. */
export function forward(p: usize, at: usize, end: usize, elements: i64, known: bool, warned: bool): i32 {
  const entries = arrayCount(at, end);
  if (entries == -2) return incomplete(p);
  if (!spend(entries)) return refused(p, end);
  at += arrayHeadBytes(at);
  const last = walkEntries(at, end, <u32>entries);
  const read = load<u32>(ENTRIES_READ);
  if (<i64>read < entries) {
    if (load<u32>(FAULT) == NONE) fail(TRUNCATED);
    store<u32>(ENTRIES_LEFT, <u32>(entries - <i64>read));
    store<u32>(ELEMENTS_LEFT, <u32>(elements - 2));
    return refused(p, end);
  }
  const next = rest(last, end, elements - 2);
  if (next == 0) {
    store<u32>(ELEMENTS_LEFT, <u32>(elements - 2));
    return refused(p, end);
  }
  store<i32>(CODEC_BYTES, -1);
  const size = sized(p, next, warned);
  return size == RUN ? finish(p, next, known) : size;
}

/** `[tag, bytes, option?]`: `at` is at the bytes. */
export function packed(p: usize, at: usize, end: usize, elements: i64, known: bool, warned: bool): i32 {
  const n = textBytes(at, end);
  if (n < 0) return incomplete(p);
  const payload = textStart;
  const payloadEnd = payload + <usize>n;
  const next = rest(payloadEnd, end, elements - 2);
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
  walkEntries(payload, payloadEnd, 0xffffffff);
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
  store<u32>(ACKS_END, <u32>ack(acksAt));
  store<u32>(MESSAGES, 1);
  store<u32>(NEXT, <u32>next);
  store<u32>(WIRE_BYTES, <u32>(next - p));
  return ENTRIES;
}
