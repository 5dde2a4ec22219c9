// Markers that take long on their way to a leader: who sent them may be dead by then, and what its successor sent may have come first. What one link carries
// keeps its order.
import type { actor as leader } from '@odradek/broker/partition/partition-leader.actor'
import { defineActor, type Peer } from '@odradek/shared/actor/actor'
import type { Clock } from '@odradek/shared/base/clock'
import type { Random } from '@odradek/shared/base/random'
import type { PartitionLeaderContract } from '@odradek/shared/contracts/partition-leader.contract'

/** At most, ms: sooner than who sent it gives up. */
const LATE_MAX_MS = 1_500

export class Stragglers {
  /** Share of the markers that are late, 0..1; changed by the weather. */
  share = 0
  readonly #random: Random
  readonly #kill: (sender: string) => void

  /** `kill`: ends the coordinator of that name. */
  constructor(random: Random, kill: (sender: string) => void) {
    this.#random = random
    this.#kill = kill
  }

  /** How late the next marker of that sender is, ms; 0: in time. The sender of every other late one does not live to see it arrive. */
  lateBy(clock: Clock, sender: string): number {
    if (this.share === 0 || this.#random.float() >= this.share) return 0
    const lateMs = this.#random.int(LATE_MAX_MS)
    if (this.#random.int(2) === 0) clock.after(this.#random.int(lateMs + 1), () => this.#kill(sender))
    return lateMs
  }
}

export function straggling(product: typeof leader, stragglers: Stragglers): typeof leader {
  return defineActor({
    ...product,
    async start(context, input) {
      const handlers = await product.start(context, input)
      const { writeMarker } = handlers.ask
      /** By link: when the last of its late markers has come. */
      const late = new Map<Peer<PartitionLeaderContract>, Promise<void>>()
      return {
        ...handlers,
        ask: {
          ...handlers.ask,
          writeMarker(request, peer) {
            const before = late.get(peer)
            // A peer's name begins with its kind.
            const lateBy = stragglers.lateBy(context.clock, peer.name.split(' ').at(-1)!)
            if (before === undefined && lateBy === 0) return writeMarker(request, peer)
            const here = Promise.all([before, passed(context.clock, lateBy)]).then(() => undefined)
            late.set(peer, here)
            return here.then(() => {
              if (late.get(peer) === here) late.delete(peer)
              return writeMarker(request, peer)
            })
          },
        },
      }
    },
  })
}

function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise(resolve => void clock.after(ms, resolve))
}
