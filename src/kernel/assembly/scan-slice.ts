// Entries of one time slice in a row.

import { be32, fail, NONE, RESULT, FAULT, BUDGET, TRUNCATED, walk } from './scan-walk';

const SLICE_COUNT: usize = RESULT + 28;
/** f64 */
const SLICE_SECONDS: usize = RESULT + 128;

/** Seconds of the time at `p`, which is an integer or an EventTime. */
function secondsAt(p: usize): f64 {
  const head = <u32>load<u8>(p);
  if (head < 0x80) return head;
  if (head >= 0xe0) return <f64>(<i32>head - 0x100);
  switch (head) {
    case 0xcc: return load<u8>(p + 1);
    case 0xcd: return bswap<u16>(load<u16>(p + 1));
    case 0xce: return be32(p + 1);
    case 0xcf: return <f64>bswap<u64>(load<u64>(p + 1));
    case 0xd0: return load<i8>(p + 1);
    case 0xd1: return <f64>(<i16>bswap<u16>(load<u16>(p + 1)));
    case 0xd2: return <f64>(<i32>be32(p + 1));
    case 0xd3: return <f64>(<i64>bswap<u64>(load<u64>(p + 1)));
    case 0xd7: return be32(p + 2);
    default: return be32(p + 3);
  }
}

/** Past the entries from `p` on that lie in one slice. Where none is whole, 0. */
export function scanSlice(p: usize, end: usize, width: f64, offset: f64): usize {
  let low: f64 = 0;
  let high: f64 = 0;
  let count: u32 = 0;
  store<u32>(FAULT, NONE);
  while (p < end) {
    store<u32>(BUDGET, 0xffffffff);
    const recordAt = walk(p + 1, end, 1, 64);
    const next = recordAt == 0 ? <usize>0 : walk(recordAt, end, 1, 64);
    if (next == 0) break;
    const seconds = secondsAt(p + 1);
    if (count == 0) {
      low = floor<f64>((seconds + offset) / width) * width - offset;
      high = low + width;
      store<f64>(SLICE_SECONDS, low);
    } else if (seconds < low || seconds >= high) {
      break;
    }
    count++;
    p = next;
  }
  store<u32>(SLICE_COUNT, count);
  return count == 0 ? fail(TRUNCATED) : p;
}
