import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { run, until } from './support.ts'

/** Programs in the middle: a command's events, through another command, through a buffer in files. */

const dir = mkdtempSync(join(tmpdir(), 'sluice-commands-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const config = (command: string) => `
<source>
  @type exec
  tag in.a
  command ${command}
  <parse>
    @type none
  </parse>
</source>
<match in.**>
  @type exec_filter
  command sed -u s/^/x/
  tag out.x
  num_children 2
  child_respawn inf
  <format>
    @type single_value
  </format>
  <parse>
    @type none
  </parse>
  <buffer>
    flush_mode immediate
  </buffer>
</match>
<match out.**>
  @type buffer
  @label @END
  <buffer>
    path ${dir}/buffer
    flush_mode lazy
    flush_at_shutdown false
  </buffer>
</match>
<label @END>
  <match **>
    @type stdout
  </match>
</label>
`

it('hands on what programs print, also at the end, and what was left in files', async () => {
  const first = run({ config: config('seq 1 1000; sleep 1000') })
  await until('all events in files', settledSize)
  expect(await first.stop()).toBe(0)
  expect(first.lines).toEqual([])
  // 1000 into the filter, 1000 out of it, and all of them in files.
  expect(first.log()).toContain('received=1000 delivered=1000 buffered=0')
  expect(first.log()).toContain('received=1000 delivered=0 buffered=1000')

  const second = run({ config: config('true').replace('flush_mode lazy', 'flush_interval 1s') })
  await until('all lines', () => second.lines.length === 1000)
  expect(await second.stop()).toBe(0)
  const numbers = second.lines.map((line) => Number(/"x(\d+)"/.exec(line)?.[1]))
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1))
})

/** Whether the buffer's files are there and stay as they are. */
async function settledSize(): Promise<boolean> {
  const size = () => {
    try {
      return readdirSync(join(dir, 'buffer'))
        .map((name) => statSync(join(dir, 'buffer', name)).size)
        .reduce((sum, one) => sum + one, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
      throw error
    }
  }
  const before = size()
  await new Promise((resolve) => setTimeout(resolve, 300))
  return before > 10_000 && size() === before
}
