// Producer ids that nobody has, for new transactional ids and for epochs that have run out. The broker hands them out from durable blocks
// of the cluster coordinator (KIP-730); one is fetched ahead, so that a new id seldom waits for the way to the broker.
import type { BrokerLine } from '@odradek/shared/client/port/broker-line'
import type { InitProducerIdResponse } from '@odradek/shared/protocol/messages/22-init-producer-id'

export class FreshProducerIds {
  readonly #broker: BrokerLine
  #next: Promise<number> | null = null

  constructor(broker: BrokerLine) {
    this.#broker = broker
  }

  /** An id that is the caller's alone. Rejects with PortError when the broker does not answer. */
  take(): Promise<number> {
    const taken = this.#next ?? this.#fetch()
    const next = this.#fetch()
    this.#next = next
    // Nobody waits for it yet; whoever takes the next one asks anew.
    next.catch(() => {
      if (this.#next === next) this.#next = null
    })
    return taken
  }

  async #fetch(): Promise<number> {
    const request = { transactionalId: null, transactionTimeoutMs: 0, producerId: -1, producerEpoch: -1 }
    const asked = { api: 'InitProducerId', request: { ...request, enable2Pc: false, keepPreparedTxn: false } } as const
    const { response } = await this.#broker.link.ask('request', asked)
    return (response as InitProducerIdResponse).producerId
  }
}
