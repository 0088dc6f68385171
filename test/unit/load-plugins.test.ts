import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config/index.ts'
import { definitionsIn, places, pluginsFor } from '../../src/load-plugins.ts'
import { plugins } from '../../src/plugins.ts'

const world = { env: {}, hostname: 'test', readFile: () => undefined, listDir: () => undefined }
const rootOf = (text: string) => parseConfig({ ...world, path: 'test.conf', text }).root
const keyOf = ({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`
const grouped = ['parser', 'formatter', 'buffer']

async function loadedFor(text: string): Promise<string[]> {
  const loaded = await pluginsFor(rootOf(text), { own: [] })
  return loaded.map(keyOf).filter((key) => !grouped.includes(key.split(' ')[0] ?? ''))
}

describe('where plugins are loaded from', () => {
  it('a plugin that stands in plugins.ts stands in load-plugins.ts too, and no other does', () => {
    const keys = plugins
      .filter(({ kind }) => !grouped.includes(kind))
      .flatMap((plugin) =>
        [plugin.name, ...(plugin.aliases ?? [])].map((name) => keyOf({ ...plugin, name })),
      )
    expect(Object.keys(places).sort()).toEqual(keys.sort())
  })

  it.each(Object.keys(places))('%s is there', async (key) => {
    const definitions = definitionsIn(await (places[key] as () => Promise<object>)())
    const [kind, name] = key.split(' ') as [string, string]
    const own = definitions.find((one) => {
      return one.kind === kind && [one.name, ...(one.aliases ?? [])].includes(name)
    })
    expect(plugins).toContain(own)
  })
})

describe('what a configuration needs', () => {
  it('is what it names, also in sections of sections and labels', async () => {
    const text = `
<source>
  @type forward
  @label @A
</source>
<label @A>
  <filter **>
    @type grep
    <regexp>
      key a
      pattern b
    </regexp>
  </filter>
  <match **>
    @type copy
    <store>
      @type stdout
    </store>
    <store>
      @type http
      endpoint http://localhost
      <secondary>
        @type secondary_file
        directory /tmp
      </secondary>
    </store>
  </match>
</label>`
    expect((await loadedFor(text)).sort()).toEqual([
      'filter grep',
      'output copy',
      'output http',
      'output secondary_file',
      'output stdout',
      'source forward',
    ])
  })

  it('is everything where there are errors, which name what there is', async () => {
    const text = '<source>\n@type foward\n</source>'
    expect(await loadedFor(text)).toHaveLength(
      new Set(plugins.map(keyOf)).size -
        plugins.filter(({ kind }) => grouped.includes(kind)).length,
    )
  })

  it('has plugins of others', async () => {
    const own = plugins.filter(({ name }) => name === 'null')
    const loaded = await pluginsFor(rootOf('<match **>\n@type null\n</match>'), { own })
    expect(loaded).toEqual(own)
  })
})

it('no module of a start imports the list of all', () => {
  for (const file of ['src/app.ts', 'src/cli/run.ts', 'src/cli/context.ts', 'src/cli/serve.ts']) {
    expect(readFileSync(file, 'utf8')).not.toMatch(/^import .*from '\.\.?\/plugins\.ts'/m)
  }
})
