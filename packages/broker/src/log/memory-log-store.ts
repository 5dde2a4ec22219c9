// Logs in memory for tests, `storage: 'memory'` and the simulator. The store is owned outside the actors, so logs outlive the actor that
// used them; `crash` makes them what a machine would find after power loss or a kill.

import { MemorySegmentStorage, type SimulatedDisk, soundDisk } from './memory-segment.ts'
import type { LogIdentity, LogNotice, LogStore, OpenedLog } from './partition-log.ts'
import { openSegmentedLog } from './segmented-log.ts'

export interface MemoryLogStoreOptions {
  /** Remember how to take back unflushed commits, for `crash({ keepUnflushed: false })`. Costs memory until the next flush. Default false. */
  readonly forgetful?: boolean
  /** The disk under the logs, with its faults. Default: takes everything. */
  readonly disk?: SimulatedDisk
  readonly notice?: LogNotice
}

export interface MemoryLogStore extends LogStore {
  /** What a stop without warning leaves: everything (the process died) or only what was flushed (the machine did). Logs must be reopened. */
  crash(options: { readonly keepUnflushed: boolean }): void
}

export function memoryLogStore({
  forgetful = false,
  disk = soundDisk,
  notice = () => {},
}: MemoryLogStoreOptions = {}): MemoryLogStore {
  const logs = new Map<string, { identity: LogIdentity; storage: MemorySegmentStorage }>()
  const key = ({ topicId, partition }: LogIdentity) => `${topicId}-${partition}`
  return {
    open(identity: LogIdentity): OpenedLog {
      const entry = logs.get(key(identity)) ?? {
        identity,
        storage: new MemorySegmentStorage(forgetful, disk),
      }
      logs.set(key(identity), entry)
      entry.storage.rewriteSuspects()
      return openSegmentedLog(identity, entry.storage, notice)
    },
    list: () => [...logs.values()].map(entry => entry.identity),
    has: identity => logs.has(key(identity)),
    delete: identity => {
      logs.delete(key(identity))
    },
    removeStray: () => 0,
    close() {},
    crash({ keepUnflushed }) {
      if (keepUnflushed) return
      for (const { storage } of logs.values()) storage.forgetUnflushed()
    },
  }
}
