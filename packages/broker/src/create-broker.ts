// Embeds a broker: takes the directory, starts the actor system and the broker's actor, opens the listeners, and is the handle that users hold.

import { availableParallelism } from 'node:os'
import type { Address, Spawned } from '@odradek/shared/actor/actor'
import { type ActorSystem, createActorSystem } from '@odradek/shared/actor/actor-system'
import { threadBudget } from '@odradek/shared/actor/placement.rules'
import type { ActorListing } from '@odradek/shared/actor/system-core'
import type { TraceEvent } from '@odradek/shared/actor/trace'
import type { TraceFilter } from '@odradek/shared/actor/trace-ring'
import { KafkaError } from '@odradek/shared/base/errors'
import { functionIn, optionsIn, textList, waitMs } from '@odradek/shared/client/call-input'
import { type ClusterDoor, clusterDoor, type EmbeddedBroker } from '@odradek/shared/client/cluster-link'
import type { BrokerTicket } from '@odradek/shared/client/join-broker'
import { clientHostOf } from '@odradek/shared/client/open-door'
import { shown } from '@odradek/shared/client/options'
import { type BrokerContract, brokerContract } from '@odradek/shared/contracts/broker.contract'
import type { StorageInput } from '@odradek/shared/contracts/partition-leader.contract'
import { brokerModule } from './cluster/modules.ts'
import { usualPlacement } from './cluster/usual-placement.rules.ts'
import { claimDirectory, type DirectoryLock, lockDirectory } from './log/directory-lock.ts'
import { LogDirectoryError } from './log/log-errors.ts'
import { type BrokerOptions, type BrokerSettings, readBrokerOptions } from './options.ts'
import { systemWords } from './system-words.rules.ts'
import { advertise, type ListenerKeeper, openListeners } from './wire/open-listeners.ts'

