import { describe, expect, test } from 'vitest'
import { type AppOverrides, createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config/index.ts'
import { ConfigErrors } from '../../src/core/errors.ts'
import type { Kernel } from '../../src/kernel/index.ts'
import { createFakeHost } from '../support/fake-host.ts'
import { createStage } from './app-plugins.ts'
import { batchAt, batchOf } from './routing/batches.ts'

/** None of the plugins of this test looks at events with it. */
const kernel = {} as Kernel

function configOf(text: string) {
  const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
  const { root, errors } = parseConfig({ path: 'test.conf', text, ...world })
  expect(errors).toEqual([])
  return { root, path: 'test.conf' }
}

function setUp(text: string, overrides: AppOverrides = {}) {
  const host = createFakeHost()
  const stage = createStage()
  const app = createApp({
    host,
    plugins: stage.plugins,
    kernel,
    config: configOf(text),
    overrides,
  })
  return { host, stage, app, ...stage }
}

/** The errors that creating the application ends with. */
function errorsOf(text: string): string[] {
  try {
    setUp(text)
  } catch (error) {
    if (error instanceof ConfigErrors) {
      return error.errors.map((one) => `${one.position?.line ?? '-'}: ${one.message}`)
    }
    throw error
  }
  return []
}

const section = (name: string, ...lines: string[]) =>
  [`<${name}>`, ...lines.map((line) => `  ${line}`), `</${name.split(' ')[0]}>`, ''].join('\n')
const button = (...lines: string[]) => section('source', '@type button', ...lines)
const spy = (pattern: string, name: string, ...lines: string[]) =>
  section(`match ${pattern}`, '@type spy', `name ${name}`, ...lines)
const expired = () => AbortSignal.abort()

describe('routing of a whole configuration', () => {
  test('sources, labels, @ROOT, relabel and filters lead where Fluentd leads them', () => {
    const { press, taken } = setUp(
      button('@label @IN') +
        button('@id direct') +
        section('filter b.**', '@type pick') +
        spy('b.**', 'root') +
        section(
          'label @IN',
          section('match back.**', '@type relabel', '@label @ROOT'),
          section('match b.**', '@type relabel', '@label @ROOT'),
          spy('**', 'in'),
        ),
    )
    press('button_0', batchOf('x'))
    press('button_0', batchAt('b.1', 1, 1, 2, 2))
    press('direct', batchAt('b.2', 2, 1, 1, 2, 2))
    press('direct', batchAt('b.3', 2))
    expect(taken).toEqual(['in x x1', 'root b.1 x2', 'root b.2 x2'])
  })

  test('copy, roundrobin and null hold outputs of their own', () => {
    const { press, taken, app } = setUp(
      button() +
        section(
          'match c',
          '@type copy',
          section('store', '@type spy', 'name one', '@id first'),
          section('store', '@type spy', 'name two'),
          section('store', '@type null'),
        ) +
        section(
          'match r',
          '@type roundrobin',
          ...['a', 'b'].map((name) => section('store', '@type spy', `name ${name}`)),
        ),
    )
    for (const tag of ['c', 'r', 'r', 'r']) press('button_0', batchOf(tag))
    expect(taken).toEqual(['one c x1', 'two c x1', 'a r x1', 'b r x1', 'a r x1'])
    expect(app.view.plugins().map((view) => `${view.category} ${view.id}`)).toEqual([
      'input button_0',
      'output copy_0',
      'output first',
      'output spy_0',
      'output null_0',
      'output roundrobin_0',
      'output spy_1',
      'output spy_2',
    ])
  })

  test('roundrobin reads the weights of its stores', () => {
    const { press, taken } = setUp(
      button() +
        section(
          'match r',
          '@type roundrobin',
          section('store', '@type spy', 'name a', 'weight 3'),
          section('store', '@type spy', 'name b', 'weight 1'),
        ),
    )
    for (let i = 0; i < 8; i++) press('button_0', batchOf('r'))
    expect(taken.filter((line) => line.startsWith('a'))).toHaveLength(6)
  })

  test('labels that lead in circles end after a while, counted', () => {
    const { press, host } = setUp(
      button('@label @A') +
        section('label @A', section('match **', '@type relabel', '@label @B')) +
        section('label @B', section('match **', '@type relabel', '@label @A')),
    )
    expect(press('button_0', batchOf('x', 7))).toBeUndefined()
    expect(host.metrics.value('sluice_routing_dropped_events_total', { reason: 'circle' })).toBe(7)
    expect(host.log.messages('error')).toHaveLength(1)
  })

  const circles = (host: ReturnType<typeof setUp>['host']) =>
    host.metrics.value('sluice_routing_dropped_events_total', { reason: 'circle' })
  const doubling = section(
    'match **',
    '@type copy',
    section('store', '@type relabel', '@label @ROOT'),
    section('store', '@type relabel', '@label @ROOT'),
    section('store', '@type spy'),
  )

  test('a circle that doubles does not take for ever, and what comes next is not concerned', () => {
    const { press, host, taken } = setUp(button() + spy('good', 'good') + doubling)
    press('button_0', batchOf('x'))
    expect(circles(host)).toBeLessThan(1000)
    press('button_0', batchOf('good'))
    expect(taken.at(-1)).toBe('good good x1')
  })

  test('nor does one through a filter that is in use', async () => {
    const { press, host } = setUp(button() + section('filter **', '@type pick') + doubling)
    await press('button_0', batchOf('x', 4096))
    await host.clock.settle()
    expect(circles(host)).toBeGreaterThan(0)
  })

  test('an error event that @ERROR leads back to where it failed ends as well', async () => {
    const { press, host } = setUp(
      button() +
        section('filter **', '@type pick') +
        spy('**', 's') +
        section('label @ERROR', section('match **', '@type relabel', '@label @ROOT')),
    )
    press('button_0', batchAt('x', 3))
    await host.clock.settle()
    expect(circles(host)).toBe(1)
  })

  test('an unmatched tag is counted, said, and taken', () => {
    const { press, host } = setUp(button() + spy('docker.**', 'd'))
    expect(press('button_0', batchOf('2dad5dc6df2a', 2))).toBeUndefined()
    expect(host.metrics.value('sluice_unmatched_events_total', { tag: '2dad5dc6df2a' })).toBe(2)
    expect(host.log.lines.at(-1)).toMatchObject({
      level: 'warn',
      message: 'no patterns matched',
      fields: { tag: '2dad5dc6df2a', nearest: 'docker.**' },
    })
  })

  test('what a source emits is counted once it is taken', async () => {
    const { press, host, app } = setUp(button() + spy('a', 'a') + spy('late', 'l', 'late late'))
    await app.start()
    press('button_0', batchOf('a', 3))
    await expect(press('button_0', batchOf('late', 5))).rejects.toThrow('refused late')
    const labels = { plugin_id: 'button_0', type: 'button' }
    expect(host.metrics.value('sluice_input_events_total', labels)).toBe(3)
    expect(host.metrics.value('sluice_input_bytes_total', labels)).toBe(9)
    const [input, output] = app.view.plugins()
    expect([input!.emittedRecords, input!.emittedBytes]).toEqual([3, 9])
    expect([output!.emittedRecords, output!.emittedBytes]).toEqual([3, 9])
  })
})

test('the view says which output of the top level a tag goes to', () => {
  const { app } = setUp(
    button('@label @IN') +
      section('filter **', '@type pick') +
      spy('a.**', 'one', '@id first') +
      spy('a.b **', 'two', '@id second') +
      section('label @IN', spy('**', 'in', '@id inner')),
  )
  const ids = ['a', 'a.b', 'c'].map((tag) => app.view.outputOf?.(tag)?.id)
  expect(ids).toEqual(['first', 'first', 'second'])
  const { app: without } = setUp(button())
  expect(without.view.outputOf?.('a')).toBeUndefined()
})

describe('events that cannot be processed', () => {
  test('an exception of an output becomes a rejection for the source', async () => {
    const { press } = setUp(button() + spy('**', 's', 'refuse bad'))
    await expect(press('button_0', batchOf('bad'))).rejects.toThrow('refused')
  })

  test('with @ERROR it goes there instead, and the source is content', () => {
    const { press, taken } = setUp(
      button() + spy('**', 's', 'refuse bad') + section('label @ERROR', spy('**', 'error')),
    )
    expect(press('button_0', batchOf('bad', 2))).toBeUndefined()
    expect(taken).toEqual(['error bad x2'])
  })

  test('an output in @ERROR that refuses has no way out', async () => {
    const { press } = setUp(
      button() +
        spy('**', 's', 'refuse bad') +
        section('label @ERROR', spy('**', 'error', 'refuse bad')),
    )
    await expect(press('button_0', batchOf('bad'))).rejects.toThrow('refused')
  })

  test("a filter's events: filtered, reported and lost are told apart", async () => {
    const { press, host, taken, app } = setUp(
      button() + section('filter **', '@type pick') + spy('**', 's'),
    )
    await app.start()
    press('button_0', batchAt('a', 1, 2, 3, 1, 2, 2, 3, 1))
    press('button_0', batchOf('throw', 4))
    const dropped = (reason: string) =>
      host.metrics.value('sluice_filter_dropped_events_total', { plugin_id: 'pick_0', reason })
    expect(taken).toEqual(['s a x3'])
    expect([dropped('filter'), dropped('error')]).toEqual([3, 6])
    const said = host.log.lines.filter((line) => line.message === 'dump an error event:')
    expect(said.map((line) => line.fields)).toEqual([
      { error_class: 'Error', error: 'odd event', tag: 'a' },
    ])
    await host.clock.advance(11_000)
    press('button_0', batchOf('throw', 4))
    expect(host.log.lines.at(-1)!.fields).toEqual({
      error_class: 'TypeError',
      error: 'filter broke',
      tag: 'throw',
      suppressed: 2,
    })
  })

  test('with @ERROR they go there, in order with the others, and are not lost', async () => {
    const { press, host, taken, app } = setUp(
      button() +
        section('filter **', '@type pick') +
        section('filter **', '@type pick') +
        spy('**', 's') +
        section('label @ERROR', spy('**', 'error')),
    )
    await app.start()
    press('button_0', batchAt('a', 1, 3, 2, 1, 3))
    press('button_0', batchAt('b', 1, 2, 1))
    press('button_0', batchOf('throw', 4))
    expect(taken).toEqual([
      's a x1',
      'error a x1',
      's a x1',
      'error a x1',
      's b x2',
      'error throw x4',
    ])
    const dropped = (plugin_id: string, reason: string) =>
      host.metrics.value('sluice_filter_dropped_events_total', { plugin_id, reason })
    expect([dropped('pick_0', 'filter'), dropped('pick_0', 'error')]).toEqual([2, 0])
    expect([dropped('pick_1', 'filter'), dropped('pick_1', 'error')]).toEqual([0, 0])
  })

  test('a filter inside @ERROR has no second @ERROR', async () => {
    const { press, host, taken, app } = setUp(
      button() +
        section('filter **', '@type pick') +
        spy('**', 's') +
        section('label @ERROR', section('filter **', '@type pick'), spy('**', 'error')),
    )
    await app.start()
    press('button_0', batchAt('a', 3, 1))
    expect(taken).toEqual(['s a x1'])
    const lost = (plugin_id: string) =>
      host.metrics.value('sluice_filter_dropped_events_total', { plugin_id, reason: 'error' })
    expect([lost('pick_0'), lost('pick_1')]).toEqual([0, 1])
  })
})

describe('configuration errors', () => {
  test('those of all plugins come at once, with their place', () => {
    expect(
      errorsOf(
        button('@label @NOPE') +
          spy('**', 'x', 'bad true') +
          section('match **', '@type relabel') +
          section('match /(/', '@type null') +
          section('match **', '@type copy', section('store ignore_if_prev_success', '@type null')),
      ),
    ).toEqual([
      "8: 'bad' is bad",
      "10: '@label' parameter is required: relabel hands events on to a label",
      expect.stringMatching(/^13: invalid match pattern: .*parenthesis/),
      '18: ignore_if_prev_success must specify 2nd or later <store> directives',
      '1: @NOPE label not found',
    ])
  })

  test.each([
    [button('port 5') + button('port 5') + spy('**', 's'), /address already in use: button_1/],
    [button() + spy('a', 'a', 'path /x') + spy('b', 'b', 'path /x'), /path already in use: spy_1/],
    [button('@id x') + spy('**', 's', '@id x'), /Duplicated plugin id/],
    [
      button() +
        section('match **', '@type roundrobin', section('store', '@type null', 'weight 0')),
      /all weights are 0/,
    ],
    [
      button() + section('match **', '@type copy', section('store ignore_eror', '@type null')),
      /unknown argument `ignore_eror`/,
    ],
  ])('%# is refused', (text, words) => {
    expect(errorsOf(text).join('\n')).toMatch(words)
  })

  test('a made id avoids those that are written', () => {
    const { app } = setUp(button() + spy('a', 'a', '@id spy_0') + spy('b', 'b'))
    expect(app.view.plugins().map((view) => [view.id, view.idWritten])).toEqual([
      ['button_0', false],
      ['spy_0', true],
      ['spy_1', false],
    ])
  })
})

describe('life', () => {
  const text = button() + spy('a', 'a') + spy('b', 'b')

  test('starts downstream first, is ready, flushes, stops upstream first', async () => {
    const { app, lives } = setUp(text)
    expect([app.view.ready(), app.running]).toEqual([false, false])
    await app.start()
    expect([app.view.ready(), app.running]).toEqual([true, true])
    await app.flush()
    await app.stop(expired())
    await app.stop(expired())
    expect([app.view.ready(), app.running]).toEqual([false, false])
    expect(lives).toEqual(['+a', '+b', '+button_0', 'flush a', 'flush b', '-button_0', '-a', '-b'])
  })

  test('stop while it starts waits for that, then stops it', async () => {
    const { app, lives } = setUp(text)
    const started = app.start()
    await app.stop(expired())
    await started
    expect(lives).toEqual(['+a', '+b', '+button_0', '-button_0', '-a', '-b'])
  })

  test('stop without start does nothing', async () => {
    const { app, lives } = setUp(text)
    await app.stop(expired())
    expect(lives).toEqual([])
  })

  test('a source that cannot start: nothing runs, the error says which', async () => {
    const { app, lives } = setUp(text + button('fail true', '@id stuck'))
    await expect(app.start()).rejects.toThrow('stuck cannot start: the button is stuck')
    expect(lives.toSorted()).toEqual(['+a', '+b', '+button_0', '-a', '-b', '-button_0'].toSorted())
    expect(app.view.ready()).toBe(false)
  })

  test('without_source leaves the sources out', async () => {
    const { app, lives } = setUp(text, { withoutSource: true })
    await app.start()
    expect(lives).toEqual(['+a', '+b'])
  })

  test('check finds the address that is taken, and starts nothing', async () => {
    const { app, host, lives } = setUp(button('port 24224') + spy('**', 's'))
    await app.check()
    const holder = await host.net.listen({
      address: { kind: 'tcp', host: '127.0.0.1', port: 24224 },
      accept: () => {
        throw new Error('nobody connects')
      },
    })
    await expect(app.check()).rejects.toThrow(/button_0 could not have tcp:127.0.0.1:24224/)
    await holder.close()
    expect(lives).toEqual([])
  })

  test('check asks every output, inside of copy too', async () => {
    const { app } = setUp(
      button() +
        spy('a', 'a', 'unready true') +
        section('match **', '@type copy', section('store', '@type spy', 'unready true')),
    )
    const found = await app.check().catch((error: ConfigErrors) => error.errors)
    expect(found).toHaveLength(2)
  })
})

describe('reload', () => {
  const before = button() + spy('**', 'old')

  test('new outputs first, then the sources change, then the old outputs end', async () => {
    const { app, lives, press, taken } = setUp(before)
    await app.start()
    lives.length = 0
    await app.reload(configOf(button('port 1') + spy('**', 'new')), expired())
    expect(lives).toEqual(['+new', '-button_0', '+button_0', '-old'])
    press('button_0', batchOf('x'))
    expect(taken).toEqual(['new x x1'])
    expect(app.view.ready()).toBe(true)
    await app.stop(expired())
    expect(lives.slice(4)).toEqual(['-button_0', '-new'])
  })

  test('an output that wants the path of an old one waits until that has ended', async () => {
    const { app, lives } = setUp(button() + spy('a', 'old', 'path /x') + spy('b', 'other'))
    await app.start()
    lives.length = 0
    await app.reload(configOf(button('port 1') + spy('a', 'new', 'path /x')), expired())
    expect(lives).toEqual(['-button_0', '-old', '+new', '+button_0', '-other'])
  })

  test('a wrong configuration changes nothing', async () => {
    const { app, lives, press, taken } = setUp(before)
    await app.start()
    await expect(app.reload(configOf(spy('**', 's', 'bad true')), expired())).rejects.toThrow(
      ConfigErrors,
    )
    expect(lives).toEqual(['+old', '+button_0'])
    press('button_0', batchOf('x'))
    expect(taken).toEqual(['old x x1'])
    expect(app.running).toBe(true)
  })

  test('one that cannot start gives way to the old one', async () => {
    const { app, lives, press, taken } = setUp(before)
    await app.start()
    lives.length = 0
    const next = configOf(button('fail true') + spy('**', 'new'))
    await expect(app.reload(next, expired())).rejects.toThrow('the button is stuck')
    expect(lives).toEqual(['+new', '-button_0', '-new', '-old', '+old', '+button_0'])
    press('button_0', batchOf('x'))
    expect(taken).toEqual(['old x x1'])
    expect([app.running, app.view.ready()]).toEqual([true, true])
  })

  test('a stop in the middle of one waits for it, then stops what came of it', async () => {
    const { app, lives } = setUp(before)
    await app.start()
    lives.length = 0
    const next = configOf(button('port 1') + spy('**', 'new'))
    const reloaded = app.reload(next, new AbortController().signal)
    await app.stop(expired())
    await reloaded
    expect(lives).toEqual(['+new', '-button_0', '+button_0', '-old', '-button_0', '-new'])
    expect(app.running).toBe(false)
  })

  test('what says the same is kept: it runs on, and its events go into the new graph', async () => {
    const kept = section('store', '@type spy', 'name kept', 'path /kept')
    const copy = (other: string) =>
      section('match **', '@type copy', kept, section('store', '@type spy', `name ${other}`))
    const { app, lives, taken, routers } = setUp(button() + copy('old'))
    await app.start()
    const emits = routers.get('button_0')!
    lives.length = 0
    await app.reload(configOf(`# moved\n${button()}${copy('new')}`), expired())
    await app.reload(configOf(button() + copy('newest')), expired())
    expect(lives).toEqual(['+new', '-old', '+newest', '-new'])
    emits.emit(batchOf('x'))
    expect(taken).toEqual(['kept x x1', 'newest x x1'])
    expect(app.view.plugins().map((view) => [view.id, view.emittedRecords])).toEqual([
      ['button_0', 1],
      ['copy_0', 1],
      ['spy_0', 1],
      ['spy_1', 1],
    ])
    lives.length = 0
    await app.stop(expired())
    expect(lives).toEqual(['-button_0', '-kept', '-newest'])
  })

  test('what an output that is kept reports goes to @ERROR of the new graph', async () => {
    const error = (name: string) => section('label @ERROR', spy('**', name))
    const { app, taken, contexts } = setUp(button() + spy('**', 's') + error('old errors'))
    const { emitError } = contexts.get('spy_0')!
    await app.start()
    await app.reload(configOf(button() + spy('**', 's') + error('new errors')), expired())
    emitError(batchOf('x'), new Error('odd'))
    expect(taken).toEqual(['new errors x x1'])
  })

  test('events of a source that is kept wait while outputs change places', async () => {
    let release = (): void => undefined
    const { app, taken, routers, onStop } = setUp(button() + spy('**', 'old', 'path /x'))
    await app.start()
    const emits = routers.get('button_0')!
    const stopped = new Promise<void>((resolve) => {
      onStop.set('old', () => {
        resolve()
        return new Promise((done) => {
          release = done
        })
      })
    })
    const never = new AbortController().signal
    const reloaded = app.reload(configOf(button() + spy('**', 'new', 'path /x')), never)
    await stopped
    const first = emits.emit(batchOf('a'))
    const second = emits.emit(batchOf('b'))
    expect(taken).toEqual([])
    release()
    await reloaded
    await Promise.all([first, second])
    expect(taken).toEqual(['new a x1', 'new b x1'])
    expect(emits.emit(batchOf('c'))).toBeUndefined()
  })

  test('they are refused if the new outputs cannot start; then the old configuration runs', async () => {
    const { app, lives, taken, routers, onStop } = setUp(button() + spy('**', 'old', 'path /x'))
    await app.start()
    const emits = routers.get('button_0')!
    const waiting: Promise<unknown>[] = []
    onStop.set('old', async () => {
      onStop.clear()
      waiting.push(Promise.allSettled([emits.emit(batchOf('a'))]))
    })
    lives.length = 0
    const next = configOf(button() + button('@id stuck', 'fail true') + spy('**', 'n', 'path /x'))
    await expect(app.reload(next, expired())).rejects.toThrow('the button is stuck')
    expect(await waiting[0]).toMatchObject([
      { reason: { message: 'stuck cannot start: the button is stuck' } },
    ])
    expect(lives).toEqual(['-old', '+n', '-button_0', '-n', '-old', '+old', '+button_0'])
    routers.get('button_0')!.emit(batchOf('b'))
    expect(taken).toEqual(['old b x1'])
  })

  test('outputs that could not start leave what is kept to the old graph', async () => {
    const { app, lives, taken, routers } = setUp(button() + spy('**', 'old'))
    await app.start()
    const emits = routers.get('button_0')!
    lives.length = 0
    const next = configOf(button() + spy('a', 'old') + spy('**', 'n', 'stuck true'))
    await expect(app.reload(next, expired())).rejects.toThrow('the spy is stuck')
    emits.emit(batchOf('a'))
    await app.reload(configOf(button() + spy('**', 'old')), expired())
    emits.emit(batchOf('b'))
    expect(taken).toEqual(['old a x1', 'old b x1'])
    expect(lives).toEqual([])
    await app.stop(expired())
    expect(lives).toEqual(['-button_0', '-old'])
  })

  test('series of plugins that are gone are forgotten, others go on', async () => {
    const { app, host } = setUp(button('@id gone') + button('@id stays') + spy('**', 's'))
    await app.start()
    await app.reload(configOf(button('@id stays') + spy('**', 's')), expired())
    const text = await host.metrics.expose()
    expect(text.match(/sluice_input_events_total/g)).toHaveLength(1)
  })
})

describe("Sluice's own log as events", () => {
  test('goes to <label @FLUENT_LOG>, with what was said during the start', async () => {
    const { app, host, taken, contexts } = setUp(
      button() + spy('**', 'root') + section('label @FLUENT_LOG', spy('fluent.{info,warn}', 'log')),
    )
    await app.start()
    contexts.get('spy_0')!.log.warn('from a plugin', { n: 1 })
    contexts.get('spy_0')!.log.debug('matched by nothing')
    await host.clock.settle()
    expect(taken).toEqual(['log fluent.info x1', 'log fluent.warn x1'])
    await app.stop(expired())
    expect(host.metrics.value('sluice_unmatched_events_total')).toBe(0)
  })

  test('goes to the top level only where a pattern names fluent', async () => {
    const all = setUp(button() + spy('**', 'all'))
    await all.app.start()
    all.host.log.warn('not through the wrapped log')
    all.contexts.get('spy_0')!.log.warn('hello')
    await all.host.clock.settle()
    expect(all.taken).toEqual([])

    const named = setUp(button() + spy('fluent.warn', 'warn') + spy('x', 'x'))
    await named.app.start()
    named.contexts.get('spy_0')!.log.warn('hello')
    named.contexts.get('spy_0')!.log.info('nobody asked')
    await named.host.clock.settle()
    expect(named.taken).toEqual(['warn fluent.warn x1'])
  })

  test('what an output says about such an event becomes none', async () => {
    const { app, host, contexts } = setUp(
      button() + section('label @FLUENT_LOG', spy('**', 'log', 'refuse fluent.warn')),
    )
    await app.start()
    for (let i = 0; i < 3; i++) contexts.get('spy_0')!.log.warn('boom')
    await host.clock.settle()
    expect(host.metrics.value('sluice_log_events_dropped_total', { reason: 'refused' })).toBe(3)
    expect(host.log.messages('warn').filter((message) => message === 'boom')).toHaveLength(3)
  })
})
