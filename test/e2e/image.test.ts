import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

/** The image's entry point, run with a command that only prints how it was called. */

const dir = mkdtempSync(join(tmpdir(), 'sluice-image-'))
const script = readFileSync('scripts/entrypoint.sh', 'utf8')

writeFileSync(join(dir, 'entrypoint.sh'), script.replaceAll('/fluentd/etc', dir))
for (const name of ['fluentd', 'sluice']) {
  writeFileSync(join(dir, name), `#!/bin/sh\nprintf '%s\\n' ${name} "$@"\n`)
  chmodSync(join(dir, name), 0o755)
}
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function started(args: readonly string[], env: Record<string, string> = {}): string[] {
  const output = execFileSync('sh', [join(dir, 'entrypoint.sh'), ...args], {
    env: { PATH: `${dir}:/bin:/usr/bin`, FLUENTD_CONF: 'fluent.conf', FLUENTD_OPT: '', ...env },
    encoding: 'utf8',
  })
  return output.trimEnd().split('\n')
}

describe('entry point of the image', () => {
  it('runs the embedded default where there is no configuration', () => {
    expect(started(['fluentd'])).toEqual(['fluentd'])
  })

  it('takes the configuration that $FLUENTD_CONF names, and $FLUENTD_OPT', () => {
    writeFileSync(join(dir, 'other.conf'), '')
    const env = { FLUENTD_CONF: 'other.conf', FLUENTD_OPT: '-v --workers 1' }
    const expected = ['fluentd', '--config', `${dir}/other.conf`, '-v', '--workers', '1']
    expect(started(['fluentd'], env)).toEqual(expected)
  })

  it('leaves a configuration that was given alone', () => {
    const env = { FLUENTD_CONF: 'other.conf' }
    expect(started(['fluentd', '-c', '/x.conf'], env)).toEqual(['fluentd', '-c', '/x.conf'])
    expect(started(['sluice', '--config=/x.conf'], env)).toEqual(['sluice', '--config=/x.conf'])
  })

  it('adds the command to bare options', () => {
    expect(started(['--dry-run'])).toEqual(['fluentd', '--dry-run'])
  })

  it('runs any other command as it is', () => {
    expect(started(['echo', 'hello'])).toEqual(['hello'])
  })
})

it('the build is sent all that the Dockerfile copies', () => {
  const sent = readFileSync('.dockerignore', 'utf8').trim().split('\n')
  expect(sent[0]).toBe('*')
  const copied = [...readFileSync('Dockerfile', 'utf8').matchAll(/^COPY (?!--from)(.*) \S+$/gm)]
  const sources = copied.flatMap((line) => line[1]!.split(' '))
  expect(sources.map((source) => `!${source}`).sort()).toEqual(sent.slice(1).sort())
})
