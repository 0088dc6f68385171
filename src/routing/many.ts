import type { Component } from '../core/component.ts'
import type { Output } from '../core/output.ts'

/**
 * Starts one after the other. If one cannot, those that had started are stopped, at once, and its error is what the
 * caller gets.
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

/** Flushes all at once. Rejects with the first error once all have ended. */
export async function flushAll(outputs: readonly Output[]): Promise<void> {
  rethrowFirst(await Promise.allSettled(outputs.map((output) => output.flush?.())))
}

function rethrowFirst(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
}
