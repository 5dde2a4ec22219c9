// How a client's actor reaches its cluster: part of what senders and consumers are started with.
import type { Address } from '../actor/actor.ts'
import type { BrokerContract } from './broker.contract.ts'
import type { WirePatience, WireSecurity } from './wire-security.ts'

/** How to reach a cluster; plain data, so that a sender or consumer actor can be started with it. */
export type LinkInput =
  | {
      readonly kind: 'port'
      readonly broker: Address<BrokerContract>
      readonly clientId?: string
      /** Lane of whoever opens it: the leader of a topic's only partition starts there if this link is the first to need it. */
      readonly near?: number
    }
  | {
      readonly kind: 'wire'
      /** `host:port` each. */
      readonly bootstrapServers: readonly string[]
      readonly clientId: string
      readonly security?: WireSecurity
      /** What is left out has Kafka's default. */
      readonly patience?: Partial<WirePatience>
    }
