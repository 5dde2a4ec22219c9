// Which partitions are ours under which key, and the conversation with the caller when that changes: stop what goes, wait for the caller's hooks,
// begin what comes. Owned by the consumer actor.
import type { AssignedPartition, Rebalance, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import type { ManualPartition } from './consumer.machine.ts'
import type { Fetcher } from './fetcher.ts'
import type { AssignmentChange } from './membership.ts'
import { among } from './partition-names.rules.ts'

export class AssignmentDesk {
  readonly #fetcher: Fetcher
  readonly #tell: (rebalance: Rebalance) => boolean
  readonly #assigned = new Map<number, AssignedPartition>()
  readonly #waiting = new Map<number, () => void>()
  #nextKey = 1
  #nextId = 1

  constructor(fetcher: Fetcher, tell: (rebalance: Rebalance) => boolean) {
    this.#fetcher = fetcher
    this.#tell = tell
  }

  assigned(): readonly AssignedPartition[] {
    return [...this.#assigned.values()]
  }

  /** Manual assignment: all of it is new, in the caller's order. */
  replace(partitions: readonly ManualPartition[]): void {
    this.#remove(this.assigned())
    for (const { topic, partition, offset } of partitions) {
      const added = this.#add({ topic, partition })
      this.#fetcher.add(added, offset === undefined ? {} : { offset })
    }
  }

  /** The group's change; resolves when the caller has run its hooks. */
  async change({ revoked, assigned, lost = false, ends = false }: AssignmentChange): Promise<void> {
    const gone = this.assigned().filter(among(revoked))
    const come = assigned.map(partition => this.#add(partition))
    // What goes is fetched no more, but its keys stay known until the caller has finished and committed.
    for (const { key } of gone) this.#fetcher.pause(key, Number.MAX_SAFE_INTEGER, -1)
    for (const partition of come) this.#fetcher.add(partition, { held: true })
    const keys = gone.map(({ key }) => key)
    const id = this.#nextId++
    await new Promise<void>(resolve => {
      this.#waiting.set(id, resolve)
      const told = this.#tell({ id, revoked: lost ? [] : keys, lost: lost ? keys : [], assigned: come, ends })
      // Without a caller nobody has hooks.
      if (!told) this.rebalanced(id)
    })
    this.#remove(gone)
    this.#fetcher.release(come.map(({ key }) => key))
  }

  rebalanced(id: number): void {
    this.#waiting.get(id)?.()
    this.#waiting.delete(id)
  }

  /** Nobody answers any more. */
  close(): void {
    for (const id of [...this.#waiting.keys()]) this.rebalanced(id)
  }

  #add({ topic, partition }: TopicPartition): AssignedPartition {
    const added = { key: this.#nextKey++, topic, partition }
    this.#assigned.set(added.key, added)
    return added
  }

  #remove(partitions: readonly AssignedPartition[]): void {
    for (const { key } of partitions) this.#assigned.delete(key)
    this.#fetcher.remove(partitions.map(({ key }) => key))
  }
}
