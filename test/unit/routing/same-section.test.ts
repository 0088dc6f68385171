import { describe, expect, it } from 'vitest'
import { bindConfig, createRegistry, parseConfig } from '../../../src/config/index.ts'
import type { BoundPlugin } from '../../../src/config/schema.ts'
import { plugins } from '../../../src/plugins.ts'
import { sameSection } from '../../../src/routing/same-section.ts'

function bound(text: string): BoundPlugin {
  const world = { env: {}, hostname: 'h', readFile: () => undefined, listDir: () => undefined }
  const { root } = parseConfig({ path: 'a.conf', text, ...world })
  const result = bindConfig(root, { registry: createRegistry(plugins) })
  if (result.bound === undefined) throw result.errors[0]
  return result.bound.root.stages[0]!
}

const file = (...lines: string[]) =>
  `<match **>\n@type file\npath /x\n${lines.join('\n')}\n</match>\n`
const forward = (lines: string) => `<match **>\n@type forward\n${lines}\n</match>\n`
const server = '<server>\nhost 192.0.2.1\n</server>\n'

describe('sameSection', () => {
  it.each([
    ['an equal one', file(), file()],
    ['another place and pattern', file(), `# x\n${file()}`.replace('**', 'a b')],
    ['the same buffer', file('<buffer tag>\n</buffer>'), file('<buffer tag>\n</buffer>')],
    ['the same servers', forward(server), forward(server)],
    ['a quoted value', file('append true'), file('append "true"')],
  ])('%s: yes', (_, a, b) => {
    expect(sameSection(bound(a), bound(b))).toBe(true)
  })

  it.each([
    ['another value', file(), file().replace('/x', '/y')],
    ['a default that is written', file(), file('append false')],
    ['another buffer', file('<buffer tag>\n</buffer>'), file('<buffer>\n</buffer>')],
    ['another buffer type', file(), file('<buffer>\n@type file\npath /b\n</buffer>')],
    ['another server', forward(server), forward(server.replace('.1', '.2'))],
    ['one more server', forward(server), forward(server + server.replace('.1', '.2'))],
    ['another id', file('@id a'), file('@id b')],
    ['another log level', file(), file('@log_level warn')],
    ['another type', file(), forward(server)],
  ])('%s: no', (_, a, b) => {
    expect(sameSection(bound(a), bound(b))).toBe(false)
  })
})
