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
import { createServer } from 'node:net'
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

/** What a process that wants the lock, or holds it, says of itself. */
async function answering(path: string, name: string, says: 'wants' | 'holds') {
  mkdirSync(path)
  const answer = { says, close: () => new Promise((done) => server.close(done)) }
  const server = createServer((connection) => connection.end(`99 ${answer.says}\n`))
  await new Promise<void>((done) => server.listen(join(path, name), done))
  return answer
}

/** A process that holds the lock. */
async function holdingProcess(path: string): Promise<ChildProcess> {
  mkdirSync(path)
  return holder(join(path, 'of-another'))
}

/** One that listens on the socket as a holder does. */
async function holder(path: string): Promise<ChildProcess> {
  const code = `require('net').createServer((c) => c.end(process.pid + ' holds\\n')).listen(process.argv[1], () => console.log('ready'))`
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

  it('may be had again by its process while it is given back', async () => {
    const lock = createDiskLocks(1)
    const path = join(dir, 'x.lock')
    const first = await lock(path)
    const released = first.release()
    const second = await lock(path)
    await released
    await expect(createDiskLocks(2)(path)).rejects.toBeInstanceOf(LockedError)
    await second.release()
    expect(readdirSync(dir)).toEqual([])
  })

  it('dies with its process: after kill -9 it is taken over', async () => {
    const path = join(dir, 'x.lock')
    const child = await holdingProcess(path)
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
    const child = await holdingProcess(path)
    child.kill('SIGSTOP')
    await expect(createDiskLocks(1)(path)).rejects.toMatchObject({ holderPid: undefined })
  })

  it('of a dead process goes to one of several that want it', async () => {
    const path = join(dir, 'x.lock')
    await kill(await holdingProcess(path))
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => createDiskLocks(i + 1)(path)),
    )
    const taken = results.filter((result) => result.status === 'fulfilled')
    expect(taken).toHaveLength(1)
    for (const { value } of taken) await value.release()
  })

  it('is never held twice, by whatever many that want it, hold it for a while and give it back', async () => {
    const path = join(dir, 'x.lock')
    let [holders, most, taken] = [0, 0, 0]
    const wanting = async (lock: ReturnType<typeof createDiskLocks>) => {
      for (let time = 0; time < 60; time += 1) {
        const got = await lock(path).catch((error: Error) => error)
        if (got instanceof LockedError) continue
        if (got instanceof Error) throw got
        holders += 1
        most = Math.max(most, holders)
        taken += 1
        if (time % 2 === 0) await new Promise(setImmediate)
        holders -= 1
        await got.release()
      }
    }
    await Promise.all(Array.from({ length: 6 }, (_, i) => wanting(createDiskLocks(i + 1))))
    expect(most).toBe(1)
    expect(taken).toBeGreaterThan(5)
    expect(readdirSync(dir)).toEqual([])
  })

  it('that nobody has goes to one of several that want it at once', async () => {
    const path = join(dir, 'x.lock')
    for (let left = 8; left > 0; left -= 1) {
      const results = await Promise.allSettled(
        Array.from({ length: left }, (_, i) => createDiskLocks(i + 1)(path)),
      )
      const taken = results.filter((result) => result.status === 'fulfilled')
      expect(taken).toHaveLength(1)
      await taken[0]!.value.release()
    }
  })

  it('is waited for while one that has the lesser claim finds that another holds it', async () => {
    const path = join(dir, 'x.lock')
    const other = await answering(path, 'z', 'wants')
    const pauses: number[] = []
    const lock = createDiskLocks(7, async (ms) => {
      pauses.push(ms)
      if (pauses.length === 3) other.says = 'holds'
    })
    await expect(lock(path)).rejects.toMatchObject({ holderPid: 99 })
    expect(pauses).toEqual([5, 5, 5])
    await other.close()
    await (await lock(path)).release()
  })

  it('is left at once to one that has the better claim', async () => {
    const path = join(dir, 'x.lock')
    const other = await answering(path, '!', 'wants')
    const lock = createDiskLocks(7, () => expect.unreachable())
    await expect(lock(path)).rejects.toMatchObject({ holderPid: 99 })
    await other.close()
  })

  it('takes away what a process left that was killed before its socket had a name, in its time', async () => {
    const path = join(dir, 'x.lock')
    mkdirSync(path)
    await kill(await holder(join(path, 'new-5-a')))
    await kill(await holder(join(path, 'new-5-b')))
    utimesSync(join(path, 'new-5-a'), 1, 1)
    const lock = await createDiskLocks(1)(path)
    expect(readdirSync(path).filter((name) => name.startsWith('new-'))).toEqual(['new-5-b'])
    await lock.release()
  })

  it('may have a long name', async () => {
    const deep = join(dir, 'a'.repeat(80), 'b'.repeat(80))
    mkdirSync(deep, { recursive: true })
    const path = join(deep, 'x.lock')
    const lock = await createDiskLocks(1)(path)
    expect(readdirSync(path)).toHaveLength(1)
    await expect(createDiskLocks(2)(path)).rejects.toMatchObject({ holderPid: 1 })
    await lock.release()
    expect(readdirSync(deep)).toEqual([])
  })

  it('does not take a file away that is none', async () => {
    const path = join(dir, 'x.lock')
    writeFileSync(path, 'mine')
    await expect(createDiskLocks(1)(path)).rejects.toThrow('ENOTDIR')
    expect(readdirSync(dir)).toEqual(['x.lock'])
  })

  it('is not to be had in a directory that is not there', async () => {
    await expect(createDiskLocks(1)(join(dir, 'none', 'x.lock'))).rejects.toThrow()
  })
})
