// A measured child process: CPU seconds and peak memory of it and all its children, from /proc.
import { spawn } from 'node:child_process'
import fs from 'node:fs'

const ticksPerSecond = 100

function tree(pid) {
  const parents = new Map()
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'latin1')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It ended while we looked: it is not part of the tree any more.
    }
  }
  const members = [pid]
  for (let i = 0; i < members.length; i++)
    for (const [child, parent] of parents) if (parent === members[i]) members.push(child)
  return members
}

export class Measured {
  constructor(command, { cwd, env, stdout }) {
    this.child = spawn('/bin/sh', ['-c', `exec ${command}`], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
    })
    // Nothing is left behind when the bench itself fails.
    const kill = () => this.child.kill('SIGKILL')
    process.once('exit', kill)
    this.child.once('exit', () => process.off('exit', kill))
    this.stderr = ''
    this.child.stderr.on('data', (data) => {
      this.stderr = (this.stderr + data).slice(-20_000)
    })
    this.exited = new Promise((resolve) =>
      this.child.once('exit', (code, signal) => resolve({ code, signal })),
    )
  }
  /** CPU seconds (user + system) so far. */
  cpuSeconds() {
    let ticks = 0
    for (const pid of tree(this.child.pid)) {
      try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        ticks += Number(fields[11]) + Number(fields[12])
      } catch {
        // Ended meanwhile.
      }
    }
    return ticks / ticksPerSecond
  }
  /** Megabytes, the highest each process has had. */
  peakMemoryMb() {
    let kb = 0
    for (const pid of tree(this.child.pid)) {
      try {
        kb += Number(
          /VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0,
        )
      } catch {
        // Ended meanwhile.
      }
    }
    return kb / 1024
  }
  async stop() {
    this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
    const result = await this.exited
    clearTimeout(timer)
    return result
  }
}
