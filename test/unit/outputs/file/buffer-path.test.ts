import { describe, expect, it } from 'vitest'
import { createApp } from '../../../../src/app.ts'
import { parseConfig } from '../../../../src/config/index.ts'
import { loadKernel } from '../../../../src/host/load-kernel.ts'
import { createKernel } from '../../../../src/kernel/index.ts'
import { plugins } from '../../../../src/plugins.ts'
import { createFakeHost } from '../../../support/fake-host.ts'

const kernelModule = loadKernel()

async function started(system: string, id: string, buffer = '') {
  const text = `${system}
<source>
  @type forward
</source>
<match **>
  @type file
  ${id}
  path /out/log
  <buffer []>
    @type file
    ${buffer}
    flush_mode lazy
  </buffer>
</match>`
  const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
  const { root } = parseConfig({ path: 'f.conf', text, ...world })
  const host = createFakeHost()
  const config = { root, path: 'f.conf' }
  const app = createApp({ host, plugins, kernel: createKernel(kernelModule), config })
  await app.start()
  const client = host.net.client(24224)
  client.send(Buffer.from('["t", 1700000000, {"n": 1}]'))
  client.end()
  await host.clock.settle()
  const files = Object.keys(host.disk.texts())
  const stopped = app.stop(AbortSignal.abort())
  await host.clock.advance(10_000)
  await stopped
  return files
}

describe('a file buffer of the file output', () => {
  const root = '<system>\n root_dir /r\n</system>'
  it.each([
    [
      'without a path is a directory of the name that the files begin with',
      '',
      '',
      '',
      '/out/log/',
    ],
    ['without an @id, with a root_dir too', root, '', '', '/out/log/'],
    ['with @id and root_dir stands there', root, '@id o', '', '/r/worker0/o/buffer/'],
    ['with a path stands at that path', root, '@id o', 'path /b', '/b/'],
  ])('%s', async (_title, system, id, buffer, directory) => {
    const files = await started(system, id, buffer)
    expect(files.filter((file) => /buffer\.b\w+\.log$/.test(file))).toEqual([
      expect.stringMatching(new RegExp(`^${directory}buffer\\.b\\w+\\.log$`)),
    ])
  })
})
