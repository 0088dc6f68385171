import https from 'node:https'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { freePort, listening, run, until } from './support.ts'

/** The source http in a real process, with its clients' own HTTP. */

const post = (port: number, path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })

/** Over TLS without looking at the certificate; the status, or the error's code. */
function postSecurely(port: number, body: string): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const request = https.request(
      {
        port,
        host: '127.0.0.1',
        path: '/tls',
        method: 'POST',
        rejectUnauthorized: false,
        agent: false,
        headers: { 'content-type': 'application/json', 'content-length': body.length },
      },
      (answer) => answer.resume().once('end', () => resolve(answer.statusCode)),
    )
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    request.end(body)
  })
}

it('takes events over HTTP and HTTPS, answers 503 when a buffer is full, and ends cleanly', async () => {
  const [port, tlsPort, full, closed] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ])
  const running = run({
    config: `
<source>
  @type http
  bind 127.0.0.1
  port ${port}
  allow_from 127.0.0.0/8
</source>
<source>
  @type http
  bind 127.0.0.1
  port ${tlsPort}
  max_connections 1
  <transport tls>
    insecure true
  </transport>
</source>
<source>
  @type http
  bind 127.0.0.1
  port ${full}
  add_tag_prefix full
</source>
<match full.**>
  @type http
  endpoint http://127.0.0.1:${closed}/
  <buffer>
    total_limit_size 4k
    chunk_limit_size 2k
    flush_mode lazy
    flush_at_shutdown false
  </buffer>
</match>
<match **>
  @type stdout
</match>`,
  })
  try {
    for (const one of [port, tlsPort, full]) await listening(one, running)

    expect((await post(port, '/app.a?time=7', '[{"n":1},{"n":2}]')).status).toBe(200)
    const zipped = new Uint8Array(gzipSync('{"n":3}'))
    const gzip = { 'content-encoding': 'gzip' }
    expect((await post(port, '/app.b?time=7', zipped, gzip)).status).toBe(200)
    const large = `[${Array.from({ length: 100_000 }, () => '{"m":"0123456789"}').join()}]`
    expect((await post(port, '/null.x?time=7', large)).status).toBe(200)

    expect(await postSecurely(tlsPort, '{"n":4}')).toBe(200)
    const both = await Promise.all([
      postSecurely(tlsPort, '{"n":5}'),
      postSecurely(tlsPort, '{"n":5}'),
      postSecurely(tlsPort, '{"n":5}'),
    ])
    expect(both).toContain(200)
    expect(both.filter((one) => one === 200).length).toBeLessThan(3)
    // The connections that were refused, and those that ended, are forgotten.
    await until('a place', async () => (await postSecurely(tlsPort, '{"n":6}')) === 200)

    const record = `{"m":"${'x'.repeat(700)}"}`
    const statuses: number[] = []
    for (let n = 0; n < 8; n++) {
      const answer = await post(full, '/a', record)
      statuses.push(answer.status)
      if (answer.status === 503) expect(answer.headers.get('retry-after')).toBe('1')
    }
    expect(statuses[0]).toBe(200)
    expect(statuses.at(-1)).toBe(503)

    const events = () => running.lines.filter((line) => /app\.|tls/.test(line))
    await until('the events', () => events().some((line) => line.endsWith('{"n":6}')))
    expect(events().slice(0, 3)).toEqual([
      '1970-01-01 00:00:07.000000000 +0000 app.a: {"n":1}',
      '1970-01-01 00:00:07.000000000 +0000 app.a: {"n":2}',
      '1970-01-01 00:00:07.000000000 +0000 app.b: {"n":3}',
    ])
    await until('all of the large body', () => running.lines.length > 100_000)
  } finally {
    expect(await running.stop()).toBe(0)
  }
})
