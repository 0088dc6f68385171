/** Names that are treated as secrets where no schema says anything. */
const secretName = new RegExp(
  [
    'passw(or)?d|passphrase|secret|shared_key',
    '(^|_)(api_?key|token|credentials?|private_key|aws_key_id|aws_sec_key)$',
  ].join('|'),
  'i',
)

/** A path to a secret is none. */
const pathName = /(_path|_file)$/i

export const mask = 'xxxxxx'

export function looksSecret(name: string): boolean {
  return secretName.test(name) && !pathName.test(name)
}

/** Credentials in an address: `http://user:password@host`. */
export function maskUrls(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@/]*@/gi, `$1:${mask}@`)
}
