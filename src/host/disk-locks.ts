import { lstatSync, type Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import net from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import { type DiskLock, LockedError } from '../core/disk-lock.ts'

/**
 * Locks that die with their process, however it ends: a lock is a unix socket that the process listens on. Whoever finds one
 * connects to it: a connection means that the holder lives, also in another container that has the same directory; a refused
 * one that it is dead, and then its socket is taken away. Nothing that a dead process has left has to be judged by a process
 * id, which another process may have by now.
 */
export function createDiskLocks(
  pid: number,
  pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms)),
): (path: string) => Promise<DiskLock> {
  /** A process may hold a path several times: while it reloads, the old graph may still be at its end. */
  const held = new Map<string, Promise<Held>>()

  return async (path) => {
    const key = resolve(path)
    for (;;) {
      const there = held.get(key)
      const mine = there ?? take(key, pid, pause)
      held.set(key, mine)
      try {
        const lock = await mine
        if (held.get(key) !== mine) continue
        lock.users += 1
        return releaseOnce(async () => {
          lock.users -= 1
          if (lock.users > 0) return
          held.delete(key)
          await lock.close()
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

/** A socket's name may have 107 bytes. */
const nameLimitBytes = 100
/** A socket that nobody listens on is asked again while it is so young: its process may be just about to. */
const youngMs = 80
const askAgainMs = 20
/** How long the holder may take to say its process id. */
const answerLimitMs = 500
const takeTimes = 10

async function take(path: string, pid: number, pause: Pause): Promise<Held> {
  const place = await shortPlace(path)
  try {
    for (let time = 0; time < takeTimes; time += 1) {
      const server = await listen(place.path, pid)
      if (server !== undefined) return heldBy(server, place)
      const found = statOf(path)
      if (found === undefined) continue
      if (!found.isSocket()) throw new Error(`${path} is there, and is no lock of ours`)
      const holder = await ask(place.path, found, pause)
      if (holder.lives) throw new LockedError(path, holder.pid)
      await takeAway(path, found, pid)
    }
    throw new LockedError(path, undefined)
  } catch (error) {
    await place.close()
    throw error
  }
}

function heldBy(server: net.Server, place: Place): Held {
  return {
    users: 0,
    async close() {
      await new Promise<void>((done) => server.close(() => done()))
      await place.close()
    },
  }
}

interface Place {
  readonly path: string
  close(): Promise<void>
}

/** Long names are reached through their directory, which the process has open then. */
async function shortPlace(path: string): Promise<Place> {
  if (Buffer.byteLength(path) <= nameLimitBytes) return { path, close: async () => undefined }
  const directory = await fs.open(dirname(path), 'r')
  return {
    path: `/proc/self/fd/${directory.fd}/${basename(path)}`,
    close: () => directory.close(),
  }
}

/** undefined: something is there. */
function listen(path: string, pid: number): Promise<net.Server | undefined> {
  return new Promise((done, fail) => {
    const server = net.createServer((connection) => {
      // Whoever asked may be gone again.
      connection.on('error', () => connection.destroy())
      connection.end(`${pid}\n`)
    })
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') done(undefined)
      else fail(error)
    })
    // `exclusive`: this process's own, not the cluster's.
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      done(server)
    })
  })
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

interface Holder {
  readonly lives: boolean
  readonly pid?: number | undefined
}

async function ask(path: string, { mtimeMs }: Stats, pause: Pause): Promise<Holder> {
  // A clock that was set back meanwhile does not make it younger for ever.
  for (let leftMs = Math.min(mtimeMs + youngMs - Date.now(), youngMs); ; leftMs -= askAgainMs) {
    const answer = await askOnce(path)
    if (answer !== 'refused') return answer
    if (leftMs <= 0) return { lives: false }
    await pause(askAgainMs)
  }
}

function askOnce(path: string): Promise<Holder | 'refused'> {
  return new Promise((done) => {
    let connected = false
    let text = ''
    const socket = net.connect({ path })
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      const pid = /^\d+/.exec(text)?.[0]
      done(
        connected ? { lives: true, pid: pid === undefined ? undefined : Number(pid) } : 'refused',
      )
    }
    const timer = setTimeout(() => {
      connected = true
      end()
    }, answerLimitMs)
    socket.setEncoding('utf8')
    socket.once('connect', () => {
      connected = true
    })
    socket.on('data', (part: string) => {
      text = (text + part).slice(0, 32)
    })
    socket.once('end', end)
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Another user's, or one with very many that ask it: it is there. None at all: as if it were dead.
      if (error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT') connected = true
      end()
    })
  })
}

/** Of several that find a dead process's socket one takes it away, and only that one: not what another has put there since. */
async function takeAway(path: string, found: Stats, pid: number): Promise<void> {
  const aside = `${path}.${pid}`
  try {
    await fs.rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const taken = await fs.lstat(aside)
  if (taken.ino === found.ino) await fs.unlink(aside)
  else await fs.rename(aside, path)
}
