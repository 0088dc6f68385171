import fc from 'fast-check'

/** MessagePack as hex, of every form, biased to what the forward protocol has. */
const byte = fc.integer({ min: 0, max: 255 })
const hexOf = (value: number, width: number): string => value.toString(16).padStart(width * 2, '0')

const bytesHex = (max: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength: max }).map((bytes) => Buffer.from(bytes).toString('hex'))

const text = fc
  .oneof(
    bytesHex(40),
    fc.string({ maxLength: 20 }).map((s) => Buffer.from(s).toString('hex')),
  )
  .chain((body) => {
    const length = body.length / 2
    const forms = [`d9${hexOf(length, 1)}`, `da${hexOf(length, 2)}`, `db${hexOf(length, 4)}`]
    if (length < 32) forms.push(hexOf(0xa0 | length, 1), hexOf(0xa0 | length, 1))
    return fc.constantFrom(...forms).map((head) => head + body)
  })

const binary = bytesHex(20).chain((body) =>
  fc
    .constantFrom('c4', 'c5', 'c6')
    .map((head) => head + hexOf(body.length / 2, 2 ** (Number.parseInt(head, 16) - 0xc4)) + body),
)

const fixedWidth = (heads: [string, number][]): fc.Arbitrary<string> =>
  fc.constantFrom(...heads).chain(([head, width]) =>
    fc
      .oneof(
        fc.constant('00'.repeat(width)),
        fc
          .array(byte, { minLength: width, maxLength: width })
          .map((all) => Buffer.from(all).toString('hex')),
      )
      .map((body) => head + body),
  )

export const integer = fc.oneof(
  fc.integer({ min: 0, max: 127 }).map((n) => hexOf(n, 1)),
  fc.integer({ min: 0xe0, max: 0xff }).map((n) => hexOf(n, 1)),
  fixedWidth([
    ['cc', 1],
    ['cd', 2],
    ['ce', 4],
    ['cf', 8],
    ['d0', 1],
    ['d1', 2],
    ['d2', 4],
    ['d3', 8],
  ]),
)

export const eventTime = fixedWidth([
  ['d700', 8],
  ['c70800', 8],
])

const float = fixedWidth([
  ['ca', 4],
  ['cb', 8],
])

const scalar = fc.oneof(
  text,
  text,
  binary,
  integer,
  eventTime,
  float,
  fc.constantFrom('c0', 'c2', 'c3'),
)

export const array = (items: readonly string[], head: number): string => {
  const heads = [`dc${hexOf(items.length, 2)}`, `dd${hexOf(items.length, 4)}`]
  const short = items.length < 16 ? hexOf(0x90 | items.length, 1) : heads[0]
  return (head < 2 ? heads[head] : short) + items.join('')
}

export const map = (pairs: readonly (readonly [string, string])[], head: number): string => {
  const heads = [`de${hexOf(pairs.length, 2)}`, `df${hexOf(pairs.length, 4)}`]
  const short = pairs.length < 16 ? hexOf(0x80 | pairs.length, 1) : heads[0]
  return (head < 2 ? heads[head] : short) + pairs.flat().join('')
}

/** Which form a head takes: mostly the shortest. */
const form = fc.constantFrom(0, 1, 2, 2, 2, 2)

export const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    fc
      .tuple(fc.array(tie('value'), { maxLength: 4 }), form)
      .map(([items, head]) => array(items, head)),
    fc
      .tuple(fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }), form)
      .map(([pairs, head]) => map(pairs, head)),
  ),
})).value

const record = fc
  .tuple(fc.array(fc.tuple(text, value), { maxLength: 18 }), form)
  .map(([pairs, head]) => map(pairs, head))

const time = fc.oneof(
  { weight: 4, arbitrary: integer },
  { weight: 4, arbitrary: eventTime },
  scalar,
)

const plainEntry = fc
  .tuple(fc.oneof(integer, eventTime), record)
  .map(([at, what]) => `92${at}${what}`)

export const entry = fc.oneof(
  { weight: 6, arbitrary: plainEntry },
  {
    weight: 2,
    arbitrary: fc.tuple(time, record, form).map(([at, what, head]) => array([at, what], head)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.array(time, { maxLength: 3 }), value, record, form, form)
      .map(([parts, meta, what, outer, inner]) =>
        array([array([...parts.slice(0, 1), meta, ...parts.slice(1)], inner), what], outer),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(value, { maxLength: 4 }), form)
      .map(([all, head]) => array(all, head)),
  },
  { weight: 1, arbitrary: value },
)

const str = (s: string): string => hexOf(0xa0 | s.length, 1) + Buffer.from(s).toString('hex')

const option = fc.oneof(
  fc.constant([] as string[]),
  fc.constantFrom(['c0'], ['80']),
  fc
    .tuple(fc.constantFrom('chunk', 'size', 'compressed', 'x'), value)
    .map(([key, what]) => [map([[str(key), what]], 2)]),
  fc
    .tuple(value, fc.constantFrom('gzip', 'text', 'zstd'), fc.array(value, { maxLength: 2 }))
    .map(([chunk, codec, extra]) => [
      map(
        [
          [str('chunk'), chunk],
          [str('compressed'), str(codec)],
        ],
        2,
      ),
      ...extra,
    ]),
  value.map((what) => [what]),
)

const tag = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(str('a'), str('a'), str('b'), str('app.web'), 'a0') },
  { weight: 1, arbitrary: text },
  { weight: 1, arbitrary: value },
)

const binOf = (body: string): string => `c6${hexOf(body.length / 2, 4)}${body}`

export const message = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(tag, time, fc.oneof({ weight: 5, arbitrary: record }, value), option, form)
      .map(([name, at, what, rest, head]) => array([name, at, what, ...rest], head)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(tag, fc.array(entry, { maxLength: 5 }), option, form, form)
      .map(([name, all, rest, head, inner]) => array([name, array(all, inner), ...rest], head)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(tag, fc.array(entry, { maxLength: 5 }), fc.nat(30), option, form)
      .map(([name, all, cutOff, rest, head]) => {
        const body = all.join('')
        const kept = cutOff < 8 ? body.slice(0, Math.max(body.length - cutOff * 2, 0)) : body
        return array([name, binOf(kept), ...rest], head)
      }),
  },
  { weight: 1, arbitrary: value },
)

export const stream = fc
  .array(message, { maxLength: 6 })
  .map((all) => Buffer.from(all.join(''), 'hex'))

/** A stream with a few bytes changed: lengths that lie, heads that are something else. */
export const damagedStream = fc
  .tuple(stream, fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 4 }))
  .map(([bytes, changes]) => {
    const copy = Buffer.from(bytes)
    for (const [at, to] of changes) if (copy.length > 0) copy[at % copy.length] = to
    return copy
  })

export const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
