import type { PluginDefinition, SystemSettings } from '../config/define.ts'
import type { BoundPlugin } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'

/** As a plugin sees it: in a `<worker N-M>` section only those workers count. */
export function settingsOf(bound: BoundPlugin, system: SystemSettings): SystemSettings {
  const { workerCount } = bound
  return workerCount === undefined ? system : { ...system, workers: workerCount }
}

/** Throws ConfigError where a plugin that can run in one process only would run in several. */
export function checkWorkers(
  definition: PluginDefinition,
  bound: BoundPlugin,
  system: SystemSettings,
): void {
  if (system.workers <= 1 || definition.multiWorkersReady !== false) return
  throw new ConfigError(`Plugin '${bound.type}' does not support multi workers configuration`, {
    position: bound.position,
    hint: 'put it into a section of one worker: <worker 0>',
  })
}
