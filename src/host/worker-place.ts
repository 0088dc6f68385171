import process from 'node:process'

/** What a process that was started as a worker is told, by an environment variable. */
export interface WorkerPlace {
  readonly id: number
  readonly workers: number
  /** Whether the log, which the supervisor writes, goes to a terminal. */
  readonly color: boolean
}

export const placeVariable = 'SLUICE_WORKER'

/** Where this process stands among workers; undefined: it was not started as one. Reads it once. */
export function takeWorkerPlace(): WorkerPlace | undefined {
  const written = process.env[placeVariable]
  // Whatever this process starts itself is no worker.
  delete process.env[placeVariable]
  return written === undefined || process.send === undefined ? undefined : JSON.parse(written)
}
