import { describe, expect, it } from 'vitest'
import { none, startTail } from './harness.ts'

const line = (length: number) => `${'x'.repeat(length - 1)}\n`

describe('source tail: limits', () => {
  it('reads no more bytes a second than read_bytes_limit_per_second', async () => {
    const tail = await startTail(
      `path /l/*\ntag t\nread_from_head true\nread_bytes_limit_per_second 128k\n${none}`,
      { '/l/a': line(1024).repeat(300), '/l/b': line(1024).repeat(10) },
    )
    const seconds: number[] = []
    for (let second = 0; second < 4; second++) {
      seconds.push(tail.events.length)
      await tail.pass(1000)
    }
    // Each file has its own.
    expect(seconds).toEqual([138, 266, 310, 310])
    expect(tail.host.metrics.value('sluice_tail_files_throttled_total')).toBeGreaterThan(0)
    await tail.stop()
  })

  it('reads at least 64k a second', async () => {
    const tail = await startTail(
      `path /l/a\ntag t\nread_from_head true\nread_bytes_limit_per_second 1k\n${none}`,
      { '/l/a': line(1024).repeat(100) },
    )
    expect(tail.events).toHaveLength(64)
    expect(tail.host.log.messages('warn')).toContain(
      'Should specify greater equal than 65536. Use 65536 for read_bytes_limit_per_second',
    )
    await tail.stop()
  })

  it('reads a rotated file to its end under a limit, before the next one', async () => {
    const tail = await startTail(
      `path /l/a\ntag t\nread_from_head true\nrotate_wait 1s\nread_bytes_limit_per_second 64k\n${none}`,
      { '/l/a': line(1024).repeat(300) },
    )
    tail.host.disk.move('/l/a', '/l/a.1')
    tail.host.disk.put('/l/a', 'new\n')
    await tail.pass(3000)
    expect(tail.came()).not.toContain('new')
    await tail.pass(5000)
    expect(tail.events).toHaveLength(301)
    expect(tail.came().at(-1)).toBe('new')
    await tail.stop()
  })

  const group = `<group>
  pattern /^\\/l\\/(?<pod>[a-z]+)_(?<space>[a-z]+)\\.log$/
  rate_period 10s
  <rule>
    match {"space": "/^shop$/"}
    limit 20
  </rule>
  <rule>
    match {"space": "/^shop/", "pod": "/^b/"}
    limit 4
  </rule>
  <rule>
    match {"space": "/^mute$/"}
    limit 0
  </rule>
</group>`
  const lines = 'x\n'.repeat(50)

  it('deals out lines by rules, the one with more groups first', async () => {
    const tail = await startTail(`path /l/*\ntag *\nread_from_head true\n${group}\n${none}`, {
      '/l/a_shop.log': lines,
      '/l/c_shop.log': lines,
      '/l/b_shop.log': lines,
      '/l/a_mute.log': lines,
      '/l/a_other.log': lines,
      '/l/unlike': lines,
    })
    const counts = () => {
      const found: Record<string, number> = {}
      for (const event of tail.events) {
        const tag = event.split(' ')[0] as string
        found[tag] = (found[tag] ?? 0) + 1
      }
      return found
    }
    await tail.pass(9000)
    const first = counts()
    // The limit of the first rule is dealt out to two files; how many there are is known when both are found.
    expect(first['l.b_shop.log']).toBe(4)
    expect(first['l.a_mute.log']).toBeUndefined()
    expect([first['l.a_other.log'], first['l.unlike']]).toEqual([50, 50])
    expect(first['l.a_shop.log']! + first['l.c_shop.log']!).toBe(20)
    await tail.pass(10_000)
    expect(counts()['l.b_shop.log']).toBe(8)
    await tail.stop()
  })
})
