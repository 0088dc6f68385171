import type { Consumer } from '../../core/consumer.ts'
import type { Clock, Connection } from '../../core/host.ts'
import type { Framer, FramerOptions } from '../../kernel/types.ts'
import type { Budget } from './budget.ts'
import type { AckWhen } from './delivery.ts'
import type { Inflations } from './inflation.ts'
import type { ForwardReports } from './losses.ts'
import type { Repeats } from './repeats.ts'
import type { TagRule } from './tags.ts'

export interface SessionSettings {
  readonly tagRule: TagRule
  readonly framer: FramerOptions
  readonly decompressionLimitBytes: number
  readonly denyKeepalive: boolean
  readonly ackWhen: AckWhen
  /** linger_timeout 0: what we close is reset. */
  readonly resetOnClose: boolean
}

/** What all sessions of a source share. */
export interface SessionContext {
  readonly settings: SessionSettings
  readonly clock: Clock
  readonly consumer: Consumer
  readonly reports: ForwardReports
  readonly inflations: Inflations
  readonly budget: Budget
  /** undefined: repeats are not looked for. */
  readonly repeats: Repeats | undefined
  createFramer(options: FramerOptions): Framer
  /** The budget is overdrawn: closes the connection of which most is kept. */
  relieve(): void
}

/** What a session does to the outside; a core/host Connection does it all. */
export type SessionLink = Pick<
  Connection,
  'write' | 'pause' | 'resume' | 'end' | 'destroy' | 'unsentBytes' | 'remoteAddress'
>
