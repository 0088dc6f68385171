import type { Reports } from '../../transport/reports.ts'

/** Why events that came in went no further. */
export type InvalidReason = 'invalid_entry' | 'invalid_tag'

/** Why a whole message was lost: what it held was never counted in events. */
export type MessageLoss =
  | 'chunk_size_limit'
  | 'broken'
  | 'unfinished'
  | 'inflate'
  | 'invalid_rest'
  | 'malformed'
  | 'foreign_protocol'

export type ForwardReports = Reports<InvalidReason, MessageLoss>
