// A leader in a simulated world, for this room's actor tests: they speak in verbs, time is virtual, the log is in memory or LMDB.
import type { Link, Spawned } from '@odradek/shared/actor/actor'
import { type SimulatedWorld, type SimulationOptions, simulate } from '@odradek/shared/actor/simulated-host'
import {
  type AppendRequest,
  type FetchRequest,
  type PartitionLeaderContract,
  type PartitionLeaderInput,
  partitionLeader,
} from '@odradek/shared/contracts/partition-leader.contract'
import { type ErrorName, errorOf } from '@odradek/shared/protocol/error-codes'
import * as batch from '@odradek/shared/records/record-batch'
import { LogIOError } from '../log/log-errors.ts'
import { memoryLogStore } from '../log/memory-log-store.ts'
import type { LogIdentity, LogStore, OpenedLog, PartitionLog } from '../log/partition-log.ts'
import { memoryStoreKey } from './leader-storage.ts'
import { actor } from './partition-leader.actor.ts'
import { type SampleBatch, sampleBatch } from './sample-batches.suite.ts'

/** Wall clock of the world at its start. */
export const START_MS = Date.UTC(2024, 0, 1)

export interface LeaderOptions extends Partial<SimulationOptions> {
  readonly configs?: { readonly [name: string]: string }
  readonly leaderEpoch?: number
  readonly storage?: PartitionLeaderInput['storage']
}

export interface MarkerShape {
  readonly producerEpoch?: number
  readonly coordinatorEpoch?: number
  readonly transactionVersion?: number
}

/** The memory store of a world, which lets tests look into the leader's log and break its appends. */
export class ObservedStore implements LogStore {
  readonly #inner = memoryLogStore()
  /** The log that was opened last. */
  opened: OpenedLog | undefined
  /** While true, appends throw as a full disk makes them. */
  full = false
  /** When set, what the leader's log does when asked for a checkpoint. */
  checkpoint: PartitionLog['checkpoint'] | undefined

  get log(): PartitionLog {
    return this.opened!.log
  }

