// Times by a strftime program (src/kernel/format-program.ts has its form), or as numbers. What a second looks like
// is kept: the next event of the same second only gets its sub-second digits.
import { fail, limit, o, setO, tables } from "./format-state";
import { FULL, SLOW, T_DIGITS, T_NAMES, T_PROGRAM, T_TIME, T_TIME_MARKS, ZONE } from "./format-state";
import { T_ZONE_AT, T_ZONE_FROM, T_ZONE_NAME, T_ZONE_NAME_LENGTH, T_ZONE_OFFSET, T_ZONE_UNTIL } from "./format-state";
import { writeFloat, writeSigned, writeUnsigned } from "./format-number";

const KIND_STRFTIME: u32 = 1;
const KIND_UNIXTIME: u32 = 2;
const KIND_FLOAT: u32 = 3;

const OP_SECOND: u8 = 6;
/** Seconds since 1970. */
const OP_LAST_NUMBER: u8 = 18;
const OP_SUBSECOND: u8 = 32;
const OP_NAME: u8 = 33;
const OP_MERIDIAN: u8 = 34;
const OP_OFFSET: u8 = 35;
const OP_ZONE: u8 = 36;

/** Times further away are taken as this: what JavaScript counts exactly. */
const FARTHEST: i64 = 9007199254740991;
/** The same for times as dates, where a zone's offset must still be added exactly. */
const FARTHEST_DATE: i64 = 9000000000000000;

let cached: bool = false;
let cachedSecond: i64 = 0;
let cachedNano: u32 = 0;
let timeLength: usize = 0;
let marks: usize = 0;
/** Seconds in which what was rendered holds but for its seconds' and sub-second digits; none where more depends on them. */
let minuteFrom: i64 = 0;
let minuteUntil: i64 = 0;
/** The width of a mark that is for two digits of seconds. */
const SECONDS: u32 = 0xffff;

let offset: i64 = 0;
let secondOfDay: u32 = 0;
let year: i64 = 0;
let month: u32 = 0;
let day: u32 = 0;
let yearDay: u32 = 0;
let weekDay: u32 = 0;

/** Another program, another zone: nothing of what was rendered holds. */
export function forgetTime(): void {
  cached = false;
}

export function clampSecond(second: i64): i64 {
  return second > FARTHEST ? FARTHEST : second < -FARTHEST ? -FARTHEST : second;
}

/** `whole`: the time came as an integer. */
export function writeTime(kind: u32, second: i64, nano: u32, whole: bool): bool {
  if (kind == KIND_STRFTIME) return writeFormatted(second, nano);
  if (kind == KIND_UNIXTIME) {
    setO(writeSigned(o, second));
    return true;
  }
  if (kind == KIND_FLOAT) {
    if (whole) setO(writeFloat(o, <f64>second, false));
    else {
      setO(writeSigned(o, second));
      store<u8>(o, 46);
      digits(o + 1, nano, 9);
      setO(o + 10);
    }
    return true;
  }
  if (second > 9_000_000_000 || second < -9_000_000_000) return fail(SLOW);
  if (kind == 4) setO(writeSigned(o, second * 1_000 + <i64>(nano / 1_000_000)));
  else if (kind == 5) setO(writeSigned(o, second * 1_000_000 + <i64>(nano / 1_000)));
  else setO(writeSigned(o, second * 1_000_000_000 + <i64>nano));
  return true;
}

function writeFormatted(given: i64, nano: u32): bool {
  const second =
    given > FARTHEST_DATE ? FARTHEST_DATE : given < -FARTHEST_DATE ? -FARTHEST_DATE : given;
  const text = tables + T_TIME;
  if (!cached || (second != cachedSecond && (second < minuteFrom || second >= minuteUntil))) {
    cached = false;
    if (!render(second)) return false;
    cached = true;
    cachedSecond = second;
    cachedNano = nano;
    patch(nano);
  } else if (nano != cachedNano || second != cachedSecond) {
    cachedSecond = second;
    cachedNano = nano;
    patch(nano);
  }
  if (o + timeLength > limit) return fail(FULL);
  for (let i: usize = 0; i < timeLength; i += 16) v128.store(o + i, v128.load(text + i));
  setO(o + timeLength);
  return true;
}

function patch(nano: u32): void {
  for (let i: usize = 0; i < marks; i++) {
    const mark = load<u32>(tables + T_TIME_MARKS + (i << 2));
    const at = tables + T_TIME + <usize>(mark & 0xffff);
    if (mark >> 16 == SECONDS) two(at, <u32>(cachedSecond - minuteFrom));
    else digits(at, nano, mark >> 16);
  }
}

