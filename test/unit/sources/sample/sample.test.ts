import { describe, expect, it } from 'vitest'
import { sampleSource } from '../../../../src/sources/sample/index.ts'
import { createFakeHost, type FakeHost } from '../../../support/fake-host.ts'
import { startMaker, startMs } from '../exec/harness.ts'

const second = startMs / 1000
const inRoot = { idWritten: true, system: { rootDir: '/r' } }

describe('sample', () => {
  it('makes one event a second of the default record', async () => {
    const { host, events } = await startMaker(sampleSource, 'tag t')
    await host.clock.advance(900)
    expect(events).toEqual([])
    await host.clock.advance(100)
    expect(events).toEqual([`t ${second + 1} {"message":"sample"}`])
    await host.clock.advance(2_000)
    expect(events).toHaveLength(3)
  })

  it.each([
    ['rate 25', 25, [2, 3, 2, 3, 2, 3, 2, 3, 2, 3]],
    ['rate 3\nsize 4', 12, [4, 4, 4]],
    ['rate 0', 0, []],
    ['rate 250000', 250_000, Array.from({ length: 30 }, (_, n) => (n % 3 === 2 ? 5_000 : 10_000))],
  ])('%s: so many in a second, evenly', async (lines, count, expected) => {
    const { host, batches } = await startMaker(sampleSource, `tag t\n${lines}`)
    for (let turn = 0; turn < 10; turn++) await host.clock.advance(100)
    expect(batches.reduce((sum, n) => sum + n, 0)).toBe(count)
    expect(batches).toEqual(expected)
  })

  it('takes records in turn, and counts', async () => {
    const { host, events } = await startMaker(
      sampleSource,
      'tag t\nrate 10\nauto_increment_key id\ndummy [{"a":1},{"b":[2]}]',
    )
    await host.clock.advance(300)
    expect(events.map((event) => event.slice(event.indexOf('{')))).toEqual([
      '{"a":1,"id":0}',
      '{"b":[2],"id":1}',
      '{"a":1,"id":2}',
    ])
  })

  it('makes nothing while the consumer pushes back, and counts what it refuses', async () => {
    const started = await startMaker(sampleSource, 'tag t\nrate 10')
    let refuse = (_error: Error) => {}
    started.answer = () => new Promise<void>((_resolve, reject) => (refuse = reject))
    await started.host.clock.advance(500)
    expect(started.events).toHaveLength(1)
    started.answer = () => undefined
    refuse(new Error('full'))
    await started.host.clock.advance(300)
    expect(started.events).toHaveLength(4)
    const { metrics } = started.host
    expect(metrics.value('sluice_input_rejected_events_total')).toBe(1)
    expect(metrics.value('sluice_input_events_total')).toBe(3)
    await started.source.stop(new AbortController().signal)
    await started.host.clock.advance(1_000)
    expect(started.events).toHaveLength(4)
  })

  it.each([
    ['sample 1', 'not a hash'],
    ['sample [{"a":1},2]', '1th element'],
    ['sample []', 'no record'],
    ['sample "{bad"', 'no JSON'],
    ['rate -1', 'expected 0'],
    ['<storage>\n@type local\npersistent true\n</storage>', 'path for <storage> required'],
    ['<storage>\n@type redis\npath /p.json\n</storage>', 'local'],
    ['<storage ../x>\n@type local\n</storage>', 'letters'],
  ])('refuses %s', async (lines, message) => {
    await expect(startMaker(sampleSource, `tag t\n${lines}`)).rejects.toThrow(message)
  })
})

