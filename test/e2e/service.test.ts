import { execFileSync, spawn } from 'node:child_process'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli, exchange, forwardOn, freePort, until } from './support.ts'

const unit = 'examples/systemd/sluice.service'

function analyze(...args: string[]): string | undefined {
  try {
    return execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

describe('the unit of systemd', () => {
  it('is right, and leaves little', (context) => {
    const verified = analyze('verify', unit)
    if (verified === undefined) context.skip('no systemd-analyze here')
    expect(verified).toBe('')
    const judged = analyze('security', '--offline=true', '--no-pager', unit) ?? ''
    expect(Number(/exposure level for sluice.service: ([\d.]+)/.exec(judged)?.[1])).toBeLessThan(2)
  })

  it('names directories that its configuration uses', () => {
    const config = readFileSync('examples/systemd/fluent.conf', 'utf8')
    const paths = [...config.matchAll(/ (\/\S+)/g)].map((match) => match[1]!)
    expect(paths.length).toBe(3)
    for (const path of paths) expect(path).toMatch(/^\/var\/(lib|log)\/sluice/)
  })
})

describe('Node’s permissions', () => {
  const major = Number(process.versions.node.split('.')[0])
  const flag = major >= 24 ? '--permission' : '--experimental-permission'

  /** Runs with writing allowed below `allowed` only; the output's files are to be below `dir`. */
  function start(allowed: string, dir: string, port: number) {
    const config = `${forwardOn(port)}
<match **>
  @type file
  path ${dir}/out
  append true
  <buffer []>
    flush_mode immediate
  </buffer>
</match>
`
    writeFileSync(join(allowed, 'fluent.conf'), config)
    const args = [flag, '--allow-fs-read=*', `--allow-fs-write=${allowed}/`, cli]
    const child = spawn(process.execPath, [...args, '-c', join(allowed, 'fluent.conf')])
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    const exited = new Promise<number | null>((done) => child.once('close', done))
    return { child, exited, log: () => log }
  }

  it('are enough for a receiver, and keep it from writing elsewhere', async () => {
    const allowed = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-permission-')))
    const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-elsewhere-')))
    try {
      const port = await freePort()
      const good = start(allowed, allowed, port)
      await until(good.log, () => good.log().includes('listening port'))
      await exchange(port, Buffer.from('["a",1700000000,{"n":1}]'))
      await until('the file', () => readdirSync(allowed).some((name) => name.startsWith('out')))
      good.child.kill('SIGTERM')
      expect(await good.exited).toBe(0)
      const other = await freePort()
      const bad = start(allowed, elsewhere, other)
      await until(bad.log, () => /listening port|ERR_ACCESS_DENIED/.test(bad.log()))
      if (bad.log().includes('listening port')) {
        await exchange(other, Buffer.from('["a",1700000000,{"n":1}]'))
      }
      await until(bad.log, () => bad.log().includes('ERR_ACCESS_DENIED'))
      bad.child.kill('SIGKILL')
      await bad.exited
      expect(readdirSync(elsewhere)).toEqual([])
    } finally {
      rmSync(allowed, { recursive: true })
      rmSync(elsewhere, { recursive: true })
    }
  })
})