/** An embedded broker. Pass it as `bootstrapServers` to producers, consumers and admin in this thread; others connect over TCP. */
export interface Broker extends EmbeddedBroker, AsyncDisposable {
  /** `host:port` of each listener, joined by commas; empty with `listen: false`. */
  readonly bootstrapServers: string
  readonly clusterId: string
  readonly nodeId: number
  /** Directory of the logs; null with `storage: 'memory'`. */
  readonly dir: string | null
  /** `ok` while the broker's actor runs. */
  health(): Promise<{ readonly ok: boolean; readonly state: string; readonly actors: number; readonly threads: number }>
  /** Every actor: kind, name, thread, state, queues with high-water marks. */
  actors(): Promise<readonly ActorListing[]>
  /** Shows transitions of machines until the returned function is called. */
  trace(filter: TraceFilter, listener: (event: TraceEvent) => void): () => void
  /** Ends an actor (by address or by name) as if it had crashed; its supervisor starts it anew. For study and tests. */
  kill(actor: Address | string): Promise<void>
  /**
   * Holds an actor up (by address or by name): requests to it, its timers and its commits wait until `resume`, as if its thread had stopped; askers meet their
   * deadlines. `actors()` shows it as Paused. An incarnation that is started meanwhile is not paused. For study and tests.
   */
  pause(actor: Address | string): Promise<void>
  /** Lets a paused actor handle what waited, in its order. */
  resume(actor: Address | string): Promise<void>
  /**
   * Begins anew, on the same address and with the same cluster id: every topic, group, transaction and config set since the start is gone, the topics of the options are
   * there and empty. Clients that stay open meet what a client meets whose topics were deleted. For tests.
   */
  reset(): Promise<void>
  /** A ticket for another thread of this application: post it with its `port` transferred, and `joinBroker(ticket)` there gives what `bootstrapServers` takes. */
  door(): BrokerTicket
  /** Drains: stops accepting, lets replies leave (at most `drainMs`, default 5000), closes logs clean. Idempotent. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

/**
 * Starts a broker; resolves when it answers. Throws KafkaError: ODK_OPTION_* and ODK_CONFIG_* for bad options, ODK_DIRECTORY_LOCKED when another broker
 * holds the directory, ODK_LISTEN_FAILED when an address cannot be listened on, ODK_BROKER_FAILED when its metadata cannot be opened, ODK_ABORTED when its
 * signal fires meanwhile.
 */
export async function createBroker(options: BrokerOptions = {}): Promise<Broker> {
  const settings = readBrokerOptions(options)
  refuseAborted(settings.signal)
  const { logger, seed, keepAlive } = settings
  const threads = settings.threads === 'auto' ? threadBudget(availableParallelism()) : settings.threads
  const system = createActorSystem({
    name: 'odradek',
    threads,
    placement: settings.placement ?? usualPlacement(threads),
    keepAlive,
    busyPoll: settings.busyPoll,
    ...(logger ? { logger } : {}),
    ...(seed === undefined ? {} : { seed }),
  })
  const ground = takeGround(settings, system)
  try {
    const broker = await startBroker(settings, system, ground)
    if (settings.signal) closeOnAbort(broker, settings.signal)
    refuseAborted(settings.signal)
    return broker
  } catch (error) {
    await system.close()
    ground.lock?.release()
    refuseAborted(settings.signal)
    throw error instanceof KafkaError
      ? error
      : new KafkaError('ODK_BROKER_FAILED', `the broker did not start: ${(error as Error).message}`, { cause: error })
  }
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  throw new KafkaError('ODK_ABORTED', `createBroker was ended by its signal: ${signal.reason}`, {
    cause: signal.reason,
  })
}

/** A signal may outlive the broker: what listens to it leaves when the broker closes. A signal that fired during the start closes it too. */
function closeOnAbort(broker: BrokerHandle, signal: AbortSignal): void {
  const close = () => void broker.close().catch(() => undefined)
  signal.addEventListener('abort', close)
  broker.onClose = () => signal.removeEventListener('abort', close)
  if (signal.aborted) close()
}

/** What a broker stands on: its storage, held for it alone, and the identity that is kept there. */
interface Ground {
  readonly storage: StorageInput
  readonly clusterId: string
  readonly lock: DirectoryLock | null
}

function takeGround({ storage, nodeId }: BrokerSettings, system: ActorSystem): Ground {
  const fresh = system.random.uuid()
  if (storage.kind === 'memory') return { storage: { kind: 'memory', store: fresh }, clusterId: fresh, lock: null }
  let lock: DirectoryLock | null = null
  try {
    lock = lockDirectory(storage.dir)
    const { clusterId } = claimDirectory(storage.dir, { clusterId: fresh, nodeId })
    return { storage, clusterId, lock }
  } catch (error) {
    lock?.release()
    if (!(error instanceof LogDirectoryError))
      throw new KafkaError(
        'ODK_DIRECTORY_UNUSABLE',
        `dir: cannot use '${storage.dir}': ${systemWords(error as Error)}`,
        {
          cause: error,
        },
      )
    throw new KafkaError(DIRECTORY_CODES[error.code], error.message, { cause: error })
  }
}

/** By why a directory is not taken. */
const DIRECTORY_CODES = {
  LOCKED: 'ODK_DIRECTORY_LOCKED',
  FOREIGN: 'ODK_DIRECTORY_FOREIGN',
  UNREADABLE: 'ODK_DIRECTORY_UNREADABLE',
  UNSUPPORTED_FORMAT: 'ODK_DIRECTORY_UNSUPPORTED_FORMAT',
} as const

async function startBroker(settings: BrokerSettings, system: ActorSystem, ground: Ground): Promise<BrokerHandle> {
  const { nodeId, rack, staticConfigs, topics } = settings
  const { storage, clusterId } = ground
  const spawned = await system.spawn(
    brokerModule,
    { nodeId, clusterId, rack, storage, staticConfigs, topics },
    { name: 'broker', onDeath: 'restart' },
  )
  const address = spawned.address as Address<BrokerContract>
  const listeners = await openListeners(system, address, settings)
  const first = listeners[0]
  if (first) {
    await advertise(system, address, first.advertised)
    // A broker that was restarted has to be told again.
    spawned.onChange(now => now && void advertise(system, now, first.advertised).catch(() => undefined))
  }
  return new BrokerHandle({ settings, system, ground, spawned, listeners })
}

interface Parts {
  readonly settings: BrokerSettings
  readonly system: ActorSystem
  readonly ground: Ground
  readonly spawned: Spawned<BrokerContract>
  readonly listeners: readonly ListenerKeeper[]
}

class BrokerHandle implements Broker {
  readonly #parts: Parts
  readonly [clusterDoor]: ClusterDoor
  readonly bootstrapServers: string
  readonly clusterId: string
  readonly nodeId: number
  readonly dir: string | null
  #closing: Promise<void> | null = null
  /** Called when closing begins. */
  onClose: () => void = () => undefined

