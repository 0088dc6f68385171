import { type ChildProcess, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LockedError } from '../../../src/core/disk-lock.ts'
import { createDiskLocks } from '../../../src/host/disk-locks.ts'

let dir: string
const children: ChildProcess[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-lock-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

/** A process that listens on the socket as a lock does, and says its id. */
async function holder(path: string): Promise<ChildProcess> {
  const code = `require('net').createServer((c) => c.end(process.pid + '\\n')).listen(process.argv[1], () => console.log('ready'))`
  const child = spawn(process.execPath, ['-e', code, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  await new Promise((done) => child.stdout!.once('data', done))
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await gone
}

describe('a lock', () => {
  it('is held once, given back, and taken again', async () => {
    const path = join(dir, 'x.lock')
    const [one, other] = [createDiskLocks(1), createDiskLocks(2)]
    const lock = await one(path)
    await expect(other(path)).rejects.toMatchObject({ code: 'ELOCKED', holderPid: 1 })
    await lock.release()
    await lock.release()
    expect(existsSync(path)).toBe(false)
    const next = await other(path)
    await expect(one(path)).rejects.toBeInstanceOf(LockedError)
    await next.release()
  })

  it('may be had several times by its process, and is held until the last is given back', async () => {
    const path = join(dir, 'x.lock')
    const [one, other] = [createDiskLocks(1), createDiskLocks(2)]
    const [first, second] = await Promise.all([one(path), one(path)])
    await first.release()
    await expect(other(path)).rejects.toBeInstanceOf(LockedError)
    await second.release()
    await (await other(path)).release()
  })

  it('dies with its process: after kill -9 it is taken over', async () => {
    const path = join(dir, 'x.lock')
    const child = await holder(path)
    const lock = createDiskLocks(1)
    await expect(lock(path)).rejects.toMatchObject({ holderPid: child.pid })
    await kill(child)
    expect(existsSync(path)).toBe(true)
    const taken = await lock(path)
    await taken.release()
    expect(readdirSync(dir)).toEqual([])
  })

  it('of a process that is stopped is still its own', async () => {
    const path = join(dir, 'x.lock')
    const child = await holder(path)
    child.kill('SIGSTOP')
    await expect(createDiskLocks(1)(path)).rejects.toMatchObject({ holderPid: undefined })
  })

  it('of a dead process goes to one of several that want it', async () => {
    const path = join(dir, 'x.lock')
    await kill(await holder(path))
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => createDiskLocks(i + 1)(path)),
    )
    const taken = results.filter((result) => result.status === 'fulfilled')
    expect(taken).toHaveLength(1)
    for (const { value } of taken) await value.release()
  })

  it.each([
    ['old', -1, 0],
    ['so young that it may listen yet', 60, 4],
  ])('of a dead process, its socket %s: how often is waited', async (_age, seconds, pauses) => {
    const path = join(dir, 'x.lock')
    await kill(await holder(path))
    const made = Date.now() / 1000 + seconds
    utimesSync(path, made, made)
    const paused: number[] = []
    const lock = createDiskLocks(1, async (ms) => void paused.push(ms))
    await (await lock(path)).release()
    expect(paused).toEqual(Array.from({ length: pauses }, () => 20))
  })

  it('may have a long name', async () => {
    const deep = join(dir, 'a'.repeat(80), 'b'.repeat(80))
    mkdirSync(deep, { recursive: true })
    const path = join(deep, 'x.lock')
    const lock = await createDiskLocks(1)(path)
    expect(readdirSync(deep)).toEqual(['x.lock'])
    await expect(createDiskLocks(2)(path)).rejects.toMatchObject({ holderPid: 1 })
    await lock.release()
    expect(readdirSync(deep)).toEqual([])
  })

  it('does not take a file away that is none', async () => {
    const path = join(dir, 'x.lock')
    writeFileSync(path, 'mine')
    await expect(createDiskLocks(1)(path)).rejects.toThrow('no lock of ours')
    expect(readdirSync(dir)).toEqual(['x.lock'])
  })

  it('is not to be had in a directory that is not there', async () => {
    await expect(createDiskLocks(1)(join(dir, 'none', 'x.lock'))).rejects.toThrow()
  })
})
