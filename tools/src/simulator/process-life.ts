// One life of the simulated process: a world over the machine's disk, with a broker in it and the way into it that clients take. Ends by
// being closed, or by being left alone: what is not driven any more is dead.
import { brokerModule } from '@odradek/broker/cluster/modules'
import type { LogStore } from '@odradek/broker/log/partition-log'
import { memoryStoreKey } from '@odradek/broker/partition/leader-storage'
import type { Address, Spawned } from '@odradek/shared/actor/actor'
import type { LogLine } from '@odradek/shared/actor/actor-report'
import { MemoryResources } from '@odradek/shared/actor/memory-resources'
import { type SimulatedWorld, simulate } from '@odradek/shared/actor/simulated-host'
import { limits } from '@odradek/shared/base/limits'
import { type ClientHost, clusterDoor, type EmbeddedBroker, type LinkHost } from '@odradek/shared/client/cluster-link'
import type { BrokerContract } from '@odradek/shared/contracts/broker.contract'
import { type PlantedActors, useActors } from './actors.ts'
import { Echoes } from './echoes.ts'
import type { Durability } from './history.ts'
import { OldClient, type OldClientOptions } from './old-client.ts'
import type { Plan, TopicPlan } from './plan.rules.ts'
import { Refusals } from './refusals.ts'
import { Stragglers } from './stragglers.ts'

const STORE = 'machine'
/** Wall clock at the beginning of a run. */
const START_MS = Date.UTC(2024, 0, 1)

export interface LifeOptions {
  readonly plan: Plan
  readonly seed: number
  /** Since the run began, ms. */
  readonly bornAt: number
  /** What earlier lives left. */
  readonly store: LogStore
  readonly log: (line: LogLine) => void
  readonly planted: PlantedActors
}

/** The broker as one client sees it, who can die without a word. */
export interface MortalDoor {
  readonly broker: EmbeddedBroker
  /** Ends everything that the client runs: it says nothing any more, and leaves nothing. */
  abandon(): Promise<void>
  /** Its threads stall: what comes to them is done when they go on. */
  freeze(ms: number): Promise<void>
}

export class ProcessLife {
  readonly world: SimulatedWorld
  readonly bornAt: number
  /** Which requests come twice. */
  readonly echoes: Echoes
  /** Which requests are refused for the moment. */
  readonly refusals: Refusals
  /** Which markers are late. */
  readonly stragglers: Stragglers
  /** By name, the latest incarnations. */
  readonly coordinators = new Map<string, Address>()
  readonly #plan: Plan
  #spawned: Spawned<BrokerContract> | undefined

  constructor({ plan, seed, bornAt, store, log, planted }: LifeOptions) {
    const resources = new MemoryResources()
    resources.get(memoryStoreKey(STORE), () => store)
    this.world = simulate({
      seed,
      threads: plan.threads,
      startMs: START_MS + bornAt,
      resources,
      log,
      // Nobody gives up: a life has more deaths than a supervisor would forgive.
      limits: { restartsMax: 1_000_000, restartDelayMaxMs: 200 },
    })
    this.bornAt = bornAt
    this.#plan = plan
    this.echoes = new Echoes(this.world.random.fork())
    this.refusals = new Refusals(this.world.random.fork())
    this.stragglers = new Stragglers(this.world.random.fork(), name => this.#killCoordinator(name))
    useActors(this.world, {
      planted,
      echoes: this.echoes,
      refusals: this.refusals,
      stragglers: this.stragglers,
      agedProducerIds: plan.agedProducerIds,
      coordinatorStarted: coordinator => this.coordinators.set(coordinator.name, coordinator),
    })
  }

  #killCoordinator(name: string): void {
    const coordinator = this.coordinators.get(name)
    if (coordinator !== undefined) this.world.kill(coordinator)
  }

  /** Milliseconds since the run began. */
  get now(): number {
    return this.bornAt + this.world.elapsedMs
  }

  /** Starts the broker. */
  async begin(): Promise<void> {
    const input = {
      nodeId: 1,
      clusterId: 'simulated-cluster-0000',
      rack: null,
      storage: { kind: 'memory' as const, store: STORE },
      staticConfigs: this.#plan.configs,
      topics: this.#plan.topics.map(topic => ({
        name: topic.name,
        partitions: topic.partitions,
        configs: configsOf(topic),
      })),
    }
    this.#spawned = await this.world.spawn(brokerModule, input, { name: 'broker' })
  }

  /** The embedded broker as clients take it. */
  get broker(): EmbeddedBroker {
    return this.#brokerFor(this.world.spawn.bind(this.world))
  }

  /** A client of before KIP-890, with a door of its own. */
  oldClient(options: OldClientOptions): OldClient {
    return new OldClient(this.#hostFor(), this.#address, options)
  }

  /** A door for one client that may be abandoned. */
  door(): MortalDoor {
    const spawned: Promise<Spawned<any>>[] = []
    const spawn: ClientHost['spawn'] = (module, input, options) => {
      const starting = this.world.spawn(module, input, options)
      spawned.push(starting)
      return starting
    }
    return {
      broker: this.#brokerFor(spawn),
      abandon: async () => {
        for (const starting of spawned) {
          const client = await starting.catch(() => null)
          // Killed first, so that it cannot take its leave; closed, so that nobody starts it anew.
          if (client === null) continue
          await client.kill('its process died')
          await client.close()
        }
      },
      freeze: async ms => {
        for (const starting of spawned) {
          const client = await starting.catch(() => null)
          if (client !== null) this.world.pause(client.address.lane, ms)
        }
      },
    }
  }

  #brokerFor(spawn: ClientHost['spawn']): EmbeddedBroker {
    return { [clusterDoor]: { host: { ...this.#hostFor(), spawn }, link: { kind: 'port', broker: this.#address } } }
  }

  #hostFor(): LinkHost {
    const { world } = this
    return { clock: world.clock, random: world.random.fork(), log: silent, limits, link: world.link.bind(world) }
  }

  get #address(): Address<BrokerContract> {
    return this.#spawned!.address as Address<BrokerContract>
  }

  /** Virtual time passes; waited for inside `world.run`. */
  pass(ms: number): Promise<void> {
    return new Promise(resolve => void this.world.clock.after(ms, resolve))
  }

  /** Ends the broker in order. */
  async end(): Promise<void> {
    await this.#spawned!.close()
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

function configsOf({ durability, segmentBytes }: TopicPlan): { [name: string]: string } {
  return { ...flushConfigs(durability), 'internal.segment.bytes': String(segmentBytes) }
}

function flushConfigs(durability: Durability): { readonly [name: string]: string } {
  if (durability.kind === 'everyCommit') return { 'flush.messages': '1' }
  return durability.kind === 'interval' ? { 'flush.ms': String(durability.flushMs) } : {}
}
