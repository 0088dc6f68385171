// Packed entries as text: time, tag and record as JSON. See src/kernel/format.ts for the other side.
import { clearStatus, end, fail, limit, notFinite, notUtf8, o, p, setEnd, setLimit, setNotFinite } from "./format-state";
import { setNotUtf8, setO, setP, setTables, status, tables } from "./format-state";
import { CUT, DONE, FULL, SLACK, SLOW, T_CONSUMED, T_COUNT, T_MIDDLE } from "./format-state";
import { T_NOT_FINITE, T_NOT_UTF8, T_PROGRAM, T_WRITTEN } from "./format-state";
import { setOj, writeValue } from "./format-json";
import { resetKeys } from "./format-keys";
import { clampSecond, forgetTime, writeTime } from "./format-time";

let kind: u32 = 0;
let middleLength: usize = 0;
let newlineLength: usize = 0;
let newline: u16 = 0;

/** Tables, program or middle have changed. */
export function formatProgram(at: usize): void {
  setTables(at);
  const program = at + T_PROGRAM;
  kind = load<u32>(program);
  newlineLength = load<u32>(program + 8);
  newline = load<u16>(program + 12);
  middleLength = load<u32>(program + 16);
  setOj(load<u32>(program + 20) != 0);
  forgetTime();
}

/** Only the middle (which has the tag) is another. */
export function formatMiddle(length: usize): void {
  middleLength = length;
}

/**
 * Formats entries of [from, to) to [out, outEnd), whole events only, until they would go beyond pieceEnd (a first event
 * may). Returns why it stopped; consumed and written bytes, events and counts of odd values stand in the tables.
 */
export function formatRun(from: usize, to: usize, out: usize, outEnd: usize, pieceEnd: usize): i32 {
  setP(from);
  setEnd(to);
  setO(out);
  setLimit(outEnd - SLACK);
  setNotFinite(0);
  setNotUtf8(0);
  clearStatus();
  let count: u32 = 0;
  while (p < to) {
    const entry = p;
    const start = o;
    const oddFloats = notFinite;
    const oddStrings = notUtf8;
    if (!writeEvent() || p > to || (o > pieceEnd && count > 0)) {
      if (status == DONE) fail(p > to ? CUT : FULL);
      setP(entry);
      setO(start);
      setNotFinite(oddFloats);
      setNotUtf8(oddStrings);
      break;
    }
    count++;
  }
  store<u32>(tables + T_CONSUMED, <u32>(p - from));
  store<u32>(tables + T_WRITTEN, <u32>(o - out));
  store<u32>(tables + T_COUNT, count);
  store<u32>(tables + T_NOT_FINITE, notFinite);
  store<u32>(tables + T_NOT_UTF8, notUtf8);
  return status;
}

function writeEvent(): bool {
  if (o > limit) return fail(FULL);
  resetKeys();
  if (load<u8>(p) != 0x92) return fail(SLOW);
  setP(p + 1);
  if (kind == 0 ? !skipTime() : !writeEntryTime()) return false;
  if (p > end) return fail(CUT);
  if (middleLength > 0 && !writeMiddle()) return false;
  const q = writeValue(o, 1);
  if (q == 0) return false;
  if (q > limit) return fail(FULL);
  setO(q);
  store<u16>(o, newline);
  setO(o + newlineLength);
  return true;
}

function writeMiddle(): bool {
  if (o + middleLength > limit) return fail(FULL);
  const from = tables + T_MIDDLE;
  for (let i: usize = 0; i < middleLength; i += 16) v128.store(o + i, v128.load(from + i));
  setO(o + middleLength);
  return true;
}

/** Bytes of a time with this first byte, itself included. */
function timeBytes(c: u8): usize {
  if (c == 0xd7) return 10;
  if (c < 0x80 || c >= 0xe0) return 1;
  switch (c) {
    case 0xc7: return 11;
    case 0xcc:
    case 0xd0: return 2;
    case 0xcd:
    case 0xd1: return 3;
    case 0xce:
    case 0xd2: return 5;
    case 0xcf:
    case 0xd3: return 9;
  }
  return 0;
}

function skipTime(): bool {
  const bytes = timeBytes(load<u8>(p));
  if (bytes == 0) return fail(SLOW);
  setP(p + bytes);
  return true;
}

function writeEntryTime(): bool {
  const at = p;
  const c = load<u8>(at);
  const bytes = timeBytes(c);
  if (bytes == 0) return fail(SLOW);
  setP(at + bytes);
  if (p > end) return fail(CUT);
  if (bytes < 10) return writeTime(kind, clampSecond(integer(c, at + 1)), 0, true);
  let second = <i64>bswap<u32>(load<u32>(at + bytes - 8));
  let nano = bswap<u32>(load<u32>(at + bytes - 4));
  while (nano >= 1_000_000_000) {
    nano -= 1_000_000_000;
    second++;
  }
  return writeTime(kind, second, nano, false);
}

function integer(c: u8, at: usize): i64 {
  switch (c) {
    case 0xcc: return <i64>load<u8>(at);
    case 0xd0: return <i64>load<i8>(at);
    case 0xcd: return <i64>bswap<u16>(load<u16>(at));
    case 0xd1: return <i64>(<i16>bswap<u16>(load<u16>(at)));
    case 0xce: return <i64>bswap<u32>(load<u32>(at));
    case 0xd2: return <i64>(<i32>bswap<u32>(load<u32>(at)));
    case 0xd3: return <i64>bswap<u64>(load<u64>(at));
    case 0xcf: {
      const v = bswap<u64>(load<u64>(at));
      return v > 9007199254740991 ? 9007199254740991 : <i64>v;
    }
  }
  return <i64>(<i8>c);
}
