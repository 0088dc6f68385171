import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Running, run, until } from './support.ts'

/** Files that are written to, rotated and cut while they are followed. */

const dir = mkdtempSync(join(tmpdir(), 'sluice-tail-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const config = (lines: string) => `<source>
  @type tail
  path ${dir}/*.log
  tag t
  read_from_head true
  refresh_interval 1s
  ${lines}
  <parse>
    @type none
  </parse>
</source>
<match **>
  @type stdout
</match>
`

const messages = (running: Running) =>
  running.lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))).message as string)

/** Until it has opened so many files. */
const follows = (running: Running, count: number) =>
  until(
    () => `${count} files that are followed: ${running.log()}`,
    () => running.log().split('following tail of').length > count,
  )

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

it('loses and doubles nothing while files rotate under load, through a restart', async () => {
  const log = join(dir, 'load.log')
  writeFileSync(log, '')
  const lines = `pos_file ${dir}/load.pos\nrotate_wait 1s`
  let running = run({ config: config(lines) })
  await follows(running, 1)
  const got: string[] = []
  let sent = 0
  let opened = 1
  const write = (count: number) => {
    let text = ''
    for (let i = 0; i < count; i++) text += `${sent++} ${'x'.repeat(sent % 300)}\n`
    // In two writes, the first of which ends within a line.
    const half = text.length >> 1
    appendFileSync(log, text.slice(0, half))
    appendFileSync(log, text.slice(half))
  }
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 20; i++) {
      write(200)
      if (i % 5 === 0) await pause(5)
    }
    renameSync(log, join(dir, `load.${round}`))
    writeFileSync(log, '')
    // Until the new file is seen: between two looks one name can lead to one new file only.
    await follows(running, ++opened)
    if (round !== 3) continue
    await until(
      () => `all of ${sent} lines, not ${running.lines.length}; ${running.log()}`,
      () => running.lines.length + got.length === sent,
    )
    got.push(...messages(running))
    expect(await running.stop()).toBe(0)
    // Lines and a rotation while nobody looks.
    write(500)
    renameSync(log, join(dir, 'load.meanwhile'))
    writeFileSync(log, '')
    write(10)
    running = run({ config: config(lines) })
    opened = 2
    await follows(running, opened)
  }
  await until(
    () => `all of ${sent} lines, not ${running.lines.length + got.length}; ${running.log()}`,
    () => running.lines.length + got.length >= sent,
  )
  await pause(200)
  got.push(...messages(running))
  expect(got.map((line) => Number.parseInt(line, 10))).toEqual(
    Array.from({ length: sent }, (_, i) => i),
  )
  expect(await running.stop()).toBe(0)
  expect(readFileSync(`${dir}/load.pos`, 'utf8')).toContain(`${log}\t0000000000000000\t`)
}, 60_000)

it('reads a file that is copied and cut, and finds new ones', async () => {
  const log = join(dir, 'cut.log')
  writeFileSync(log, 'a long first line\n')
  const running = run({ config: config(`pos_file ${dir}/cut.pos\nexclude_path ${dir}/load.log`) })
  await until('a line', () => running.lines.length === 1)
  truncateSync(log)
  appendFileSync(log, 'b\n')
  await until('a second line', () => running.lines.length === 2)
  writeFileSync(join(dir, 'new.log'), 'c\n')
  await until('a third line', () => running.lines.length === 3)
  expect(messages(running)).toEqual(['a long first line', 'b', 'c'])
  expect(await running.stop()).toBe(0)
})
