/** The routing's limits, all in one place. */

/** Tags whose decision is remembered, in each of two generations. */
export const decisionsPerGeneration = 4096
/**
 * Characters of tags remembered in each of two generations: tags come from outside, and can be
 * long.
 */
export const decisionCharsPerGeneration = 1024 * 1024
/** Different chains of filters and outputs a router keeps. */
export const pipelineLimit = 1024
/** Tags that nothing matched, counted each under its own name; all others share one. */
export const unmatchedTagLimit = 100
/** Characters of a tag in a label of a metric or in a message. */
export const shownTagChars = 128
/** Patterns that the nearest is looked for among. */
export const comparedPatternLimit = 200
/** Labels one event may be handed through: beyond, it goes in circles. */
export const labelDepthLimit = 64
/** What an event that has to wait for a filter in use is taken to have gone through. */
export const labelsPerDetour = 16
/**
 * One message of a kind is written in this time; the others are counted and the count is said with
 * the next.
 */
export const repeatedMessageIntervalMs = 10_000
/** Own log messages that wait to become events. */
export const logEventQueueLimit = 1000
/** How long a component may take over its deadline before the others go on without it. */
export const stopGraceMs = 500
/** Bytes of events that wait at a source while outputs change places in a reload. */
export const heldBytesLimit = 64 * 1024 * 1024
/**
 * What an output whose buffer outlives it may take to finish, in a reload, while its heir waits for
 * the same directory.
 */
export const handOverMs = 1_000
