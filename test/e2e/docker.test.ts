import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forwardOn, freePort, listening, type Running, run, until } from './support.ts'

/**
 * A real Docker engine (Debian's packages, unpacked into a directory of its own: test/docker/start-dockerd.sh) logging
 * through the built command. Captures of such an engine are played elsewhere; this shows the behaviour of both together.
 */

const script = resolve('test/docker/start-dockerd.sh')
const env = { ...process.env, DIR: '/tmp/sluice-dockerd' }

/** Why no engine can be started here; undefined: it runs. */
function startEngine(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/etc/debian_version')) return 'needs Debian (its packages are unpacked)'
  const up = spawnSync('sh', [script, 'up'], { env, encoding: 'utf8', timeout: 180_000 })
  return up.status === 0 ? undefined : `start-dockerd.sh: ${up.stderr.trim().split('\n').at(-1)}`
}

const unavailable = startEngine()
if (unavailable !== undefined) console.warn(`docker tests are skipped: ${unavailable}`)

describe.skipIf(unavailable !== undefined)(
  `docker --log-driver fluentd${unavailable ? ` (skipped: ${unavailable})` : ''}`,
  () => {
    let port: number
    let metricsPort: number
    let sluice: Running

    const docker = (args: readonly string[], options: readonly string[] = []) => {
      const logging = ['--log-driver', 'fluentd', '--log-opt', `fluentd-address=127.0.0.1:${port}`]
      const log = options.flatMap((option) => ['--log-opt', option])
      const shell = `eval "$(sh ${script} env)"; exec docker run --rm --network none "$@"`
      return execFileSync('sh', ['-c', shell, 'sh', ...logging, ...log, ...args], { env })
    }

    const lines = (tag: string) => sluice.lines.filter((line) => line.includes(` ${tag}: `))
    const records = (tag: string) =>
      lines(tag).map(
        (line) => JSON.parse(line.slice(line.indexOf(': ') + 2)) as Record<string, string>,
      )

    beforeAll(async () => {
      port = await freePort()
      metricsPort = await freePort()
      sluice = run({
        config: `${forwardOn(port)}
<source>
  @type prometheus
  bind 127.0.0.1
  port ${metricsPort}
</source>
<match docker.files.**>
  @type file
  path @DIR@/files/\${tag}
  append true
  <buffer tag>
    flush_mode immediate
  </buffer>
</match>
<match docker.**>
  @type stdout
</match>
`,
      })
      await listening(port, sluice)
    }, 30_000)

    afterAll(async () => {
      expect(await sluice.stop()).toBe(0)
      spawnSync('sh', [script, 'purge'], { env, timeout: 60_000 })
    }, 90_000)

    it('takes lines of both streams, byte for byte', async () => {
      const shell = 'echo hello; echo >&2 to stderr; echo; echo "žluťoučký  kůň"'
      docker(['--name', 'one', 'busybox:test', 'sh', '-c', shell], ['tag=docker.{{.Name}}'])
      const all = await until(
        '4 lines',
        () => records('docker.one').length === 4 && records('docker.one'),
      )
      const out = all.filter((record) => record.source === 'stdout').map((record) => record.log)
      expect(out).toEqual(['hello', '', 'žluťoučký  kůň'])
      expect(all.find((record) => record.source === 'stderr')?.log).toBe('to stderr')
      expect(all[0]?.container_name).toBe('/one')
      expect(all[0]?.container_id).toMatch(/^[0-9a-f]{64}$/)
    }, 30_000)

    it('acknowledges, with sub-second times', async () => {
      const options = [
        'tag=docker.two',
        'fluentd-request-ack=true',
        'fluentd-sub-second-precision=true',
      ]
      docker(['busybox:test', 'sh', '-c', 'for i in 1 2 3; do echo line $i; done'], options)
      const got = await until(
        '3 lines',
        () => lines('docker.two').length >= 3 && lines('docker.two'),
      )
      expect([
        ...new Set(got.map((line) => JSON.parse(line.slice(line.indexOf(': ') + 2)).log)),
      ]).toEqual(['line 1', 'line 2', 'line 3'])
      expect(got.some((line) => !line.includes('.000000000 '))).toBe(true)
    }, 30_000)

    // With acks the driver's two writers read each other's, connect again and send again, hundreds of times. It loses lines
    // itself in that, when the container ends before it is through; what it brings must be here once.
    it('takes each line once, though the driver sends it again and again', async () => {
      const shell = 'for i in $(seq 1 20); do echo out $i; echo >&2 err $i; done; sleep 2'
      let repeated = 0
      // Whether its two writers get in each other's way is a race in the driver: seldom they do not.
      for (let round = 0; repeated <= 20 && round < 5; round += 1) {
        const tag = `docker.storm.${round}`
        docker(['busybox:test', 'sh', '-c', shell], [`tag=${tag}`, 'fluentd-request-ack=true'])
        const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
        const total = /^sluice_input_repeated_messages_total\{.*?\} (\d+)$/m.exec(metrics)?.[1]
        repeated = Number(total)
        const got = await until(
          '10 lines of each stream',
          () => records(tag).length >= 20 && records(tag),
        )
        const texts = got.map(({ log }) => log)
        expect(texts).toEqual([...new Set(texts)])
      }
      expect(repeated).toBeGreaterThan(20)
    }, 120_000)

    it('brings 20,000 lines whole', async () => {
      const shell = 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo "line $i of many"; done'
      docker(['busybox:test', 'sh', '-c', shell], ['tag=docker.many'])
      const got = await until(
        '20,000 lines',
        () => lines('docker.many').length === 20_000 && records('docker.many'),
        20_000,
      )
      expect(got.map((record) => record.log)).toEqual(
        Array.from({ length: 20_000 }, (_, i) => `line ${i + 1} of many`),
      )
    }, 60_000)

    it('hands long lines on in the pieces they came in', async () => {
      docker(
        ['busybox:test', 'sh', '-c', "head -c 40000 /dev/zero | tr '\\0' x; echo"],
        ['tag=docker.long'],
      )
      const got = await until(
        '3 pieces',
        () => records('docker.long').length === 3 && records('docker.long'),
      )
      expect(got.map((record) => record.log?.length)).toEqual([16_384, 16_384, 7_232])
      expect(got.map((record) => record.partial_last)).toEqual(['false', 'false', 'true'])
    }, 30_000)

    it('writes a file for a container', async () => {
      docker(['busybox:test', 'echo', 'into a file'], ['tag=docker.files.web'])
      const path = `${sluice.dir}/files/docker.files.web.log`
      const text = await until(
        `${path}; ${sluice.log()}`,
        () => existsSync(path) && readFileSync(path, 'utf8'),
      )
      expect(text).toMatch(/^\S+\tdocker\.files\.web\t\{.*"log":"into a file".*\}\n$/)
    }, 30_000)

    it("says what to do about Docker's default tag", async () => {
      docker(['busybox:test', 'echo', 'lost'])
      await until(
        () => `advice in ${sluice.log()}`,
        () => /--log-opt tag=/.test(sluice.log()),
      )
    }, 30_000)
  },
)
