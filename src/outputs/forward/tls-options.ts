import { isWritten, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Disk, TlsClientOptions } from '../../core/host.ts'
import type { ForwardParams } from './shape.ts'

type PathName = 'tlsCertPath' | 'tlsCaCertPath' | 'tlsClientCertPath' | 'tlsClientPrivateKeyPath'

/** Reads the certificates: at start. Throws ConfigError where they cannot be read. */
export function tlsOptionsOf(
  params: ForwardParams,
  disk: Pick<Disk, 'readFileSync'>,
): TlsClientOptions | undefined {
  if (params.transport !== 'tls') return undefined
  const read = (name: PathName, path: string) => fileOf(params, { name, path }, disk)
  const own = (name: 'tlsClientCertPath' | 'tlsClientPrivateKeyPath') => {
    const path = params[name]
    return path === undefined ? undefined : read(name, path)
  }
  const caName = (params.tlsCertPath ?? []).length > 0 ? 'tlsCertPath' : 'tlsCaCertPath'
  const digit = /1_(\d)$/.exec(params.tlsVersion)?.[1]
  const exact = `TLSv1.${digit}` as 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
  return {
    ca: (params[caName] ?? []).map((path) => read(caName, path)),
    cert: own('tlsClientCertPath'),
    key: own('tlsClientPrivateKeyPath'),
    passphrase: params.tlsClientPrivateKeyPassphrase,
    minVersion: exact,
    maxVersion: isWritten(params, 'tlsVersion') ? exact : undefined,
    ciphers: isWritten(params, 'tlsCiphers') ? params.tlsCiphers : undefined,
    verify: !params.tlsInsecureMode,
    verifyHostname: params.tlsVerifyHostname && !params.tlsInsecureMode,
  }
}

function fileOf(
  params: ForwardParams,
  { name, path }: { name: PathName; path: string },
  disk: Pick<Disk, 'readFileSync'>,
): Uint8Array {
  try {
    return disk.readFileSync(path)
  } catch (error) {
    throw new ConfigError(`specified cert path does not exist:${path}`, {
      position: positionOf(params, name),
      hint: `the file cannot be read: ${(error as Error).message}`,
    })
  }
}
