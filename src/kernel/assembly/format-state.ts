// What the parts of the formatter share: where they read and write, and why they stopped.

/** Status of a run. The numbers are known to src/kernel/format.ts. */
export const DONE: i32 = 0;
/** No room for the event: everything up to it is complete. */
export const FULL: i32 = 1;
/** The entry at `p` is not all there. */
export const CUT: i32 = 2;
/** The entry at `p` needs the slow formatter: a repeated key, a key that is no string, a very wide map. */
export const SLOW: i32 = 3;
/** The time at `p` lies outside the zone offset that is known: ask for it, then go on. */
export const ZONE: i32 = 4;

/** Every writer may write this much behind `limit` without asking again: the longest single value, and a vector. */
export const SLACK: usize = 128;

// Offsets in the tables region. The first 64 bytes are the answer, the rest is filled from outside.
export const T_CONSUMED: usize = 0;
export const T_WRITTEN: usize = 4;
export const T_COUNT: usize = 8;
export const T_NOT_FINITE: usize = 12;
export const T_NOT_UTF8: usize = 16;
export const T_ZONE_AT: usize = 24;
/** f64 seconds: the offset holds in [from, until). */
export const T_ZONE_FROM: usize = 32;
export const T_ZONE_UNTIL: usize = 40;
export const T_ZONE_OFFSET: usize = 48;
export const T_ZONE_NAME_LENGTH: usize = 52;
export const T_ZONE_NAME: usize = 64;
/** 100 pairs of decimal digits. */
export const T_DIGITS: usize = 128;
/** For each byte below 32 its JSON escape, 8 bytes; the last is its length. */
export const T_ESCAPES: usize = 384;
/** 7 days, then 12 months: 16 bytes each, the last is its length. */
export const T_NAMES: usize = 640;
/** The program: see src/kernel/format-program.ts. */
export const T_PROGRAM: usize = 1024;
/** The rendered time of the second in hand, and where its sub-second digits stand. */
export const T_TIME: usize = 4096;
export const T_TIME_MARKS: usize = 5120;
/** What stands between time and record. */
export const T_MIDDLE: usize = 8192;
/** Keys seen so far in the maps that are open. */
export const T_KEYS: usize = 65536;
export const T_KEYS_END: usize = 262144;

export let tables: usize = 0;
export let p: usize = 0;
export let end: usize = 0;
export let o: usize = 0;
export let limit: usize = 0;
export let status: i32 = 0;
export let notFinite: u32 = 0;
export let notUtf8: u32 = 0;

// @ts-ignore: decorator
@inline export function setTables(v: usize): void { tables = v; }
// @ts-ignore: decorator
@inline export function setP(v: usize): void { p = v; }
// @ts-ignore: decorator
@inline export function setEnd(v: usize): void { end = v; }
// @ts-ignore: decorator
@inline export function setO(v: usize): void { o = v; }
// @ts-ignore: decorator
@inline export function setLimit(v: usize): void { limit = v; }
// @ts-ignore: decorator
@inline export function setNotFinite(v: u32): void { notFinite = v; }
// @ts-ignore: decorator
@inline export function setNotUtf8(v: u32): void { notUtf8 = v; }

/** Stops the event. Always false, so that a writer can `return fail(...)`. */
export function fail(why: i32): bool {
  status = why;
  return false;
}
/** The same for writers that return where they end: always 0. */
export function stop(why: i32): usize {
  status = why;
  return 0;
}
export function clearStatus(): void {
  status = DONE;
}
