/**
 * Limits of the forward source that are no parameters, all in one place. (Parameters have theirs in
 * shape.ts.)
 */

/** Work on one connection before others get their turn. */
export const sliceMs = 5
/** So long without work for it, and others have had their turn since. */
export const turnGapMs = 0.5

/**
 * Items (array elements, map pairs) that one message may declare in all: 8 to the byte would be no
 * message of ours.
 */
export const itemLimit = 64 * 1024 * 1024

/**
 * Values in a row that are no messages, after which a connection is closed: nobody who speaks the protocol sends them, and
 * each single byte of them costs as much as a message.
 */
export const brokenLimit = 1000

/**
 * Values in a row inside one compressed message that are no events, after which the rest of it is dropped: 200 KB
 * on the wire can be 200 million of them.
 */
export const barrenLimit = 100_000

/** Acks a client has not read yet; above, nothing more is read from it until they are gone. */
export const unsentLimitBytes = 1024 * 1024

/** First bytes looked at to say what it is that is not the forward protocol. */
export const foreignSampleBytes = 16

/**
 * An unfinished message that grows by less than this in `partial_message_timeout` counts as
 * standing still.
 */
export const progressBytes = 1024

/** How often connections are looked over for timeouts, at least. */
export const sweepIntervalMs = 5_000

/** Payloads being inflated off the event loop at once; further ones wait for their turn. */
export const inflationLimit = 4

/** Inflated output kept while it is checked, so that it need not be inflated a second time. */
export const retainedOutputBytes = 4 * 1024 * 1024

/** At stop: a connection from which nothing has come for so long has nothing more on its way. */
export const drainQuietMs = 25
/** At stop: what clients that never pause may still send. */
export const drainMs = 250

/** After we have ended a connection, how long the client may take to end its side. */
export const lingerMs = 1_000

/** Runs whose acks wait for delivery (`ack_when delivered`), for each connection; above, it waits. */
export const pendingAckLimit = 1_000

/** Address, tag and chunk id of a message that is remembered: a journal holds them. Longer ones are not. */
export const rememberedKeyChars = 2_048
