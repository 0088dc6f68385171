import { describe, expect, test } from 'vitest'
import type { PluginContext } from '../../../../src/config/define.ts'
import { ConfigErrors } from '../../../../src/core/errors.ts'
import { detectExceptionsOutput } from '../../../../src/outputs/detect_exceptions/index.ts'
import { batchOf, eventsOf } from '../../../support/batches.ts'
import { bindText, createTestContext } from '../../../support/plugin-context.ts'

function create(lines = '', more: Partial<PluginContext> = {}) {
  const failed: string[] = []
  const { context, emitted, fake, metrics } = createTestContext({
    emitError: (batch, error) => failed.push(`${batch.tag} ${error.message}`),
    ...more,
  })
  const bound = bindText(detectExceptionsOutput, `remove_tag_prefix raw\n${lines}`)
  const output = detectExceptionsOutput.create!(bound.params as never, context)
  /** The field's texts of what went on. */
  const texts = (field = 'log') =>
    emitted.flatMap((batch) => eventsOf(batch).map(([, record]) => record.get(field)))
  return { output, emitted, texts, failed, clock: fake.clock, metrics }
}

const traces: Record<string, string> = {
  java: `Jul 9 12:00:00 worker: java.lang.RuntimeException: no luck
\tat a.b.C.d(C.java:50)
\tat a.b.E.<init>(E.java:1)
\tSuppressed: java.io.IOException: gone
\t\tat a.F.close(F.java:3)
Caused by: a.b.Inner: deep
\tat a.b.C.e(C.java:9)
\t... 12 more`,
  'java, nested': `java.lang.RuntimeException: javax.mail.SendFailedException: bad;
  nested exception is:
com.sun.mail.Failed.Exception: relaying denied

\tat a.b.C.d(C.java:1)
\t... 3 common frames omitted`,
  js: `ReferenceError: x is not defined
    at next (/app/router.js:256:14)
    at Layer.handle [as handle_request] (/app/layer.js:95:5)
    at async /app/app.js:52:3`,
  javascript: `V8 errors stack trace:
  eval at Foo.a (eval at Bar.z (my.js:10:3))
  at new Name (native)`,
  csharp: `System.Collections.Generic.KeyNotFoundException: The key was not present.
  at A.B.Get () <0x0>
  --- End of inner exception stack trace ---
  at A.C.Run ()
--- End of stack trace from previous location where exception was thrown ---
  at A.D.Go ()`,
  python: `Traceback (most recent call last):
  File "/app/main.py", line 10, in get
    self.do(x)
  File "/app/other.py", line 3, in do
    raise ValueError('x')
werkzeug.exceptions.ValueError: no`,
  php: `exception 'Exception' with message 'Custom' in /app/index.php:7
Stack trace:
#0 /app/index.php(12): run()
#1 {main}
  thrown in /app/index.php on line 7`,
  go: `2024/01/01 panic: runtime error: index out of range [recovered]

goroutine 12 [running]:
main.main.func1(0xc00)
\t/app/main.go:10 +0x1
created by main.main
\t/app/main.go:20 +0x2

goroutine 1 [select]:
main.run()
\t/app/main.go:30`,
  'go, with a signal': `panic: runtime error: invalid memory address
[signal SIGSEGV: segmentation violation]

goroutine 5 [running]:
panic(0x1)
\t/usr/go/panic.go:1`,
  'go, http': `http: panic serving 1.2.3.4:56: oops
goroutine 24 [running]:
net/http.(*conn).serve.func1(0x1)
\t/usr/go/server.go:1`,
  ruby: `NoMethodError (undefined method \`x' for nil:NilClass):
  
  app/a.rb:1:in \`show'
  app/b.rb:22:in \`block in each'`,
  dart: `Unhandled exception:
Exception: no
#0      _state.<anonymous closure> (/app/main.dart:1:2)
<asynchronous suspension>
#1      run (/app/main.dart:3:4)`,
  'dart, a type error': `Unhandled exception:
'file:///app/main.dart': error: line 7 pos 3: bad
  var a = b;
      ^


#0      main (file:///app/main.dart:7:3)`,
  'dart, a missing method': `Unhandled exception:
NoSuchMethodError: method not found: 'x'
Receiver: 5
Tried calling: x()
Found: y()
#0      Object.noSuchMethod (dart:core)`,
  'dart, a format': `Unhandled exception:
FormatException: Invalid
{oops
 ^

#0      parse (dart:convert)`,
}

