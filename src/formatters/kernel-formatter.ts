import type { PluginContext } from '../config/define.ts'
import type { Formatter } from '../core/formatter.ts'
import type { FormatSpec } from '../kernel/types.ts'

/** A formatter whose text the kernel makes straight from the packed bytes. Odd values are counted. */
export function kernelFormatter(
  context: Pick<PluginContext, 'kernel' | 'host' | 'id' | 'type'>,
  spec: FormatSpec,
): Formatter {
  const { kernel } = context
  const program = kernel.compileFormat(spec)
  const replaced = (reason: string) =>
    context.host.metrics.counter({
      name: 'sluice_format_replaced_values_total',
      help: 'Values that JSON cannot hold, written as something else: numbers as null, bytes as U+FFFD.',
      labels: { plugin_id: context.id, type: context.type, reason },
    })
  return {
    format(batch, maxPieceBytes, piece) {
      const { notFinite, notUtf8 } = kernel.format(program, batch, maxPieceBytes, piece)
      if (notFinite > 0) replaced('not_finite').add(notFinite)
      if (notUtf8 > 0) replaced('not_utf8').add(notUtf8)
    },
    asLines: () =>
      spec.newline === '\n'
        ? kernelFormatter(context, spec)
        : kernelFormatter(context, { ...spec, newline: '\n' }),
  }
}
