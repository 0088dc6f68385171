import { userInfo } from 'node:os'
import type { RunCommand } from './argv.ts'

/** Node has it, its type declarations do not. */
const { initgroups } = process as unknown as {
  initgroups(user: string | number, group: string | number): void
}

/**
 * --user and --group. Before anything is opened, so that files and directories belong to the user who will go on
 * writing them; a port below 1024 then needs CAP_NET_BIND_SERVICE. Throws an Error that says what is missing.
 */
export function changeUser({ user, group }: Pick<RunCommand, 'user' | 'group'>): void {
  const change = (what: string, run: () => void): void => {
    try {
      run()
    } catch (error) {
      throw new Error(`cannot change to ${what}: ${(error as Error).message}`, { cause: error })
    }
  }
  const id = (name: string): string | number => (/^\d+$/.test(name) ? Number(name) : name)
  if (group !== undefined) change(`group ${group}`, () => process.setgid?.(id(group)))
  if (user === undefined) return
  if (process.getuid?.() === 0) {
    // Without these the process would keep root's groups.
    change(`the groups of user ${user}`, () => {
      const main = group === undefined ? mainGroupOf(id(user)) : id(group)
      if (group === undefined) process.setgid?.(main)
      initgroups.call(process, id(user), main)
    })
  }
  change(`user ${user}`, () => process.setuid?.(id(user)))
}

/** The group that the system's users' list gives a user: what a process of that user would have. */
function mainGroupOf(user: string | number): number {
  process.seteuid?.(user)
  try {
    return userInfo().gid
  } finally {
    process.seteuid?.(0)
  }
}
