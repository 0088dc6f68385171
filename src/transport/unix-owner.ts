import { positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Disk } from '../core/host.ts'

interface OwnerParams {
  readonly unixOwner?: string | undefined
  readonly unixGroup?: string | undefined
}

/**
 * Numbers of unix_owner and unix_group: Node has no way to ask for them, so names are looked up in
 * /etc/passwd and /etc/group. Throws ConfigError.
 */
export function unixOwnerOf(
  params: OwnerParams,
  disk: Pick<Disk, 'readFileSync'>,
): { uid?: number; gid?: number } {
  const uid = numberOf(params, { name: 'unixOwner', file: '/etc/passwd', what: 'user' }, disk)
  const gid = numberOf(params, { name: 'unixGroup', file: '/etc/group', what: 'group' }, disk)
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }
}

function numberOf(
  params: OwnerParams,
  of: { name: keyof OwnerParams; file: string; what: string },
  disk: Pick<Disk, 'readFileSync'>,
): number | undefined {
  const written = params[of.name]
  if (written === undefined) return undefined
  if (/^\d{1,9}$/.test(written)) return Number(written)
  const wrong = (message: string) =>
    new ConfigError(message, { position: positionOf(params, of.name) })
  let text: string
  try {
    text = Buffer.from(disk.readFileSync(of.file)).toString('utf8')
  } catch (error) {
    throw wrong(`the ${of.what} ${written} cannot be looked up: ${(error as Error).message}`)
  }
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':')
    if (name === written && id !== undefined && /^\d+$/.test(id)) return Number(id)
  }
  throw wrong(`there is no ${of.what} ${written}`)
}
