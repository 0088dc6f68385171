// What holds for the messages of one connection (set before each scan: the memory serves many), and where results go.

/** Items (array elements, map pairs) that one message may declare. */
export let itemLimit: u32 = 0;
export let levelLimit: i32 = 0;
/** Keys and elements of arrays that a record may have in all, and its bytes. */
export let keyLimit: u32 = 0;
export let recordLimit: usize = 0;
/** Fluentd's skip_invalid_event false. */
export let lenient: bool = false;
/** Bytes of a message beyond which it is dropped; beyond which that it is large is said. */
export let messageLimit: usize = 0;
export let warnLimit: usize = 0;

export function scanRules(
  items: u32, levels: i32, keys: u32, recordBytes: u32, skip: bool, messageBytes: u32, warnBytes: u32,
): void {
  itemLimit = items;
  levelLimit = levels;
  keyLimit = keys;
  recordLimit = recordBytes;
  lenient = !skip;
  messageLimit = messageBytes;
  warnLimit = warnBytes;
}

/** Regions of the layout: acks of a run, ends of their messages' entries, entries written anew. */
export let acksAt: usize = 0;
export let ackEndsAt: usize = 0;
export let outAt: usize = 0;
export let outEnd: usize = 0;

export function scanRegions(acks: usize, ackEnds: usize, out: usize, outLimit: usize): void {
  acksAt = acks;
  ackEndsAt = ackEnds;
  outAt = out;
  outEnd = outLimit;
}
