import { defineSource } from '../../config/define.ts'
import { bool, enumeration, hash, integer, section, string, time } from '../../config/schema.ts'
import { createPrometheusSource } from './server.ts'

const tlsLater = 'TLS is not supported yet: put a proxy in front, or scrape over a private network.'

/** `<source> @type prometheus`: the metrics of the whole process over HTTP, as fluent-plugin-prometheus serves them. */
export const prometheusSource = defineSource({
  name: 'prometheus',
  summary: 'Serves metrics to Prometheus, and /healthz and /readyz.',
  shape: {
    params: {
      bind: string({ description: 'Address to listen on.', default: '0.0.0.0' }),
      port: integer({
        description: 'Port to listen on; of several workers, that of the first.',
        default: 24231,
        check: (port) => (port >= 0 && port <= 65_535 ? undefined : 'expected a port, 0 to 65535'),
      }),
      metrics_path: string({ description: 'Path of the metrics.', default: '/metrics' }),
      aggregated_metrics_path: string({
        description: 'Path of the metrics of all workers.',
        default: '/aggregated_metrics',
      }),
      content_encoding: enumeration(['identity', 'gzip'], {
        description: 'Whether the metrics are compressed.',
        default: 'identity',
        differs: 'gzip is used only for clients that accept it.',
      }),
      ignore_error_log_interval: time({
        description: 'Time within which the same error is logged once.',
        default: 3600,
        differs: 'The log counts repeated messages by itself.',
      }),
    },
    sections: {
      ssl: section(
        {
          params: {
            enable: bool({ description: 'Whether to use TLS.', default: false }),
            certificate_path: string({ description: 'File with the certificate.' }),
            private_key_path: string({ description: 'File with the key of the certificate.' }),
            ca_path: string({ description: 'Directory with certificates of authorities.' }),
            extra_conf: hash({ description: 'Settings of the Ruby server.' }),
          },
        },
        { description: 'TLS, old form.', unsupported: tlsLater },
      ),
      transport: section(
        { params: {} },
        { description: 'TLS.', argument: 'protocol', open: true, unsupported: tlsLater },
      ),
    },
  },
  create: createPrometheusSource,
})
