import { describe, expect, it } from 'vitest'
import type { Batch } from '../../../../src/core/batch.ts'
import { acksIn, message, startForward } from './harness.ts'

const never = new AbortController().signal

/** An output that keeps what it gets until it is told how that fared. */
async function startDelivering(params: Record<string, unknown> = {}) {
  const running = await startForward({ ackWhen: 'delivered', ...params })
  const open: ((arrived: boolean) => void)[] = []
  running.answer = ({ receipt }: Batch) => {
    if (receipt !== undefined) open.push(receipt.expect())
  }
  return { running, open, settle: () => running.host.clock.settle() }
}

describe('ack_when received', () => {
  it('acknowledges what no output has', async () => {
    const running = await startForward({ ackWhen: 'received' })
    running.answer = () => {
      throw new Error('full')
    }
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    expect(acksIn(client)).toEqual(['x'])
    expect(running.host.metrics.value('sluice_input_rejected_events_total')).toBe(1)
  })
})

describe('ack_when buffered', () => {
  it('waits for an output that has the events nowhere but in this process', async () => {
    const { running, open, settle } = await startDelivering({ ackWhen: 'buffered' })
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    await settle()
    expect(acksIn(client)).toEqual([])
    open[0]?.(true)
    await settle()
    expect(acksIn(client)).toEqual(['x'])
  })

  it('asks for being kept, not for being delivered', async () => {
    const running = await startForward()
    let until: unknown
    running.answer = ({ receipt }) => {
      until = receipt?.until
    }
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    expect(until).toBe('kept')
    expect(acksIn(client)).toEqual(['x'])
  })

  it('lets the acks leave before it stops', async () => {
    const { running, open, settle } = await startDelivering({ ackWhen: 'buffered' })
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    await settle()
    const stopped = running.source.stop(never)
    open[0]?.(true)
    await running.host.clock.advance(2_000)
    await stopped
    expect(acksIn(client)).toEqual(['x'])
  })
})

describe('ack_when delivered', () => {
  it('acknowledges when the outputs have delivered, in the order of the messages', async () => {
    const { running, open, settle } = await startDelivering()
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    client.send(message(2, { chunk: 'y' }))
    await settle()
    expect(open).toHaveLength(2)
    open[1]?.(true)
    await settle()
    expect(acksIn(client)).toEqual([])
    open[0]?.(true)
    await settle()
    expect(acksIn(client)).toEqual(['x', 'y'])
  })

  it('asks for no receipt where the client wants no ack', async () => {
    const { running, open } = await startDelivering()
    running.client().send(message(1))
    expect(open).toHaveLength(0)
  })

  it('acknowledges at once what an output does not keep', async () => {
    const running = await startForward({ ackWhen: 'delivered' })
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    await running.host.clock.settle()
    expect(acksIn(client)).toEqual(['x'])
  })

  it('does not acknowledge what was dropped, and takes it again', async () => {
    const { running, open, settle } = await startDelivering()
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    client.send(message(2, { chunk: 'y' }))
    open[0]?.(false)
    open[1]?.(true)
    await settle()
    expect(acksIn(client)).toEqual(['y'])
    const second = running.client()
    second.send(message(1, { chunk: 'x' }))
    open[2]?.(true)
    await settle()
    expect(acksIn(second)).toEqual(['x'])
    expect(running.lines()).toHaveLength(3)
  })

  it('a repeat before the delivery is not handed on, and acknowledged with it', async () => {
    const { running, open, settle } = await startDelivering()
    const [first, second] = [running.client(), running.client()]
    first.send(message(1, { chunk: 'x' }))
    second.send(message(1, { chunk: 'x' }))
    await settle()
    open[0]?.(true)
    await settle()
    expect([acksIn(first), acksIn(second)]).toEqual([['x'], ['x']])
    expect(running.lines()).toHaveLength(1)
  })

  it('a client that has ended its side gets its acks first', async () => {
    const { running, open, settle } = await startDelivering()
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    client.end()
    await settle()
    expect(client.closed).toBe('no')
    open[0]?.(true)
    await settle()
    expect(acksIn(client)).toEqual(['x'])
    expect(client.closed).not.toBe('no')
  })

  it('reads no more while very many acks wait', async () => {
    const { running, open, settle } = await startDelivering({ knowRepeats: false })
    const client = running.client()
    for (let n = 0; n < 1_000; n += 1) client.send(message(n, { chunk: `c${n}` }))
    await settle()
    expect(client.paused).toBe(true)
    for (const tell of open) tell(true)
    await settle()
    expect(client.paused).toBe(false)
    expect(acksIn(client)).toHaveLength(1_000)
  })

  it('a stop does not wait: the client sends again what has no ack', async () => {
    const { running, open, settle } = await startDelivering()
    const client = running.client()
    client.send(message(1, { chunk: 'x' }))
    const stopped = running.source.stop(never)
    await running.host.clock.advance(2_000)
    await stopped
    expect(acksIn(client)).toEqual([])
    open[0]?.(true)
    await settle()
    expect(client.closed).not.toBe('no')
  })
})
