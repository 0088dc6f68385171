import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import net from 'node:net'
import { join, resolve } from 'node:path'
import { type DiskLock, LockedError } from '../core/disk-lock.ts'

/**
 * Locks that die with their process, however it ends. A lock is a directory of unix sockets, one for each process that wants
 * it. Whoever connects to a socket learns of a process that lives, also in another container that has the same directory; one
 * that refuses is of a dead process. Nothing that a dead process has left has to be judged by a process id or by its age.
 *
 * That one process at most holds it does not depend on time:
 *  - a socket gets its name when it is listened on, so a named one that refuses never answers again, and may be taken away by anyone;
 *  - a process looks at the others' sockets after its own has its name, so of two the later sees the earlier one;
 *  - it holds the lock when all others are dead. Of several that are looking, those give up that see one with a lesser name, and
 *    the least waits until the others hold it or are gone: one gets it.
 */
export function createDiskLocks(
  pid: number,
  pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms)),
): (path: string) => Promise<DiskLock> {
  /** A process may hold a path several times: while it reloads, the old graph may still be at its end. */
  const held = new Map<string, Promise<Held>>()
  /** What is being given back: until then it would be found held. */
  const leaving = new Map<string, Promise<void>>()

  const takeFree = async (key: string) => {
    await leaving.get(key)
    return take(key, pid, pause)
  }

  return async (path) => {
    const key = resolve(path)
    for (;;) {
      const there = held.get(key)
      const mine = there ?? takeFree(key)
      held.set(key, mine)
      try {
        const lock = await mine
        if (held.get(key) !== mine) continue
        lock.users += 1
        return releaseOnce(async () => {
          lock.users -= 1
          if (lock.users > 0) return
          held.delete(key)
          const left = lock.close().finally(() => leaving.delete(key))
          leaving.set(key, left)
          await left
        })
      } catch (error) {
        if (held.get(key) === mine) held.delete(key)
        throw error
      }
    }
  }
}

type Pause = (ms: number) => Promise<void>

interface Held {
  users: number
  close(): Promise<void>
}

function releaseOnce(release: () => Promise<void>): DiskLock {
  let released: Promise<void> | undefined
  return {
    release() {
      released ??= release()
      return released
    },
  }
}

/** A socket's name may have 107 bytes, and ours have at most 40 of them. */
const directoryLimitBytes = 64
/** What is not listened on yet has this in front of its name; a process that dies then leaves it, and after that time it is taken away. */
const unnamed = 'new-'
const unnamedLimitMs = 10_000
/** How often another one that wants it is asked what came of it, and how many times at most. */
const askAgainMs = 5
const askTimes = 100
/** How long a holder may take to say its process id. */
const answerLimitMs = 500
/** The directory may be taken away, by one that gives the lock back, whenever nothing is in it. */
const takeTimes = 100

async function take(path: string, pid: number, pause: Pause): Promise<Held> {
  for (let time = 0; time < takeTimes; time += 1) {
    const mine = await claim(path, pid)
    if (mine === undefined) continue
    try {
      await outlast(path, mine, pause)
      mine.holds = true
      return { users: 0, close: () => giveBack(path, mine) }
    } catch (error) {
      await giveBack(path, mine)
      throw error
    }
  }
  throw new LockedError(path, undefined)
}

/** A process's socket, which is in the directory and listened on. */
interface Claim {
  readonly name: string
  readonly place: Place
  readonly server: net.Server
  holds: boolean
}

