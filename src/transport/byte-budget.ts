import type { ByteBudget } from '../core/host.ts'

/** Bytes that all clients of a source may hold here at once. */
export function createByteBudget(limitBytes: number): ByteBudget & { readonly usedBytes: number } {
  let used = 0
  return {
    get usedBytes() {
      return used
    },
    take(bytes) {
      if (used + bytes > limitBytes) return false
      used += bytes
      return true
    },
    give(bytes) {
      used -= bytes
    },
  }
}
