import { describe, expect, it } from 'vitest'
import { diskError } from '../../../support/memory-disk.ts'
import { none, startTail } from './harness.ts'

const base = `pos_file /pos\nread_from_head true\npath_key file\ntag t.*\n${none}`

/** Names of the files that events came from. */
const files = (events: readonly string[]) =>
  events.map((event) => JSON.parse(event.slice(event.indexOf('{'))).file as string)

const put = (...paths: string[]) => Object.fromEntries(paths.map((path) => [path, 'x\n']))

describe('source tail: paths', () => {
  it.each([
    ['a star', '/l/*.log', ['/l/a.log', '/l/b.log']],
    ['several paths', '/l/a.log, /l/b.txt,/l/a.log', ['/l/a.log', '/l/b.txt']],
    ['directories in between', '/l/*/c.log', ['/l/d/c.log', '/l/e/c.log']],
    ['any directories', '/l/**/c.log', ['/l/c.log', '/l/d/c.log', '/l/d/e/c.log', '/l/e/c.log']],
    ['hidden files by their dot only', '/l/.h*', ['/l/.hidden']],
    ['a class, with a star in another part', '/l/[ab].log*', ['/l/a.log', '/l/b.log']],
    ['the time', '/l/%Y-%m*.day', ['/l/2023-11-14.day']],
    ['no pattern without a star', '/l/[ab].log', []],
    ['a pattern without a star', '/l/[ab].log\nglob_policy extended', ['/l/a.log', '/l/b.log']],
    ['a question mark', '/l/?.txt\nglob_policy extended', ['/l/b.txt']],
    [
      'braces',
      '/l/{a,c}.log|/l/b.txt\npath_delimiter |\nglob_policy always',
      ['/l/a.log', '/l/b.txt', '/l/c.log'],
    ],
    ['what is left out', '/l/*.log\nexclude_path ["/l/b*", "/l/none"]', ['/l/a.log']],
    ['what is left out, by the time', '/l/*.day\nexclude_path ["/l/%Y*.day"]', []],
  ])('%s: %s', async (name, path, expected) => {
    const all = ['/l/a.log', '/l/b.log', '/l/b.txt', '/l/.hidden', '/l/2023-11-14.day']
    const deep = ['/l/d/c.log', '/l/d/e/c.log', '/l/e/c.log']
    const withC = name === 'any directories' || name === 'braces' ? ['/l/c.log'] : []
    const tail = await startTail(`path ${path}\n${base}`, put(...all, ...deep, ...withC))
    expect(files(tail.events).sort()).toEqual(expected)
    await tail.stop()
  })

  it('puts the path into the tag, with dots for slashes', async () => {
    const tail = await startTail(
      `path /l//x/a..log\ntag pre.*.post\n${base.replace('tag t.*', '')}`,
      {
        '/l/x/a..log': 'x\n',
      },
    )
    expect(tail.events[0]?.split(' ')[0]).toBe('pre.l.x.a.log.post')
    await tail.stop()
  })

  it('takes the time of a zone', async () => {
    // 2023-11-14 22:13:20 UTC
    const tail = await startTail(`path /l/%d.log\npath_timezone Asia/Tokyo\n${base}`, {
      '/l/14.log': 'utc\n',
      '/l/15.log': 'tokyo\n',
    })
    expect(files(tail.events)).toEqual(['/l/15.log'])
    await tail.stop()
  })

  it('finds new files every refresh_interval, and reads them from their heads', async () => {
    const lines = `path /l/*.log\nrefresh_interval 10s\n${base.replace('read_from_head true', '')}`
    const tail = await startTail(lines, { '/l/a.log': 'old\n' })
    tail.host.disk.put('/l/b.log', 'b\n')
    await tail.pass(9000)
    expect(tail.events).toEqual([])
    await tail.pass(1000)
    expect(files(tail.events)).toEqual(['/l/b.log'])
    await tail.stop()
  })

  it('looks for files a refresh_interval after the start only, where that is wished', async () => {
    const lines = `path /l/*.log\nrefresh_interval 10s\nskip_refresh_on_startup true\n${base}`
    const tail = await startTail(lines, put('/l/a.log'))
    await tail.pass(9000)
    expect(tail.events).toEqual([])
    await tail.pass(1000)
    expect(files(tail.events)).toEqual(['/l/a.log'])
    await tail.stop()
  })

  it('lets files go that are gone, and marks them in the pos_file', async () => {
    const tail = await startTail(
      `path /l/*.log\nrefresh_interval 10s\n${base}`,
      put('/l/a.log', '/l/b.log'),
    )
    tail.host.disk.remove('/l/a.log')
    await tail.pass(11_000)
    expect(tail.positions()).toEqual({ '/l/a.log': '2', '/l/b.log': '2' })
    await tail.pass(15_000)
    expect(tail.positions()).toEqual({ '/l/a.log': 'unwatched', '/l/b.log': '2' })
    // It is another file then.
    tail.host.disk.put('/l/a.log', 'new\n')
    await tail.pass(10_000)
    expect(files(tail.events)).toEqual(['/l/a.log', '/l/b.log', '/l/a.log'])
    expect(tail.host.metrics.value('sluice_tail_files_tracked')).toBe(2)
    await tail.stop()
    const again = await startTail(`path /l/*.log\n${base}`, {}, tail.host)
    expect(again.host.disk.texts()['/pos']?.split('\n')).toHaveLength(3)
    await again.stop()
  })

  it('takes lines out of the pos_file that are not needed, now and then', async () => {
    const lines = `path /l/*.log\nrefresh_interval 10s\npos_file_compaction_interval 60s\n${base}`
    const tail = await startTail(lines, put('/l/a.log', '/l/b.log', '/l/c.log'))
    tail.host.disk.remove('/l/a.log')
    await tail.pass(30_000)
    expect(tail.positions()).toHaveProperty('/l/a.log', 'unwatched')
    await tail.pass(31_000)
    expect(tail.positions()).toEqual({ '/l/b.log': '2', '/l/c.log': '2' })
    tail.host.disk.append('/l/b.log', 'y\n')
    tail.host.disk.append('/l/c.log', 'yy\n')
    await tail.pass(1000)
    expect(tail.positions()).toEqual({ '/l/b.log': '4', '/l/c.log': '5' })
    await tail.stop()
  })

  it('follows files of a pattern as long as they change, and goes on where they stood', async () => {
    const lines = `path /l/*.log\nrefresh_interval 10s\nlimit_recently_modified 1m\n${base}`
    const tail = await startTail(lines, put('/l/a.log'))
    await tail.pass(90_000)
    expect(tail.source.files?.()).toEqual([])
    tail.host.disk.append('/l/a.log', 'y\n')
    await tail.pass(10_000)
    expect(tail.events.map((event) => JSON.parse(event.slice(event.indexOf('{'))).message)).toEqual(
      ['x', 'y'],
    )
    await tail.stop()
  })

  it('passes over what must not be read, and says so each time or once', async () => {
    for (const [line, times] of [
      ['', 3],
      ['ignore_repeated_permission_error true', 1],
    ] as const) {
      const host = (await startTail(`path /none\n${base}`)).host
      host.log.lines.length = 0
      host.disk.fault = (operation, path) => {
        if (operation === 'open' && path === '/l/a.log') throw diskError('EACCES', path)
      }
      const lines = `path /l/*.log\nrefresh_interval 10s\n${line}\n${base}`
      const tail = await startTail(lines, put('/l/a.log', '/l/b.log'), host)
      await tail.pass(20_000)
      expect(files(tail.events)).toEqual(['/l/b.log'])
      const said = host.log.messages('warn').filter((text) => text.includes('/l/a.log unreadable'))
      expect(said).toHaveLength(times)
      host.disk.fault = undefined
      await tail.pass(10_000)
      expect(files(tail.events)).toEqual(['/l/b.log', '/l/a.log'])
      await tail.stop()
    }
  })

  it('follows links, and passes over directories and names that would break the pos_file', async () => {
    const tail = await startTail(`path /none\n${base}`)
    const { disk } = tail.host
    await disk.mkdir('/l/dir.log')
    disk.put('/l/a\tb.log', 'x\n')
    disk.put('/l/a\nb.log', 'x\n')
    disk.put('/elsewhere', 'x\n')
    await disk.symlink('/elsewhere', '/l/link.log')
    await disk.symlink('/nothing', '/l/dangling.log')
    const linked = await startTail(`path /l/*.log\n${base}`, {}, tail.host)
    disk.append('/elsewhere', 'y\n')
    await linked.pass(1000)
    expect(files(linked.events)).toEqual(['/l/link.log', '/l/link.log'])
    await linked.stop()
  })

  it('keeps following while the files cannot be looked for', async () => {
    const tail = await startTail(`path /l/*.log\nrefresh_interval 10s\n${base}`, put('/l/a.log'))
    const { disk } = tail.host
    disk.fault = (operation, path) => {
      if (operation === 'target' && path === '/l/a.log') throw diskError('EIO', path)
    }
    await tail.pass(10_000)
    disk.fault = undefined
    disk.append('/l/a.log', 'y\n')
    await tail.pass(1000)
    expect(tail.events).toHaveLength(2)
    await tail.stop()
  })
})

