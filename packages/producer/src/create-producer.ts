// Makes a producer and finds the place where its sender runs: in the system of an embedded broker, or in one of its own for a cluster over TCP.
import type { Link, Spawned } from '@odradek/shared/actor/actor'
import { isPortError, KafkaError } from '@odradek/shared/base/errors'
import { brokerClosed, type ClusterDoor, type LinkInput } from '@odradek/shared/client/cluster-link'
import { endWhenCutOff } from '@odradek/shared/client/cut-off'
import type { InJavasSpelling } from '@odradek/shared/client/java-names'
import { openClusterDoor } from '@odradek/shared/client/open-door'
import { coordinatorLane } from '@odradek/shared/client/port/coordinator-lane'
import { type SenderContract, sender } from '@odradek/shared/contracts/sender.contract'
import { type ProducerOptions, type ResolvedProducerOptions, readProducerOptions, senderPolicyOf } from './options.ts'
import { Producer } from './producer.ts'
import { errorOfAsk } from './producer-errors.ts'
import { senderModule } from './sender.actor.ts'
import type { SenderConnection } from './sender-connection.ts'

/**
 * Creates a producer. Nothing is connected before the first use. Throws ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID or ODK_OPTION_CONFLICT.
 * Close it, or let `await using` do so.
 */
export function createProducer(given: ProducerOptions & InJavasSpelling<ProducerOptions>): Producer {
  const options = readProducerOptions(given)
  return new Producer(options, new SenderSpawner(openClusterDoor('createProducer', options), options))
}

/** Starts a sender in a system, and follows it through restarts. */
class SenderSpawner implements SenderConnection {
  readonly host: ClusterDoor['host']
  readonly #door: ClusterDoor
  readonly #options: ResolvedProducerOptions
  #spawned: Promise<Spawned<SenderContract>> | null = null
  #link: Link<SenderContract> | null = null

  constructor(door: ClusterDoor, options: ResolvedProducerOptions) {
    this.host = door.host
    this.#door = door
    this.#options = options
  }

  open(events: Parameters<SenderConnection['open']>[0]): void {
    const lost = (error: KafkaError) => events.lost(brokerClosed(this.#door, error) ?? error)
    this.#spawned = this.#spawn()
    this.#spawned.then(
      spawned => {
        this.#connected(spawned, spawned.address, events)
        spawned.onChange((address, reason) => {
          if (address !== null) this.#connected(spawned, address, events)
          else lost(new KafkaError('ODK_SENDER_DIED', `the producer's sender has ended: ${reason}`))
        })
      },
      thrown => lost(errorOfAsk(thrown)),
    )
  }

  async #spawn(): Promise<Spawned<SenderContract>> {
    const { host, link } = this.#door
    const { transactionalId, clientId: name } = this.#options
    // Every step of a transaction is a word between the two: on one lane it wakes no thread.
    const near =
      transactionalId === undefined ? null : await coordinatorLane(host, link, 'transaction', transactionalId)
    const policy = senderPolicyOf(this.#options)
    // A lane that dies in this moment is no reason to go without a sender.
    const beside =
      near === null
        ? null
        : await host.spawn(senderModule, { link: nearby(link, near), policy }, { name, near }).catch(elsewhere)
    return beside ?? host.spawn(senderModule, { link, policy }, { name })
  }

  failureOf(thrown: unknown): KafkaError {
    const error = errorOfAsk(thrown)
    // A sender ends with its broker, in order.
    return error.code === 'ODK_SENDER_DIED' ? (brokerClosed(this.#door, error) ?? error) : error
  }

  async close(): Promise<void> {
    const link = this.#link
    this.#link = null
    link?.close()
    const spawned = await this.#spawned?.catch(() => null)
    await spawned?.close()
    await this.#door.release?.()
  }

  #connected(
    spawned: Spawned<SenderContract>,
    address: Spawned<SenderContract>['address'],
    events: Parameters<SenderConnection['open']>[0],
  ): void {
    const link = this.#door.host.link(sender, address)
    this.#link = link
    endWhenCutOff(this.#door.host, spawned, link, () => this.#link === link)
    events.connected(link)
  }
}

function nearby(link: LinkInput, near: number): LinkInput {
  return link.kind === 'port' ? { ...link, near } : link
}

function elsewhere(thrown: unknown): null {
  if (isPortError(thrown)) return null
  throw thrown
}
