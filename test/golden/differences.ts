/**
 * Cases of the corpus that Sluice does not answer as Fluentd 1.19.3 did, by name. The same rows, for readers, stand
 * in docs/COMPATIBILITY.md. Expected files are never edited.
 */

const notUtf8 =
  'bytes that are not UTF-8 become U+FFFD in JSON; Fluentd writes them raw, which is not JSON'
const metadata =
  "entries with metadata (Fluent Bit's event format) are taken, as Fluentd does from its next version on; 1.19.3 drops them"
const ownCopies =
  'every store gets the same event; in Fluentd stores of copy share one Ruby object, and see what another did to its insides'

/** On purpose: Fluentd's behaviour there is an accident. Each must still differ (a stale row fails the test). */
export const onPurpose: Readonly<Record<string, string>> = {
  'a-bin-values': notUtf8,
  'a-docker-binary': notUtf8,
  'a-invalid-utf8': notUtf8,
  'e-grep-invalid-utf8': notUtf8,
  'a-nan-infinity':
    'NaN and Infinity become null in JSON; Fluentd writes them bare, which is not JSON',
  'f-json-values':
    'numbers of JSON texts that MessagePack cannot hold become floats (integers beyond 64 bits) and null in JSON (1e400); Fluentd keeps them until a buffer refuses them',
  'a-metadata-entries': metadata,
  'a-fluent-bit-forward-ack': metadata,
  'a-fluent-bit-forward-types': metadata,
  'b-copy-default': ownCopies,
  'b-copy-no_copy': ownCopies,
  'b-copy-shallow': ownCopies,
  'g-lenient-integer':
    'an integer with something behind it is an error with its place; Fluentd takes the leading digits, or 0',
}
