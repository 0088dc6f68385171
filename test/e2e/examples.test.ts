import { readdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { exchange, freePort, listening, type Running, run, until } from './support.ts'

/** Every example is run as it stands, but for its port and its directory. */

async function start(
  name: string,
  changes: Record<string, string> = {},
  args: readonly string[] = [],
) {
  const port = await freePort()
  let config = readFileSync(`examples/${name}/fluent.conf`, 'utf8')
    .replaceAll(/port (24224|9880)/g, `bind 127.0.0.1\n  port ${port}`)
    .replaceAll('/fluentd/log', '@DIR@/log')
  for (const [from, to] of Object.entries(changes)) config = config.replaceAll(from, to)
  const sluice = run({ config, args })
  await listening(port, sluice)
  return { sluice, port }
}

/** One JSON connection with these messages. */
const send = (port: number, messages: readonly unknown[]) =>
  exchange(port, Buffer.from(messages.map((message) => JSON.stringify(message)).join('\n')))

const files = (sluice: Running, folder: string) => {
  try {
    return readdirSync(`${sluice.dir}/${folder}`).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The directory, as it stands in tags. */
const tagOf = (sluice: Running) => sluice.dir.replaceAll('/', '.')

const time = 1_700_000_000

const shown: Record<string, () => Promise<void>> = {
  async systemd() {
    const folders = { '/var/log/sluice': '@DIR@/log', '/var/lib/sluice': '@DIR@/lib' }
    // It binds the loopback address already.
    const { sluice, port } = await start('systemd', {
      ...folders,
      '  bind 127.0.0.1\n  bind': '  bind',
    })
    await send(port, [['a', time, { n: 1 }]])
    await until('the event in a file', () => files(sluice, 'log').length === 1)
    expect(await sluice.stop()).toBe(0)
  },

  async 'docker-stdout'() {
    const { sluice, port } = await start('docker-stdout')
    await send(port, [
      [
        'docker.hello',
        time,
        { container_id: 'f'.repeat(64), container_name: '/hello', source: 'stdout', log: 'hi' },
      ],
    ])
    await until('a line', () => sluice.lines.length === 1)
    expect(sluice.lines).toEqual([
      '2023-11-14 22:13:20.000000000 +0000 docker.hello: {"container_name":"/hello","source":"stdout","log":"hi"}',
    ])
    expect(await sluice.stop()).toBe(0)
  },

  async 'docker-files-per-container'() {
    const { sluice, port } = await start('docker-files-per-container')
    await send(port, [
      ['docker.web', time, { log: 'a' }],
      ['docker.db', time, { log: 'b' }],
      ['docker.web', time + 1, { log: 'c' }],
    ])
    await until(
      () => `two files; ${files(sluice, 'log/containers')} ${sluice.log()}`,
      () => files(sluice, 'log/containers').length === 2,
    )
    expect(files(sluice, 'log/containers')).toEqual([
      'docker.db.20231114.log',
      'docker.web.20231114.log',
    ])
    const read = () => readFileSync(`${sluice.dir}/log/containers/docker.web.20231114.log`, 'utf8')
    await until('both lines', () => read().split('\n').length === 3)
    expect(read()).toBe(
      '{"log":"a","time":"2023-11-14T22:13:20.000000000Z"}\n{"log":"c","time":"2023-11-14T22:13:21.000000000Z"}\n',
    )
    expect(await sluice.stop()).toBe(0)
  },

  async 'http-in'() {
    const { sluice, port } = await start('http-in')
    const answer = await fetch(`http://127.0.0.1:${port}/app.web?time=${time}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://www.example.com' },
      body: '[{"n":1},{"n":2}]',
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://www.example.com')
    const path = `${sluice.dir}/log/http.20231114.log`
    await until('a file', () => files(sluice, 'log').length === 1)
    await until('both lines', () => readFileSync(path, 'utf8').split('\n').length === 3)
    expect(readFileSync(path, 'utf8').split('\n')[1]).toBe(
      '{"n":2,"REMOTE_ADDR":"127.0.0.1","tag":"app.web","time":"2023-11-14T22:13:20.000000000Z"}',
    )
    expect(await sluice.stop()).toBe(0)
  },

  async 'http-sink'() {
    const requests: { headers: http.IncomingHttpHeaders; body: string }[] = []
    const server = http.createServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      requests.push({ headers: request.headers, body: gunzipSync(Buffer.concat(parts)).toString() })
      response.end()
    })
    const sink = await freePort()
    await new Promise<void>((done) => server.listen(sink, '127.0.0.1', done))
    const { sluice, port } = await start('http-sink', { ':9880': `:${sink}` })
    await send(port, [
      ['app.log', time, { message: 'one' }],
      ['app.log', time, { message: 'two' }],
    ])
    await until(
      () => `a request; ${sluice.log()}`,
      () => requests.length > 0,
    )
    expect(requests.map((request) => request.body).join('')).toBe(
      '{"message":"one"}\n{"message":"two"}\n',
    )
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
      'x-source': 'sluice',
    })
    expect(await sluice.stop()).toBe(0)
    await new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    })
  },

  async 'kubernetes-node'() {
    const id = 'a'.repeat(64)
    const line = (seconds: number, tag: string, message: string, stream = 'stdout') =>
      `2023-11-14T22:13:${String(seconds).padStart(2, '0')}.5Z ${stream} ${tag} ${message}\n`
    const config = readFileSync('examples/kubernetes-node/fluent.conf', 'utf8')
      .replace('/var/log/containers', '@DIR@/var/log/containers')
      .replace('/var/lib/sluice', '@DIR@')
    const sluice = run({
      config,
      files: {
        [`var/log/containers/web-7d.x_shop_api-${id}.log`]: [
          line(20, 'F', 'started'),
          line(21, 'P', 'a long '),
          line(21, 'F', 'line'),
          line(22, 'F', 'java.lang.RuntimeException: no luck', 'stderr'),
          line(22, 'F', '\tat a.b.C.d(C.java:50)', 'stderr'),
          line(23, 'F', 'after'),
        ].join(''),
      },
    })
    await until(
      () => `four events; ${sluice.lines.join(' ')} ${sluice.log()}`,
      () => sluice.lines.length === 4,
    )
    const names = { pod: 'web-7d.x', namespace: 'shop', container: 'api' }
    expect(sluice.lines.map((text) => JSON.parse(text))).toEqual(
      [
        'started',
        'a long line',
        'java.lang.RuntimeException: no luck\n\tat a.b.C.d(C.java:50)',
        'after',
      ].map((message) => ({ message, ...names })),
    )
    expect(await sluice.stop()).toBe(0)
  },

  async elasticsearch() {
    const bodies: string[] = []
    const server = http.createServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      bodies.push(`${request.url} ${request.headers['content-type']}\n${Buffer.concat(parts)}`)
      response.end('{"errors":false}')
    })
    const sink = await freePort()
    await new Promise<void>((done) => server.listen(sink, '127.0.0.1', done))
    const { sluice, port } = await start('elasticsearch', { ':9200': `:${sink}` })
    await send(port, [
      ['app.log', time, { message: 'one' }],
      ['app.log', time, { message: 'two', n: { a: 1 } }],
    ])
    await until(
      () => `a request; ${sluice.log()}`,
      () => bodies.length > 0,
    )
    const more = '"@timestamp":"2023-11-14T22:13:20.000Z","tag":"app.log"'
    expect(bodies).toEqual([
      `/logs/_bulk application/x-ndjson\n{"create":{}}\n{"message":"one",${more}}\n{"create":{}}\n{"message":"two","n":{"a":1},${more}}\n`,
    ])
    expect(await sluice.stop()).toBe(0)
    await new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    })
  },

  async 'own-plugin'() {
    const posts: string[] = []
    const answers = [503, 200]
    const server = http.createServer(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      posts.push(Buffer.concat(parts).toString())
      response.writeHead(answers.shift() ?? 200).end()
    })
    const sink = await freePort()
    await new Promise<void>((done) => server.listen(sink, '127.0.0.1', done))
    const plugins = resolve('examples/own-plugin/plugins')
    const { sluice, port } = await start('own-plugin', { ':9880': `:${sink}` }, ['-p', plugins])
    await send(port, [
      ['shop.web', time, { message: 'paid with 4111 1111 1111 1111', n: 4111111111111111 }],
      ['alert.shop', time, { message: 'the shop is down' }],
    ])
    await until(
      () => `a line and two posts; ${sluice.log()}`,
      () => sluice.lines.length === 1 && posts.length === 2,
    )
    expect(sluice.lines).toEqual([
      '2023-11-14 22:13:20.000000000 +0000 shop.web: {"message":"paid with [card number]","n":4111111111111111}',
    ])
    // The first answer was 503: it was sent again.
    expect(posts).toEqual(Array(2).fill('{"text":"alert.shop: the shop is down"}'))
    expect(sluice.log()).not.toContain(`${sink}/hook`)
    expect(await sluice.stop()).toBe(0)
    await new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    })
  },

  async 'tail-app-logs'() {
    const config = readFileSync('examples/tail-app-logs/fluent.conf', 'utf8')
      .replaceAll('/var/log/app', '@DIR@/app')
      .replaceAll('/fluentd/log', '@DIR@/pos')
    const sluice = run({
      config,
      files: {
        'app/web.json': '{"at":"2023-11-14T22:13:20Z","message":"started"}\n',
        'app/debug.json': '{"message":"no"}\n',
        'app/job.log':
          '2023-11-14 22:13:21 ERROR boom\n  at a\n  at b\n2023-11-14 22:13:22 INFO on\n',
      },
    })
    await until(
      () => `three lines; ${sluice.log()}`,
      () => sluice.lines.length === 3,
    )
    expect([...sluice.lines].sort().map((line) => line.replaceAll(sluice.dir, ''))).toEqual([
      `2023-11-14 22:13:20.000000000 +0000 app${tagOf(sluice)}.app.web.json: {"message":"started","file":"/app/web.json"}`,
      `2023-11-14 22:13:21.000000000 +0000 trace${tagOf(sluice)}.app.job.log: {"level":"ERROR","message":"boom\\n  at a\\n  at b"}`,
      `2023-11-14 22:13:22.000000000 +0000 trace${tagOf(sluice)}.app.job.log: {"level":"INFO","message":"on"}`,
    ])
    expect(files(sluice, 'pos')).toEqual(['json.pos', 'traces.pos'])
    expect(await sluice.stop()).toBe(0)
  },

  async 'copy-and-labels'() {
    const { sluice, port } = await start('copy-and-labels')
    await send(port, [
      ['app.web', time, { level: 'info', message: 'started' }],
      ['app.web', time, { level: 'error', message: 'disk full' }],
    ])
    const read = (name: string) => readFileSync(`${sluice.dir}/log/${name}`, 'utf8')
    await until(
      () => `both files; ${files(sluice, 'log')} ${sluice.log()}`,
      () => files(sluice, 'log').length === 2 && sluice.lines.length === 1,
    )
    expect(files(sluice, 'log')).toEqual(['alerts.log', 'archive.2023111422.log'])
    expect(read('alerts.log')).toBe('{"level":"error","message":"disk full"}\n')
    await until('both lines', () => read('archive.2023111422.log').split('\n').length === 3)
    expect(sluice.lines).toEqual([
      '2023-11-14 22:13:20.000000000 +0000 app.web: {"level":"info","message":"started"}',
    ])
    expect(await sluice.stop()).toBe(0)
  },
}

describe('examples', () => {
  const names = readdirSync('examples').filter((name) =>
    readdirSync(`examples/${name}`).includes('fluent.conf'),
  )
  it.each(names)(
    '%s',
    (name) => {
      expect(shown, `a test for examples/${name}`).toHaveProperty(name)
      return shown[name]!()
    },
    30_000,
  )
})
