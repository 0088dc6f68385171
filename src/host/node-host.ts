import { hostname } from 'node:os'
import type { Host } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { Metrics } from '../core/metrics.ts'
import { createNodeClock } from './node-clock.ts'
import { createNodeDisk } from './node-disk.ts'
import { createNodeHttp } from './node-http.ts'
import { createNodeNet } from './node-net.ts'
import { createNodeRandom } from './node-random.ts'
import { createNodeStdout } from './node-stdout.ts'

/** The real world: Node's own clock, files, sockets. Log and metrics come from src/observe. */
export function createNodeHost(options: { log: Logger; metrics: Metrics }): Host {
  const { log, metrics } = options
  return {
    clock: createNodeClock(),
    disk: createNodeDisk(),
    net: createNodeNet({ log }),
    http: createNodeHttp({ log }),
    random: createNodeRandom(),
    log,
    metrics,
    env: process.env,
    hostname: hostname(),
    pid: process.pid,
    stdout: createNodeStdout({ log }),
  }
}
