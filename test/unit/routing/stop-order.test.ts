import { describe, expect, it } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { parseConfig } from '../../../src/config/index.ts'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel } from '../../../src/kernel/index.ts'
import { plugins } from '../../../src/plugins.ts'
import { createFakeHost } from '../../support/fake-host.ts'

const kernelModule = loadKernel()

const source = '<source>\n@type forward\n</source>'
const end = '<label @OUT>\n<match **>\n@type stdout\n</match>\n</label>'
/** What comes waits until the stop. */
const waiting = (label: string) => `<match **>
@type buffer
@label ${label}
<buffer>
@type memory
flush_mode lazy
flush_at_shutdown true
</buffer>
</match>`
const third = `<label @THIRD>\n${waiting('@OUT')}\n</label>`
const second = `<label @SECOND>\n${waiting('@THIRD')}\n</label>`
const first = waiting('@SECOND')

describe('what outputs that lead on still hold at a stop', () => {
  it.each([
    ['first things first', [source, first, second, third, end]],
    ['last things first', [end, third, second, first, source]],
  ])('goes on to the end: %s in the file', async (_title, sections) => {
    const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
    const { root } = parseConfig({ path: 'f.conf', text: sections.join('\n'), ...world })
    const host = createFakeHost()
    const kernel = createKernel(kernelModule)
    const app = createApp({ host, plugins, kernel, config: { root, path: 'f.conf' } })
    await app.start()
    const client = host.net.client(24224)
    client.send(Buffer.from('["t", 1700000000, {"n": 1}]["t", 1700000001, {"n": 2}]'))
    client.end()
    await host.clock.settle()
    expect(host.stdout.text()).toBe('')
    const stopped = app.stop(new AbortController().signal)
    await host.clock.advance(10_000)
    await stopped
    expect(host.stdout.text()).toContain('{"n":2}')
    expect(host.log.messages('warn')).toEqual([])
  })
})
