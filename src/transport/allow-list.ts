import { array, positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { parseNetwork } from '../forward/ip-network.ts'

export const allowFrom = array({
  description:
    'Addresses and networks (`10.0.0.0/8`, `fe80::/10`) that may connect; all others are refused at once. Default: everybody.',
  ours: true,
})

/** undefined: everybody may come. Throws ConfigError. */
export function allowListOf(params: {
  readonly allowFrom?: readonly string[] | undefined
}): ((address: string | undefined) => boolean) | undefined {
  const { allowFrom: texts } = params
  if (texts === undefined) return undefined
  const position = positionOf(params, 'allowFrom')
  if (texts.length === 0) {
    throw new ConfigError('allow_from is empty: nobody could connect', { position })
  }
  const networks = texts.map((text) => {
    const network = parseNetwork(text.trim())
    if (network !== undefined) return network
    throw new ConfigError(`allow_from: "${text}" is no address and no network`, {
      position,
      hint: 'write 192.0.2.1, 10.0.0.0/8 or fe80::/10; names are not looked up',
    })
  })
  return (address) => address !== undefined && networks.some((network) => network.contains(address))
}
