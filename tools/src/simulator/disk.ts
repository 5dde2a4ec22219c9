// The disk of the simulated machine, with its faults. Every log lies on it, those of coordinators and of the cluster's metadata too.
import type { SimulatedDisk } from '@odradek/broker/log/memory-segment'

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
}
