import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { App } from '../app.ts'
import { version } from '../core/version.ts'
import { monitorInfo } from '../observe/monitor-info.ts'
import type { Run } from './context.ts'

/** SIGCONT: what goes on inside, in a file that only its owner can read; a new one each time. */
export async function dumpState({ host, log }: Run, app: App): Promise<void> {
  const path = join(tmpdir(), `sluice-sigdump-${host.pid}.txt`)
  await host.disk.unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  // Never through somebody else's file or link in a directory that all may write to.
  const file = await host.disk.open(
    path,
    { write: true, create: true, exclusive: true, noFollow: true },
    0o600,
  )
  try {
    await file.write(new TextEncoder().encode(await stateText(app, host)))
  } finally {
    await file.close()
  }
  log.info('internal state is dumped', { path })
}

async function stateText(app: App, host: Run['host']): Promise<string> {
  const plugins = app.view
    .plugins()
    .map((view) => monitorInfo(view, { config: false, retry: true }))
  const upMs = host.clock.wallMs() - app.view.startedMs
  return [
    `sluice ${version}, node ${process.versions.node}, pid ${host.pid}, up ${Math.round(upMs / 1000)} s`,
    `time: ${new Date(host.clock.wallMs()).toISOString()}`,
    `ready: ${app.view.ready()}`,
    `memory: ${JSON.stringify(process.memoryUsage())}`,
    `resources: ${JSON.stringify(countEach(process.getActiveResourcesInfo()))}`,
    '',
    'plugins:',
    ...plugins.map((info) => JSON.stringify(info)),
    '',
    'metrics:',
    await host.metrics.expose(),
    'configuration:',
    app.view.configDump(),
    '',
  ].join('\n')
}

function countEach(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
