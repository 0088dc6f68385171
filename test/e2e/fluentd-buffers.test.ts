import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fluentdChunks, numbersIn } from '../unit/buffer/fluentd-chunks.ts'
import { freePort, run, until } from './support.ts'

/** Fluentd's place is taken: what it had left in its buffers for http, file and forward outputs arrives, each event once. */

const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

function outputFor(name: string, of: { dir: string; port: number; forwardPort: number }): string {
  const [output, buffer] = name.split('-') as [string, string]
  const destination = {
    http: `endpoint http://127.0.0.1:${of.port}/${name}\n`,
    file: `path ${of.dir}/out/${name}.\${tag}\nappend true\n`,
    forward: `<server>\nhost 127.0.0.1\nport ${of.forwardPort}\n</server>\nheartbeat_type none\n`,
  }[output]
  // All but one of each kind are told nothing of the compression: the bytes say it.
  const compress = name === 'http-file-gzip' ? 'compress gzip\n' : ''
  return `<match never.${name}>
@type ${output}
@id ${name}
${destination}<buffer tag>
@type ${buffer}
path ${of.dir}/${name}
flush_interval 1s
${compress}</buffer>
</match>
`
}

it('delivers what Fluentd left', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-fluentd-'))
  const bodies = new Map<string, string>()
  const server = http.createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      const url = request.url as string
      bodies.set(url, (bodies.get(url) ?? '') + text)
    })
    request.on('end', () => response.end())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const forwardPort = await freePort()
  const names = [...fluentdChunks.keys()]
  for (const [name, files] of fluentdChunks) {
    mkdirSync(join(dir, name))
    for (const [file, bytes] of files) writeFileSync(join(dir, name, file), bytes)
  }
  const running = run({
    config: [
      `<source>\n@type forward\nbind 127.0.0.1\nport ${forwardPort}\n</source>\n`,
      ...names.map((name) => outputFor(name, { dir, port, forwardPort })),
      '<match app.**>\n@type stdout\n</match>\n',
    ].join(''),
  })
  try {
    const left = () => names.flatMap((name) => readdirSync(join(dir, name)))
    await until(
      () => `empty buffers: ${left().join(' ')}\n${running.log()}`,
      () => left().every((name) => name.endsWith('.lock')),
      20_000,
    )
    for (const name of names.filter((one) => one.startsWith('http'))) {
      expect(numbersIn(Buffer.from(bodies.get(`/${name}`) ?? '')).sort()).toEqual(ten)
    }
    for (const name of names.filter((one) => one.startsWith('file'))) {
      const files = readdirSync(join(dir, 'out')).filter((file) => file.startsWith(`${name}.`))
      const text = files.map((file) => readFileSync(join(dir, 'out', file), 'utf8')).join('')
      expect(numbersIn(Buffer.from(text)).sort()).toEqual(ten)
      expect(text.match(/"of another tag"/g)).toHaveLength(1)
    }
    const forwards = names.filter((name) => name.startsWith('forward')).length
    const wanted = ten.flatMap((n) => Array.from({ length: forwards }, () => n))
    await until('what was forwarded', () => running.lines.length >= wanted.length)
    expect(numbersIn(Buffer.from(running.lines.join('\n'))).sort()).toEqual(wanted)
  } finally {
    await running.stop()
    server.close()
    rmSync(dir, { recursive: true, force: true })
  }
})
