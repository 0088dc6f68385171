// Counts what a sink got: events, and how often each id came.

/** Feed it the sink's bytes in any pieces; `check(ids, rounds)` says what is missing or came twice. */
export class Verifier {
  constructor(ids) {
    this.counts = new Uint32Array(ids)
    this.events = 0
    this.bytes = 0
    /** Bytes before they were inflated, where they came compressed. */
    this.wireBytes = 0
    this.strange = 0
    this.main = this.stream()
  }
  /** A place to feed one stream of bytes to: an id may be cut between its pieces. */
  stream() {
    return { rest: Buffer.alloc(0) }
  }
  feed(piece, stream = this.main) {
    this.bytes += piece.length
    let data = stream.rest.length ? Buffer.concat([stream.rest, piece]) : piece
    let at = 0
    for (;;) {
      const hit = data.indexOf('id=', at, 'latin1')
      if (hit < 0 || hit + 11 > data.length) break
      let id = 0
      for (let i = hit + 3; i < hit + 11; i++) id = id * 10 + data[i] - 48
      if (id >= 0 && id < this.counts.length) this.counts[id]++
      else this.strange++
      this.events++
      at = hit + 11
    }
    const hit = data.indexOf('id=', at, 'latin1')
    data = hit < 0 ? data.subarray(Math.max(at, data.length - 2)) : data.subarray(hit)
    stream.rest = Buffer.from(data)
  }
  /** Problems as sentences; none: every id came exactly `rounds` times. */
  problems(rounds) {
    let missing = 0
    let repeated = 0
    for (const count of this.counts) {
      if (count < rounds) missing += rounds - count
      if (count > rounds) repeated += count - rounds
    }
    return [
      ...(missing ? [`${missing} events missing`] : []),
      ...(repeated ? [`${repeated} events more than sent`] : []),
      ...(this.strange ? [`${this.strange} events that were never sent`] : []),
    ]
  }
}
