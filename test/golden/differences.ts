/**
 * Cases of the corpus that Sluice does not answer as Fluentd 1.19.3 did, by name. The same rows, for readers, stand
 * in docs/COMPATIBILITY.md. Expected files are never edited.
 */

/** On purpose: Fluentd's behaviour there is an accident. Each must still differ (a stale row fails the test). */
export const onPurpose: Readonly<Record<string, string>> = {}

/** Of plugins or features that are not built yet: what is missing. Each must still fail. */
export const notBuilt: Readonly<Record<string, string>> = {}
