/** How a program ended: with an exit code, by a signal ('SIGTERM'), or `error`: it could not be started. */
export interface ProcessExit {
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly error?: Error | undefined
}

export interface ProcessOptions {
  /** What the shell (/bin/sh -c) is given, as it is. */
  readonly command: string
  /** `pipe`: what `write` gives it. */
  readonly stdin: 'none' | 'pipe'
  /** `pipe`: the handler gets it. */
  readonly stdout: 'discard' | 'pipe'
  /** `with_stdout`: it comes in between; `inherit`: it goes to our own standard error. */
  readonly stderr: 'discard' | 'with_stdout' | 'inherit'
}

export interface ProcessHandler {
  /** `bytes` are borrowed: valid until the call returns. */
  onOutput(bytes: Uint8Array): void
  /** It has ended, and so has its output. Called exactly once, never inside `start`. */
  onExit(exit: ProcessExit): void
}

/** A program that was started by its command, and what that started in turn: they get signals together. */
export interface ChildProcess {
  readonly pid: number | undefined
  /** Settles when all of it is taken; rejects if the program does not read any more. `bytes` must not change before. */
  write(bytes: Uint8Array): Promise<void>
  closeInput(): void
  pause(): void
  resume(): void
  /** Nothing happens if it is gone. */
  kill(signal: 'TERM' | 'KILL'): void
}

export interface Processes {
  start(options: ProcessOptions, handler: ProcessHandler): ChildProcess
}

/** Of this process. Collections are counted from the call of `watchMemory` on. */
export interface MemoryFigures {
  /** Of young objects, and of all of them. */
  readonly minorCollections: number
  readonly majorCollections: number
  /** Time that all of them took. */
  readonly collectionMs: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly heapLimitBytes: number
  /** Buffers and the like, outside of the heap. */
  readonly externalBytes: number
  /** What the operating system counts. */
  readonly residentBytes: number
}

export interface MemoryWatch {
  read(): MemoryFigures
  stop(): void
}
