import { defineSource } from '../../config/define.ts'
import { bool, integer, string, time } from '../../config/schema.ts'
import { createMonitorAgent } from './agent.ts'

/** `<source> @type monitor_agent`: what runs here, and how it does, as JSON and LTSV over HTTP. */
export const monitorAgentSource = defineSource({
  name: 'monitor_agent',
  summary: 'Serves the state of all plugins as JSON and LTSV, and /healthz and /readyz.',
  shape: {
    params: {
      bind: string({
        description: 'Address to listen on.',
        default: '127.0.0.1',
        differs:
          "Fluentd's default is 0.0.0.0: the API answers anybody, so it is for this host unless said otherwise.",
      }),
      port: integer({
        description: 'Port to listen on; of several workers, that of the first.',
        default: 24220,
        check: (port) => (port >= 0 && port <= 65_535 ? undefined : 'expected a port, 0 to 65535'),
      }),
      tag: string({
        description: 'Tag of events with the same figures. Without it none are made.',
      }),
      emit_interval: time({ description: 'Time between those events.', default: 60 }),
      include_config: bool({
        description: "Whether a plugin's parameters are shown too.",
        default: false,
        differs: 'Only declared parameters are shown, and secrets never.',
      }),
      include_retry: bool({
        description: 'Whether the state of retries is shown too.',
        default: false,
      }),
      include_debug_info: bool({
        description: 'Whether ?debug=1 is obeyed.',
        default: false,
        differs: 'It makes the JSON readable; there are no instance variables to show.',
      }),
    },
  },
  create: createMonitorAgent,
})
