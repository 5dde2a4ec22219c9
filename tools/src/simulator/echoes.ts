// Requests that arrive a second time, late: what a network does that a client had given up, and a door that stalled between two of its
// steps. Whoever sent it is not there any more: the second answer goes nowhere. Only requests that change something are worth it.
import type { actor as leader } from '@odradek/broker/partition/partition-leader.actor'
import { type ActorDefinition, defineActor } from '@odradek/shared/actor/actor'
import type { Clock } from '@odradek/shared/base/clock'
import type { Random } from '@odradek/shared/base/random'
import type { ApiName } from '@odradek/shared/contracts/api-map'
import type { CoordinatorContract, CoordinatorInput } from '@odradek/shared/contracts/coordinator.contract'
import { hasProducerId } from '@odradek/shared/records/record-batch'

/** How often, and how late; changed by the weather. */
export class Echoes {
  /** Share of the requests that come again, 0..1. */
  share = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Perhaps does it again, some time later. */
  perhaps(clock: Clock, again: () => unknown): void {
    if (this.share === 0 || this.#random.float() >= this.share) return
    const delayMs = this.#random.int(2) === 0 ? this.#random.int(20) : this.#random.int(1_500)
    clock.after(delayMs, () => void Promise.resolve(again()).catch(() => undefined))
  }
}

/** What a client may have sent and given up; what members say of themselves comes in order on their connection. */
const REPEATED: ReadonlySet<ApiName> = new Set<ApiName>([
  'EndTxn',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'InitProducerId',
])

export function echoing(
  product: ActorDefinition<CoordinatorContract, CoordinatorInput>,
  echoes: Echoes,
): ActorDefinition<CoordinatorContract, CoordinatorInput> {
  return defineActor({
    ...product,
    async start(context, input) {
      const handlers = await product.start(context, input)
      const { request, writeMarker } = handlers.ask
      return {
        ...handlers,
        ask: {
          ...handlers.ask,
          request(asked, peer) {
            if (REPEATED.has(asked.api)) echoes.perhaps(context.clock, () => request(structuredClone(asked), peer))
            return request(asked, peer)
          },
          writeMarker(asked, peer) {
            echoes.perhaps(context.clock, () => writeMarker(structuredClone(asked), peer))
            return writeMarker(asked, peer)
          },
        },
      }
    },
  })
}

export function echoingLeader(product: typeof leader, echoes: Echoes): typeof leader {
  return defineActor({
    ...product,
    async start(context, input) {
      const handlers = await product.start(context, input)
      const { append, writeMarker } = handlers.ask
      return {
        ...handlers,
        ask: {
          ...handlers.ask,
          append(asked, peer) {
            if (asked.origin === 'client' && hasProducerId(asked.records, 0)) {
              const copy = { ...asked, records: asked.records.slice() }
              echoes.perhaps(context.clock, () => append(copy, peer))
            }
            return append(asked, peer)
          },
          writeMarker(asked, peer) {
            echoes.perhaps(context.clock, () => writeMarker(structuredClone(asked), peer))
            return writeMarker(asked, peer)
          },
        },
      }
    },
  })
}