describe('traces', () => {
  test.each(Object.entries(traces))('%s', (_, trace) => {
    const { output, texts } = create('force_line_breaks true')
    const lines = ['before', ...trace.split('\n'), 'after', 'later']
    output.emit(
      batchOf(
        'raw.t',
        lines.map((log) => ({ log })),
      ),
    )
    expect(texts()).toEqual(['before', trace, 'after', 'later'])
  })

  test.each([
    ['java', true],
    ['python', false],
    ['js,python', true],
    ['["go", "Java"]', true],
    ['all', true],
  ])('of languages %s: one of Java is found: %s', (languages, found) => {
    const { output, texts } = create(`languages ${languages}`)
    const lines = ['x.Exception: a', '\tat b.c(D.java:1)', 'after']
    output.emit(
      batchOf(
        'raw.t',
        lines.map((log) => ({ log })),
      ),
    )
    expect(texts()).toHaveLength(found ? 2 : 3)
  })

  test('one behind another are two events', () => {
    const { output, texts } = create('force_line_breaks true')
    const one = 'a.Exception: 1\n\tat b.c(D.java:1)'
    output.emit(
      batchOf(
        'raw.t',
        `${one}\n${one}\nend`.split('\n').map((log) => ({ log })),
      ),
    )
    expect(texts()).toEqual([one, one, 'end'])
  })

  test('a line alone that begins none stays as it is', () => {
    const { output, texts, emitted } = create()
    const batch = batchOf('raw.t', [{ log: 'a.Exception: 1', more: 1 }, { log: 'next' }])
    output.emit(batch)
    expect(texts()).toEqual(['a.Exception: 1', 'next'])
    expect(new Uint8Array(emitted[0]!.packed)).toEqual(new Uint8Array(batch.packed))
  })
})

