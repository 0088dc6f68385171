import { defineSource } from '../../config/define.ts'
import { bool, enumeration, hash, integer, section, string, time } from '../../config/schema.ts'
import { transportSection } from '../../transport/section.ts'
import { createPrometheusSource } from './server.ts'

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
            enable: bool({
              description: 'Whether to use TLS.',
              default: false,
              deprecated: 'Use <transport tls>.',
            }),
            certificate_path: string({
              description: 'File with the certificate. Without it one is made at each start.',
              deprecated: 'Use cert_path of <transport tls>.',
            }),
            private_key_path: string({
              description: 'File with the key of the certificate.',
              deprecated: 'Use private_key_path of <transport tls>.',
            }),
            ca_path: string({
              description:
                'Authorities; without effect, since clients are asked for no certificate.',
              deprecated: 'Use client_cert_auth and ca_path of <transport tls>.',
            }),
            extra_conf: hash({
              description: 'Settings of the Ruby server.',
              unsupported: 'There is no such server here: use <transport tls>.',
            }),
          },
        },
        { description: 'TLS, old form.' },
      ),
      transport: transportSection,
    },
  },
  create: createPrometheusSource,
})
