import type { Component } from '../core/component.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Output } from '../core/output.ts'

/**
 * Starts one after the other. If one cannot, those that had started are stopped, at once, and its
 * error is what the caller gets.
 */
export async function startAll(components: readonly Component[]): Promise<void> {
  const started: Component[] = []
  for (const component of components) {
    try {
      await component.start()
      started.push(component)
    } catch (error) {
      await Promise.allSettled(started.map((one) => one.stop(AbortSignal.abort())))
      throw error
    }
  }
}

/** Stops all at once. Rejects with the first error once all have ended. */
export async function stopAll(
  components: readonly Component[],
  deadline: AbortSignal,
): Promise<void> {
  rethrowFirst(await Promise.allSettled(components.map((one) => one.stop(deadline))))
}

/** The `check` of outputs or sources, all of them. Rejects with ConfigErrors of everything they find. */
export async function checkAll(checked: readonly { check?(): Promise<void> }[]): Promise<void> {
  const errors: ConfigError[] = []
  for (const outcome of await Promise.allSettled(checked.map((one) => one.check?.()))) {
    if (outcome.status === 'fulfilled') continue
    const { reason } = outcome
    if (reason instanceof ConfigErrors) errors.push(...reason.errors)
    else if (reason instanceof ConfigError) errors.push(reason)
    else throw reason
  }
  if (errors.length > 0) throw new ConfigErrors(errors)
}

/** Flushes all at once. Rejects with the first error once all have ended. */
export async function flushAll(outputs: readonly Output[]): Promise<void> {
  rethrowFirst(await Promise.allSettled(outputs.map((output) => output.flush?.())))
}

/**
 * Several pending emits as one, settled when all are; rejects with the first error. undefined: none
 * is pending.
 */
export function settleAll(pending: readonly Promise<void>[]): void | Promise<void> {
  if (pending.length === 0) return undefined
  return pending.length === 1 ? pending[0] : Promise.allSettled(pending).then(rethrowFirst)
}

function rethrowFirst(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
}