  constructor(parts: Parts) {
    const { settings, system, ground, spawned, listeners } = parts
    this.#parts = parts
    this.bootstrapServers = listeners.map(({ bootstrapServer }) => bootstrapServer).join(',')
    this.clusterId = ground.clusterId
    this.nodeId = settings.nodeId
    this.dir = ground.storage.kind === 'lmdb' ? ground.storage.dir : null
    this[clusterDoor] = {
      host: clientHostOf(system, settings.logger),
      link: { kind: 'port', broker: spawned.address as Address<BrokerContract> },
      ticket: () => this.door(),
      isClosed: () => this.#closing !== null,
    }
  }

  async health() {
    const actors = await this.actors()
    const broker = actors.find(({ address }) => address.kind === 'broker')
    const threads = new Set(actors.map(({ thread }) => thread).filter(thread => thread !== null)).size
    return { ok: broker?.state === 'Running', state: broker?.state ?? 'NotRunning', actors: actors.length, threads }
  }

  actors(): Promise<readonly ActorListing[]> {
    return this.#parts.system.actors()
  }

  trace(filter: TraceFilter, listener: (event: TraceEvent) => void): () => void {
    functionIn('trace', 'a filter and a function of an event', listener)
    optionsIn('trace', filter, { kinds: textList, names: textList, machines: textList })
    return this.#parts.system.trace(filter, listener)
  }

  async kill(actor: Address | string): Promise<void> {
    await this.#parts.system.kill(await this.#find(actor), 'killed by its user')
  }

  async pause(actor: Address | string): Promise<void> {
    await this.#parts.system.pause(await this.#find(actor))
  }

  async resume(actor: Address | string): Promise<void> {
    await this.#parts.system.resume(await this.#find(actor))
  }

  async #find(actor: Address | string): Promise<Address> {
    const isAsked = ({ address }: ActorListing) =>
      typeof actor === 'string' ? address.name === actor : address.actor === actor?.actor
    const found = (await this.actors()).find(isAsked)
    if (found !== undefined) return found.address
    const name = typeof actor === 'string' ? `'${actor}'` : (actor?.name ?? shown(actor))
    throw new KafkaError('ODK_NO_SUCH_ACTOR', `there is no actor ${name}: actors() lists them`)
  }

  async reset(): Promise<void> {
    if (this.#closing !== null) throw new KafkaError('ODK_BROKER_CLOSED', 'reset: the broker was closed')
    const { system, spawned } = this.#parts
    const link = system.link(brokerContract, spawned.address as Address<BrokerContract>)
    try {
      await link.ask('reset', {})
    } catch (error) {
      throw new KafkaError('ODK_BROKER_FAILED', `the broker did not begin anew: ${(error as Error).message}`, {
        cause: error,
      })
    } finally {
      link.close()
    }
  }

  door(): BrokerTicket {
    return { port: this.#parts.system.door(), link: this[clusterDoor].link }
  }

  async close(options: { readonly drainMs?: number } = {}): Promise<void> {
    const { drainMs = 5_000 } = optionsIn('close', options, { drainMs: waitMs })
    this.#closing ??= this.#close(drainMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Doors first, then what they lead to. */
  async #close(drainMs: number): Promise<void> {
    const { listeners, spawned, system, ground } = this.#parts
    this.onClose()
    system.announceEnd()
    try {
      await Promise.all(listeners.map(listener => listener.close(drainMs)))
      await spawned.close()
    } finally {
      await system.close()
      ground.lock?.release()
    }
  }
}
