import type { ExtraParams } from '../config/schema.ts'
import { positionOf, section } from '../config/schema.ts'
import { ConfigError, type Position } from '../core/errors.ts'

/** `<labels>`: label name and value, as fluent-plugin-prometheus has them. */
export function labelsSection(description: string) {
  return section({ params: {} }, { description, open: true })
}

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** Throws ConfigError if Prometheus would not take the name. */
export function checkLabelName(name: string, position: Position | undefined): void {
  if (labelName.test(name) && !name.startsWith('__')) return
  throw new ConfigError(`"${name}" cannot be the name of a label`, {
    position,
    hint: 'letters, digits and _, not beginning with a digit or __',
  })
}

/** A placeholder of a label's value, with what stands in its brackets: `${tag_parts[1]}`. */
export const placeholder = /\$\{([^[}]+)(?:\[([^\]]+)\])?\}/g

/** What is the same for all events: `${hostname}`, `${worker_id}`. */
export interface Surroundings {
  readonly hostname: string
  readonly workerId: number
  readonly workers: number
}

export function surroundingsOf(context: {
  readonly host: { readonly hostname: string }
  readonly system: { readonly workerId: number; readonly workers: number }
}): Surroundings {
  const { workerId, workers } = context.system
  return { hostname: context.host.hostname, workerId, workers }
}

/**
 * The labels of a monitoring source: `${hostname}` and `${worker_id}` are put in; of several workers each has its
 * `worker_id`. Throws ConfigError.
 */
export function baseLabels(
  written: { readonly extra: ExtraParams } | undefined,
  surroundings: Surroundings,
): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [name, value] of written?.extra ?? []) {
    const position = positionOf(written as object, name)
    checkLabelName(name, position)
    if (value.startsWith('$.') || value.startsWith('$[')) {
      throw new ConfigError(`label ${name}: fields of records cannot be used here`, {
        position,
        hint: `there are no records here: use text, \${hostname} or \${worker_id}`,
      })
    }
    labels[name] = value.replace(placeholder, (whole, key: string) =>
      key === 'hostname'
        ? surroundings.hostname
        : key === 'worker_id'
          ? String(surroundings.workerId)
          : whole,
    )
  }
  if (surroundings.workers > 1) labels.worker_id = String(surroundings.workerId)
  return labels
}