describe('source tail: follow_inodes', () => {
  const lines = `path /l/app.log*\nfollow_inodes true\nrefresh_interval 10s\nrotate_wait 2s\n${base}`
  const texts = (events: readonly string[]) =>
    events.map((event) => JSON.parse(event.slice(event.indexOf('{'))).message as string)

  it('reads nothing twice where the pattern has the rotated files too', async () => {
    const tail = await startTail(lines, { '/l/app.log': 'a\n' })
    const { disk } = tail.host
    for (let round = 1; round <= 3; round++) {
      for (let i = round; i > 1; i--) disk.move(`/l/app.log.${i - 1}`, `/l/app.log.${i}`)
      disk.append('/l/app.log', `end ${round}\n`)
      disk.move('/l/app.log', '/l/app.log.1')
      disk.put('/l/app.log', `begin ${round}\n`)
      await tail.pass(7000)
    }
    disk.append('/l/app.log.1', 'late\n')
    await tail.pass(30_000)
    expect(texts(tail.events)).toEqual([
      'a',
      'end 1',
      'begin 1',
      'end 2',
      'begin 2',
      'end 3',
      'begin 3',
      'late',
    ])
    await tail.stop()
    disk.append('/l/app.log', 'more\n')
    disk.append('/l/app.log.2', 'old\n')
    const again = await startTail(lines, {}, tail.host)
    expect(texts(again.events).sort()).toEqual(['more', 'old'])
    await again.stop()
  })

  it('takes files that are gone out of the pos_file', async () => {
    const tail = await startTail(lines, { '/l/app.log': 'a\n', '/l/app.log.1': 'b\n' })
    expect(tail.positions()).toEqual({ '/l/app.log': '2', '/l/app.log.1': '2' })
    tail.host.disk.remove('/l/app.log.1')
    await tail.pass(30_000)
    expect(tail.positions()).toEqual({ '/l/app.log': '2', '/l/app.log.1': 'unwatched' })
    await tail.stop()
  })
})
