import { version } from '../core/version.ts'
import { defaultPorts } from '../default-config.ts'

/** What a start without any configuration says: where it listens, and how to try it. `script` is how it was called. */
export function banner(options: {
  readonly script: string
  readonly addresses: readonly string[]
}): string {
  const { forward, metrics } = defaultPorts
  const also = options.addresses.length === 0 ? '' : ` (this host: ${options.addresses.join(', ')})`
  return `
Sluice ${version} listens on 0.0.0.0:${forward} for the forward protocol, TCP and UDP${also},
and prints what comes. Metrics: http://127.0.0.1:${metrics}/metrics

Try it:   docker run --rm --log-driver fluentd --log-opt tag=docker.hello alpine echo hello
or:       echo '{"hello":"world"}' | ${options.script} cat test.hello

It runs on its built-in configuration: give it yours with -c fluent.conf. Ctrl+C stops it.

`
}
