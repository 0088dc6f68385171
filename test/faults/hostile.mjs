import { gzipSync } from 'node:zlib'
import { array, bin, bytes, chunkOf, entry, eventTime, int, map, str, u32 } from './messages.mjs'

/**
 * What nobody honest sends: `[name, bytes]`. What breaks Fluentd and Fluent Bit is among it (docs of FORWARD and SECURITY facts: a length of
 * four billion, `0xc1`, nesting, JSON by mistake, other protocols), and every type in every place where another belongs.
 */
export function hostileInputs(tag = 'hostile') {
  return [
    ...lengths(tag),
    ...types(tag),
    ...nesting(tag),
    ...otherProtocols(),
    ...broken(tag),
    ...compressed(tag),
    ...odd(tag),
    ...largeRecords(tag),
  ]
}

const time = eventTime(1_700_000_000)
const record = map([str('a'), int(1)])
const option = (...pairs) => map(...pairs)
const chunk = [str('chunk'), str(chunkOf(0).replace('faults', 'hostil'))]
const nothing = Buffer.alloc(0)

/** Headers that promise up to four billion of something. */
function lengths(tag) {
  const heads = [
    'ddffffffff',
    'dfffffffff',
    'dbffffffff',
    'c6ffffffff',
    'c9ffffffff01',
    'dcffff',
    'deffff',
  ]
  return heads.flatMap((head) => [
    [`${head} as message`, bytes(head)],
    [`${head} as tag`, bytes('93', head)],
    [`${head} as entries`, bytes('92', str(tag), head)],
    [`${head} as time`, bytes('93', str(tag), head)],
    [`${head} as record`, bytes('93', str(tag), time, head)],
    [`${head} inside a record`, bytes('93', str(tag), time, '81', str('a'), head)],
    [`${head} as option`, bytes('94', str(tag), time, record, head)],
    [`${head} inside packed entries`, array(str(tag), bin(bytes('92', time, head)))],
  ])
}

/** Every type where another belongs. */
function types(tag) {
  const values = {
    nil: bytes('c0'),
    true: bytes('c3'),
    integer: int(7),
    negative: bytes('ff'),
    float: bytes('cb3ff8000000000000'),
    string: str('text'),
    binary: bin(Buffer.from([1, 2, 3])),
    array: array(int(1)),
    map: map([str('k'), int(1)]),
    ext: bytes('d405ff'),
    'never used': bytes('c1'),
  }
  return Object.entries(values).flatMap(([name, value]) => [
    [`${name} as message`, value],
    [`${name} as tag`, array(value, time, record)],
    [`${name} as entries`, array(str(tag), value)],
    [`${name} as time`, array(str(tag), value, record)],
    [`${name} as record`, array(str(tag), time, value)],
    [`${name} as option`, array(str(tag), time, record, value)],
    [`${name} as chunk`, array(str(tag), time, record, option([str('chunk'), value]))],
    [`${name} as an entry`, array(str(tag), array(value), option(chunk))],
    [`${name} as size`, array(str(tag), array(entry(1)), option([str('size'), value]))],
    [`${name} as compressed`, array(str(tag), bin(entry(1)), option([str('compressed'), value]))],
    [
      `${name} as partial_message`,
      array(str(tag), time, map([str('partial_message'), value], [str('log'), value])),
    ],
  ])
}

function nesting(tag) {
  const deep = (one, times) => Buffer.from(one.repeat(times), 'hex')
  return [65, 1000, 200_000].flatMap((depth) => [
    [`arrays ${depth} deep`, bytes(deep('91', depth), 'c0')],
    [`maps ${depth} deep in a record`, bytes('93', str(tag), time, deep('81a161', depth), 'c0')],
    [
      `arrays ${depth} deep in a record`,
      bytes('93', str(tag), time, '81a161', deep('91', depth), 'c0'),
    ],
    [
      `arrays ${depth} deep in an option`,
      bytes('94', str(tag), time, record, '81a161', deep('91', depth), 'c0'),
    ],
    [`maps ${depth} deep as keys`, bytes('93', str(tag), time, deep('81', depth), 'c0c0')],
    [
      `packed arrays ${depth} deep`,
      array(str(tag), bin(bytes('92', time, '81a161', deep('91', depth), 'c0'))),
    ],
    [`JSON arrays ${depth} deep`, Buffer.from('['.repeat(depth))],
    [`JSON objects ${depth} deep`, Buffer.from(`["${tag}",1,${'{"a":'.repeat(depth)}`)],
  ])
}

