import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { unknownType } from '../../../src/config/bind-reserved.ts'
import { createRegistry } from '../../../src/config/index.ts'
import { notBuilt } from '../../../src/config/known-plugins.ts'
import type { PluginKind } from '../../../src/config/schema.ts'
import { plugins } from '../../../src/plugins.ts'

const position = { file: 'f.conf', line: 1, column: 1, length: 1, text: '' }
const registry = createRegistry([...plugins])
const said = (kind: PluginKind, type: string) => unknownType({ kind, type, position, registry })

describe('plugins of others that Sluice has not', () => {
  it.each<[PluginKind, string, string]>([
    ['output', 'elasticsearch', 'examples/elasticsearch'],
    ['output', 'opensearch', 'examples/elasticsearch'],
    ['output', 'loki', 'forward output'],
    ['output', 's3', 'file output'],
    ['output', 'kafka2', 'forward output'],
    ['output', 'splunk_hec', '/services/collector'],
    ['output', 'forest', 'placeholders'],
    ['output', 'record_reformer', 'record_modifier'],
    ['filter', 'kubernetes_metadata', 'examples/kubernetes-node'],
    ['source', 'systemd', 'journalctl'],
    ['source', 'windows_eventlog2', 'Fluent Bit'],
  ])('%s %s: what to do instead', (kind, type, hint) => {
    const error = said(kind, type)
    expect(error.message).toMatch(/is Ruby's fluent-plugin-.*: Sluice runs no Ruby/)
    expect(error.hint).toContain(hint)
    for (const [, name] of (error.hint ?? '').matchAll(/examples\/([a-z-]+)/g)) {
      expect(existsSync(`examples/${name}/fluent.conf`)).toBe(true)
    }
  })

  it('are none that it has', () => {
    const stale = plugins.filter(({ kind, name }) => notBuilt(kind, name)?.hint !== undefined)
    expect(stale.map(({ name }) => name)).toEqual([])
  })

  it('a name of another section is said to be one', () => {
    expect(said('filter', 'rewrite_tag_filter')).toMatchObject({
      message: "Unknown filter plugin 'rewrite_tag_filter'",
      hint: "'rewrite_tag_filter' is the name of an output plugin, for <match>",
    })
    expect(said('output', 'concat').hint).toBe(
      "'concat' is the name of a filter plugin, for <filter>",
    )
  })

  it('another name is unknown', () => {
    expect(said('output', '__proto__').message).toBe("Unknown output plugin '__proto__'")
    expect(said('output', 'stdot').hint).toBe('did you mean `stdout`?')
  })
})
