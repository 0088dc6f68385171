// Strings and numbers of JSON, packed (json-pack.ts).
import { lenient, p, q, setP, setQ } from './json-pack-state';

/** At the opening quote. */
export function packString(): bool {
  const start = p + 1;
  let i = start;
  const quote = i8x16.splat(34);
  const backslash = i8x16.splat(92);
  const space = i8x16.splat(32);
  for (;;) {
    const v = v128.load(i);
    // Signed: bytes from 0x80 on are negative, so one test finds them and the control characters.
    const special = v128.or(
      v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)),
      i8x16.lt_s(v, space),
    );
    const mask = i8x16.bitmask(special);
    if (mask == 0) {
      i += 16;
      continue;
    }
    i += <usize>ctz(mask);
    const c = load<u8>(i);
    if (c == 34) break;
    if (c == 92) return packEscaped(start, i);
    if (c < 32) {
      if (c == 0 || !lenient) return false;
      i++;
    } else {
      const length = sequence(i, c);
      if (length == 0) return false;
      i += length;
    }
  }
  const bytes = <u32>(i - start);
  const to = strHead(q, bytes);
  copy(to, start, bytes);
  setQ(to + bytes);
  setP(i + 1);
  return true;
}

/** Writes the head of a str; returns where its bytes go. */
// @ts-ignore: decorator
@inline
function strHead(at: usize, bytes: u32): usize {
  if (bytes < 32) {
    store<u8>(at, 0xa0 | <u8>bytes);
    return at + 1;
  }
  if (bytes < 0x100) {
    store<u16>(at, <u16>(0xd9 | (bytes << 8)));
    return at + 2;
  }
  if (bytes < 0x1_0000) {
    store<u8>(at, 0xda);
    store<u16>(at + 1, bswap<u16>(<u16>bytes));
    return at + 3;
  }
  store<u8>(at, 0xdb);
  store<u32>(at + 1, bswap<u32>(bytes));
  return at + 5;
}

/** May write up to 15 bytes too many, over what comes later. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, bytes: u32): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
}

/** A string whose first backslash is at `i`. The longest head is left room for. */
function packEscaped(start: usize, i: usize): bool {
  const content = q + 5;
  let to = content;
  memory.copy(to, start, i - start);
  to += i - start;
  for (;;) {
    const c = load<u8>(i);
    if (c == 34) break;
    if (c == 92) {
      setP(i);
      to = unescape(to);
      if (to == 0) return false;
      i = p;
    } else if (c < 0x80) {
      if (c < 32 && (c == 0 || !lenient)) return false;
      store<u8>(to++, c);
      i++;
    } else {
      const length = sequence(i, c);
      if (length == 0) return false;
      store<u32>(to, load<u32>(i));
      i += length;
      to += length;
    }
  }
  const bytes = <u32>(to - content);
  const at = strHead(q, bytes);
  memory.copy(at, content, bytes);
  setQ(at + bytes);
  setP(i + 1);
  return true;
}

/** At the backslash. Returns where the next byte goes; 0: not done here. */
function unescape(to: usize): usize {
  const c = load<u8>(p + 1);
  let plain: u8 = 0;
  if (c == 0x6e) plain = 10;
  else if (c == 34 || c == 92 || c == 47) plain = c;
  else if (c == 0x74) plain = 9;
  else if (c == 0x72) plain = 13;
  else if (c == 0x62) plain = 8;
  else if (c == 0x66) plain = 12;
  if (plain != 0) {
    setP(p + 2);
    store<u8>(to, plain);
    return to + 1;
  }
  if (c != 0x75) return 0;
  let code = hex4(p + 2);
  if (code < 0) return 0;
  setP(p + 6);
  if (code >= 0xd800 && code < 0xe000) {
    // Only whole pairs.
    if (code >= 0xdc00 || load<u16>(p) != 0x755c) return 0;
    const low = hex4(p + 2);
    if (low < 0xdc00 || low >= 0xe000) return 0;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    setP(p + 6);
  }
  return writeCode(to, <u32>code);
}

/** -1: these are not four digits. */
function hex4(at: usize): i32 {
  let code: i32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const c = <u32>load<u8>(at + i);
    let digit: u32 = c - 48;
    if (digit > 9) {
      digit = (c | 32) - 97;
      if (digit > 5) return -1;
      digit += 10;
    }
    code = (code << 4) | <i32>digit;
  }
  return code;
}

function writeCode(to: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(to, <u8>code);
    return to + 1;
  }
  if (code < 0x800) {
    store<u8>(to, <u8>(0xc0 | (code >> 6)));
    store<u8>(to + 1, <u8>(0x80 | (code & 63)));
    return to + 2;
  }
  if (code < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (code >> 12)));
    store<u8>(to + 1, <u8>(0x80 | ((code >> 6) & 63)));
    store<u8>(to + 2, <u8>(0x80 | (code & 63)));
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (code >> 18)));
  store<u8>(to + 1, <u8>(0x80 | ((code >> 12) & 63)));
  store<u8>(to + 2, <u8>(0x80 | ((code >> 6) & 63)));
  store<u8>(to + 3, <u8>(0x80 | (code & 63)));
  return to + 4;
}

