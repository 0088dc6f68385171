import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

/** A copy of dist that a test may spoil. */
let directory = ''
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function copied(): string {
  directory = mkdtempSync(path.join(tmpdir(), 'sluice-built-'))
  cpSync('dist', path.join(directory, 'dist'), { recursive: true })
  symlinkSync(path.resolve('node_modules'), path.join(directory, 'node_modules'))
  return path.join(directory, 'dist')
}

/** Which files V8 had to compile for `--version`, and what that printed. */
function run(dist: string): { printed: string; compiled: string[]; ready: string[] } {
  const script = `const { load, loadedFiles } = require('${dist}/load.js')
    load('main.js').main('sluice', ['--version']).then(() => console.error(JSON.stringify(loadedFiles())))`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  const files = Object.entries(JSON.parse(stderr) as Record<string, boolean>)
  const those = (ready: boolean) => files.filter(([, is]) => is === ready).map(([name]) => name)
  return { printed: stdout, compiled: those(false), ready: those(true) }
}

describe('the built code', () => {
  it('is taken as the build compiled it', () => {
    const { printed, compiled, ready } = run(copied())
    expect(printed).toMatch(/^sluice \d/)
    expect(compiled).toEqual([])
    expect(ready).toContain('chunks/base.js')
  })

  it('is compiled anew where it is not what the build saw, be it as long', () => {
    const dist = copied()
    const base = path.join(dist, 'chunks/base.js')
    const text = readFileSync(base, 'latin1')
    const version = /const version = ["`](\d)\.\d+\.\d+["`]/
    expect(version.test(text)).toBe(true)
    writeFileSync(
      base,
      text.replace(version, (all) => all.replace(/\d/, '9')),
      'latin1',
    )
    const { printed, compiled } = run(dist)
    expect(printed).toMatch(/^sluice 9/)
    expect(compiled).toEqual(['chunks/base.js'])
  })

  it.each<[string, (bytes: Buffer) => Buffer | undefined]>([
    ['missing', () => undefined],
    ['empty', () => Buffer.alloc(0)],
    ['cut', (bytes) => bytes.subarray(0, bytes.readUInt32LE(0) + 4)],
    ['no such file', (bytes) => Buffer.alloc(bytes.length, 'x')],
    [
      'of another Node.js',
      (bytes) => {
        const end = 4 + bytes.readUInt32LE(0)
        const header = bytes
          .toString('latin1', 4, end)
          .replace(process.versions.v8, (v8) => '0'.repeat(v8.length))
        return Buffer.concat([bytes.subarray(0, 4), Buffer.from(header), bytes.subarray(end)])
      },
    ],
    [
      'spoilt in every byte',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 4 + bytes.readUInt32LE(0)),
          bytes.subarray(4 + bytes.readUInt32LE(0)).map((byte) => byte ^ 1),
        ]),
    ],
  ])('runs with a compiled.bin that is %s', (_, spoil) => {
    const dist = copied()
    const place = path.join(dist, 'compiled.bin')
    const spoilt = spoil(readFileSync(place))
    if (spoilt === undefined) rmSync(place)
    else writeFileSync(place, spoilt)
    const { printed, ready } = run(dist)
    expect(printed).toMatch(/^sluice \d/)
    expect(ready).toEqual([])
  })
})
