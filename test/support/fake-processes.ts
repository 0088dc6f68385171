import type { Processes, ProcessHandler, ProcessOptions } from '../../src/core/host.ts'

export interface FakeProcess {
  readonly options: ProcessOptions
  /** What was written to it. */
  input: string
  inputClosed: boolean
  paused: boolean
  readonly signals: string[]
  /** Set: writes reject with it. */
  writeError: Error | undefined
  /** It writes this to its standard output. */
  say(text: string | Uint8Array): void
  exit(code: number, signal?: string): void
}

export interface FakeProcesses extends Processes {
  /** What was started, in order. */
  readonly started: FakeProcess[]
  /** Called with each one: a program that acts by itself. */
  behave: (process: FakeProcess) => void
}

/** Programs that do what a test says. */
export function createFakeProcesses(): FakeProcesses {
  const started: FakeProcess[] = []
  const processes: FakeProcesses = {
    started,
    behave: () => undefined,
    start(options, handler) {
      const fake = createFake(options, handler)
      started.push(fake)
      processes.behave(fake)
      return {
        pid: 1000 + started.length,
        async write(bytes) {
          if (fake.writeError !== undefined) throw fake.writeError
          fake.input += Buffer.from(bytes).toString('latin1')
        },
        closeInput() {
          fake.inputClosed = true
        },
        pause() {
          fake.paused = true
        },
        resume() {
          fake.paused = false
        },
        kill: (signal) => void fake.signals.push(signal),
      }
    },
  }
  return processes
}

function createFake(options: ProcessOptions, handler: ProcessHandler): FakeProcess {
  return {
    options,
    input: '',
    inputClosed: false,
    paused: false,
    signals: [],
    writeError: undefined,
    say: (text) => handler.onOutput(typeof text === 'string' ? Buffer.from(text) : text),
    exit: (code, signal) =>
      handler.onExit({ code: signal === undefined ? code : undefined, signal }),
  }
}
