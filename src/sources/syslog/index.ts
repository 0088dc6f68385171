import { defineSource } from '../../config/define.ts'
import { positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import { shape } from './shape.ts'
import { SyslogSource } from './source.ts'

export const syslogSource = defineSource({
  name: 'syslog',
  summary: 'Receives syslog messages over UDP, TCP or TLS.',
  description: 'Tags are `TAG.FACILITY.SEVERITY`: with `tag system`, `system.kern.info`.',
  shape,
  create(params, context) {
    if (params.sourceHostnameKey !== undefined && params.resolveHostname === false) {
      throw new ConfigError('resolve_hostname must be true with source_hostname_key', {
        position: positionOf(params, 'resolveHostname'),
      })
    }
    return new SyslogSource(params, context)
  },
})