/** Bytes of the well-formed UTF-8 sequence that begins with `c` at `i` (Unicode, table 3-7); 0: it is none. */
function sequence(i: usize, c: u8): usize {
  const second = load<u8>(i + 1);
  if (c < 0xe0) return c >= 0xc2 && (second & 0xc0) == 0x80 ? 2 : 0;
  if (c < 0xf0) {
    const least: u8 = c == 0xe0 ? 0xa0 : 0x80;
    const most: u8 = c == 0xed ? 0x9f : 0xbf;
    if (second < least || second > most) return 0;
    return (load<u8>(i + 2) & 0xc0) == 0x80 ? 3 : 0;
  }
  const least: u8 = c == 0xf0 ? 0x90 : 0x80;
  const most: u8 = c == 0xf4 ? 0x8f : 0xbf;
  if (c > 0xf4 || second < least || second > most) return 0;
  return (load<u8>(i + 2) & 0xc0) == 0x80 && (load<u8>(i + 3) & 0xc0) == 0x80 ? 4 : 0;
}

/** Digits whose number fits into 64 bits, whatever they are. */
const integerDigits: usize = 18;
/** Digits of a number that a float holds exactly; so it does powers of ten up to 10^22. */
const exactDigits: usize = 15;
const exactPower: i32 = 22;

/** Digits whose number fits into 64 bits without a sign, and powers of ten that leave a bit of them free. */
const longDigits: usize = 19;
const longPower: i32 = 18;

/** value × 10^power, rounded once: 54 bits and more of the quotient, of which the last says whether something follows. */
function divide(value: u64, power: i32): f64 {
  let divisor: u64 = 1;
  for (let i = power; i < 0; i++) divisor *= 10;
  let quotient = value / divisor;
  let rest = value % divisor;
  if (value == 0) return 0;
  let scale: f64 = 1;
  while (quotient < <u64>1 << 54) {
    rest <<= 1;
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
    scale *= 0.5;
  }
  if (rest != 0) quotient |= 1;
  return <f64>quotient * scale;
}

export function packNumber(): bool {
  let at = p;
  const negative = load<u8>(at) == 0x2d;
  if (negative) at++;
  const start = at;
  let value: u64 = 0;
  let c = <u32>load<u8>(at);
  while (c - 48 < 10) {
    value = value * 10 + (c - 48);
    c = load<u8>(++at);
  }
  let digits = at - start;
  if (digits == 0 || digits > integerDigits) return false;
  if (digits > 1 && load<u8>(start) == 48) return false;
  if (c != 0x2e && (c | 32) != 0x65) {
    setP(at);
    setQ(packInteger(q, value, negative));
    return true;
  }
  let power: i32 = 0;
  if (c == 0x2e) {
    const point = ++at;
    c = load<u8>(at);
    while (c - 48 < 10) {
      value = value * 10 + (c - 48);
      c = load<u8>(++at);
    }
    if (at == point) return false;
    digits += at - point;
    power = -<i32>(at - point);
  }
  if (digits > longDigits) return false;
  if ((c | 32) == 0x65) {
    at = exponent(at + 1);
    if (at == 0) return false;
    power += exponentValue;
  }
  let number: f64 = 0;
  if (digits <= exactDigits) {
    if (power < -exactPower || power > exactPower) return false;
    number = power < 0 ? <f64>value / tenTo(-power) : <f64>value * tenTo(power);
  } else {
    if (power < -longPower || power > 0) return false;
    number = divide(value, power);
  }
  setP(at);
  store<u8>(q, 0xcb);
  store<u64>(q + 1, bswap<u64>(reinterpret<u64>(negative ? -number : number)));
  setQ(q + 9);
  return true;
}

let exponentValue: i32 = 0;

/** Behind the e. Returns the place behind it; 0: not done here. */
function exponent(at: usize): usize {
  let c = <u32>load<u8>(at);
  const negative = c == 0x2d;
  if (negative || c == 0x2b) c = load<u8>(++at);
  const start = at;
  let value: i32 = 0;
  while (c - 48 < 10) {
    value = value * 10 + <i32>(c - 48);
    c = load<u8>(++at);
  }
  if (at == start || at - start > 4) return 0;
  exponentValue = negative ? -value : value;
  return at;
}

/** Exact, as each power up to 10^22 is. */
function tenTo(power: i32): f64 {
  let result: f64 = 1;
  for (let i = 0; i < power; i++) result *= 10;
  return result;
}

function packInteger(at: usize, value: u64, negative: bool): usize {
  if (negative && value != 0) return packNegative(at, -<i64>value);
  if (value < 0x80) {
    store<u8>(at, <u8>value);
    return at + 1;
  }
  if (value < 0x100) {
    store<u16>(at, <u16>(0xcc | (value << 8)));
    return at + 2;
  }
  if (value < 0x1_0000) {
    store<u8>(at, 0xcd);
    store<u16>(at + 1, bswap<u16>(<u16>value));
    return at + 3;
  }
  if (value < 0x1_0000_0000) {
    store<u8>(at, 0xce);
    store<u32>(at + 1, bswap<u32>(<u32>value));
    return at + 5;
  }
  store<u8>(at, 0xcf);
  store<u64>(at + 1, bswap<u64>(value));
  return at + 9;
}

function packNegative(at: usize, value: i64): usize {
  if (value >= -32) {
    store<u8>(at, <u8>value);
    return at + 1;
  }
  if (value >= -0x80) {
    store<u16>(at, <u16>(0xd0 | ((<u32>value & 0xff) << 8)));
    return at + 2;
  }
  if (value >= -0x8000) {
    store<u8>(at, 0xd1);
    store<u16>(at + 1, bswap<u16>(<u16>value));
    return at + 3;
  }
  if (value >= -0x8000_0000) {
    store<u8>(at, 0xd2);
    store<u32>(at + 1, bswap<u32>(<u32>value));
    return at + 5;
  }
  store<u8>(at, 0xd3);
  store<u64>(at + 1, bswap<u64>(<u64>value));
  return at + 9;
}
