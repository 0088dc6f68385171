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
    // Without this the process would keep root's other groups.
    const main = group === undefined ? process.getgid?.() : id(group)
    change(`the groups of user ${user}`, () => initgroups.call(process, id(user), main ?? 0))
  }
  change(`user ${user}`, () => process.setuid?.(id(user)))
}
