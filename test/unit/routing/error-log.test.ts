import { describe, expect, it } from 'vitest'
import { appOf, stopped } from '../../conformance/world.ts'

/** <system> emit_error_log_interval: how seldom errors of events are logged. */

const configOf = (system: string) => `<system>
${system}
</system>
<source>
@type forward
</source>
<filter **>
@type parser
key_name m
<parse>
@type json
</parse>
</filter>
<match **>
@type null
</match>`

describe('errors of events', () => {
  it.each([
    ['', [0, 10, 20]],
    ['emit_error_log_interval 3s', [0, 3, 6, 9, 12, 15, 18, 21]],
    ['emit_error_log_interval 0', Array.from({ length: 24 }, (_, second) => second)],
  ])('%s: one each second is logged at these', async (system, seconds) => {
    const { app, host } = appOf(configOf(system))
    await app.start()
    const logged: number[] = []
    for (let second = 0; second < 24; second++) {
      const before = host.log.messages('warn').length
      const client = host.net.client(24224)
      client.send(Buffer.from('["t", 1700000000, {"m": "no json"}]'))
      client.end()
      await host.clock.settle()
      if (host.log.messages('warn').length > before) logged.push(second)
      await host.clock.advance(1000)
    }
    expect(logged).toEqual(seconds)
    const fields = host.log.lines.filter(({ message }) => /dump an error event/.test(message))
    expect(fields.at(-1)?.fields.suppressed).toBe(
      system === '' ? 9 : system.endsWith('0') ? undefined : 2,
    )
    await stopped(app, host)
  })
})
