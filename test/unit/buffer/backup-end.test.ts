import { describe, expect, it } from 'vitest'
import { endedCode, endingBackup } from '../../../src/buffer/backup-end.ts'
import type { Chunk } from '../../../src/core/output.ts'
import { createFakeHost } from '../../support/fake-host.ts'

const chunk = {} as Chunk
const why = { code: 'c', reason: 'r' }

describe('a backup that ends', () => {
  it('finishes what it is about, tells who asked for it, and begins nothing else', async () => {
    const { clock } = createFakeHost()
    let finish = () => undefined as void
    const backup = endingBackup(
      {
        keep: () =>
          new Promise((resolve) => {
            finish = () => resolve('/kept')
          }),
      },
      clock,
    )
    const order: string[] = []
    const kept = backup.keep(chunk, why).then((path) => order.push(String(path)))
    const ended = backup.end().then(() => order.push('ended'))
    await expect(backup.keep(chunk, why)).rejects.toMatchObject({ code: endedCode })
    await clock.settle()
    expect(order).toEqual([])
    finish()
    await clock.settle()
    await Promise.all([kept, ended])
    expect(order).toEqual(['/kept', 'ended'])
  })

  it('with nothing to do ends at once', async () => {
    const { clock } = createFakeHost()
    await endingBackup({ keep: async () => undefined }, clock).end()
  })
})
