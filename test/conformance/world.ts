import { createApp } from '../../src/app.ts'
import { bindConfig, createRegistry, parseConfig } from '../../src/config/index.ts'
import { loadKernel } from '../../src/host/load-kernel.ts'
import { createKernel } from '../../src/kernel/index.ts'
import { plugins } from '../../src/plugins.ts'
import { createFakeHost, type FakeHost } from '../support/fake-host.ts'

const kernelModule = loadKernel()

export const kernel = createKernel(kernelModule)

/** All built-in plugins of a kind, aliases left out. */
export function namesOf(kind: string): string[] {
  return plugins.filter((plugin) => plugin.kind === kind).map(({ name }) => name)
}

function parse(text: string) {
  const nothing = { readFile: () => undefined, listDir: () => undefined, env: {} }
  const { root, errors } = parseConfig({ path: 'c.conf', text, ...nothing, hostname: 'h' })
  if (errors.length > 0) throw errors[0]
  return root
}

/** The application of a configuration, on a host in memory: made, not started. */
export function appOf(text: string, host: FakeHost = createFakeHost()) {
  const config = { root: parse(text), path: 'c.conf' }
  const app = createApp({ host, plugins, kernel: createKernel(kernelModule), config })
  return { app, host }
}

/** The bound plugin of the first section, for those that a context makes. */
export function boundOf(text: string) {
  const { bound, errors } = bindConfig(parse(text), { registry: createRegistry(plugins) })
  if (bound === undefined) throw errors[0]
  return bound
}

/** What a host in memory shows of a program that does something: files, sockets, programs, timers. */
export function tracesOf(host: FakeHost): unknown {
  return {
    paths: host.disk.paths(),
    watched: [...host.disk.watched],
    listening: host.net.listening(),
    started: host.processes.started.length,
    timers: host.clock.pendingTimers,
    requests: host.http.requests.length,
    written: host.stdout.text(),
  }
}

/** Stops with time enough. */
export async function stopped(
  app: { stop(deadline: AbortSignal): Promise<unknown> },
  host: FakeHost,
): Promise<void> {
  const deadline = new AbortController()
  const done = app.stop(deadline.signal)
  await host.clock.advance(20_000)
  deadline.abort()
  await host.clock.advance(20_000)
  await done
}