  open(identity: LogIdentity): OpenedLog {
    const { log, recovered } = this.#inner.open(identity)
    this.opened = { log: this.#watched(log), recovered }
    return this.opened
  }

  list = () => this.#inner.list()
  has = (identity: LogIdentity) => this.#inner.has(identity)
  delete = (identity: LogIdentity) => this.#inner.delete(identity)
  removeStray = () => this.#inner.removeStray()
  close = () => this.#inner.close()

  #watched(log: PartitionLog): PartitionLog {
    const append: PartitionLog['append'] = (group, config) => {
      if (this.full) throw new LogIOError('append', 'the test', new Error('ENOSPC'))
      return log.append(group, config)
    }
    return new Proxy(log, {
      get: (target, name) => {
        if (name === 'append') return append
        if (name === 'checkpoint' && this.checkpoint !== undefined) return this.checkpoint
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

/** One leader, and a link to it as a door holds it. */
export class LeaderUnderTest {
  readonly world: SimulatedWorld
  readonly link: Link<PartitionLeaderContract>
  readonly spawned: Spawned<PartitionLeaderContract>

  constructor(world: SimulatedWorld, spawned: Spawned<PartitionLeaderContract>) {
    this.world = world
    this.spawned = spawned
    this.link = world.link(partitionLeader, spawned.address)
  }

  /** Appends a batch; answers `[error, baseOffset]`. */
  async append(
    shape: SampleBatch | Uint8Array = {},
    request: Partial<AppendRequest> = {},
  ): Promise<[ErrorName, number]> {
    const { errorCode, baseOffset } = await this.appendFully(shape, request)
    return [errorOf(errorCode).name, baseOffset]
  }

  appendFully(shape: SampleBatch | Uint8Array = {}, request: Partial<AppendRequest> = {}) {
    const records = shape instanceof Uint8Array ? shape : sampleBatch({ timestamp: START_MS, ...shape })
    return this.link.ask('append', { records, acks: -1, origin: 'client', currentLeaderEpoch: -1, ...request })
  }

  fetch(fetchOffset: number, request: Partial<FetchRequest> = {}) {
    return this.link.ask('fetch', {
      currentLeaderEpoch: -1,
      fetchOffset,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 2 ** 20,
      isolationLevel: 0,
      minBytes: 1,
      maxWaitMs: 0,
      ...request,
    })
  }

  async marker(producerId: number, committed: boolean, shape: MarkerShape = {}): Promise<ErrorName> {
    const { producerEpoch = 0, coordinatorEpoch = 0, transactionVersion = 1 } = shape
    const request = { producerId, producerEpoch, coordinatorEpoch, transactionVersion, transactionResult: committed }
    return errorOf((await this.link.ask('writeMarker', request)).errorCode).name
  }

  async verify(producerId: number, baseSequence = 0, producerEpoch = 0) {
    const request = { producerId, producerEpoch, baseSequence }
    return (await this.link.ask('verify', request)).guard ?? undefined
  }

  /** Begins a transaction as a door does: guard first, then the append. */
  async begin(shape: SampleBatch & { producerId: number; baseSequence: number }): Promise<[ErrorName, number]> {
    const { producerId, baseSequence, producerEpoch = 0 } = shape
    const verification = await this.verify(producerId, baseSequence, producerEpoch)
    return this.append({ producerEpoch, transactional: true, ...shape }, { verification })
  }

  async listOffsets(timestamp: number, isolationLevel = 0): Promise<number> {
    return (await this.link.ask('listOffsets', { currentLeaderEpoch: -1, timestamp, isolationLevel })).offset
  }

  describeLog() {
    return this.link.ask('describeLog', {})
  }

  /** Base offsets of all batches, read to the end. */
  async readAll(isolationLevel = 0): Promise<number[]> {
    const bases: number[] = []
    for (let offset = (await this.describeLog()).logStartOffset; ; ) {
      const { records } = await this.fetch(offset, { isolationLevel })
      if (records.length === 0) return bases
      for (const at of batch.batchPositions(records)) {
        bases.push(batch.baseOffset(records, at))
        offset = batch.nextOffset(records, at)
      }
    }
  }

  /** What the leader says of itself. */
  async describe() {
    return (await this.world.actors()).find(({ address }) => address.kind === 'partition-leader')
  }

  /** The store in which the log lies. */
  get disk(): ObservedStore {
    return diskOf(this.world)
  }

  /** Lets virtual time pass. */
  pass(ms: number): Promise<void> {
    return new Promise(resolve => void this.world.clock.after(ms, resolve))
  }

  /** Waits until so many fetches are parked. */
  async parked(count: number): Promise<void> {
    for (;;) {
      const queue = (await this.describe())?.queues?.find(({ name }) => name === 'parked fetches')
      if (queue?.size === count) return
      await this.pass(1)
    }
  }

  /** Kills the leader and waits for its next incarnation, on the same log. */
  restarted(): Promise<LeaderUnderTest> {
    const next = new Promise<LeaderUnderTest>(resolve => {
      this.spawned.onChange(address => {
        if (address !== null) resolve(new LeaderUnderTest(this.world, this.spawned))
      })
    })
    this.world.kill(this.spawned)
    return next
  }
}

function diskOf(world: SimulatedWorld): ObservedStore {
  return world.resources.get(memoryStoreKey('test'), () => new ObservedStore())
}

export const IDENTITY = { topic: 'orders', topicId: 'AbCdEfGhIjKlMnOpQrStUw', partition: 0, nodeId: 1 }

/** Runs `test` against a fresh leader; everything in it happens in virtual time. */
export function withLeader(
  test: (leader: LeaderUnderTest, world: SimulatedWorld) => Promise<void>,
  options: LeaderOptions = {},
): () => Promise<void> {
  return async () => {
    const world = simulate({ seed: 1, ...options })
    await world.run(async () => test(await startLeader(world, options), world))
  }
}

/** Starts a leader in that world; a second one after the first has ended leads the same log. */
export async function startLeader(world: SimulatedWorld, options: LeaderOptions = {}): Promise<LeaderUnderTest> {
  const { configs = {}, leaderEpoch = 3, storage = { kind: 'memory', store: 'test' } } = options
  diskOf(world)
  const input = { ...IDENTITY, leaderEpoch, configs, storage }
  return new LeaderUnderTest(world, await world.spawn(actor, input, { name: 'orders-0' }))
}
