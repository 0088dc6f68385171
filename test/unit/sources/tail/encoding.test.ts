import { describe, expect, it } from 'vitest'
import { json, none, startTail } from './harness.ts'

const log = '/l/a'
const base = `path ${log}\npos_file /pos\ntag t\nread_from_head true`

async function read(lines: string, bytes: Uint8Array) {
  const tail = await startTail(`path /none\ntag t\n${none}`)
  tail.host.disk.put(log, bytes)
  const running = await startTail(lines, {}, tail.host)
  await running.stop()
  return running
}

describe('source tail: encodings', () => {
  it.each([
    ['Shift_JIS', [0x83, 0x65, 0x83, 0x58, 0x83, 0x67], 'テスト'],
    ['EUC-JP', [0xa5, 0xc6, 0xa5, 0xb9], 'テス'],
    ['CP932', [0x87, 0x40], '①'],
    ['ISO-8859-1', [0xe9, 0x80], 'é\u0080'],
    ['Windows-1252', [0xe9, 0x80], 'é€'],
    ['cp1252', [0x80], '€'],
    ['ASCII-8BIT', [0xc3, 0xa9, 0xff], 'é\ufffd'],
  ])('%s becomes UTF-8', async (from, bytes, text) => {
    const running = await read(
      `${base}\nencoding utf-8\nfrom_encoding ${from}\n${none}`,
      Buffer.from([...bytes, 0x0d, 0x0a, ...bytes, 0x0a]),
    )
    expect(running.came()).toEqual([text, text])
  })

  it.each(['utf-16le', 'UTF-16BE'])('%s: ends of lines are of two bytes', async (from) => {
    // U+0A0A and U+010A hold the byte of a newline, and so does the border of U+620A U+0041.
    const text = 'a\u0a0ab\u010a\u620aA\r\nsecond\n'
    const bytes = Buffer.from(text, 'utf16le')
    if (from === 'UTF-16BE') bytes.swap16()
    const running = await read(`${base}\nencoding utf-8\nfrom_encoding ${from}\n${none}`, bytes)
    expect(running.came()).toEqual(['a\u0a0ab\u010a\u620aA', 'second'])
    expect(running.positions()).toEqual({ [log]: String(bytes.length) })
  })

  it('leaves out a line of UTF-16 that is too long, whatever its length', async () => {
    const bytes = Buffer.from('x'.repeat(1001), 'utf16le')
    const tail = await startTail(
      `${base}\nmax_line_size 100\nencoding utf-8\nfrom_encoding utf-16le\n${none}`,
    )
    tail.host.disk.put(log, bytes.subarray(0, 501))
    await tail.pass(60_000)
    tail.host.disk.append(log, bytes.subarray(501))
    await tail.pass(1000)
    tail.host.disk.append(log, Buffer.from('\nok\n', 'utf16le'))
    await tail.pass(1000)
    expect(tail.came()).toEqual(['ok'])
    await tail.stop()
  })

  it('leaves bytes as they are otherwise, and parses lines that are not UTF-8', async () => {
    const bytes = Buffer.from([0x61, 0x20, 0xff, 0xe9, 0x0a, 0x62, 0x20, 0xc3, 0xa9, 0x0a])
    const regexp = '<parse>\n@type regexp\nexpression /^(?<k>[a-z]) (?<v>.*)$/\n</parse>'
    const running = await read(`${base}\n${regexp}`, bytes)
    expect(running.events).toHaveLength(2)
    expect(running.events[1]).toBe('t {"k":"b","v":"é"}')
    // A value that is not UTF-8 keeps its bytes.
    expect(running.events[0]).toContain('"k":"a"')
    expect(running.host.log.messages('warn')).not.toContain('invalid line found')
    const plain = await read(`${base}\nencoding euc-jp\n${none}`, bytes)
    expect(plain.events).toHaveLength(2)
    const parsed = await read(`${base}\n${json}`, Buffer.from([0x7b, 0xff, 0x0a]))
    expect(parsed.host.log.messages('warn')).toContain('pattern not matched')
  })
})
