// Points threads to their packed code, if it is there and fresh.
import { useThreadEntry } from '@odradek/shared/actor/thread-entry'
import { isPackFresh, packedFolder } from './freshness.ts'

/** What packed threads run. */
export const packedThreadEntry = new URL('thread-start.cjs', packedFolder)

/** Threads that are started from now on run the pack, if there is one and it is fresh. Returns whether they do. */
export function usePackedThreads(): boolean {
  if (!isPackFresh()) return false
  useThreadEntry(packedThreadEntry)
  return true
}
