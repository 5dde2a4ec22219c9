// How a producer reaches its sender: made by create-producer, used by the producer.
import type { Link } from '@odradek/shared/actor/actor'
import type { KafkaError } from '@odradek/shared/base/errors'
import type { ClientHost } from '@odradek/shared/client/cluster-link'
import type { SenderContract } from '@odradek/shared/contracts/sender.contract'

export interface SenderConnection {
  readonly host: Pick<ClientHost, 'clock' | 'random' | 'log' | 'limits'>
  /** Starts the sender if need be. Rejects when it cannot be started. */
  open(events: { connected(link: Link<SenderContract>): void; lost(error: KafkaError): void }): void
  /** What an ask of the sender rejected with, as the user sees it. */
  failureOf(thrown: unknown): KafkaError
  close(): Promise<void>
}
