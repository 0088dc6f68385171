/** What holds a path for one process. */
export interface DiskLock {
  /** Safe twice. */
  release(): Promise<void>
}

/** Another process has it. `code`: so that who only sees an Error can tell. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
  readonly code = 'ELOCKED'
  /** Process id of the holder, as the holder sees it; undefined: it did not say. */
  readonly holderPid: number | undefined

  constructor(path: string, holderPid: number | undefined) {
    const who = holderPid === undefined ? 'another process' : `another process (${holderPid})`
    super(`${who} has ${path}`)
    this.holderPid = holderPid
  }
}