function otherProtocols() {
  return [
    ['HTTP GET', Buffer.from('GET / HTTP/1.1\r\nHost: sluice\r\n\r\n')],
    ['HTTP POST', Buffer.from('POST /x HTTP/1.1\r\nHost: s\r\nContent-Length: 3\r\n\r\nabc')],
    ['HTTP/2 preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['TLS client hello', bytes('16030100a5010000a10303', Buffer.alloc(160, 7))],
    ['SSH banner', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
    ['syslog line', Buffer.from('<34>1 2003-10-11T22:14:15.003Z host su - ID47 - failed\n')],
    ['Redis', Buffer.from('*1\r\n$4\r\nPING\r\n')],
    ['PROXY header', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
    ['a lone newline', Buffer.from('\n')],
    ['a megabyte of zeros', Buffer.alloc(1_000_000)],
    ['a megabyte of ff', Buffer.alloc(1_000_000, 0xff)],
    ['a megabyte of c1', Buffer.alloc(1_000_000, 0xc1)],
    ['a megabyte of text', Buffer.alloc(1_000_000, 'A')],
    ['nothing', nothing],
    [
      'PING without HELO',
      array(str('PING'), str('host'), str('salt'), str('digest'), str(''), str('')),
    ],
    ['PONG', array(str('PONG'), bytes('c3'), str(''), str('host'), str('digest'))],
    ['HELO', array(str('HELO'), map([str('nonce'), str('x')]))],
  ]
}

function broken(tag) {
  const forward = array(str(tag), array(entry(1), entry(2)), option(chunk))
  const packed = array(str(tag), bin(bytes(entry(1), entry(2))), option(chunk))
  const message = array(str(tag), time, record, option(chunk))
  const zipped = array(
    str(tag),
    bin(gzipSync(bytes(entry(1), entry(2)))),
    option([str('compressed'), str('gzip')], chunk),
  )
  const cut = { forward, packed, message, zipped }
  return [
    ...Object.entries(cut).flatMap(([name, whole]) =>
      [1, 3, 0.5, 0.9].map((where) => {
        const at = where < 1 ? Math.floor(whole.length * where) : where
        return [`${name} cut at byte ${at}`, whole.subarray(0, at)]
      }),
    ),
    ['half an entry in packed', array(str(tag), bin(entry(1).subarray(0, 20)), option(chunk))],
    [
      'an entry and a half in packed',
      array(str(tag), bin(bytes(entry(1), entry(2).subarray(0, 9))), option(chunk)),
    ],
    ['c1 in packed', array(str(tag), bin(bytes(entry(1), 'c1', entry(2))), option(chunk))],
    ['an entry of three', array(str(tag), array(array(time, record, record)), option(chunk))],
    ['an entry of one', array(str(tag), array(array(time)), option(chunk))],
    ['no entry', array(str(tag), array(), option(chunk))],
    ['empty packed', array(str(tag), bin(nothing), option(chunk))],
    ['no element', bytes('90')],
    ['one element', array(str(tag))],
    ['nine elements', bytes('99', str(tag), time, record, option(chunk), 'c0c0c0c0c0')],
    [
      'a size that is not so',
      array(str(tag), bin(entry(1)), option([str('size'), int(4_000_000_000)], chunk)),
    ],
    [
      'a chunk id of a megabyte',
      array(str(tag), time, record, option([str('chunk'), str('c'.repeat(1_000_000))])),
    ],
    ['ext of no bytes as time', array(str(tag), bytes('c70000'), record)],
    ['a time of 8 bytes of another type', array(str(tag), bytes('d701', u32(1), u32(2)), record)],
    ['nanoseconds beyond a second', array(str(tag), bytes('d700', u32(1), 'ffffffff'), record)],
  ]
}

function compressed(tag) {
  const gzip = (body, kind = 'gzip') =>
    array(str(tag), bin(body), option([str('compressed'), str(kind)], chunk))
  const good = gzipSync(bytes(entry(1), entry(2)))
  return [
    ['not gzip', gzip(Buffer.from('this is no gzip'))],
    ['no bytes of gzip', gzip(nothing)],
    ['gzip cut in the middle', gzip(good.subarray(0, good.length >> 1))],
    ['gzip without its sum', gzip(good.subarray(0, good.length - 8))],
    ['gzip with a wrong sum', gzip(bytes(good.subarray(0, good.length - 8), '0000000000000000'))],
    ['gzip and rubbish', gzip(bytes(good, 'deadbeef'))],
    ['gzip of nothing', gzip(gzipSync(nothing))],
    ['gzip of rubbish', gzip(gzipSync(Buffer.from('c1c1c1', 'hex')))],
    ['gzip of half an entry', gzip(gzipSync(entry(1).subarray(0, 12)))],
    ['an unknown compression', gzip(good, 'lzma')],
    ['not zstd', gzip(Buffer.from('this is no zstd'), 'zstd')],
    ['half a zstd frame', gzip(bytes('28b52ffd04582100'), 'zstd')],
    ['a zstd frame that claims 2 GB', gzip(bytes('28b52ffda000000080000000', 'ff00'), 'zstd')],
    ['20 MB of zeros in gzip', gzip(gzipSync(Buffer.alloc(20_000_000)))],
    [
      'a thousand empty gzip members',
      gzip(Buffer.concat(Array.from({ length: 1000 }, () => gzipSync(nothing)))),
    ],
  ]
}

function odd(tag) {
  const text = (value) => array(str(value), time, record)
  const many = (count) => Array.from({ length: count }, (_, i) => [str(`k${i}`), int(i)])
  const hex = (value) => Buffer.from(value, 'hex')
  return [
    ['an empty tag', text('')],
    ['a tag of a megabyte', text('t'.repeat(1_000_000))],
    ['a tag of dots', text('.'.repeat(3000))],
    ['a tag with line ends', text('a\nb\r\nc')],
    ['a tag with zeros', text('a\0b')],
    ['a tag that leaves its directory', text('../../../../etc/passwd')],
    ['a tag that is not UTF-8', array(str(hex('fffefd')), time, record)],
    [
      '__proto__ in a record',
      array(str(tag), time, map([str('__proto__'), map([str('polluted'), bytes('c3')])])),
    ],
    [
      'constructor in a record',
      array(str(tag), time, map([str('constructor'), int(1)], [str('toString'), int(2)])),
    ],
    [
      'one key many times',
      array(str(tag), time, map(...Array.from({ length: 5000 }, () => [str('k'), int(1)]))),
    ],
    ['50,000 keys', array(str(tag), time, map(...many(50_000)))],
    ['a key that is a map', array(str(tag), time, map([map([str('a'), int(1)]), int(1)]))],
    ['a text that is not UTF-8', array(str(tag), time, map([str('a'), str(hex('c328a0a1ff'))]))],
    ['half a surrogate', array(str(tag), time, map([str('a'), str(hex('eda080'))]))],
    ['not a number', array(str(tag), time, map([str('a'), bytes('cb7ff8000000000000')]))],
    ['infinity', array(str(tag), time, map([str('a'), bytes('cb7ff0000000000000')]))],
    ['the largest integer', array(str(tag), time, map([str('a'), bytes('cfffffffffffffffff')]))],
    ['the smallest integer', array(str(tag), time, map([str('a'), bytes('d38000000000000000')]))],
    ['a time far away', array(str(tag), bytes('cfffffffffffffffff'), record)],
    ['a time before all', array(str(tag), bytes('d38000000000000000'), record)],
    [
      '20,000 tiny messages',
      Buffer.concat(Array.from({ length: 20_000 }, () => array(str('t'), int(1), map()))),
    ],
    ['a text of 5 MB', array(str(tag), time, map([str('a'), str('x'.repeat(5_000_000))]))],
  ]
}

/** One record that is much work for whoever reads or writes it. */
function largeRecords(tag) {
  const message = (value) => array(str(tag), time, map([str('a'), value]))
  const elements = (count) => bytes('dd', u32(count), Buffer.alloc(count, 0x01))
  const keys = (count) =>
    map(...Array.from({ length: count }, (_, i) => [str(`k${i}`), bytes('01')]))
  const float = bytes('cb40f86a0c9d4951a1')
  const twice = bytes('82a16101a16102')
  return [
    ['a record of 3 million elements', message(elements(3_000_000))],
    ['a record of 9,990 elements', message(elements(9990))],
    ['a map of 100,000 keys in a record', message(keys(100_000))],
    ['a map of 9,990 keys in a record', message(keys(9990))],
    ['1 million floats', message(bytes('dd', u32(1_000_000), Buffer.alloc(9_000_000, float)))],
    ['9,990 floats', message(bytes('dd', u32(9990), Buffer.alloc(9 * 9990, float)))],
    [
      '3,300 maps with a key that repeats',
      message(bytes('dd', u32(3300), Buffer.alloc(3300 * twice.length, twice))),
    ],
    ['a text of 30 MB', message(str('x'.repeat(30_000_000)))],
    [
      'an entry of 30 MB between small ones',
      array(
        str(tag),
        bin(bytes(entry(1), array(time, map([str('a'), str('x'.repeat(30_000_000))])), entry(2))),
        option(chunk),
      ),
    ],
  ]
}

/** The most work that one record within the limits can be: six bytes of JSON for each of its own. */
export function largestRecords(tag = 'largest') {
  const controls = str('\x01'.repeat(8_000_000))
  return [
    ['8 MB of plain text', str('x'.repeat(8_000_000))],
    ['8 MB that are not UTF-8', str(Buffer.alloc(8_000_000, 0xff))],
    ['8 MB of control characters', controls],
  ].map(([name, value]) => [name, array(str(tag), time, map([str('a'), value]), option(chunk))])
}

/** What is small on the wire and large behind it. Made beforehand: making them takes longer than sending them. */
export function bombs(tag = 'bomb', quick = false) {
  const gzip = (body) =>
    array(str(tag), bin(gzipSync(body)), option([str('compressed'), str('gzip')], chunk))
  const tiny = array(int(1), map())
  const events = quick ? 1_000_000 : 10_000_000
  return [
    ['200 MB of zeros', gzip(Buffer.alloc(quick ? 50_000_000 : 200_000_000))],
    [`${events} tiny events`, gzip(Buffer.alloc(tiny.length * events, tiny))],
    [
      '5 MB of one-byte entries',
      array(str(tag), bin(Buffer.alloc(5_000_000, 0x01)), option(chunk)),
    ],
    [
      '5 million one-byte elements',
      bytes('92', str(tag), 'dd', u32(5_000_000), Buffer.alloc(5_000_000, 0xc0)),
    ],
  ]
}
