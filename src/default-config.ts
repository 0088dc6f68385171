/** What runs where no configuration is given: everything that comes is printed. */
export const defaultConfigPath = 'embedded default'

export const defaultPorts = { forward: 24224, metrics: 24231 } as const

export const defaultConfig = `# Sluice's own default configuration, in force where no other is given.
# \`sluice --setup DIR\` writes it to DIR/fluent.conf, as something to begin with.

# Docker's fluentd log driver, Fluent Bit, Fluentd and fluent-logger libraries: TCP and UDP.
<source>
  @type forward
  @id forward
  port ${defaultPorts.forward}
</source>

# http://HOST:${defaultPorts.metrics}/metrics for Prometheus; /healthz and /readyz.
<source>
  @type prometheus
  @id prometheus
  port ${defaultPorts.metrics}
</source>

# The names of fluent-plugin-prometheus, for dashboards and alerts made for Fluentd.
<source>
  @type prometheus_output_monitor
  @id prometheus_output_monitor
  <labels>
    hostname \${hostname}
  </labels>
</source>

# Everything to standard output.
<match **>
  @type stdout
  @id stdout
</match>
`