/** The first `count` digits of a fraction of a second; zeros behind the ninth. */
function digits(at: usize, nano: u32, count: u32): void {
  if (count == 9) {
    const high = nano / 100_000;
    const low = nano - high * 100_000;
    const middle = low / 10;
    two(at, high / 100);
    two(at + 2, high % 100);
    two(at + 4, middle / 100);
    two(at + 6, middle % 100);
    store<u8>(at, 48 + <u8>(low - middle * 10), 8);
    return;
  }
  let keep: u32 = count > 9 ? 9 : count;
  for (let i = keep; i < count; i++) store<u8>(at + i, 48);
  for (let i: u32 = 9; i > keep; i--) nano /= 10;
  while (keep >= 2) {
    const q = nano / 100;
    keep -= 2;
    two(at + keep, nano - q * 100);
    nano = q;
  }
  if (keep == 1) store<u8>(at, 48 + <u8>(nano % 10));
}

// @ts-ignore: decorator
@inline
function two(at: usize, value: u32): void {
  store<u16>(at, load<u16>(tables + T_DIGITS + (<usize>value << 1)));
}

/** Runs the program for one second. Its longest output is known to fit T_TIME. */
function render(second: i64): bool {
  const s = <f64>second;
  if (!(s >= load<f64>(tables + T_ZONE_FROM) && s < load<f64>(tables + T_ZONE_UNTIL))) {
    store<f64>(tables + T_ZONE_AT, s);
    return fail(ZONE);
  }
  offset = <i64>load<i32>(tables + T_ZONE_OFFSET);
  breakDown(second + offset);
  const program = tables + T_PROGRAM;
  const ops = load<u32>(program + 4);
  const outside = o;
  const text = tables + T_TIME;
  setO(text);
  marks = 0;
  minuteFrom = second - <i64>(secondOfDay % 60);
  minuteUntil = minuteFrom + 60;
  if (<f64>minuteUntil > load<f64>(tables + T_ZONE_UNTIL) || <f64>minuteFrom < load<f64>(tables + T_ZONE_FROM)) {
    minuteUntil = minuteFrom;
  }
  for (let i: u32 = 0; i < ops; i++) {
    const at = program + 32 + (<usize>i << 3);
    const op = load<u8>(at);
    const pad = load<u8>(at + 1);
    const width = <u32>load<u16>(at + 2);
    const arg = load<u32>(at + 4);
    if (op == OP_SECOND && width == 2 && pad == 48) {
      store<u32>(tables + T_TIME_MARKS + (marks << 2), <u32>(o - text) | (SECONDS << 16));
      marks++;
      setO(o + 2);
    } else if (op <= OP_LAST_NUMBER) {
      if (op == OP_SECOND || op == OP_LAST_NUMBER) minuteUntil = minuteFrom;
      padded(numberOf(op, second), width, pad);
    } else if (op == OP_SUBSECOND) {
      store<u32>(tables + T_TIME_MARKS + (marks << 2), <u32>(o - text) | (width << 16));
      marks++;
      setO(o + width);
    } else other(op, pad, width, arg);
  }
  timeLength = o - text;
  setO(outside);
  return true;
}

function other(op: u8, pad: u8, width: u32, arg: u32): void {
  if (op == OP_NAME) {
    const index: u32 = arg == 0 ? weekDay : 6 + month;
    const from = tables + T_NAMES + (<usize>index << 4);
    const full = <u32>load<u8>(from + 15);
    letters(from, width < full ? width : full, pad);
  } else if (op == OP_MERIDIAN) {
    const small: u32 = pad == 2 ? 0x20 : 0;
    store<u16>(o, <u16>((secondOfDay < 43_200 ? 0x4d41 : 0x4d50) | small | (small << 8)));
    setO(o + 2);
  } else if (op == OP_OFFSET) writeOffset(arg);
  else if (op == OP_ZONE) letters(tables + T_ZONE_NAME, load<u32>(tables + T_ZONE_NAME_LENGTH), pad);
  else letters(tables + T_PROGRAM + <usize>arg, width, 0);
}

/** `change`: 1 in upper case. */
function letters(from: usize, n: u32, change: u8): void {
  for (let i: u32 = 0; i < n; i++) {
    let c = load<u8>(from + i);
    if (change == 1 && c >= 97 && c <= 122) c -= 32;
    store<u8>(o + i, c);
  }
  setO(o + n);
}

/** 0: +hhmm, 1: +hh:mm, 2: +hh:mm:ss. */
function writeOffset(style: u32): void {
  store<u8>(o, offset < 0 ? 45 : 43);
  setO(o + 1);
  const far = <u32>(offset < 0 ? 0 - offset : offset);
  padded(far / 3600, 2, 48);
  if (style > 0) {
    store<u8>(o, 58);
    setO(o + 1);
  }
  padded((far / 60) % 60, 2, 48);
  if (style < 2) return;
  store<u8>(o, 58);
  setO(o + 1);
  padded(far % 60, 2, 48);
}

