import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Buffer directories as Fluentd 1.19 left them when it was killed: `<output>-<buffer>-<compress>`, each with ten events in
 * three chunks. app.web has `n` 0 to 5 in a queued chunk that was appended to twice, and 6 to 8 in a staged one; app.db has 9. Those of
 * zstd have the frames of the zstd program, one for each append.
 */
export const fluentdChunks: ReadonlyMap<string, ReadonlyMap<string, Buffer>> = new Map(
  Object.entries(
    JSON.parse(
      readFileSync(fileURLToPath(new URL('fluentd-chunks.json', import.meta.url)), 'utf8'),
    ) as Record<string, Record<string, string>>,
  ).map(([name, files]) => [
    name,
    new Map(Object.entries(files).map(([file, text]) => [file, Buffer.from(text, 'base64')])),
  ]),
)

/** Of a chunk's bytes, whichever formatter made them. */
export function numbersIn(bytes: Buffer): number[] {
  const text = bytes.toString('latin1')
  const json = [...text.matchAll(/"n":(\d)/g)].map(([, digit]) => Number(digit))
  // A fixstr of one character, then a small number.
  const packed = [...text.matchAll(/\xa1n([\0-\x09])/g)].map(([, n]) => (n as string).charCodeAt(0))
  return [...json, ...packed]
}
