// Where json-pack*.ts stand in the text and in what is packed.

/** Next byte of the text. */
export let p: usize = 0;
/** Where the next byte is packed to. */
export let q: usize = 0;
/** Control characters may stand in strings as they are. */
export let lenient: bool = false;

export function place(at: usize, out: usize, isLenient: bool): void {
  p = at;
  q = out;
  lenient = isLenient;
}

// @ts-ignore: decorator
@inline
export function setP(at: usize): void {
  p = at;
}

// @ts-ignore: decorator
@inline
export function setQ(at: usize): void {
  q = at;
}
