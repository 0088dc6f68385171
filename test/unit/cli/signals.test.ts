import { describe, expect, it } from 'vitest'
import { workInTurn } from '../../../src/cli/signals.ts'

/** Lets everything run that waits for nothing. */
const settle = () => new Promise<void>((done) => setImmediate(done))

describe('work in turn', () => {
  it('begins once what it waits for is there, and one after the other', async () => {
    const seen: string[] = []
    let begin: () => void = () => undefined
    const after = new Promise<void>((resolve) => {
      begin = resolve
    })
    const inTurn = workInTurn({ error: () => undefined }, { stopping: () => false, after })
    const work = (name: string) =>
      inTurn(name, async () => {
        seen.push(`${name} begins`)
        await settle()
        seen.push(`${name} ends`)
      })
    work('reload')()
    work('flush')()
    await settle()
    expect(seen).toEqual([])
    begin()
    for (let i = 0; i < 4; i++) await settle()
    expect(seen).toEqual(['reload begins', 'reload ends', 'flush begins', 'flush ends'])
  })

  it('logs what fails and goes on; begins nothing while stopping', async () => {
    const seen: string[] = []
    let stopping = false
    const inTurn = workInTurn(
      { error: (message) => void seen.push(message) },
      { stopping: () => stopping },
    )
    inTurn('reload', () => Promise.reject(new Error('x')))()
    inTurn('flush', async () => void seen.push('flushed'))()
    await settle()
    stopping = true
    inTurn('flush', async () => void seen.push('too late'))()
    await settle()
    expect(seen).toEqual(['reload failed', 'flushed'])
  })
})
