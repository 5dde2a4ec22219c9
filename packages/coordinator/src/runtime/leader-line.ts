// A shard's line to the leader of its partition. What is asked over it is answered or fails, unless it was given up before: then nothing more is
// heard of it. Called by the shard runner only.
import type { Link } from '@odradek/shared/actor/actor'
import { assert } from '@odradek/shared/base/assert'
import type { PartitionLeaderContract } from '@odradek/shared/contracts/partition-leader.contract'

export type LeaderLink = Link<PartitionLeaderContract>

/** Who hears how an ask went; one of the two, once, or neither when it was given up. */
export interface LeaderAsk<R> {
  readonly answered: (response: R) => void
  readonly failed: (reason: string) => void
}

export class LeaderLine {
  #link: LeaderLink | null = null
  /** Grows when what was asked is given up. */
  #epoch = 0

  get isOpen(): boolean {
    return this.#link !== null
  }

  /** Leads to this leader from now on, and owns the link. `lost`: it ended. */
  open(link: LeaderLink, lost: (reason: string) => void): void {
    this.close()
    this.#link = link
    void link.closed.then(reason => {
      if (this.#link !== link) return
      this.#link = null
      lost(reason)
    })
  }

  /** Nobody is told: the link is not lost. */
  close(): void {
    const link = this.#link
    this.#link = null
    link?.close()
  }

  /** Whatever was asked until now is not waited for any more. */
  giveUp(): void {
    this.#epoch++
  }

  /** `ask` may look whether its answer is still wanted. The line must be open. */
  ask<R>(ask: (link: LeaderLink, isWanted: () => boolean) => Promise<R>, { answered, failed }: LeaderAsk<R>): void {
    assert(this.#link !== null, 'an active shard has a leader')
    const epoch = this.#epoch
    const isWanted = () => epoch === this.#epoch
    ask(this.#link, isWanted).then(
      response => {
        if (isWanted()) answered(response)
      },
      (reason: unknown) => {
        if (isWanted()) failed(String(reason))
      },
    )
  }
}
