import { describe, expect, it } from 'vitest'
import type { AppConfig } from '../../../src/app.ts'
import { createBufferedOutput } from '../../../src/buffer/index.ts'
import { sourceOnlyConfig } from '../../../src/cli/source-only.ts'
import { bindConfig, modeOf, parseConfig } from '../../../src/config/index.ts'
import { testRegistry } from '../../golden-config/plugins.ts'
import { bufferOf, numbers, spySink, world } from '../buffer/support.ts'

/** A <system> of these lines, bound. */
function bound(lines: string) {
  const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
  const text = `<system>\n${lines}\n</system>\n`
  const { root, errors } = parseConfig({ path: 'f.conf', text, ...world })
  expect(errors).toEqual([])
  const result = bindConfig(root, { registry: testRegistry })
  expect(result.errors).toEqual([])
  return { root, system: result.bound!.system, warnings: result.warnings.map((w) => w.message) }
}

describe('parameters of <system> without effect', () => {
  it.each([
    ['log_event_verbose true', 'events of the log end when a stop begins'],
    ['enable_input_metrics false', 'what sources receive is always counted'],
    ['enable_size_metrics true', 'bytes are always counted'],
    ['enable_msgpack_time_support true', 'records hold no Time of Ruby'],
    ['enable_jit true', 'there is no Ruby to compile'],
  ])('%s is accepted, and said', (line, why) => {
    const said = bound(line).warnings
    expect(said).toHaveLength(1)
    expect(said[0]).toContain(why)
  })

  it.each(['suppress_repeated_stacktrace true', '<log>\nforced_stacktrace_level warn\n</log>'])(
    '%j is accepted',
    (lines) => {
      expect(bound(lines).warnings).toEqual([])
    },
  )
})

describe('<source_only_buffer>', () => {
  const path = '/held'
  const given = {
    flush_thread_count: '3',
    overflow_action: 'block',
    chunk_limit_size: '1048576',
    total_limit_size: '4194304',
    compress: 'gzip',
  }

  /** The parameters of the <buffer> that holds what comes to the top level, by name. */
  function bufferOf(section: string, phase: 'holding' | 'loading') {
    const { root, system } = bound(`with_source_only true\n${section}`)
    const config = { root, path: 'f.conf' } as AppConfig
    const { children } = sourceOnlyConfig(config, { phase, path, system }).root
    const outputs = children.flatMap((child) =>
      child.name === 'label' ? child.children : child.name === 'match' ? [child] : [],
    )
    const buffer = outputs[0]!.children.find(({ name }) => name === 'buffer')!
    return Object.fromEntries(buffer.params.map(({ name, value }) => [name, value]))
  }
  const section = (lines: string) => `<source_only_buffer>\n${lines}\n</source_only_buffer>`
  const all = Object.entries(given).map(([name, value]) => `${name} ${value}`)

  it('its parameters are those of the buffers', () => {
    expect(bufferOf(section(all.join('\n')), 'loading')).toMatchObject({ ...given, path })
    const { flush_thread_count, ...holding } = given
    expect(bufferOf(section(all.join('\n')), 'holding')).toMatchObject({ ...holding, path })
    expect(bufferOf(section(`flush_thread_count ${flush_thread_count}`), 'holding')).toEqual(
      bufferOf('', 'holding'),
    )
  })

  it('without it the oldest chunk goes when the buffer is full', () => {
    expect(bufferOf('', 'holding')).toMatchObject({ overflow_action: 'drop_oldest_chunk' })
  })
})

describe('modes of <system>', () => {
  it('file_permission and dir_permission are those of what plugins make', async () => {
    const { system } = bound('file_permission 0600\ndir_permission 0700')
    const { host, context } = world()
    const modes = {
      filePermission: modeOf(system.filePermission),
      dirPermission: modeOf(system.dirPermission),
    }
    const output = createBufferedOutput({
      sink: spySink(),
      buffer: bufferOf({ flush_mode: 'lazy', path: '/new/b' }, 'file_single'),
      secondary: undefined,
      context: { ...context, system: { ...context.system, ...modes } },
    })
    let emitted = false
    const emitting = output
      .start()
      .then(() => output.emit(numbers('t', 0, 1)))
      .then(() => {
        emitted = true
      })
    while (!emitted) await host.clock.advance(1)
    await emitting
    expect(host.disk.modeOf('/new/b') & 0o777).toBe(0o700)
    const chunks = (await host.disk.readdir('/new/b')).filter((name) => name.endsWith('.buf'))
    expect(chunks).toHaveLength(1)
    expect(host.disk.modeOf(`/new/b/${chunks[0]}`) & 0o777).toBe(0o600)
  })
})
