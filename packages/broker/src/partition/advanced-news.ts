// Tells watchers that the partition advanced: one news per commit, and what a full link did not take is owed with the next.
import type { Peer } from '@odradek/shared/actor/actor'
import type { PartitionLeaderContract } from '@odradek/shared/contracts/partition-leader.contract'
import type { Leadership } from './leadership.ts'

type Watcher = Peer<PartitionLeaderContract>

export class AdvancedNews {
  readonly #leadership: Leadership
  /** Watchers, and the bytes that each has not been told of. Bounded by the leader's peers. */
  readonly #owed = new Map<Watcher, number>()

  constructor(leadership: Leadership) {
    this.#leadership = leadership
  }

  watch(peer: Watcher): void {
    if (!this.#owed.has(peer)) this.#owed.set(peer, 0)
  }

  unwatch(peer: Watcher): void {
    this.#owed.delete(peer)
  }

  /** `bytes` became visible. */
  tell(bytes: number): void {
    const { highWatermark, lastStableOffset } = this.#leadership
    for (const [peer, owed] of this.#owed) {
      const told = peer.news('advanced', { highWatermark, lastStableOffset, bytes: owed + bytes })
      this.#owed.set(peer, told ? 0 : owed + bytes)
    }
  }
}
