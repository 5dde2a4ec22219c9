// The disk of the simulated machine, with its faults. Only logs of topics lie on it: what coordinators write is on another one, which is sound.
import { type SimulatedDisk, soundDisk } from '@odradek/broker/log/memory-segment'
import type { LogIdentity } from '@odradek/broker/log/partition-log'

export class Disk implements SimulatedDisk {
  isFull = false
  failsFlushes = false

  refusesWrite(): string | null {
    return this.isFull ? 'ENOSPC: no space left on device' : null
  }

  refusesFlush(): string | null {
    return this.failsFlushes ? 'EIO: i/o error, fsync' : null
  }

  /** Everything is taken again. */
  recover(): void {
    this.isFull = false
    this.failsFlushes = false
  }

  /** What lies under a log. */
  under({ topic }: LogIdentity): SimulatedDisk {
    return topic.startsWith('__') ? soundDisk : this
  }
}