describe('sample with <storage>', () => {
  const counting = 'tag t\nrate 10\nauto_increment_key id\n'
  const ids = (events: readonly string[]) => events.map((event) => /"id":(\d+)/.exec(event)?.[1])
  const inFile = async (host: FakeHost, path: string) =>
    Buffer.from(await host.disk.readFile(path)).toString()
  const stop = (started: Awaited<ReturnType<typeof startMaker>>) =>
    started.source.stop(new AbortController().signal)

  it.each([
    ['<storage>\n@type local\npath /s/count.json\n</storage>', '/s/count.json', {}],
    ['<storage>\n@type local\npath /s\n</storage>', '/s/worker0/storage.json', {}],
    ['<storage>\n@type local\n</storage>', '/r/worker0/maker_0/storage.json', inRoot],
    ['<storage mine>\n@type local\n</storage>', '/r/worker0/maker_0/storage.mine.json', inRoot],
    ['', '/r/worker0/maker_0/storage.suspend.json', inRoot],
  ])('%s: the next run counts on, from %s', async (storage, path, more) => {
    const host = createFakeHost({ startMs })
    const first = await startMaker(sampleSource, counting + storage, { host, ...more })
    await host.clock.advance(300)
    await stop(first)
    expect(await inFile(host, path)).toBe('{"auto_increment_value":2}')
    const second = await startMaker(sampleSource, counting + storage, { host, ...more })
    await host.clock.advance(200)
    expect(ids([...first.events, ...second.events])).toEqual(['0', '1', '2', '3', '4'])
    await stop(second)
  })

  it('goes on where Fluentd was, and keeps what it wrote', async () => {
    const host = createFakeHost({ startMs })
    await host.disk.mkdir('/s')
    const handle = await host.disk.open('/s/c.json', { write: true, create: true })
    const before = '{"increment_value":0,"dummy_index":0,"auto_increment_value":41}'
    await handle.write(Buffer.from(before))
    await handle.close()
    const storage = '<storage>\n@type local\npath /s/c.json\n</storage>'
    const started = await startMaker(sampleSource, counting + storage, { host })
    await host.clock.advance(100)
    expect(ids(started.events)).toEqual(['42'])
    await stop(started)
    expect(await inFile(host, '/s/c.json')).toBe(before.replace('41', '42'))
  })

  it('makes its directory and file with dir_mode and mode', async () => {
    const host = createFakeHost({ startMs })
    const modes = 'mode 0600\ndir_mode 0700'
    const storage = `<storage>\n@type local\npath /s/deep/c.json\n${modes}\n</storage>`
    await stop(await startMaker(sampleSource, counting + storage, { host }))
    expect(host.disk.paths()).not.toContain('/s/deep/c.json')
    const started = await startMaker(sampleSource, counting + storage, { host })
    await host.clock.advance(100)
    await stop(started)
    expect(host.disk.modeOf('/s/deep').toString(8)).toBe('700')
    expect(host.disk.modeOf('/s/deep/c.json').toString(8)).toBe('600')
  })

  it('saves every autosave_interval, or before each emit (persistent), or never', async () => {
    const path = '/s/c.json'
    const run = async (lines: string, ms: number) => {
      const host = createFakeHost({ startMs })
      const storage = `<storage>\n@type local\npath ${path}\n${lines}\n</storage>`
      const started = await startMaker(sampleSource, counting + storage, { host })
      await host.clock.advance(ms)
      const saved = (await host.disk.stat(path)) && (await inFile(host, path))
      await stop(started)
      return [saved, (await host.disk.stat(path)) !== undefined]
    }
    expect(await run('', 9_900)).toEqual([undefined, true])
    expect(await run('autosave_interval 1s', 1_050)).toEqual(['{"auto_increment_value":8}', true])
    expect(await run('persistent true', 100)).toEqual(['{"auto_increment_value":0}', true])
    expect(await run('autosave false\nsave_at_shutdown false', 20_000)).toEqual([undefined, false])
    expect(await run('pretty_print true\nautosave_interval 1s', 1_050)).toEqual([
      '{\n  "auto_increment_value": 8\n}',
      true,
    ])
  })

  it.each([
    ['[1]', 'no JSON object'],
    ['{"a":', 'cannot be used'],
  ])('refuses a file that holds %s', async (text, message) => {
    const host = createFakeHost({ startMs })
    await host.disk.mkdir('/s')
    const handle = await host.disk.open('/s/c.json', { write: true, create: true })
    await handle.write(Buffer.from(text))
    await handle.close()
    const storage = '<storage>\n@type local\npath /s/c.json\n</storage>'
    await expect(startMaker(sampleSource, counting + storage, { host })).rejects.toThrow(message)
  })

  it('one file is not for several workers; without a place it says that nothing is kept', async () => {
    const storage = '<storage>\n@type local\npath /s/c.json\n</storage>'
    const several = startMaker(sampleSource, counting + storage, { system: { workers: 2 } })
    await expect(several).rejects.toThrow('several workers')
    const { host } = await startMaker(sampleSource, `${counting}<storage>\n@type local\n</storage>`)
    expect(host.log.messages('warn').join()).toContain('nothing outlives the process')
  })
})
