// Starts a broker's listeners on the broker's own thread, tells the broker where it can be reached, and starts a listener that died again on the port that clients know.
import type { Address, Link, Spawned } from '@odradek/shared/actor/actor'
import type { ActorSystem } from '@odradek/shared/actor/actor-system'
import { KafkaError } from '@odradek/shared/base/errors'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import { type BrokerContract, brokerContract } from '@odradek/shared/contracts/broker.contract'
import {
  type ListenerAddress,
  type ListenerContract,
  type ListenerInput,
  type ListenerLimits,
  listenerContract,
} from '@odradek/shared/contracts/listener.contract'
import { listenerModule } from '../cluster/modules.ts'
import type { BrokerSettings } from '../options.ts'
import { systemWords } from '../system-words.rules.ts'

const MIB = 1024 * 1024
const REOPEN_BACKOFF = { initialMs: 20, maxMs: 2_000 }

/** Opens all; throws KafkaError ODK_LISTEN_FAILED, naming the address and the cause. */
export async function openListeners(
  system: ActorSystem,
  broker: Address<BrokerContract>,
  settings: BrokerSettings,
): Promise<readonly ListenerKeeper[]> {
  const config = (name: string) => settings.staticConfigs[name] ?? brokerConfigs.get(name)!.defaultValue!
  const shared = {
    broker,
    nodeId: settings.nodeId,
    limits: listenerLimits(config),
    fetchSessionsMax: Number(config('max.incremental.fetch.session.cache.slots')),
  }
  const keepers: ListenerKeeper[] = []
  for (const { host, port, tls = null, advertised = null } of settings.listen) {
    const keeper = new ListenerKeeper(system, { ...shared, host, port, advertised, tls })
    keepers.push(keeper)
    try {
      await keeper.open()
    } catch (error) {
      // None comes back by itself once the broker has failed to start.
      await Promise.all(keepers.map(opened => opened.close(0)))
      throw error
    }
  }
  return keepers
}

/** One listener through all its lives. */
export class ListenerKeeper {
  readonly #system: ActorSystem
  #input: ListenerInput
  #spawned: Spawned<ListenerContract> | null = null
  #bound: ListenerAddress
  #attempt = 0
  #closing = false
  /** It will be opened anew after a while. */
  #isReopening = false

  constructor(system: ActorSystem, input: ListenerInput) {
    this.#system = system
    this.#input = input
    this.#bound = { host: input.host, port: input.port }
  }

  /** What clients are told. */
  get advertised(): ListenerAddress {
    return this.#input.advertised ?? this.#bound
  }

  /** `host:port`, IPv6 in brackets. */
  get bootstrapServer(): string {
    const { host, port } = this.advertised
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  }

  async open(): Promise<void> {
    const { host, port } = this.#input
    try {
      // Started anew by this keeper, not by the supervisor: the port that was free the first time must be the same again.
      const options = { name: `listener-${host}:${port}`, lane: this.#input.broker.lane, onDeath: 'stop' } as const
      this.#spawned = await this.#system.spawn(listenerModule, this.#input, options)
      this.#spawned.onChange(address => address === null && this.#reopen())
      this.#bound = await this.#ask(link => link.ask('address', {}))
      this.#input = { ...this.#input, port: this.#bound.port }
      this.#attempt = 0
    } catch (error) {
      throw new KafkaError(
        'ODK_LISTEN_FAILED',
        `listen: cannot listen on ${host}:${port}: ${systemWords(error as Error)}`,
        {
          cause: error,
        },
      )
    }
  }

  /** Stops accepting and lets owed replies leave for at most `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true
    if (!this.#spawned) return
    await this.#ask(link => link.ask('drain', { withinMs: drainMs }, { deadlineMs: drainMs + 1_000 })).catch(
      () => undefined,
    )
    await this.#spawned.close()
  }

  /** Once, though an attempt that dies while it opens is told of twice: by its end and by who waited for it. */
  #reopen(): void {
    if (this.#closing || this.#isReopening) return
    this.#isReopening = true
    const { clock, random } = this.#system
    clock.after(backoffMs(REOPEN_BACKOFF, this.#attempt++, random.float()), () => {
      this.#isReopening = false
      if (!this.#closing) this.open().catch(() => this.#reopen())
    })
  }

  async #ask<T>(ask: (link: Link<ListenerContract>) => Promise<T>): Promise<T> {
    const link = this.#system.link(listenerContract, this.#spawned!.address as Address<ListenerContract>)
    try {
      return await ask(link)
    } finally {
      link.close()
    }
  }
}

/** Tells the broker what Metadata says of it to clients that came by no listener. */
export async function advertise(
  system: ActorSystem,
  broker: Address<BrokerContract>,
  address: ListenerAddress,
): Promise<void> {
  const link = system.link(brokerContract, broker)
  try {
    await link.ask('advertise', address)
  } finally {
    link.close()
  }
}

function listenerLimits(config: (name: string) => string): ListenerLimits {
  return {
    requestBytesMax: Number(config('socket.request.max.bytes')),
    idleMs: Number(config('connections.max.idle.ms')),
    connectionsMax: Number(config('max.connections')),
    connectionsPerIpMax: Number(config('max.connections.per.ip')),
    readAheadRequestsMax: 128,
    readAheadBytesMax: 16 * MIB,
    unsentBytesMax: 8 * MIB,
  }
}