/** At least `width` characters, filled in front with `pad` (0: none). The sign stands before zeros. */
function padded(value: i64, width: u32, pad: u8): void {
  const negative = value < 0;
  const size = <u64>(negative ? 0 - value : value);
  if (negative && pad != 32) {
    store<u8>(o, 45);
    setO(o + 1);
  }
  if (pad != 0) {
    let count: u32 = negative ? 2 : 1;
    if (size < 100_000) {
      for (let t = <u32>size; t >= 10; t /= 10) count++;
    } else {
      for (let t = size; t >= 10; t /= 10) count++;
    }
    for (; count < width; count++) {
      store<u8>(o, pad);
      setO(o + 1);
    }
  }
  if (negative && pad == 32) {
    store<u8>(o, 45);
    setO(o + 1);
  }
  setO(writeUnsigned(o, size));
}

function numberOf(op: u8, second: i64): i64 {
  switch (op) {
    case 1: return year;
    case 2: return month;
    case 3: return day;
    case 4: return secondOfDay / 3600;
    case 5: return (secondOfDay / 60) % 60;
    case 6: return secondOfDay % 60;
    case 7: {
      const hour = (secondOfDay / 3600) % 12;
      return hour == 0 ? 12 : hour;
    }
    case 8: return yearDay + 1;
    case 9: return floorDiv(year, 100);
    case 10: return year - floorDiv(year, 100) * 100;
    case 11: return (yearDay + 7 - weekDay) / 7;
    case 12: return (yearDay + 7 - ((weekDay + 6) % 7)) / 7;
    case 13: return isoWeek();
    case 14: return isoYear();
    case 15: return isoYear() - floorDiv(isoYear(), 100) * 100;
    case 16: return weekDay == 0 ? 7 : weekDay;
    case 17: return weekDay;
    default: return second;
  }
}

// @ts-ignore: decorator
@inline
function floorDiv(a: i64, b: i64): i64 {
  const q = a / b;
  return a % b < 0 ? q - 1 : q;
}

/** Week 1 is the one with the year's first Thursday. */
function isoWeek(): i64 {
  const week = isoRaw();
  if (week < 1) return weeksOf(year - 1);
  return week > weeksOf(year) ? 1 : week;
}
function isoYear(): i64 {
  const week = isoRaw();
  return week < 1 ? year - 1 : week > weeksOf(year) ? year + 1 : year;
}
function isoRaw(): i64 {
  const fromMonday = <i64>((weekDay + 6) % 7);
  return (<i64>yearDay - fromMonday + 10) / 7;
}
function weeksOf(y: i64): i64 {
  const p = (y + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400)) % 7;
  const z = y - 1;
  const before = (z + floorDiv(z, 4) - floorDiv(z, 100) + floorDiv(z, 400)) % 7;
  return (p + 7) % 7 == 4 || (before + 7) % 7 == 3 ? 53 : 52;
}

/** Seconds from the first of March of the year 0 to 1970, and to the year 10000. */
const FROM_YEAR_0: i64 = 62162035200;
const TO_YEAR_10000: i64 = 315564681600;
/** The day that year, month, day and the like are of. */
let known: i64 = i64.MIN_VALUE;

/**
 * Days since 1970 to a date of the proleptic Gregorian calendar, counting years from March. Divisions of 64-bit integers are what
 * would cost here, so times that people live in are divided as floats, once, and only for a new day.
 */
function breakDown(local: i64): void {
  const u = local + FROM_YEAR_0;
  const near = u >= 0 && u < TO_YEAR_10000;
  const days = near ? <i64>(<f64>u / 86_400.0) - 719_468 : floorDiv(local, 86_400);
  secondOfDay = <u32>(local - days * 86_400);
  if (days == known) return;
  known = days;
  let era: i64 = 0;
  let dayOfEra: u32;
  if (near) {
    const shifted = <u32>(days + 719_468);
    weekDay = (shifted + 3) % 7;
    const eras = shifted / 146_097;
    era = eras;
    dayOfEra = shifted - eras * 146_097;
  } else {
    weekDay = <u32>(days + 4 - floorDiv(days + 4, 7) * 7);
    era = floorDiv(days + 719_468, 146_097);
    dayOfEra = <u32>(days + 719_468 - era * 146_097);
  }
  const yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
  const fromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const monthFromMarch = (5 * fromMarch + 2) / 153;
  day = fromMarch - (153 * monthFromMarch + 2) / 5 + 1;
  month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  year = <i64>yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  // January and February belong to the era's next year: whether that is a leap year does not matter to them.
  const leap: u32 = yearOfEra % 4 == 0 && (yearOfEra % 100 != 0 || yearOfEra % 400 == 0) ? 1 : 0;
  yearDay = monthFromMarch < 10 ? fromMarch + 59 + leap : fromMarch - 306;
}