/** undefined: the directory, or what was in it, was taken away meanwhile. */
async function claim(path: string, pid: number): Promise<Claim | undefined> {
  await fs.mkdir(path).catch(unless('EEXIST'))
  const place = await placeOf(path).catch(unless('ENOENT'))
  if (place === undefined) return undefined
  const name = `${pid}-${randomBytes(8).toString('hex')}`
  const mine: Claim = { name, place, server: net.createServer(), holds: false }
  try {
    mine.server.on('connection', (connection) => {
      // Whoever asked may be gone again.
      connection.on('error', () => connection.destroy())
      connection.end(`${pid} ${mine.holds ? 'holds' : 'wants'}\n`)
    })
    await listen(mine.server, join(place.path, unnamed + name))
    await fs.rename(join(path, unnamed + name), join(path, name))
    return mine
  } catch (error) {
    await close(mine)
    // libuv says EACCES for a directory that is gone, too.
    await fs.access(path, constants.W_OK).catch(unless('ENOENT'))
    return unless('ENOENT', 'EACCES')(error)
  }
}

async function giveBack(path: string, mine: Claim): Promise<void> {
  // First the name: whoever finds it finds a process that answers.
  await fs.unlink(join(path, mine.name)).catch(unless('ENOENT'))
  await close(mine)
  await fs.rmdir(path).catch(unless('ENOENT', 'ENOTEMPTY', 'EEXIST'))
}

async function close({ server, place }: Claim): Promise<void> {
  await new Promise<void>((done) => server.close(() => done()))
  await place.close()
}

/** Resolves when no other process has the lock, or can get it. Rejects with LockedError where one has. */
async function outlast(path: string, mine: Claim, pause: Pause): Promise<void> {
  for (const name of await fs.readdir(path)) {
    if (name.startsWith(unnamed)) await takeAwayUnnamed(join(path, name))
    else if (name !== mine.name) await outlastOne(path, mine, name, pause)
  }
}

async function outlastOne(path: string, mine: Claim, name: string, pause: Pause): Promise<void> {
  for (let time = 0; ; time += 1) {
    const other = await ask(join(mine.place.path, name))
    if (other === 'dead') return fs.unlink(join(path, name)).catch(unless('ENOENT'))
    const decided = other === 'silent' ? false : !other.wants || name < mine.name
    if (decided || time === askTimes) {
      throw new LockedError(path, other === 'silent' ? undefined : other.pid)
    }
    await pause(askAgainMs)
  }
}

async function takeAwayUnnamed(path: string): Promise<void> {
  const found = await fs.lstat(path).catch(unless('ENOENT'))
  if (found === undefined || Date.now() - found.mtimeMs < unnamedLimitMs) return
  await fs.unlink(path).catch(unless('ENOENT'))
}

interface Other {
  /** As it says; undefined: it takes its time. */
  readonly pid: number | undefined
  /** It does not hold it yet. */
  readonly wants: boolean
}

/** `silent`: it hung up without a word, as one does that ends. */
function ask(path: string): Promise<Other | 'dead' | 'silent'> {
  return new Promise((done) => {
    let text = ''
    const socket = net.connect({ path })
    const end = (answer: Other | 'dead' | 'silent') => {
      clearTimeout(timer)
      socket.destroy()
      done(answer)
    }
    const timer = setTimeout(end, answerLimitMs, { pid: undefined, wants: false })
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      text = (text + part).slice(0, 32)
    })
    socket.once('end', () => {
      const said = /^(\d+) (wants)?/.exec(text)
      end(said === null ? 'silent' : { pid: Number(said[1]), wants: said[2] === 'wants' })
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') end('dead')
      else if (code === 'ECONNRESET') end('silent')
      // As another user's socket, or one that very many ask: it is there.
      else end({ pid: undefined, wants: false })
    })
  })
}

interface Place {
  readonly path: string
  close(): Promise<void>
}

/** Long names are reached through their directory, which the process has open then. */
async function placeOf(path: string): Promise<Place> {
  if (Buffer.byteLength(path) <= directoryLimitBytes) return { path, close: async () => undefined }
  const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${directory.fd}`, close: () => directory.close() }
}

function listen(server: net.Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    // Also later: one that asks can find no file descriptor left.
    server.on('error', fail)
    // `exclusive`: this process's own, not the cluster's.
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      done()
    })
  })
}

/** For `catch`: these errors are none. */
function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
