import { hostname } from 'node:os'
import type { Host } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { Metrics } from '../core/metrics.ts'
import { createNodeClock } from './node-clock.ts'
import { createNodeDisk } from './node-disk.ts'
import { createNodeHttp } from './node-http.ts'
import { watchMemory } from './node-memory.ts'
import { createNodeNet } from './node-net.ts'
import { createNodeProcesses } from './node-processes.ts'
import { createNodeRandom } from './node-random.ts'
import { createNodeStdout } from './node-stdout.ts'
import { framedStdout } from './stdout-frames.ts'

/** The real world: Node's own clock, files, sockets. Log and metrics come from src/observe. */
export function createNodeHost(options: {
  log: Logger
  metrics: Metrics
  /** It is one of several, and shares sockets and standard output with them. */
  worker?: boolean
  /** See createNodeNet. */
  exclusive?: () => boolean
}): Host {
  const { log, metrics, worker = false, exclusive = () => false } = options
  const stdout = createNodeStdout({ log })
  return {
    clock: createNodeClock(),
    disk: createNodeDisk(),
    net: createNodeNet({ log, worker, exclusive }),
    http: createNodeHttp({ log, exclusive }),
    processes: createNodeProcesses(),
    random: createNodeRandom(),
    log,
    metrics,
    env: process.env,
    hostname: hostname(),
    pid: process.pid,
    stdout: worker ? framedStdout(stdout) : stdout,
    watchMemory,
  }
}