describe('what goes on', () => {
  const trace = ['a.Exception: 1\n', '\tat b.c(D.java:1)\n']

  test('has the first line’s time and fields, its lines joined as they are, and the shorter tag', () => {
    const { output, emitted } = create('message m')
    output.emit(batchOf('raw.t.raw', [{ n: 0, m: trace[0] }, { m: trace[1], n: 1 }, { m: 'end' }]))
    expect(emitted.map(({ tag }) => tag)).toEqual(['t.raw'])
    expect(eventsOf(emitted[0]).map(([time, record]) => [time, [...record]])).toEqual([
      [
        1_700_000_000,
        [
          ['n', 0],
          ['m', trace.join('')],
        ],
      ],
      [1_700_000_002, [['m', 'end']]],
    ])
  })

  test.each([
    ['rawer.t', 'rawer.t'],
    ['raw', 'raw'],
    ['raw.', ''],
  ])('of tag %j has tag %j', (tag, wanted) => {
    const { output, emitted } = create()
    output.emit(batchOf(tag, [{ log: 'x' }]))
    expect(emitted.map((batch) => batch.tag)).toEqual([wanted])
  })

  test('message comes before log; events without either pass, and end a trace', () => {
    const { output, texts } = create()
    const records = [{ log: 'x', message: trace[0] }, { message: trace[1], log: 'y' }, { other: 1 }]
    output.emit(batchOf('raw.t', records))
    expect(texts('message')).toEqual([trace.join(''), undefined])
  })

  test('is what came although the bytes it came in are used again', () => {
    const { output, texts } = create()
    for (const log of trace) {
      const bytes = Buffer.from(batchOf('raw.t', [{ log }]).packed)
      output.emit({ tag: 'raw.t', packed: bytes, count: 1 })
      bytes.fill(0)
    }
    output.emit(batchOf('raw.t', [{ log: 'end' }]))
    expect(texts()).toEqual([trace.join(''), 'end'])
  })

  test('is told apart by stream', () => {
    const { output, texts } = create('stream s')
    const events = [
      { s: 'a', log: trace[0] },
      { s: 'b', log: 'in between' },
      { s: 'a', log: trace[1] },
      { s: 'a', log: 'end' },
    ]
    output.emit(batchOf('raw.t', events))
    expect(texts()).toEqual(['in between', trace.join(''), 'end'])
  })

  test('waits for the next line, and then no longer than multiline_flush_interval from its first', async () => {
    const { output, texts, clock } = create('multiline_flush_interval 0.5')
    output.emit(batchOf('raw.t', [{ log: trace[0] }]))
    await clock.advance(400)
    output.emit(batchOf('raw.t', [{ log: trace[1] }]))
    expect(texts()).toEqual([])
    await clock.advance(700)
    expect(texts()).toEqual([trace.join('')])
    expect(clock.pendingTimers).toBe(0)
  })

  test('is everything at the end, and nothing is held after it', async () => {
    const { output, texts } = create()
    output.emit(batchOf('raw.t', [{ log: trace[0] }]))
    await output.stop(AbortSignal.abort())
    await output.stop(AbortSignal.abort())
    output.emit(batchOf('raw.t', [{ log: trace[0] }]))
    expect(texts()).toEqual([trace[0], trace[0]])
  })

  test('is an error if the next output refuses it late', async () => {
    const { output, failed } = create('', {
      router: { emit: () => Promise.reject(new Error('no room')) },
    })
    output.emit(batchOf('raw.t', [{ log: trace[0] }]))
    await output.stop(AbortSignal.abort())
    expect(failed).toEqual(['t no room'])
  })

  test('counts', async () => {
    const { output, metrics } = create()
    await output.start()
    output.emit(
      batchOf('raw.t', [{ log: trace[0] }, { log: trace[1] }, { log: 'x' }, { log: trace[0] }]),
    )
    const text = await metrics.expose()
    expect(text).toMatch(/sluice_output_held_events\{.*\} 1\n/)
    expect(text).toMatch(/sluice_output_joined_events_total\{.*\} 1\n/)
  })
})

describe('limits', () => {
  const frames = (count: number) =>
    ['a.Exception: 1', ...Array.from({ length: count }, (_, i) => `\tat b.c(D.java:${i})`)].map(
      (log) => ({ log }),
    )
  test.each([
    ['max_lines 3', [3, 1, 1, 1]],
    ['max_lines 0', [6]],
    ['max_bytes 40', [2, 1, 1, 1, 1]],
    ['stream_limit_size 100', [2, 1, 1, 1, 1]],
  ])('%s', async (lines, sizes) => {
    const { output, texts } = create(`force_line_breaks true\n${lines}`)
    output.emit(batchOf('raw.t', frames(5)))
    await output.stop(AbortSignal.abort())
    expect(texts().map((text) => String(text).split('\n').length)).toEqual(sizes)
  })

  test('all streams together', () => {
    const { output, texts } = create('stream s\ntotal_limit_size 10k')
    for (let s = 0; s < 100; s++) output.emit(batchOf('raw.t', [{ s, log: 'a.Exception: 1' }]))
    expect(texts().length).toBeGreaterThan(80)
    expect(texts('s').slice(0, 3)).toEqual([0, 1, 2])
  })
})

describe('refused at start', () => {
  test.each([
    ['languages klingon', 'Unknown language: klingon'],
    ['max_lines -1', 'expected 0 or more'],
  ])('%s', (lines, message) => {
    let text = ''
    try {
      create(lines)
    } catch (error) {
      text = error instanceof ConfigErrors ? error.errors.map(String).join() : String(error)
    }
    expect(text).toContain(message)
  })
})
