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
  'a-metadata-entries': metadata,
  'a-fluent-bit-forward-ack': metadata,
  'a-fluent-bit-forward-types': metadata,
  'b-copy-default': ownCopies,
  'b-copy-no_copy': ownCopies,
  'b-copy-shallow': ownCopies,
  'f-json-values':
    'Infinity becomes null in JSON; an integer beyond 64 bits becomes a float, as MessagePack has no such integers',
  'i-monitor-agent':
    'emit_count counts batches: consecutive messages of one tag are one; Fluentd counts messages',
  'd-secondary':
    'a chunk that is refused with 400 is tried again in halves, and only its refused events go to the secondary',
  'g-lenient-integer':
    'an integer with something behind it is an error with its place; Fluentd takes the leading digits, or 0',
}

/** Of plugins or features that are not built yet: what is missing. Each must still fail. */
export const notBuilt: Readonly<Record<string, string>> = {}
