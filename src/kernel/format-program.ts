import { dayNames, monthNames } from '../time/format-time.ts'
import { numberFields, type TimeStep } from '../time/strftime.ts'
import { timeFormatOf } from './format-reference.ts'
import type { FormatSpec } from './types.ts'

/**
 * What the kernel's formatter is told, as bytes in its tables. The offsets are those of
 * assembly/format-state.ts; a program is
 *
 *   u32 kind of the time (0: none, 1: strftime, 2 …: as numbers)   u32 steps
 *   u32 bytes of the newline    u32 newline    u32 bytes of the middle    u32 1: floats as Oj writes them
 *   32: steps of 8 bytes: u8 code, u8 padding or change of case, u16 width, u32 argument
 *   then the literals' bytes, to which their steps' arguments point
 */
export const table = {
  consumed: 0,
  written: 4,
  count: 8,
  notFinite: 12,
  notUtf8: 16,
  zoneAt: 24,
  zoneFrom: 32,
  zoneUntil: 40,
  zoneOffset: 48,
  zoneNameBytes: 52,
  zoneName: 64,
  zoneNameLimit: 63,
  digits: 128,
  escapes: 384,
  names: 640,
  program: 1024,
  programLimit: 3072,
  middle: 8192,
  middleLimit: 57_000,
} as const

const timeKinds = {
  strftime: 1,
  unixtime: 2,
  float: 3,
  unixtime_millis: 4,
  unixtime_micros: 5,
  unixtime_nanos: 6,
} as const

/** Bytes that one rendered time may have in the kernel. */
const timeLimitBytes = 448

const code = { subsecond: 32, name: 33, meridian: 34, offset: 35, zone: 36, literal: 37 } as const

/** The program's bytes, or undefined where the kernel cannot do it (odd times) and the reference must. */
export function encodeProgram(
  spec: FormatSpec,
  steps: readonly TimeStep[],
): Uint8Array | undefined {
  const newline = Buffer.from(spec.newline)
  if (newline.length > 2) return undefined
  const format = timeFormatOf(spec)
  const encoded = encodeSteps(steps)
  if (encoded === undefined || 32 + encoded.length > table.programLimit) return undefined
  const program = Buffer.alloc(32 + encoded.length)
  program.writeUInt32LE(format === undefined ? 0 : timeKinds[format.kind], 0)
  program.writeUInt32LE(steps.length, 4)
  program.writeUInt32LE(newline.length, 8)
  newline.copy(program, 12)
  program.writeUInt32LE(spec.jsonParser === 'oj' ? 1 : 0, 20)
  program.set(encoded, 32)
  return program
}

interface Step {
  readonly code: number
  readonly pad: number
  readonly width: number
  readonly argument: number
  /** The most that it writes. */
  readonly bytes: number
}

function encodeSteps(steps: readonly TimeStep[]): Uint8Array | undefined {
  const literals: Buffer[] = []
  const codes = Buffer.alloc(steps.length * 8)
  let literalAt = 32 + codes.length
  let bytes = 0
  for (const [i, step] of steps.entries()) {
    const made = encodeStep(step, literalAt)
    if (made === undefined) return undefined
    if (step.kind === 'literal') {
      literals.push(Buffer.from(step.text))
      literalAt += made.width
    }
    bytes += made.bytes
    if (bytes > timeLimitBytes) return undefined
    codes.writeUInt8(made.code, i * 8)
    codes.writeUInt8(made.pad, i * 8 + 1)
    codes.writeUInt16LE(made.width, i * 8 + 2)
    codes.writeUInt32LE(made.argument, i * 8 + 4)
  }
  return Buffer.concat([codes, ...literals])
}

function encodeStep(step: TimeStep, literalAt: number): Step | undefined {
  const plain = { pad: 0, width: 0, argument: 0 }
  switch (step.kind) {
    case 'literal': {
      const width = Buffer.byteLength(step.text)
      return { code: code.literal, pad: 0, width, argument: literalAt, bytes: width }
    }
    case 'number': {
      const pad = step.pad === '' ? 0 : step.pad.charCodeAt(0)
      const bytes = Math.max(step.width, 20)
      return { ...plain, code: numberFields.indexOf(step.field), pad, width: step.width, bytes }
    }
    case 'subsecond':
      return { ...plain, code: code.subsecond, width: step.digits, bytes: step.digits }
    case 'dayName':
    case 'monthName': {
      const argument = step.kind === 'dayName' ? 0 : 1
      const width = step.full ? 15 : 3
      return { code: code.name, pad: step.upper ? 1 : 0, width, argument, bytes: 16 }
    }
    case 'meridian':
      return { ...plain, code: code.meridian, pad: step.lower ? 2 : 0, bytes: 2 }
    case 'offset':
      if (step.width >= 0 || step.pad !== '' || step.colons > 2) return undefined
      return { ...plain, code: code.offset, argument: step.colons, bytes: 9 }
    case 'zone':
      if (step.change === 'lower') return undefined
      return {
        ...plain,
        code: code.zone,
        pad: step.change === 'upper' ? 1 : 0,
        bytes: table.zoneNameLimit,
      }
    case 'padded':
      return undefined
  }
}

/** Constants that the kernel looks up: digit pairs, JSON escapes, names of days and months. */
export function writeConstants(tables: Uint8Array): void {
  const into = Buffer.from(tables.buffer, tables.byteOffset, tables.length)
  for (let i = 0; i < 100; i++) {
    into.write(String(i).padStart(2, '0'), table.digits + i * 2, 'latin1')
  }
  for (let i = 0; i < 32; i++) {
    const text = JSON.stringify(String.fromCharCode(i)).slice(1, -1)
    into.write(text, table.escapes + i * 8, 'latin1')
    into[table.escapes + i * 8 + 7] = text.length
  }
  for (const [i, name] of [...dayNames, ...monthNames].entries()) {
    into.write(name, table.names + i * 16, 'latin1')
    into[table.names + i * 16 + 15] = name.length
  }
}
